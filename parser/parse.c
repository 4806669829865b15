/* SPDX-License-Identifier: Apache-2.0 */
/* The entry: source in, program out. */
#include "parse_internal.h"
#include "grammar.tab.h"

struct ast_program *parse_program(struct diag_list *d, uint32_t src)
{
	struct parser p = {
		.diags = d,
		.arena = d->arena,
		.src = src,
		.program = arena_new_of(d->arena, struct ast_program),
	};

	if (tokens_read(d, src, &p.tokens)) {
		tokens_classify(&p.tokens);
		p.said = p.tokens.unterminated;
		btgram_parse(&p);
	}
	tokens_free(&p.tokens);
	return p.program;
}
