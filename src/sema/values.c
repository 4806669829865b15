/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the builtins that have a value. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "internal.h"
#include "probes/usdt_operands.h"

struct type *sema_check_uint32(struct sema *s, struct ast_expr *e)
{
	(void)e;
	return type_int(s->types, 4, false);
}

struct type *sema_check_uint64(struct sema *s, struct ast_expr *e)
{
	(void)e;
	return type_int(s->types, 8, false);
}

struct type *sema_check_comm(struct sema *s, struct ast_expr *e)
{
	(void)e;
	return type_string(s->types, 16);
}

struct type *sema_check_cpid(struct sema *s, struct ast_expr *e)
{
	s->r->uses_cpid = true;
	if (!s->opts->has_child && !s->include_dead)
		sema_warning(s, e->span, "No child command (`-c`); cpid is zero");
	return type_int(s->types, 8, false);
}

struct type *sema_check_has_cpid(struct sema *s, struct ast_expr *e)
{
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), s->opts->has_child);
	return e->type;
}

struct type *sema_check_has_target(struct sema *s, struct ast_expr *e)
{
	sema_set_int(e, type_simple(s->types, IMAGE_K_BOOL), s->opts->has_child || s->opts->pid);
	return e->type;
}

struct type *sema_check_curtask(struct sema *s, struct ast_expr *e)
{
	struct type *task = types_lookup(s->types, "struct", "task_struct");

	(void)e;
	return task ? type_pointer(s->types, task, SPACE_KERNEL) : type_int(s->types, 8, false);
}

struct type *sema_check_ncpus(struct sema *s, struct ast_expr *e)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	sema_set_int(e, type_int(s->types, 8, false), n < 1 ? 1 : (uint64_t)n);
	return e->type;
}

/* ---- time --------------------------------------------------------------- */

static const struct {
	const char *name;
	enum image_clock clock;
} clocks[] = {
	{"boot", IMAGE_CLOCK_BOOT},
	{"monotonic", IMAGE_CLOCK_MONOTONIC},
	{"tai", IMAGE_CLOCK_TAI},
	{"sw_tai", IMAGE_CLOCK_TAI},
};

/* A number that remembers whose it is, for strftime(). */
static struct type *clock_type(struct sema *s, struct ast_expr *x, struct type *t,
			       enum image_clock clock)
{
	struct target_lack lack;

	if (!strcmp(x->u.ident.name, "tai") &&
	    target_lacks_helper(s->target, BPF_FUNC_ktime_get_tai_ns, &lack)) {
		sema_error(s, x->span,
			   "nsecs(tai) needs the BPF helper %s, which came with Linux %u.%u",
			   lack.name, lack.since >> 16, lack.since >> 8 & 0xff);
		sema_hint(s, "nsecs(sw_tai) gives nearly the same on every kernel");
		return NULL;
	}
	if (clock == IMAGE_CLOCK_BOOT)
		return t;
	t = type_copy(s->types, t);
	t->arg[0] = clock;
	return t;
}

struct type *sema_check_nsecs(struct sema *s, struct ast_expr *e)
{
	struct type *t = type_int(s->types, 8, false);
	struct ast_expr *x;

	if (!sema_nargs(e))
		return t;
	x = sema_arg(e, 0);
	if (x->kind != AST_IDENT) {
		sema_expr(s, x);
		if (x->type)
			sema_error(s, e->span,
				   "nsecs() only supports timestamp_mode arguments (%s provided)",
				   sema_kind_word(x->type));
		return NULL;
	}
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (strcmp(clocks[i].name, x->u.ident.name))
			continue;
		sema_set_int(x, t, clocks[i].clock);
		return clock_type(s, x, t, clocks[i].clock);
	}
	sema_error(s, x->span, "Invalid timestamp mode: %s", x->u.ident.name);
	return NULL;
}

/* ---- the event ---------------------------------------------------------- */

struct type *sema_check_probe(struct sema *s, struct ast_expr *e)
{
	struct sema_work *w = s->work;

	if (s->probe_strings && w->probe_known) {
		sema_set_string(s, e, s->r->probes.items[w->probe_row].name);
		return e->type;
	}
	if (!s->fold_only)
		w->prog->uses_probe = true;
	if (w->probe_known) {
		e->is_const = true;
		e->const_int = w->probe_row;
	}
	return type_simple(s->types, IMAGE_K_PROBE);
}

struct type *sema_check_probetype(struct sema *s, struct ast_expr *e)
{
	const struct probe_type *t = s->work->prog->type;

	sema_set_string(s, e, t->flags & PROBE_SPECIAL ? "special" : t->name);
	return e->type;
}

static const char *shown_type(const struct probe_type *t)
{
	return t->flags & PROBE_SPECIAL ? "special" : t->name;
}

