/* SPDX-License-Identifier: Apache-2.0 */
/* The parser on scripts that are right: trees, literals, places, attach points, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parser/ast.h"

struct parsed {
	struct arena *arena;
	struct diag_list diags;
	struct ast_program *program;
};

static void parse(struct parsed *p, const char *text)
{
	uint32_t src;

	memset(p, 0, sizeof(*p));
	p->arena = arena_new();
	p->diags.arena = p->arena;
	src = diag_add_source(&p->diags, "stdin", text, strlen(text));
	p->program = parse_program(&p->diags, src);
}

static void parse_ok(struct parsed *p, const char *text)
{
	parse(p, text);
	if (p->diags.diags.len) {
		diag_print(&p->diags, stderr, false, true);
		fail_msg("does not parse: %s", text);
	}
}

static void done(struct parsed *p)
{
	arena_free(p->arena);
}

static char *program_text(const struct ast_program *program)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ast_print_program(f, program, NULL);
	fclose(f);
	return text;
}

static char *block_text(const struct ast_block *block)
{
	struct ast_program program = {0};
	struct ast_attach_point point = {.text = "BEGIN"};
	struct ast_attach_point *points[] = {&point};
	struct ast_probe probe = {.body = (struct ast_block *)block};
	struct ast_probe *probes[] = {&probe};

	probe.points.items = points;
	probe.points.len = 1;
	program.probes.items = probes;
	program.probes.len = 1;
	return program_text(&program);
}

static const struct ast_stmt *first_stmt(const struct parsed *p)
{
	assert_true(p->program->probes.len > 0);
	assert_true(p->program->probes.items[0]->body->stmts.len > 0);
	return p->program->probes.items[0]->body->stmts.items[0];
}

/* ---- trees as one line: "(+ 1 (* 2 3))" ----------------------------------------- */

static const char *bare(const char *label)
{
	static const char *const plain[] = {
		"int: ",  "variable: ", "identifier: ", "map: ",   "param: ",
		"bool: ", "call: ",     "type: ",       "string: "};

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (!strncmp(label, plain[i], strlen(plain[i])))
			return label + strlen(plain[i]);
	}
	return label;
}

static size_t indent_of(const char *line)
{
	return strspn(line, " ");
}

static void flatten(FILE *out, char **lines)
{
	size_t level = indent_of(*lines);
	const char *label = bare(*lines + level);
	bool parens = lines[1] && indent_of(lines[1]) > level;

	fprintf(out, "%s%s", parens ? "(" : "", label);
	for (size_t i = 1; lines[i] && indent_of(lines[i]) > level; i++) {
		if (indent_of(lines[i]) != level + 1)
			continue;
		fputc(' ', out);
		flatten(out, lines + i);
	}
	if (parens)
		fputc(')', out);
}

/* The statements of the only probe's body, each as one line, joined with "; ". */
static char *body_of(const char *script)
{
	struct parsed p;
	char *text, *flat, *lines[200] = {NULL};
	size_t n = 0, size;
	FILE *out;

	parse_ok(&p, script);
	text = block_text(p.program->probes.items[0]->body);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(n < 199);
		lines[n++] = line;
	}
	out = open_memstream(&flat, &size);
	for (size_t i = 2; i < n; i++) {
		if (indent_of(lines[i]) != 2)
			continue;
		if (i > 2)
			fputs("; ", out);
		flatten(out, lines + i);
	}
	fclose(out);
	free(text);
	done(&p);
	return flat;
}

struct tree_case {
	const char *code, *tree;
};

static void check_bodies(const struct tree_case *cases, size_t n, const char *form)
{
	for (size_t i = 0; i < n; i++) {
		char script[1024], *tree;

		snprintf(script, sizeof(script), form, cases[i].code);
		tree = body_of(script);
		if (strcmp(tree, cases[i].tree))
			fail_msg("%s\n  is       %s\n  expected %s", cases[i].code, tree,
				 cases[i].tree);
		free(tree);
	}
}

#define CHECK_BODIES(cases, form) check_bodies(cases, sizeof(cases) / sizeof(*(cases)), form)

