/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/actions.h"

/* ---- printing ------------------------------------------------------------------- */

static void do_printf(struct run *r, const struct image_action *a, const void *payload)
{
	output_printf(r->out, a, payload);
}

static void do_print_value(struct run *r, const struct image_action *a, const void *payload)
{
	output_value(r->out, a->type, payload);
}

static void do_print_map(struct run *r, const struct image_action *a, const void *payload)
{
	struct map_contents c;
	int err = map_read(r, a->map, &c);

	(void)payload;
	if (err)
		run_error("Error printing map @%s: %s",
			  image_str(r->img, r->img->maps[a->map].name), strerror(-err));
	else
		output_map(r->out, a->map, c.elems, c.n, a->arg[0], a->arg[1]);
	map_contents_free(&c);
}

static const void *part(const struct run *r, const struct image_action *a, const void *payload,
			uint32_t i)
{
	const struct image_type *t = &r->img->types[a->type];

	return (const char *)payload + r->img->fields[t->fields + i].offset;
}

static void do_print_elem(struct run *r, const struct image_action *a, const void *payload)
{
	output_map_elem(r->out, a->map, part(r, a, payload, 0), part(r, a, payload, 1));
}

static void do_time(struct run *r, const struct image_action *a, const void *payload)
{
	time_t now = time(NULL);
	char text[1024];
	struct tm tm;

	(void)payload;
	if (localtime_r(&now, &tm))
		output_text(r->out, OUTPUT_TIME, text,
			    strftime(text, sizeof(text), image_str(r->img, a->fmt), &tm));
}

static void do_join(struct run *r, const struct image_action *a, const void *payload)
{
	const struct image_type *t = &r->img->types[a->type];
	const char *separator = image_str(r->img, a->fmt);

	output_text_begin(r->out, OUTPUT_JOIN);
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t size = r->img->types[r->img->fields[t->fields + i].type].size;
		const char *s = part(r, a, payload, i);

		if (!*s) /* the end of the array */
			break;
		if (i)
			output_text_more(r->out, OUTPUT_JOIN, separator, strlen(separator));
		output_text_more(r->out, OUTPUT_JOIN, s, strnlen(s, size));
	}
	output_text_end(r->out, OUTPUT_JOIN);
}

/* ---- tables ---------------------------------------------------------------------- */

struct table_maps {
	struct output_table_map *maps;
	struct map_contents *contents;
	size_t n;
};

static bool has_map(const struct table_maps *t, uint32_t map)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->maps[i].map == map)
			return true;
	return false;
}

static int read_table_map(struct run *r, struct table_maps *t, uint32_t map)
{
	struct map_contents *c = &t->contents[t->n];
	int err;

	if (map == IMAGE_NONE || has_map(t, map))
		return 0;
	err = map_read(r, map, c);
	t->maps[t->n++] = (struct output_table_map){.map = map, .elems = c->elems, .n = c->n};
	return err;
}

/* Each map that a column names, once. */
static int read_table_maps(struct run *r, const struct image_action *a, struct table_maps *t)
{
	const struct image_table *table = &r->img->tables[a->table];
	int err = read_table_map(r, t, a->map);

	for (uint32_t i = table->column; i < table->column + table->ncolumns; i++) {
		const struct image_column *col = &r->img->columns[i];

		for (uint32_t j = col->op; j < col->op + col->nops && !err; j++)
			err = read_table_map(r, t, r->img->ops[j].map);
	}
	return err;
}

static void do_rows(struct run *r, const struct image_action *a, const void *payload)
{
	struct table_maps t = {0};
	int err = -ENOMEM;

	t.maps = calloc(r->img->nmaps + 1, sizeof(*t.maps));
	t.contents = calloc(r->img->nmaps + 1, sizeof(*t.contents));
	if (t.maps && t.contents)
		err = read_table_maps(r, a, &t);
	if (err)
		run_error("Error reading the rows of map @%s: %s",
			  image_str(r->img, r->img->maps[a->map].name), strerror(-err));
	else
		output_rows(r->out, a, payload, t.maps, t.n);
	for (size_t i = 0; i < t.n; i++)
		map_contents_free(&t.contents[i]);
	free(t.maps);
	free(t.contents);
}