/* ---- args: who describes them */

typedef struct type *args_fn(struct sema *s, const struct sema_work *w, char *err, size_t errlen);

static struct type *tracepoint_args(struct sema *s, const struct sema_work *w, char *err,
				    size_t errlen)
{
	return types_tracepoint_args(s->types, w->category, w->event, w->prog->is_syscall, err,
				     errlen);
}

static struct type *raw_tracepoint_args(struct sema *s, const struct sema_work *w, char *err,
					size_t errlen)
{
	return types_raw_tracepoint_args(s->types, w->event, err, errlen);
}

static struct type *function_args(struct sema *s, const struct sema_work *w, char *err,
				  size_t errlen)
{
	if (!strcmp(w->category, "vmlinux"))
		return types_function_args(s->types, w->event, w->plain == IMAGE_AT_FEXIT, err,
					   errlen);
	snprintf(err, errlen, "args of functions in modules are not supported yet");
	return NULL;
}

/* All attachments of the program are at the same function: see needs_own_program(). */
static struct type *program_args(struct sema *s, const struct sema_work *w, char *err,
				 size_t errlen)
{
	if (!w->prog->attachments.len)
		return NULL;
	return types_program_args(s->types, w->category,
				  (uint64_t)w->prog->attachments.items[0].arg[0], err, errlen);
}

static const struct {
	enum image_attach_kind kind;
	args_fn *read;
} args_readers[] = {
	{IMAGE_AT_UPROBE, program_args},        {IMAGE_AT_TRACEPOINT, tracepoint_args},
	{IMAGE_AT_RAW_TP, raw_tracepoint_args}, {IMAGE_AT_FENTRY, function_args},
	{IMAGE_AT_FEXIT, function_args},
};

/* Fills the program's args; false when there are none. */
static bool read_args(struct sema *s, struct sema_work *w)
{
	char err[256] = "";

	if (w->prog->args || w->args_error)
		return w->prog->args;
	for (size_t i = 0; i < sizeof(args_readers) / sizeof(*args_readers); i++)
		if (args_readers[i].kind == w->plain)
			w->prog->args = args_readers[i].read(s, w, err, sizeof(err));
	if (!w->prog->args)
		w->args_error =
			err[0] ? arena_strdup(s->arena, err) : "Cannot read function parameters";
	return w->prog->args;
}

/* Once for each program, in the last pass. */
static void complain_of_args(struct sema *s, struct sema_work *w, struct span at)
{
	if (!s->report || w->args_said)
		return;
	w->args_said = true;
	sema_error(s, at, "%s", w->args_error);
	if (w->prog->type->flags & PROBE_HAS_ARGN)
		sema_hint(s, "%s:%s has no args here: argN may do", w->prog->type->name, w->event);
}

struct type *sema_check_args(struct sema *s, struct ast_expr *e)
{
	struct sema_work *w = s->work;
	struct sema_program *p = w->prog;

	if (!(p->type->flags & PROBE_HAS_ARGS)) {
		sema_error(s, e->span,
			   "The args builtin can only be used with tracepoint, rawtracepoint, "
			   "fentry/fexit, and uprobe probes (%s used here)",
			   shown_type(p->type));
		return NULL;
	}
	if (!read_args(s, w))
		complain_of_args(s, w, e->span);
	return p->args;
}

/* A probe without the argument has zero there: others of the same list may have it. */
static struct type *usdt_argument(struct sema *s, struct ast_expr *e, unsigned long n)
{
	const char *operands = s->work->prog->operands;
	struct usdt_operand op;
	char why[128];
	int err = usdt_operand_parse(operands, n, &op, why, sizeof(why));

	if (err == -ENOENT)
		sema_warning(s, e->span, "usdt:%s has %zu arguments: %s is zero there",
			     s->work->event, usdt_operands_count(operands), e->u.ident.name);
	if (err != -EINVAL)
		return type_int(s->types, 8, false);
	sema_error(s, e->span, "%s lies where it cannot be read from: %s", e->u.ident.name, why);
	return NULL;
}

struct type *sema_check_argn(struct sema *s, struct ast_expr *e)
{
	unsigned flags = s->work->prog->type->flags;
	unsigned long n = strtoul(e->u.ident.name + strlen("arg"), NULL, 10);

	if (!(flags & PROBE_HAS_ARGN)) {
		sema_error(s, e->span,
			   "The %s builtin can only be used with 'kprobes', 'uprobes', 'usdt' "
			   "and 'rawtracepoint' probes",
			   e->u.ident.name);
		return NULL;
	}
	if (s->work->plain == IMAGE_AT_USDT)
		return usdt_argument(s, e, n);
	if (flags & PROBE_HAS_REGS && n >= TARGET_MAX_ARGS) {
		sema_error(s, e->span, "%s doesn't support %s", target_abi()->machine,
			   e->u.ident.name);
		return NULL;
	}
	return type_int(s->types, 8, false);
}