static void test_precedence(void **state)
{
	static const struct tree_case cases[] = {
		{"1 + 2 * 3", "(+ 1 (* 2 3))"},
		{"1 * 2 + 3", "(+ (* 1 2) 3)"},
		{"(1 + 2) * 3", "(* (+ 1 2) 3)"},
		{"1 - 2 - 3", "(- (- 1 2) 3)"},
		{"1 / 2 % 3 * 4", "(* (% (/ 1 2) 3) 4)"},
		{"1 << 2 + 3", "(<< 1 (+ 2 3))"},
		{"1 << 2 >> 3", "(>> (<< 1 2) 3)"},
		{"1 < 2 << 3", "(< 1 (<< 2 3))"},
		{"1 < 2 >= 3", "(>= (< 1 2) 3)"},
		{"1 == 2 < 3", "(== 1 (< 2 3))"},
		{"1 != 2 == 3", "(== (!= 1 2) 3)"},
		{"1 & 2 == 3", "(& 1 (== 2 3))"},
		{"1 ^ 2 & 3", "(^ 1 (& 2 3))"},
		{"1 | 2 ^ 3", "(| 1 (^ 2 3))"},
		{"1 && 2 | 3", "(&& 1 (| 2 3))"},
		{"1 || 2 && 3", "(|| 1 (&& 2 3))"},
		{"1 || 2 || 3", "(|| (|| 1 2) 3)"},
		{"1 ? 2 : 3 ? 4 : 5", "(? : 1 2 (? : 3 4 5))"},
		{"1 ? 2 ? 3 : 4 : 5", "(? : 1 (? : 2 3 4) 5)"},
		{"1 || 2 ? 3 : 4", "(? : (|| 1 2) 3 4)"},
		{"$a ?: 4", "(?: $a 4)"},
		{"-1 + -$a", "(+ (- 1) (- $a))"},
		{"- -1", "(- (- 1))"},
		{"!$a == 1", "(== (! $a) 1)"},
		{"~$a & 1", "(& (~ $a) 1)"},
		{"!-~$a", "(! (- (~ $a)))"},
		{"*$p + 1", "(+ (dereference $p) 1)"},
		{"*$p.x", "(dereference (. x $p))"},
		{"**$p", "(dereference (dereference $p))"},
		{"&$a", "(address of $a)"},
		{"$a++ + ++$b", "(+ (++ (after) $a) (++ (before) $b))"},
		{"$a-- - --$b", "(- (-- (after) $a) (-- (before) $b))"},
		{"@m[1]++", "(++ (after) (@m 1))"},
		{"$a.b->c[1].2", "(. 2 ([] (-> c (. b $a)) 1))"},
		{"$kv.0.1", "(. 1 (. 0 $kv))"},
		{"(uint8)$a + 1", "(+ ((uint8) $a) 1)"},
		{"(uint8)$a.b", "((uint8) (. b $a))"},
		{"(uint8)(int64)-1", "((uint8) ((int64) (- 1)))"},
		{"(struct a *)arg0", "((struct a*) arg0)"},
		{"((struct a *)arg0)->b.c", "(. c (-> b ((struct a*) arg0)))"},
		{"*(uint64 **)$p", "(dereference ((uint64**) $p))"},
		{"(uint8[8])12345", "((uint8[8]) 12345)"},
		{"(int8[])\"ab\"", "((int8[]) \"ab\")"},
		{"(int32*[4]*)$p", "((int32*[4]*) $p)"},
		{"(typeof($x))$y", "((typeof($x)) $y)"},
		{"(typeof(uint8)*)$y", "((typeof(uint8)*) $y)"},
	};

	(void)state;
	CHECK_BODIES(cases, "BEGIN { %s; }");
}

