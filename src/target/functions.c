/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's functions. The function tracer's own list says which can be traced; where it
 * cannot be read, the list of symbols says at least which there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/target_internal.h"

#define TRACEABLE "available_filter_functions"
#define KALLSYMS  "/proc/kallsyms"

struct function_list {
	char *text; /* of the file; names point into it */
	struct target_function {
		const char *module, *name;
		uint64_t head; /* the name's first 8 bytes, to be compared as a number */
	} *items;
	size_t n, cap;
	bool sorted;
};

void function_list_free(struct function_list *l)
{
	if (!l)
		return;
	free(l->text);
	free(l->items);
	free(l);
}

/* ---- reading ----------------------------------------------------------------- */

static char *read_fd(int fd)
{
	size_t cap = 4 << 20, len = 0;
	char *text = malloc(cap), *more;
	ssize_t n = 0;

	while (text && (n = read(fd, text + len, cap - len - 1)) > 0) {
		len += n;
		if (cap - len > cap / 8)
			continue;
		more = realloc(text, cap *= 2);
		if (!more) {
			n = -1;
			break;
		}
		text = more;
	}
	if (n || !text || !len) {
		free(text);
		return NULL;
	}
	text[len] = 0;
	return text;
}

static char *read_kallsyms(void)
{
	int fd = open(KALLSYMS, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_fd(fd);

	if (fd >= 0)
		close(fd);
	return text;
}

static char *read_traceable(struct target *t)
{
	int fd = target_tracefs_open(t, TRACEABLE);
	char *text = fd < 0 ? NULL : read_fd(fd);

	if (fd >= 0)
		close(fd);
	return text;
}

/* Lower numbers belong to names that sort before. */
static uint64_t head_of(const char *name)
{
	uint64_t head = 0;
	unsigned n = 0;

	for (; n < 8 && name[n]; n++)
		head = head << 8 | (uint8_t)name[n];
	return n && n < 8 ? head << (8 * (8 - n)) : head;
}

static int add(struct function_list *l, const char *module, const char *name)
{
	struct target_function *items = l->items;

	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 65536;
		items = realloc(items, l->cap * sizeof(*items));
		if (!items)
			return -ENOMEM;
		l->items = items;
	}
	items[l->n++] = (struct target_function){module, name, head_of(name)};
	return 0;
}

/* Not functions that anybody calls: split-off parts, paddings, and what the compiler left. */
static bool is_function(const char *name)
{
	static const char *const starts[] = {"__pfx_", "__cfi_", "__ftrace_invalid_address"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (!strncmp(name, starts[i], strlen(starts[i])))
			return false;
	return !strstr(name, ".part.") && !strstr(name, ".cold") && !strchr(name, '$');
}

/* "name" or "name [module]", in place. Programs are listed as of modules of their own. */
static int add_line(struct function_list *l, char *name)
{
	char *end = name + strcspn(name, " \t"), *module = strchr(end, '[');

	*end = 0;
	if (module) {
		module++;
		module[strcspn(module, "]")] = 0;
		if (!strcmp(module, "bpf") || !strncmp(module, "__builtin__", 11))
			return 0;
	}
	return is_function(name) ? add(l, module ? module : "vmlinux", name) : 0;
}

/* The name of a function in a line of kallsyms, "address type name [module]", or NULL. */
static char *kallsyms_name(char *line)
{
	char *type = strchr(line, ' ');

	if (!type || !strchr("tTwW", type[1]) || type[2] != ' ')
		return NULL;
	return type + 3;
}

static int parse(struct function_list *l, bool kallsyms)
{
	int err = 0;

	for (char *line = l->text, *end; *line && !err; line = end) {
		char *name;

		end = strchrnul(line, '\n');
		if (*end)
			*end++ = 0;
		name = kallsyms ? kallsyms_name(line) : line;
		if (name && *name)
			err = add_line(l, name);
	}
	return err;
}

static struct function_list *function_list_read(struct target *t)
{
	struct function_list *l = calloc(1, sizeof(*l));
	bool kallsyms;

	if (!l)
		return NULL;
	l->text = read_traceable(t);
	kallsyms = !l->text;
	if (kallsyms)
		l->text = read_kallsyms();
	if (l->text && !parse(l, kallsyms) && l->n)
		return l;
	function_list_free(l);
	return NULL;
}

static struct function_list *functions(struct target *t)
{
	if (!t->functions_tried) {
		t->functions_tried = true;
		t->functions = function_list_read(t);
	}
	return t->functions;
}

/* ---- asking --------------------------------------------------------------------- */

static int by_name(const void *pa, const void *pb)
{
	const struct target_function *a = pa, *b = pb;
	int order;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->module, b->module);
}

/* Sorts; a name that a module has several times stands once. */
static void sort(struct function_list *l)
{
	size_t n = 0;

	if (l->sorted)
		return;
	l->sorted = true;
	qsort(l->items, l->n, sizeof(*l->items), by_name);
	for (size_t i = 0; i < l->n; i++)
		if (!n || by_name(&l->items[n - 1], &l->items[i]))
			l->items[n++] = l->items[i];
	l->n = n;
}

int target_each_function(struct target *t, const char *module, const char *name,
			 int (*cb)(const char *module, const char *name, void *arg), void *arg)
{
	struct function_list *l = functions(t);
	int err = 0;

	if (!l)
		return -ENOENT;
	if (target_has_wildcard(name))
		sort(l);
	for (size_t i = 0; i < l->n && !err; i++) {
		const struct target_function *f = &l->items[i];

		if (target_glob(name, f->name) && target_glob(module, f->module))
			err = cb(f->module, f->name, arg);
	}
	return err;
}

static int is_of_module(const char *module, const char *name, void *arg)
{
	(void)module, (void)name, (void)arg;
	return 1;
}

bool target_has_module(struct target *t, const char *module)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return !strcmp(module, "vmlinux") || !access(path, F_OK) ||
	       target_each_function(t, module, "*", is_of_module, NULL) == 1;
}