static struct type *fexit_retval(struct sema *s, struct ast_expr *e)
{
	struct sema_work *w = s->work;

	if (!read_args(s, w)) {
		complain_of_args(s, w, e->span);
		return NULL;
	}
	w->prog->retval = type_find_field(s->types, w->prog->args, "retval");
	if (w->prog->retval)
		return w->prog->retval->type;
	sema_error(s, e->span, "%s returns nothing", w->event);
	return NULL;
}

struct type *sema_check_retval(struct sema *s, struct ast_expr *e)
{
	struct sema_program *p = s->work->prog;

	if (s->work->plain == IMAGE_AT_FEXIT)
		return fexit_retval(s, e);
	if (p->type->flags & PROBE_HAS_RETVAL)
		return type_int(s->types, 8, false);
	sema_error(s, e->span,
		   "The retval builtin can only be used with 'kretprobe' and 'uretprobe' and "
		   "'fentry' probes");
	return NULL;
}

/* The address is the kernel's to tell where the registers are not those of the function. */
static bool func_needs(const struct sema_work *w, enum target_feature *f)
{
	*f = w->plain == IMAGE_AT_URETPROBE ? TARGET_F_UPROBE_FUNC_IP : TARGET_F_FUNC_IP;
	return w->plain != IMAGE_AT_UPROBE && w->plain != IMAGE_AT_USDT &&
	       w->plain != IMAGE_AT_KPROBE;
}

struct type *sema_check_func(struct sema *s, struct ast_expr *e)
{
	const struct probe_type *t = s->work->prog->type;
	enum target_feature f;

	if (!(t->flags & PROBE_HAS_FUNC)) {
		sema_error(s, e->span, "The func builtin can not be used with '%s' probes",
			   t->name);
		return NULL;
	}
	if (func_needs(s->work, &f) && !target_has(s->target, f)) {
		sema_error(s, e->span,
			   "The func builtin needs a kernel feature in %s probes that is not "
			   "here: %s (%s)",
			   t->name, target_feature_name(f), target_feature_since(f));
		return NULL;
	}
	if (t->flags & PROBE_USER)
		sema_remember_process(s, e);
	return type_simple(s->types, t->flags & PROBE_USER ? IMAGE_K_USYM : IMAGE_K_KSYM);
}

struct type *sema_check_reg(struct sema *s, struct ast_expr *e)
{
	const struct probe_type *t = s->work->prog->type;
	const char *name;

	if (!sema_want_string_literal(s, e, 0))
		return NULL;
	name = sema_arg(e, 0)->const_str;
	if (!(t->flags & PROBE_HAS_REGS)) {
		sema_error(s, e->span, "reg can not be used with \"%s\" probes", t->name);
		return NULL;
	}
	if (target_register_offset(name) < 0) {
		sema_error(s, e->span, "'%s' is not a valid register on this architecture (%s)",
			   name, target_abi()->machine);
		return NULL;
	}
	return type_int(s->types, 8, false);
}

/* ---- strings ------------------------------------------------------------ */

/* str($1), str("abc", 2), str(12): known now. */
static bool fold_str(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	const char *text;

	if (!x->is_const)
		return false;
	if (x->type->kind == IMAGE_K_STRING)
		text = x->const_str;
	else if (sema_is_literal(s, x) && x->type->is_signed)
		text = arena_printf(s->arena, "%lld", (long long)x->const_int);
	else if (sema_is_literal(s, x))
		text = arena_printf(s->arena, "%llu", (unsigned long long)x->const_int);
	else
		return false;
	if (sema_nargs(e) == 2) {
		struct ast_expr *n = sema_arg(e, 1);

		if (!n->is_const)
			return false;
		if (strlen(text) > n->const_int)
			text = arena_strndup(s->arena, text, n->const_int);
	}
	sema_set_string(s, e, text);
	return true;
}

/* Inside str() a positional parameter is its text, even when it looks like a number. */
static void type_str_arg(struct sema *s, struct ast_expr *x)
{
	struct ast_expr *param = x;

	if (x->kind == AST_BINARY && x->u.binary.op == AST_ADD &&
	    x->u.binary.l->kind == AST_POSITIONAL)
		param = x->u.binary.l;
	if (param->kind != AST_POSITIONAL) {
		sema_expr(s, x);
		return;
	}
	if (param == x) {
		sema_positional_text(s, x);
		return;
	}
	if (sema_loads_arguments(s)) {
		sema_error(s, x->span,
			   "A part of a parameter's text is not known before an image is run: "
			   "compile it with --no-portable");
		return;
	}
	/* The sum is typed with a string literal in the parameter's place. */
	param->kind = AST_STRING;
	param->u.string.text = sema_param(s, param->u.integer.value);
	param->u.string.len = (uint32_t)strlen(param->u.string.text);
	sema_expr(s, x);
}