static void test_casts_and_parentheses(void **state)
{
	static const struct tree_case cases[] = {
		{"$w = (myident)", "(= $w myident)"},
		{"$x = (myident)*$a", "(= $x ((myident) (dereference $a)))"},
		{"$y = (pid)*tid", "(= $y (* pid tid))"},
		{"$y = (cpu)*2", "(= $y (* cpu 2))"},
		{"$z = (myident)*arg0", "(= $z ((myident) (dereference arg0)))"},
		{"$z = (arg1)-1", "(= $z (- arg1 1))"},
		{"$z = (x) & 1", "(= $z (& x 1))"},
		{"$z = (x) != 1", "(= $z (!= x 1))"},
		{"$z = (x) && 1", "(= $z (&& x 1))"},
		{"f(x)", "(f x)"},
		{"f(x) - 1", "(- (f x) 1)"},
		{"m!(x)", "(m! x)"},
		{"m!(x) - 1", "(- (m! x) 1)"},
		{"print((1, 2))", "(print (tuple 1 2))"},
		{"print((1,))", "(print (tuple 1))"},
		{"print(())", "(print tuple)"},
		{"print((1, 2,))", "(print (tuple 1 2))"},
		{"print((a=1, b=(2)))", "(print (record (a = 1) (b = 2)))"},
		{"print((1, \"two\", (3, 4)))", "(print (tuple 1 \"two\" (tuple 3 4)))"},
		{"sizeof(uint8)", "(sizeof uint8)"},
		{"sizeof(struct a)", "(sizeof struct a)"},
		{"sizeof(uint32*[10])", "(sizeof uint32*[10])"},
		{"sizeof(ident[1])", "(sizeof ident[1])"},
		{"sizeof((ident)[1])", "(sizeof ([] ident 1))"},
		{"sizeof((ident[1]))", "(sizeof ([] ident 1))"},
		{"sizeof($x)", "(sizeof $x)"},
		{"sizeof(f())", "(sizeof f)"},
		{"sizeof({ $a = 1; $a })", "(sizeof (block expression (= $a 1) (value $a)))"},
		{"offsetof(struct a, b.c)", "(offsetof struct a . b . c)"},
		{"offsetof($x, b)", "(offsetof $x . b)"},
		{"typeinfo(uint8).full_type", "(. full_type (typeinfo uint8))"},
		{"m($a, typeof(struct task))", "(m $a (type typeof(struct task)))"},
		{"comptime is_x($a)", "(is_x $a)"},
		{"$a.config + $b.if->while", "(+ (. config $a) (-> while (. if $b)))"},
		{"@a[1, (2, 3)]", "(@a 1 (tuple 2 3))"},
		{"@[1][2]", "([] (@ 1) 2)"},
		{"@x", "@x"},
		{"@", "@"},
		{"$1 + $#", "(+ $1 $#)"},
		{"true ? false : true", "(? : true false true)"},
	};

	(void)state;
	CHECK_BODIES(cases, "BEGIN { %s; }");
}

static void test_statements(void **state)
{
	static const struct tree_case cases[] = {
		{"", ""},
		{"$a = 1", "(= $a 1)"},
		{"$a = 1; $b = 2", "(= $a 1); (= $b 2)"},
		{"$a += 1; @b[1] <<= 2;", "(+= $a 1); (<<= (@b 1) 2)"},
		{"$a -= 1; $a *= 1; $a /= 1; $a %= 1",
		 "(-= $a 1); (*= $a 1); (/= $a 1); (%= $a 1)"},
		{"$a &= 1; $a |= 1; $a ^= 1; $a >>= 1",
		 "(&= $a 1); (|= $a 1); (^= $a 1); (>>= $a 1)"},
		{"if ($a) { 1 }", "(if $a (then 1))"},
		{"if $a == 1 { 1 } else { 2 }", "(if (== $a 1) (then 1) (else 2))"},
		{"if ($a) { 1 } else if ($b) { 2 } else { 3 } f()",
		 "(if $a (then 1) (else (if $b (then 2) (else 3)))); f"},
		{"if ($a) { 1 }; f();", "(if $a (then 1)); f"},
		{"for ($kv : @m) { 1 }", "(for $kv @m (block 1))"},
		{"for $kv : @m { 1 }", "(for $kv @m (block 1))"},
		{"for ($i : 0..5) { break; }", "(for $i (range 0 5) (block break))"},
		{"for $i : $a..(1 + 2) { continue }",
		 "(for $i (range $a (+ 1 2)) (block continue))"},
		{"for ($c : 0..ncpus) { }", "(for $c (range 0 ncpus) block)"},
		{"while ($a < 5) { $a++ }", "(while (< $a 5) (block (++ (after) $a)))"},
		{"while $a { }", "(while $a block)"},
		{"unroll (3) { f(); }", "(unroll 3 (block f))"},
		{"unroll 3 { f(); }", "(unroll 3 (block f))"},
		{"unroll ($1) { f(); } g()", "(unroll $1 (block f)); g"},
		{"return", "return"},
		{"return 1;", "(return 1)"},
		{"let $a", "(decl $a)"},
		{"let $a = 1;", "(decl $a 1)"},
		{"let $a : uint8", "(decl $a uint8)"},
		{"let $a : struct x * = 1", "(decl $a struct x* 1)"},
		{"let $a: string[64] = \"x\"", "(decl $a string[64] \"x\")"},
		{"let $a: typeof($b) = 1", "(decl $a typeof($b) 1)"},
		{"_ = f()", "(discard f)"},
		{"{ $a = 1; $b }", "(block (= $a 1) $b)"},
		{"$a = { let $b = 1; $b }", "(= $a (block expression (decl $b 1) (value $b)))"},
		{"$a = { { 1 } }",
		 "(= $a (block expression (value (block expression (value 1)))))"},
		{"$a = { if ($b) { 1 } else { 2 } }",
		 "(= $a (block expression (value (? : $b 1 2))))"},
		{"$a = { if ($b) { 1 } else { 2 }; }",
		 "(= $a (block expression (if $b (then 1) (else 2))))"},
		{"$a = if $b { 1 } else if $c { f(); 2 } else { 3 }",
		 "(= $a (? : $b 1 (? : $c (block expression f (value 2)) 3)))"},
		{"if { $b } { 1 }", "(if (block expression (value $b)) (then 1))"},
		{"f({ g() })", "(f (block expression (value g)))"},
		{"return { 1 }", "(return (block expression (value 1)))"},
		{"$a == 1 ? print(\"t\") : print(\"f\")",
		 "(? : (== $a 1) (print \"t\") (print \"f\"))"},
		{"delete(@m[1, 2])", "(delete (@m 1 2))"},
		{"@m[curtask->pid] = args->x", "(= (@m (-> pid curtask)) (-> x args))"},
		{"/* a { */ f(/* b */ 1); // c }\n g()", "(f 1); g"},
	};

	(void)state;
	CHECK_BODIES(cases, "BEGIN { %s }");
}