static void do_screen(struct run *r, const struct image_action *a, const void *payload)
{
	(void)a;
	(void)payload;
	output_screen(r->out);
}

/* ---- maps ------------------------------------------------------------------------ */

static void do_clear(struct run *r, const struct image_action *a, const void *payload)
{
	int err = map_clear(r, a->map);

	(void)payload;
	if (err)
		run_error("Error clearing map @%s: %s",
			  image_str(r->img, r->img->maps[a->map].name), strerror(-err));
}

static void do_zero(struct run *r, const struct image_action *a, const void *payload)
{
	int err = map_zero(r, a->map);

	(void)payload;
	if (err)
		run_error("Error zeroing map @%s: %s", image_str(r->img, r->img->maps[a->map].name),
			  strerror(-err));
}

/* ---- the run itself ---------------------------------------------------------------- */

static void do_exit(struct run *r, const struct image_action *a, const void *payload)
{
	(void)a;
	(void)payload;
	if (r->stop == STOP_NONE)
		r->stop = STOP_EXIT;
}

/* ---- other programs and files -------------------------------------------------------- */

/* Copies what @fd gives, at most @max bytes, to the output. */
static void copy_text(struct run *r, enum output_text_kind kind, int fd, uint64_t max)
{
	char buf[16384];
	ssize_t n;

	output_text_begin(r->out, kind);
	while (max && (n = read(fd, buf, max < sizeof(buf) ? max : sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		output_text_more(r->out, kind, buf, n);
		max -= n;
	}
	output_text_end(r->out, kind);
}

static void do_cat(struct run *r, const struct image_action *a, const void *payload)
{
	char *name = output_format(r->out, a, payload);
	int fd;

	if (!name)
		return;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		run_error("failed to open file '%s' (%s)", name, strerror(errno));
	} else {
		copy_text(r, OUTPUT_CAT, fd, r->img->config->max_cat_bytes);
		close(fd);
	}
	free(name);
}

static void run_shell(const char *command, const sigset_t *mask, int out)
{
	signal(SIGPIPE, SIG_DFL);
	dup2(out, STDOUT_FILENO);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static void system_command(struct run *r, const char *command)
{
	int out[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC)) {
		run_error("system: %s", strerror(errno));
		return;
	}
	output_idle(r->out); /* its errors shall not overtake our text */
	pid = fork();
	if (!pid)
		run_shell(command, &r->signals.old, out[1]);
	close(out[1]);
	if (pid > 0) {
		copy_text(r, OUTPUT_SYSTEM, out[0], UINT64_MAX);
		waitpid(pid, NULL, 0);
	} else {
		run_error("system: %s", strerror(errno));
	}
	close(out[0]);
}

static void do_system(struct run *r, const struct image_action *a, const void *payload)
{
	char *command;

	if (!r->opts->unsafe) {
		run_error("system() not allowed in safe mode. Use '--unsafe'.");
		return;
	}
	command = output_format(r->out, a, payload);
	if (command)
		system_command(r, command);
	free(command);
}

/* ---- the script's own messages, and those about it -------------------------------------- */

static void say(struct run *r, const struct image_action *a, enum output_message_kind kind,
		const void *payload)
{
	char *where = strdup(image_str(r->img, a->where));
	char *calls = where ? strchr(where, '\n') : NULL;
	char *text = output_format(r->out, a, payload);
	struct output_message m = {.kind = kind, .where = where, .quote = "", .text = text};

	if (calls) { /* the place, and below it the calls of macros that led there */
		size_t len = strlen(calls);

		if (calls[len - 1] == '\n')
			calls[len - 1] = '\0';
		if (len > 1) {
			*calls = '\0';
			m.quote = calls + 1;
		}
	}
	if (text && where)
		output_message(r->out, &m);
	free(where);
	free(text);
}

static void do_errorf(struct run *r, const struct image_action *a, const void *payload)
{
	r->errors++;
	say(r, a, OUTPUT_ERRORF, payload);
}

static void do_warnf(struct run *r, const struct image_action *a, const void *payload)
{
	if (!r->opts->no_warnings)
		say(r, a, OUTPUT_WARNF, payload);
}

static const char *helper_name(uint32_t helper, char *buf, size_t size)
{
	static const struct {
		uint32_t id;
		const char *name;
	} names[] = {
		{BPF_FUNC_map_lookup_elem, "map_lookup_elem"},
		{BPF_FUNC_map_update_elem, "map_update_elem"},
		{BPF_FUNC_map_delete_elem, "map_delete_elem"},
		{BPF_FUNC_probe_read, "probe_read"},
		{BPF_FUNC_probe_read_str, "probe_read_str"},
		{BPF_FUNC_probe_read_user, "probe_read_user"},
		{BPF_FUNC_probe_read_kernel, "probe_read_kernel"},
		{BPF_FUNC_probe_read_user_str, "probe_read_user_str"},
		{BPF_FUNC_probe_read_kernel_str, "probe_read_kernel_str"},
		{BPF_FUNC_get_stackid, "get_stackid"},
		{BPF_FUNC_get_current_comm, "get_current_comm"},
		{BPF_FUNC_ringbuf_output, "ringbuf_output"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].id == helper)
			return names[i].name;
	snprintf(buf, size, "%u", helper);
	return buf;
}

static const char *reason_of(uint32_t helper, int64_t err)
{
	if (helper == BPF_FUNC_map_update_elem && err == -E2BIG)
		return "Map full; can't update element. Try increasing max_map_keys config or "
		       "manually setting the max entries in a map declaration e.g. `let @a = "
		       "hash(5000)`";
	if (helper == BPF_FUNC_map_delete_elem && err == -ENOENT)
		return "Can't delete map element because it does not exist.";
	if (helper == BPF_FUNC_map_lookup_elem)
		return "Can't lookup map element because it does not exist.";
	return strerror(err < 0 && err > -4096 ? -err : EINVAL);
}

static void do_runtime_error(struct run *r, const struct image_action *a, const void *payload)
{
	struct output_message m = {
		.kind = OUTPUT_HELPER_ERROR,
		.where = image_str(r->img, a->where),
		.quote = "",
	};
	char number[16];
	uint32_t helper;

	if (r->opts->no_warnings)
		return;
	memcpy(&m.retcode, part(r, a, payload, 0), sizeof(m.retcode));
	memcpy(&helper, part(r, a, payload, 1), sizeof(helper));
	m.helper = helper_name(helper, number, sizeof(number));
	m.text = reason_of(helper, m.retcode);
	output_message(r->out, &m);
}

static void do_remember(struct run *r, const struct image_action *a, const void *payload)
{
	uint32_t pid;

	(void)a;
	memcpy(&pid, payload, sizeof(pid));
	symbols_remember(r->sym, (int)pid);
}

const action_fn actions[IMAGE_NACTIONS] = {
	[IMAGE_A_PRINTF] = do_printf,       [IMAGE_A_PRINT_VALUE] = do_print_value,
	[IMAGE_A_PRINT_MAP] = do_print_map, [IMAGE_A_PRINT_ELEM] = do_print_elem,
	[IMAGE_A_CLEAR] = do_clear,         [IMAGE_A_ZERO] = do_zero,
	[IMAGE_A_EXIT] = do_exit,           [IMAGE_A_TIME] = do_time,
	[IMAGE_A_JOIN] = do_join,           [IMAGE_A_CAT] = do_cat,
	[IMAGE_A_SYSTEM] = do_system,       [IMAGE_A_ERRORF] = do_errorf,
	[IMAGE_A_WARNF] = do_warnf,         [IMAGE_A_RUNTIME_ERROR] = do_runtime_error,
	[IMAGE_A_REMEMBER] = do_remember,   [IMAGE_A_ROWS] = do_rows,
	[IMAGE_A_CYCLES] = do_rows,         [IMAGE_A_SCREEN] = do_screen,
};
