/* SPDX-License-Identifier: Apache-2.0 */
/* What iter probes are given. */
#include "internal.h"

struct type *sema_iterator_context(struct sema *s, struct ast_expr *e)
{
	struct sema_work *w = s->work;
	char err[256] = "";

	if (!w->prog->args)
		w->prog->args = types_iterator_context(s->types, w->category, err, sizeof(err));
	if (!w->prog->args)
		sema_error(s, e->span, "%s", err);
	return w->prog->args;
}