static void test_predicates(void **state)
{
	static const struct tree_case cases[] = {
		{"/pid == 1/ {", "pred /pid == 1/"},
		{"/1/{", "pred /1/"},
		{"/(4 / 2)/ {", "pred /4 / 2/"},
		{"/4 / 2 / 1 == 2/ /* c */ {", "pred /4 / 2 / 1 == 2/"},
		{"/@m[tid] / 1000 > 5/\n{", "pred /@m[tid] / 1000 > 5/"},
		{"/comm == \"a/{\"/ {", "pred /comm == \"a/{\"/"},
		{"/f({ 1 })/ {", "pred /f({ 1 })/"},
		{"/if ($a) { 1 } else { 0 }/ {", "pred /$a ? 1 : 0/"},
		{"// nothing\n{", NULL},
		{"/* nothing */ {", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct parsed p;
		char script[256], *text;

		snprintf(script, sizeof(script), "kprobe:f %s exit(); }", cases[i].code);
		parse_ok(&p, script);
		text = program_text(p.program);
		if (cases[i].tree ? !strstr(text, cases[i].tree) : !!strstr(text, "pred"))
			fail_msg("%s\n%s", script, text);
		assert_non_null(strstr(text, "call: exit"));
		free(text);
		done(&p);
	}
}

/* ---- literals ------------------------------------------------------------------- */

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
		bool duration, is_unsigned;
	} cases[] = {
		{"0", 0},
		{"1", 1},
		{"1_000_123_000", 1000123000},
		{"0123", 0123},
		{"00", 0},
		{"0x10", 0x10},
		{"0XfF", 0xff},
		{"0xdead_beef", 0xdeadbeef},
		{"0xffffffffffffffff", UINT64_MAX, false, true},
		{"0b101", 5},
		{"1e6", 1000000},
		{"9E2", 900},
		{"1e0", 1},
		{"123U", 123},
		{"123u", 123},
		{"123L", 123},
		{"123UL", 123},
		{"123LL", 123},
		{"123ULL", 123},
		{"0xffUL", 255},
		{"5ns", 5, true},
		{"5us", 5000, true},
		{"5ms", 5000000, true},
		{"5s", 5000000000, true},
		{"1m", 60000000000, true},
		{"1h", 3600000000000, true},
		{"2d", 172800000000000, true},
		{"1e3ms", 1000000000, true},
		{"9223372036854775807", INT64_MAX},
		{"9223372036854775808", 9223372036854775808U, false, true},
		{"18446744073709551615", UINT64_MAX, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct parsed p;
		const struct ast_expr *e;
		char script[128];

		snprintf(script, sizeof(script), "BEGIN { %s; }", cases[i].text);
		parse_ok(&p, script);
		e = first_stmt(&p)->u.expr;
		assert_int_equal(e->kind, AST_INT);
		if (e->u.integer.value != cases[i].value)
			fail_msg("%s", cases[i].text);
		assert_int_equal(e->u.integer.duration, cases[i].duration);
		assert_int_equal(e->u.integer.is_unsigned, cases[i].is_unsigned);
		done(&p);
	}
}

