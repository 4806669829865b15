/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel symbols, from /proc/kallsyms: "ffffffff81000000 T _text", "... t f\t[module]". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/internal.h"

/* How far behind the last symbol an address may lie and still be called after it. */
#define LAST_SYMBOL_SIZE (1u << 20)

static const char *parse_hex(const char *p, uint64_t *v)
{
	for (*v = 0; isxdigit((unsigned char)*p); p++)
		*v = *v << 4 | (*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
	return p;
}

/* Code goes before data where both bear an address, global before local. */
static unsigned rank_of(char type)
{
	static const char order[] = "TtWw";
	const char *found = strchr(order, type);

	return found ? (unsigned)(found - order) : sizeof(order);
}

/* Symbols of absolute value (per-CPU offsets among them) are no places in memory. */
static bool is_address(uint64_t addr, char type)
{
	return addr >> 63 && tolower((unsigned char)type) != 'a';
}

static void read_line(struct symtab *t, const char *p)
{
	uint64_t addr;
	char type;
	size_t len;

	p = parse_hex(p, &addr);
	if (p[0] != ' ' || !p[1] || p[2] != ' ')
		return;
	type = p[1];
	p += 3;
	len = strcspn(p, "\t\n ");
	if (len && is_address(addr, type))
		symtab_add(t, addr, 0, rank_of(type), p, len);
}

static const struct symtab *kernel_table(struct symbols *s)
{
	char *text, *p;

	if (s->kernel_read)
		return &s->kernel;
	s->kernel_read = true;
	text = symbols_read_file("/proc/kallsyms", NULL);
	for (p = text; p && *p; p = strchrnul(p, '\n'), p += *p == '\n')
		read_line(&s->kernel, p);
	free(text);
	symtab_sort(&s->kernel);
	return &s->kernel;
}

const char *symbols_kernel(struct symbols *s, uint64_t addr, uint64_t *offset)
{
	const struct symtab *t = kernel_table(s);
	const struct symtab_entry *e = symtab_find(t, addr);

	if (!e || (e == &t->entries[t->n - 1] && addr - e->start > LAST_SYMBOL_SIZE))
		return NULL;
	*offset = addr - e->start;
	return t->names + e->name;
}

size_t symbols_kernel_frames(struct symbols *s, uint64_t addr, bool is_return,
			     struct symbols_frame *frames, size_t max)
{
	unsigned back = is_return && addr; /* the call, which may be its function's last */

	if (!max)
		return 0;
	frames[0] = (struct symbols_frame){0};
	frames[0].name = symbols_kernel(s, addr - back, &frames[0].offset);
	frames[0].offset += back;
	return 1;
}

uint64_t symbols_kernel_addr(struct symbols *s, const char *name)
{
	const struct symtab *t = kernel_table(s);

	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->names + t->entries[i].name, name))
			return t->entries[i].start;
	return 0;
}
