/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/eh_frame.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/cfi.h"
#include "symbols/debug_file.h"
#include "symbols/internal.h"

/* ---- rules, each once ------------------------------------------------------------------- */

#define HASH_SIZE (4 * IMAGE_UNWIND_MAX_RULES)

static uint32_t hash_rule(const struct image_unwind_rule *rule)
{
	const uint8_t *p = (const uint8_t *)rule;
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(*rule); i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

int unwind_rules_init(struct unwind_rules *r)
{
	*r = (struct unwind_rules){.nhashed = HASH_SIZE};
	r->hashed = calloc(HASH_SIZE, sizeof(*r->hashed));
	r->rules = calloc(1, sizeof(*r->rules));
	r->n = r->cap = 1;
	if (r->hashed && r->rules)
		return 0;
	unwind_rules_free(r);
	return -ENOMEM;
}

void unwind_rules_free(struct unwind_rules *r)
{
	free(r->rules);
	free(r->hashed);
	*r = (struct unwind_rules){0};
}

/* The number of @rule, 0 when there are too many. */
static uint32_t rule_number(struct unwind_rules *r, const struct image_unwind_rule *rule)
{
	uint32_t at = hash_rule(rule) % r->nhashed;

	for (; r->hashed[at]; at = (at + 1) % r->nhashed)
		if (!memcmp(&r->rules[r->hashed[at]], rule, sizeof(*rule)))
			return r->hashed[at];
	if (r->n >= IMAGE_UNWIND_MAX_RULES ||
	    symbols_grow((void **)&r->rules, &r->cap, r->n + 1, sizeof(*r->rules)))
		return 0;
	r->rules[r->n] = *rule;
	r->hashed[at] = (uint32_t)r->n++;
	return r->hashed[at];
}

/* ---- rows --------------------------------------------------------------------------------- */

struct reader {
	struct unwind_rules *rules;
	struct unwind_rows *rows;
	struct cfi_section section;
	int err;
};

static void add_row(struct reader *r, uint64_t pc, uint32_t rule)
{
	struct unwind_rows *t = r->rows;

	if (r->err || pc > UINT32_MAX)
		return;
	r->err = symbols_grow((void **)&t->rows, &t->cap, t->n + 1, sizeof(*t->rows));
	if (!r->err)
		t->rows[t->n++] = pc << 32 | rule;
}

static void take_rule(void *arg, uint64_t pc, const struct image_unwind_rule *rule)
{
	struct reader *r = arg;
	bool known = rule && (rule->cfa != IMAGE_UNWIND_UNKNOWN || rule->flags & IMAGE_UNWIND_END);

	add_row(r, pc, known ? rule_number(r->rules, rule) : 0);
}

/* By address; at one address the end of what came before goes first. */
static int compare_rows(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of several rows at one address the last one holds; one that changes nothing is left out. */
static void tidy_rows(struct unwind_rows *t)
{
	size_t n = 0;

	qsort(t->rows, t->n, sizeof(*t->rows), compare_rows);
	for (size_t i = 0; i < t->n; i++) {
		if (n && t->rows[n - 1] >> 32 == t->rows[i] >> 32)
			n--;
		if (!n || (uint32_t)t->rows[n - 1] != (uint32_t)t->rows[i])
			t->rows[n++] = t->rows[i];
	}
	t->n = n;
}

int eh_frame_read(Elf *elf, struct unwind_rules *rules, struct unwind_rows *rows)
{
	struct reader r = {.rules = rules, .rows = rows};
	Elf_Scn *scn = elf_section(elf, ".eh_frame");
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	GElf_Ehdr eh;
	GElf_Shdr sh;

	*rows = (struct unwind_rows){0};
	if (!data || !data->d_buf || !gelf_getshdr(scn, &sh) || !gelf_getehdr(elf, &eh) ||
	    eh.e_machine != EM_X86_64 || sh.sh_type == SHT_NOBITS)
		return 0;
	r.section = (struct cfi_section){data->d_buf, data->d_size, sh.sh_addr};
	cfi_read(&r.section, take_rule, &r);
	if (rows->n)
		tidy_rows(rows);
	if (r.err) {
		free(rows->rows);
		*rows = (struct unwind_rows){0};
	}
	return r.err;
}