static void test_strings(void **state)
{
	static const struct {
		const char *text, *value;
		uint32_t len;
	} cases[] = {
		{"", "", 0},
		{"hello", "hello", 5},
		{"a\\nb\\tc\\rd", "a\nb\tc\rd", 7},
		{"\\\"q\\\"", "\"q\"", 3},
		{"\\\\n", "\\n", 2},
		{"\\x41\\x4a!", "AJ!", 3},
		{"\\x4", "\x04", 1},
		{"\\101\\60", "A0", 2},
		{"\\0", "\0", 1},
		{"a\\0b", "a\0b", 3},
		{"\\1234", "S4", 2},
		{"// no /* comment */", "// no /* comment */", 19},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct parsed p;
		const struct ast_expr *e;
		char script[128];

		snprintf(script, sizeof(script), "BEGIN { \"%s\"; }", cases[i].text);
		parse_ok(&p, script);
		e = first_stmt(&p)->u.expr;
		assert_int_equal(e->kind, AST_STRING);
		assert_int_equal(e->u.string.len, cases[i].len);
		assert_memory_equal(e->u.string.text, cases[i].value, cases[i].len + 1);
		done(&p);
	}
}

/* ---- attach points --------------------------------------------------------------- */

static void test_attach_points(void **state)
{
	/* text; then label|provider|part|part... */
	static const struct tree_case cases[] = {
		{"BEGIN", "|BEGIN"},
		{"END", "|END"},
		{"begin", "|begin"},
		{"end", "|end"},
		{"test:okay", "|test|okay"},
		{"bench:my_loop", "|bench|my_loop"},
		{"self:signal:SIGUSR1", "|self|signal|SIGUSR1"},
		{"hardware:cache-misses:1e6", "|hardware|cache-misses|1e6"},
		{"hardware:cpu-cycles:", "|hardware|cpu-cycles|"},
		{"h:branches", "|h|branches"},
		{"interval:s:1", "|interval|s|1"},
		{"interval:1s", "|interval|1s"},
		{"interval:1000000000", "|interval|1000000000"},
		{"i:ms:1_000", "|i|ms|1_000"},
		{"iter:task", "|iter|task"},
		{"iter:task_file:/sys/fs/bpf/files", "|iter|task_file|/sys/fs/bpf/files"},
		{"it:task_vma:list", "|it|task_vma|list"},
		{"fentry:tcp_reset", "|fentry|tcp_reset"},
		{"fentry:kvm:x86_emulate_insn", "|fentry|kvm|x86_emulate_insn"},
		{"fexit:bpf:123:*", "|fexit|bpf|123|*"},
		{"kprobe:f", "|kprobe|f"},
		{"kprobe:tcp_*", "|kprobe|tcp_*"},
		{"kprobe:f+4", "|kprobe|f+4"},
		{"kprobe:f+0x10", "|kprobe|f+0x10"},
		{"kprobe:0xffffffff81000000", "|kprobe|0xffffffff81000000"},
		{"kretprobe:\"foo.part.0\"", "|kretprobe|foo.part.0"},
		{"k*:do_nanosleep", "|k*|do_nanosleep"},
		{"profile:hz:99", "|profile|hz|99"},
		{"p:us:$1", "|p|us|$1"},
		{"rawtracepoint:vmlinux:kfree_skb", "|rawtracepoint|vmlinux|kfree_skb"},
		{"software:faults:100", "|software|faults|100"},
		{"tracepoint:syscalls:sys_enter_*", "|tracepoint|syscalls|sys_enter_*"},
		{"t:sched:sched_switch", "|t|sched|sched_switch"},
		{"tracepoint:xhci-hcd:xhci_setup_device_slot",
		 "|tracepoint|xhci-hcd|xhci_setup_device_slot"},
		{"uprobe:/bin/bash:readline", "|uprobe|/bin/bash|readline"},
		{"uprobe:./testprogs/a-b.so.3:f+8", "|uprobe|./testprogs/a-b.so.3|f+8"},
		{"uprobe:/bin/bash:0x1234", "|uprobe|/bin/bash|0x1234"},
		{"uprobe:/bin/bash@file.c:10", "|uprobe|/bin/bash|@|file.c|10"},
		{"uprobe:/bin/bash@/src/file.c:10:4", "|uprobe|/bin/bash|@|/src/file.c|10|4"},
		{"uprobe:/my/app:cpp:\"A::B::*\"", "|uprobe|/my/app|cpp|A::B::*"},
		{"uprobe:/a:\"f(int, char*) {x}\"", "|uprobe|/a|f(int, char*) {x}"},
		{"uprobe:/a:\"say \\\"hi\\\"\"", "|uprobe|/a|say \"hi\""},
		{"uprobe:\"/x/Foo.apk!/lib/l.so\":f", "|uprobe|/x/Foo.apk!/lib/l.so|f"},
		{"uprobe:/usr/bin/*:f", "|uprobe|/usr/bin/*|f"},
		{"uprobe:libssl.so.3:SSL_write", "|uprobe|libssl.so.3|SSL_write"},
		{"uretprobe:libc:malloc", "|uretprobe|libc|malloc"},
		{"usdt:*:loop", "|usdt|*|loop"},
		{"usdt:/root/tick:ns:loop", "|usdt|/root/tick|ns|loop"},
		{"usdt:/root/tick::loop", "|usdt|/root/tick||loop"},
		{"U:$1:loop", "|U|$1|loop"},
		{"watchpoint:0x1000:8:rw", "|watchpoint|0x1000|8|rw"},
		{"mine=kprobe:f", "mine|kprobe|f"},
		{"*:f", "|*|f"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const char *const behind[] = {"{", " {", " /1/ {", ",BEGIN{", " , BEGIN {"};

		for (size_t k = 0; k < sizeof(behind) / sizeof(*behind); k++) {
			struct parsed p;
			char script[256], joined[256];
			const struct ast_attach_point *ap;

			snprintf(script, sizeof(script), "%s%s exit() }", cases[i].code, behind[k]);
			parse_ok(&p, script);
			assert_int_equal(p.program->probes.len, 1);
			ap = p.program->probes.items[0]->points.items[0];
			snprintf(joined, sizeof(joined), "%s|%s", ap->label ? ap->label : "",
				 ap->provider);
			for (size_t n = 0; n < ap->parts.len; n++) {
				strcat(joined, "|");
				strcat(joined, ap->parts.items[n]);
			}
			assert_string_equal(joined, cases[i].tree);
			assert_string_equal(ap->text, cases[i].code);
			assert_int_equal(ap->part_spans.len, ap->parts.len);
			done(&p);
		}
	}
}

static void test_attach_point_spans(void **state)
{
	static const char script[] = "\n k:f, uprobe:\"/a b\":main { }";
	const struct ast_attach_point *ap;
	const struct ast_probe *probe;
	struct parsed p;

	(void)state;
	parse_ok(&p, script);
	probe = p.program->probes.items[0];
	assert_int_equal(probe->span.begin, 2);
	assert_int_equal(probe->span.end, strlen(script) - 4);
	ap = probe->points.items[1];
	assert_memory_equal(script + ap->span.begin, "uprobe:\"/a b\":main", 18);
	assert_int_equal(ap->span.end - ap->span.begin, 18);
	assert_memory_equal(script + ap->part_spans.items[0].begin, "\"/a b\"", 6);
	assert_int_equal(ap->part_spans.items[0].end - ap->part_spans.items[0].begin, 6);
	assert_memory_equal(script + ap->part_spans.items[1].begin, "main", 4);
	done(&p);
}

/* ---- whole scripts ---------------------------------------------------------------- */

static const char whole[] =
	"#!/usr/bin/env bpftrace\n"
	"#include <linux/sched.h>\n"
	"#define TWO_LINES 1 + \\\n\t2\n"
	"struct __attribute__((packed)) foo {\n"
	"  int a; // }\n"
	"  struct { char b; } c; /* } */\n"
	"} __attribute__((aligned(8)));\n"
	"enum e { A, B }\n"
	"config = { stack_mode=perf; max_map_keys = 1_000\n str_trunc_trailer=\"\"; x=true }\n"
	"import \"lib.bt\";\n"
	"let @a = hash(100);\n"
	"let @b = percpulruhash(20)\n"
	"macro one { 1 }\n"
	"macro add($x, @y, z) { $x += z; @y }\n"
	"begin { @a[1] = add($x, @b, 1); }\n"
	"tracepoint:sched:*,\n"
	"kprobe:f,\n"
	"/pid/ { @[comm] = count(); }\n"
	"interval:s:1 { print(@); exit() }\n";

static void test_whole_script(void **state)
{
	static const char expected[] = "Program\n"
				       " #include <linux/sched.h>\n"
				       " #define TWO_LINES 1 + \\\n"
				       " \t2\n"
				       " struct __attribute__((packed)) foo {\n"
				       "   int a; // }\n"
				       "   struct { char b; } c; /* } */\n"
				       " } __attribute__((aligned(8)));\n"
				       " enum e { A, B };\n"
				       " config\n"
				       "  stack_mode = perf\n"
				       "  max_map_keys = 1000\n"
				       "  str_trunc_trailer = \n"
				       "  x = true\n"
				       " import: lib.bt\n"
				       " map decl: @a = hash(100)\n"
				       " map decl: @b = percpulruhash(20)\n"
				       " macro: one\n"
				       "  block\n"
				       "   value\n"
				       "    int: 1\n"
				       " macro: add\n"
				       "  variable: $x\n"
				       "  map: @y\n"
				       "  identifier: z\n"
				       "  block\n"
				       "   +=\n"
				       "    variable: $x\n"
				       "    identifier: z\n"
				       "   value\n"
				       "    map: @y\n"
				       " begin\n"
				       "  =\n"
				       "   map: @a\n"
				       "    int: 1\n"
				       "   call: add\n"
				       "    variable: $x\n"
				       "    map: @b\n"
				       "    int: 1\n"
				       " tracepoint:sched:*\n"
				       " kprobe:f\n"
				       "  pred /pid/\n"
				       "   identifier: pid\n"
				       "  =\n"
				       "   map: @\n"
				       "    identifier: comm\n"
				       "   call: count\n"
				       " interval:s:1\n"
				       "  call: print\n"
				       "   map: @\n"
				       "  call: exit\n";
	struct parsed p;
	char *text;

	(void)state;
	parse_ok(&p, whole);
	text = program_text(p.program);
	assert_string_equal(text, expected);
	free(text);
	done(&p);
}

static void test_scripts_without_probes(void **state)
{
	static const char *const scripts[] = {"", "\n\n", "// c", "/* c */", "#!/x", "#define A 1"};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		parse_ok(&p, scripts[i]);
		assert_int_equal(p.program->probes.len, 0);
		done(&p);
	}
}