/* The string that the length argument asks for, its NUL counted; or NULL after an error. */
static struct type *str_result(struct sema *s, struct ast_expr *e)
{
	uint64_t max = s->r->config.max_strlen;
	struct ast_expr *n;

	if (sema_nargs(e) < 2)
		return type_string_read(s->types);
	n = sema_arg(e, 1);
	if (!sema_want_int(s, e, 1))
		return NULL;
	if (!n->is_const)
		return type_string_read(s->types);
	if (n->type->is_signed && (int64_t)n->const_int < 0) {
		sema_error(s, e->span, "str() cannot use negative length (%lld)",
			   (long long)n->const_int);
		return NULL;
	}
	if (n->const_int <= max)
		return type_string(s->types, n->const_int ? (uint32_t)n->const_int : 1);
	sema_warning(s, e->span,
		     "length param (%llu) is too long and will be shortened to %llu bytes (see "
		     "BPFTRACE_MAX_STRLEN)",
		     (unsigned long long)n->const_int, (unsigned long long)max);
	return type_string_read(s->types);
}

struct type *sema_check_str(struct sema *s, struct ast_expr *e)
{
	struct ast_expr *x = sema_arg(e, 0);
	struct type *t;

	type_str_arg(s, x);
	t = str_result(s, e);
	if (!x->type || !t)
		return NULL;
	if (x->type->kind != IMAGE_K_STRING && x->type->kind != IMAGE_K_POINTER &&
	    !sema_is_number(x->type)) {
		if (x->type->kind == IMAGE_K_PROBE)
			s->want_probe_strings = true;
		sema_error(s, e->span,
			   "str() expects a string, integer or a pointer type as first argument "
			   "(%s provided)",
			   sema_tn(s, x->type));
		return NULL;
	}
	if (fold_str(s, e))
		return e->type;
	if (x->load && x->type->kind == IMAGE_K_STRING && sema_nargs(e) < 2) {
		e->load = x->load;
		return x->type;
	}
	return t;
}

static bool want_string(struct sema *s, struct ast_expr *e, size_t i)
{
	struct ast_expr *x = sema_arg(e, i);

	if (!sema_expr(s, x))
		return false;
	if (x->type->kind == IMAGE_K_STRING)
		return true;
	if (x->type->kind == IMAGE_K_PROBE)
		s->want_probe_strings = true;
	sema_error(s, e->span, "%s() only supports string arguments (%s provided)",
		   sema_builtin_name(e), sema_kind_word(x->type));
	return false;
}

struct type *sema_check_strncmp(struct sema *s, struct ast_expr *e)
{
	bool ok = want_string(s, e, 0) & want_string(s, e, 1);
	struct ast_expr *n = sema_arg(e, 2);

	sema_expr(s, n);
	if (!n->type)
		return NULL;
	if (!n->is_const || !sema_is_number(n->type) ||
	    (n->type->is_signed && (int64_t)n->const_int < 0)) {
		sema_error(s, e->span, "Builtin strncmp requires a non-negative literal");
		return NULL;
	}
	if (ok && sema_arg(e, 0)->is_const && sema_arg(e, 1)->is_const)
		sema_set_int(e, type_int(s->types, 8, false),
			     strncmp(sema_arg(e, 0)->const_str, sema_arg(e, 1)->const_str,
				     n->const_int) != 0);
	return ok ? type_int(s->types, 8, false) : NULL;
}

/* ---- numbers shown as names --------------------------------------------- */

struct type *sema_check_disk_name(struct sema *s, struct ast_expr *e)
{
	return sema_want_int(s, e, 0) ? type_simple(s->types, IMAGE_K_DISK) : NULL;
}

static struct type *symbol(struct sema *s, struct ast_expr *e, enum image_kind kind)
{
	struct type *t = sema_expr(s, sema_arg(e, 0));

	if (!t)
		return NULL;
	if (!sema_is_number(t) && t->kind != IMAGE_K_POINTER) {
		sema_error(s, e->span, "%s() expects an integer or pointer argument",
			   sema_builtin_name(e));
		return NULL;
	}
	return type_simple(s->types, kind);
}

struct type *sema_check_ksym(struct sema *s, struct ast_expr *e)
{
	return symbol(s, e, IMAGE_K_KSYM);
}

struct type *sema_check_usym(struct sema *s, struct ast_expr *e)
{
	sema_remember_process(s, e);
	return symbol(s, e, IMAGE_K_USYM);
}