static void test_clone(void **state)
{
	static const char script[] =
		"BEGIN { $a = (1, \"x\", (b=2, c=@m[1, 2])); if ($a) { print(1) } else { "
		"f(typeof(x)) }"
		" for ($k : @m) { $k.0; } for ($i : 0..5) { break; } while (1) { continue; }"
		" unroll (2) { $b++ } let $c : typeof($a)*[4] = (uint8[2])$d; _ = -*&$e; { return "
		"1; }"
		" $f = { 1; $g ? $h : $i }; $l ?: 3; sizeof(uint8); offsetof(struct a, b.c);"
		" typeinfo($m); args->x[3] && $1 + $# == 5ms; true; m!(1); }";
	struct ast_block *body, *copy;
	struct parsed p;
	char *was, *is;

	(void)state;
	parse_ok(&p, script);
	body = p.program->probes.items[0]->body;
	copy = ast_clone_block(p.arena, body);
	was = block_text(body);
	is = block_text(copy);
	assert_string_equal(was, is);
	free(is);
	/* Nothing is shared: a change of the copy leaves the original alone. */
	copy->stmts.items[0]->u.assign.value->u.tuple.elems.items[0]->u.integer.value = 7;
	copy->stmts.items[1]->u.if_.then->stmts.items[0]->u.expr->u.call.args.len = 0;
	copy->stmts.len = 2;
	is = block_text(body);
	assert_string_equal(was, is);
	assert_null(ast_clone_block(p.arena, NULL));
	assert_null(ast_clone_expr(p.arena, NULL));
	free(was);
	free(is);
	done(&p);
}

static void test_clone_drops_annotations(void **state)
{
	struct ast_expr *e, *c;
	struct parsed p;

	(void)state;
	parse_ok(&p, "BEGIN { $a; }");
	e = first_stmt(&p)->u.expr;
	e->type = (struct type *)e;
	e->is_const = true;
	e->u.var.decl = (struct sema_var *)e;
	c = ast_clone_expr(p.arena, e);
	assert_null(c->type);
	assert_false(c->is_const);
	assert_null(c->u.var.decl);
	assert_string_equal(c->u.var.name, "a");
	done(&p);
}

static void test_spans(void **state)
{
	static const char script[] = "BEGIN {\n\t$abc = f(1) + @m[\"k\"].x;\n}\n";
	const struct ast_expr *e;
	const struct ast_stmt *s;
	unsigned line, col;
	struct parsed p;

	(void)state;
	parse_ok(&p, script);
	s = first_stmt(&p);
	assert_memory_equal(script + s->span.begin, "$abc = f(1) + @m[\"k\"].x",
			    s->span.end - s->span.begin);
	e = s->u.assign.value;
	assert_memory_equal(script + e->span.begin, "f(1) + @m[\"k\"].x",
			    e->span.end - e->span.begin);
	assert_memory_equal(script + e->u.binary.op_span.begin, "+", 1);
	diag_position(&p.diags, e->span, &line, &col);
	assert_int_equal(line, 2);
	assert_int_equal(col, 9);
	e = e->u.binary.r;
	assert_memory_equal(script + e->u.field.name_span.begin, "x", 1);
	assert_int_equal(e->u.field.name_span.end - e->u.field.name_span.begin, 1);
	assert_memory_equal(script + e->u.field.e->span.begin, "@m[\"k\"]", 7);
	done(&p);
}

static const char *type_name(const struct type *t, void *arg)
{
	return t ? arg : "none";
}

static void test_print_types(void **state)
{
	const struct ast_print_opts opts = {.types = true, .type_name = type_name, .arg = "int64"};
	struct parsed p;
	size_t size;
	char *text;
	FILE *f;

	(void)state;
	parse_ok(&p, "BEGIN { $a; $b; }");
	first_stmt(&p)->u.expr->type = (struct type *)&p;
	f = open_memstream(&text, &size);
	ast_print_probe(f, p.program->probes.items[0], &opts);
	fclose(f);
	assert_string_equal(text, "BEGIN\n variable: $a :: [int64]\n variable: $b\n");
	free(text);
	done(&p);
}

/* What is written out parses to the same tree again. */
static void test_format_round_trip(void **state)
{
	static const char *const exprs[] = {
		"1 + 2 * 3",
		"(1 + 2) * 3",
		"1 - (2 - 3)",
		"-(-$a)",
		"-(--$a)",
		"!(1 && 2) || 3",
		"(1 ? 2 : 3) ? 4 : 5",
		"1 ? 2 : 3 ? 4 : 5",
		"$a ?: 1",
		"(*$p).x",
		"*$p.x",
		"((struct a*)$p)->x[1].0",
		"(uint8)(1 + 2)",
		"@m[1, \"a\\n\\\"\"]",
		"@m[(1, 2).0]",
		"(1,)",
		"(a=1, b=(2, 3))",
		"f(1, g(), m!(2))",
		"sizeof(struct a[4])",
		"offsetof(struct a, b.c)",
		"{ 1 }",
		"f(typeof(x))",
		"$1 + $#",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(exprs) / sizeof(*exprs); i++) {
		struct parsed p;
		char script[256], *text;
		size_t size;
		FILE *f;

		snprintf(script, sizeof(script), "BEGIN { $r = %s; }", exprs[i]);
		parse_ok(&p, script);
		f = open_memstream(&text, &size);
		ast_format_expr(f, first_stmt(&p)->u.assign.value);
		fclose(f);
		assert_string_equal(text, exprs[i]);
		free(text);
		done(&p);
	}
}

static void test_arena(void **state)
{
	struct arena *a = arena_new();
	VEC(int) v = {0};
	char *big = arena_alloc(a, 1 << 20), *small = arena_alloc(a, 3);

	(void)state;
	big[(1 << 20) - 1] = 1;
	assert_int_equal((uintptr_t)small % _Alignof(max_align_t), 0);
	assert_int_equal(small[2], 0);
	for (int i = 0; i < 1000; i++)
		vec_push(a, &v, i);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.items[i], i);
	assert_string_equal(arena_printf(a, "%d-%s", 5, "x"), "5-x");
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	arena_free(a);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_casts_and_parentheses),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_predicates),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_attach_points),
		cmocka_unit_test(test_attach_point_spans),
		cmocka_unit_test(test_whole_script),
		cmocka_unit_test(test_scripts_without_probes),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_clone_drops_annotations),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_print_types),
		cmocka_unit_test(test_format_round_trip),
		cmocka_unit_test(test_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
