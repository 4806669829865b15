/* SPDX-License-Identifier: Apache-2.0 */
/* sema on scripts: what it says, what types and constants it finds, how it groups probes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sema/sema.h"

/* One analysis; everything in it lives until finish(). */
struct run {
	struct diag_list diags;
	struct sema_options opts;
	struct target *target;
	struct sema_result *r;
	char *shown; /* the messages, one a line */
	/* set before start() */
	const char *const *params;
	const char *const *named; /* without the leading -- */
	const char *const *env;   /* name, value, name, value, NULL */
	bool unsafe, no_sync, raw_tp_off;
};

static const char *test_getenv(const char *name, void *arg)
{
	const char *const *env = arg;

	for (; env && env[0]; env += 2)
		if (!strcmp(env[0], name))
			return env[1];
	return NULL;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* Only the lines that carry messages and hints: the quoted script is the parser's matter. */
static char *message_lines(const struct diag_list *d)
{
	char *all = NULL, *out = NULL, *save = NULL;
	size_t n;
	FILE *f = open_memstream(&all, &n);

	diag_print(d, f, false, true);
	fclose(f);
	f = open_memstream(&out, &n);
	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "stdin:", 6) || !strncmp(line, "HINT:", 5) ||
		    !strncmp(line, "ERROR:", 6))
			fprintf(f, "%s\n", line);
	fclose(f);
	free(all);
	return out;
}

/* Both kinds as the command line has them; freed with the arena. */
static void add_words(struct run *run)
{
	size_t n = 0;
	const char **words = arena_alloc(
		run->diags.arena, (count(run->params) + count(run->named) + 1) * sizeof(*words));

	for (size_t i = 0; i < count(run->params); i++)
		words[n++] = run->params[i];
	for (size_t i = 0; i < count(run->named); i++)
		words[n++] = arena_printf(run->diags.arena, "--%s", run->named[i]);
	run->opts.words = words;
	run->opts.nwords = n;
}

static void start(struct run *run, const char *script)
{
	struct ast_program *p;
	char err[64];

	run->diags = (struct diag_list){.arena = arena_new()};
	run->target = target_open_running();
	if (run->raw_tp_off)
		assert_int_equal(target_disable(run->target, "raw_tp", err, sizeof(err)), 0);
	run->opts = (struct sema_options){
		.sync = !run->no_sync,
		.unsafe = run->unsafe,
		.script_name = "stdin",
		.getenv = test_getenv,
		.getenv_arg = (void *)run->env,
	};
	add_words(run);
	p = parse_program(&run->diags,
			  diag_add_source(&run->diags, "stdin", script, strlen(script)));
	assert_int_equal(run->diags.errors, 0);
	run->r = sema_run(p, &run->diags, run->target, &run->opts);
	run->shown = message_lines(&run->diags);
	if (!run->r != (run->diags.errors > 0))
		fail_msg("result and errors disagree for: %s", script);
}

static void finish(struct run *run)
{
	free(run->shown);
	arena_free(run->diags.arena);
	target_close(run->target);
}

/* ---- messages ------------------------------------------------------------- */

struct message_case {
	const char *script, *shown;
};

static void check_messages(const struct message_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct run run = {0};

		start(&run, cases[i].script);
		if (strcmp(run.shown, cases[i].shown))
			fail_msg("%s\nexpected:\n%sgot:\n%s", cases[i].script, cases[i].shown,
				 run.shown);
		finish(&run);
	}
}

#define CHECK_MESSAGES(cases) check_messages(cases, sizeof(cases) / sizeof(*(cases)))

static void test_map_messages(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { print(@x); }", "stdin:1:15-17: ERROR: Undefined map: @x\n"},
		{"BEGIN { @x = 1; @x[\"a\"] = 2; }",
		 "stdin:1:17-24: ERROR: @x used as a map with an explicit key (non-scalar map), "
		 "previously used without an explicit key (scalar map)\n"},
		{"BEGIN { @x[1] = 1; @x = 2; }",
		 "stdin:1:20-22: ERROR: @x used as a map without an explicit key (scalar map), "
		 "previously used with an explicit key (non-scalar map)\n"},
		{"BEGIN { @x[1] = 1; @x[\"a\"] = 2; }",
		 "stdin:1:20-27: ERROR: Argument mismatch for @x: trying to access with arguments: "
		 "'string[2]' when map expects arguments: 'int8'\n"},
		{"BEGIN { @y[(1,2)] = 1; @y[1,\"a\"] = 2; }",
		 "stdin:1:24-33: ERROR: Argument mismatch for @y: trying to access with arguments: "
		 "'(int8,string[2])' when map expects arguments: '(int8,int8)'\n"},
		{"BEGIN { @x[1] = 1; @x[1] = \"a\"; }",
		 "stdin:1:20-31: ERROR: Type mismatch for @x: trying to assign value of type "
		 "'string[2]' when map already has a type 'int8'\n"},
		{"BEGIN { @x = (1,2); @x = (1,2,3); }",
		 "stdin:1:21-33: ERROR: Type mismatch for @x: trying to assign value of type "
		 "'(int8,int8,int8)' when map already has a type '(int8,int8)'\n"},
		{"BEGIN { clear(1); }", "stdin:1:15-16: ERROR: clear() expects a map argument\n"},
		{"BEGIN { @x[1] = 1; delete(@x); }",
		 "stdin:1:20-30: ERROR: call to delete() with a single argument expects a map "
		 "without explicit keys (scalar map)\n"},
		{"BEGIN { @y = 1; delete(@y, 1); }",
		 "stdin:1:17-30: ERROR: call to delete() with two arguments expects a map with "
		 "explicit keys (non-scalar map)\n"},
		{"BEGIN { @y = 1; _ = has_key(@y, 1); }",
		 "stdin:1:21-35: ERROR: call to has_key() expects a map with explicit keys "
		 "(non-scalar map)\n"},
		{"BEGIN { for ($x : @a) { } @b = 1; for ($x : @b) { } @a[1] = 2; }",
		 "stdin:1:45-47: ERROR: @b has no explicit keys (scalar map), and cannot be used "
		 "for "
		 "iteration\n"},
		{"let @x = foo(3); BEGIN { @x[1] = 1; }",
		 "stdin:1:1-16: ERROR: Invalid bpf map type: foo\n"
		 "HINT: Valid map types: hash, lruhash, percpuhash, percpulruhash, percpuarray\n"},
		{"let @z = hash(5); BEGIN { @z[1] = count(); }",
		 "stdin:1:27-32: ERROR: Incompatible map types. Type from declaration: hash. Type "
		 "from value/key type: percpuhash\n"},
		{"let @z = hash(5); BEGIN { }", "stdin:1:1-17: WARNING: Unused map: @z\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_aggregation_messages(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { count(); }",
		 "stdin:1:9-16: ERROR: count() must be assigned directly to a map\n"},
		{"BEGIN { $d = count(); }",
		 "stdin:1:14-21: ERROR: count() must be assigned directly to a map\n"},
		{"BEGIN { @c = count(); printf(\"%d\\n\", @c); }",
		 "stdin:1:23-41: ERROR: unsupported format specifier for type 'count_t': d\n"},
		{"BEGIN { @c = count(); @c++; @c += 2; }",
		 "stdin:1:23-27: ERROR: Type mismatch for @c: trying to assign value of type "
		 "'uint64' when map already has a type 'count_t'\n"
		 "stdin:1:29-36: ERROR: Type mismatch for @c: trying to assign value of type "
		 "'uint64' when map already has a type 'count_t'\n"},
		{"BEGIN { @c = count(); @d = @c; }",
		 "stdin:1:23-30: ERROR: Map value 'count_t' cannot be assigned from one map to "
		 "another. The function that returns this type must be called directly e.g. "
		 "`@d = count();`.\n"
		 "HINT: Add a cast to integer if you want the value of the aggregate, e.g. `@d = "
		 "(int64)@c;`.\n"},
		{"BEGIN { @x = 1; @x = hist(3); }",
		 "stdin:1:22-29: ERROR: Type mismatch for @x: trying to assign value of type "
		 "'hist_t' when map already has a type 'int8'\n"},
		{"BEGIN { @x = sum(1); @x = \"abc\"; }",
		 "stdin:1:22-32: ERROR: Type mismatch for @x: trying to assign value of type "
		 "'string[4]' when map already has a type 'sum_t'\n"},
		{"BEGIN { @h[1] = hist(1); print(@h[1]); }",
		 "stdin:1:26-38: ERROR: Map type hist_t cannot print the value of individual keys. "
		 "You must print the whole map.\n"},
		{"BEGIN { @h = hist(1); $a = @h; print((1, @h)); }",
		 "stdin:1:23-30: ERROR: Value 'hist_t' cannot be assigned to a scratch variable.\n"
		 "stdin:1:42-44: ERROR: Map type hist_t cannot exist inside a tuple.\n"},
		{"BEGIN { @b = hist(1, 7); @d = sum(\"a\"); @e = sum(1, 2); @f = count(1); }",
		 "stdin:1:14-24: ERROR: hist: bits 7 must be 0..5\n"
		 "stdin:1:31-39: ERROR: sum() only supports integer arguments (string[2] "
		 "provided)\n"
		 "stdin:1:46-55: ERROR: sum() requires one argument (2 provided)\n"
		 "stdin:1:62-70: ERROR: count() requires no arguments (1 provided)\n"},
		{"BEGIN { @a = lhist(1,0,10,0); @b = lhist(1,9,1,1); @c = lhist(1,0,9999,1); "
		 "@d = lhist(1,0,5,7); @e = lhist(1,0,pid,1); }",
		 "stdin:1:14-29: ERROR: lhist() step must be >= 1 (0 provided)\n"
		 "stdin:1:36-50: ERROR: lhist() min must be less than max (provided min 9 and max "
		 "1)\n"
		 "stdin:1:57-74: ERROR: lhist() too many buckets, must be <= 1000 (would need "
		 "9999)\n"
		 "stdin:1:81-95: ERROR: lhist() step is too large for the given range (provided "
		 "step 7 for range 5)\n"
		 "stdin:1:102-118: ERROR: lhist: invalid max value (must be non-negative "
		 "literal)\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_variable_messages(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { $x = 1; $x = \"abc\"; }",
		 "stdin:1:17-27: ERROR: Type mismatch for $x: trying to assign value of type "
		 "'string[4]' when variable already has a type 'int8'\n"},
		{"BEGIN { if (pid) { $y = 2; } print($y); }",
		 "stdin:1:36-38: ERROR: Undefined or undeclared variable: $y\n"},
		{"BEGIN { let $a = 1; let $a = 2; }", "stdin:1:21-31: ERROR: Variable $a was "
						      "already declared. Variable shadowing is not "
						      "allowed.\n"},
		{"BEGIN { $i = 1; for ($i : 0..2) { } }",
		 "stdin:1:22-24: ERROR: Loop declaration shadows existing variable: $i\n"},
		{"BEGIN { let $x: uint16 = -1; }",
		 "stdin:1:9-28: ERROR: Type mismatch for $x: trying to assign value of type 'int8' "
		 "when variable already has a type 'uint16'\n"},
		{"BEGIN { let $x: uint8; $x = 255; $x = 256; }",
		 "stdin:1:34-42: ERROR: Type mismatch for $x: trying to assign value of type "
		 "'int16' when variable already has a type 'uint8'\n"},
		{"BEGIN { let $x: int64; $x = nsecs; }",
		 "stdin:1:29-34: WARNING: Expression of type: uint64 being cast to type: int64. "
		 "This "
		 "may cause unexpected results. Use an explicit cast to suppress this warning.\n"},
		{"BEGIN { let $x; }",
		 "stdin:1:9-15: WARNING: Variable $x was never assigned to.\n"},
		{"BEGIN { let $x; print($x); $x = 1; }",
		 "stdin:1:23-25: WARNING: Variable used before it was assigned: $x\n"},
		{"BEGIN { let $x; print($x); $x = foo(); }",
		 "stdin:1:33-38: ERROR: Unknown function: 'foo'\n"
		 "stdin:1:23-25: WARNING: Variable used before it was assigned: $x\n"},
		{"BEGIN { let $x: foo = 1; let $y: strin = 2; }",
		 "stdin:1:17-20: ERROR: Cannot resolve unknown type \"foo\"\n"
		 "stdin:1:34-39: ERROR: Cannot resolve unknown type \"strin\"\n"
		 "HINT: Did you mean: string?\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_expression_messages(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { foo(); $x = bar; $y = pidd; }",
		 "stdin:1:9-14: ERROR: Unknown function: 'foo'\n"
		 "stdin:1:21-24: ERROR: Unknown identifier: 'bar'\n"
		 "stdin:1:31-35: ERROR: Unknown identifier: 'pidd'\n"
		 "HINT: Did you mean: pid?\n"},
		{"BEGIN { $b = comm < \"a\"; $c = comm + 1; $d = comm == 1; }",
		 "stdin:1:14-24: ERROR: The < operator can not be used on expressions of types "
		 "string[16], string[2]\n"
		 "stdin:1:31-39: ERROR: Type mismatch for '+': comparing string[16] with int8\n"
		 "stdin:1:46-55: ERROR: Type mismatch for '==': comparing string[16] with int8\n"},
		{"BEGIN { $x = (uint8*)0; $z = 1 - $x; $w = $x * 2; $t = -$x; }",
		 "stdin:1:30-36: ERROR: The - operator can not be used on expressions of types "
		 "int8, "
		 "uint8 *\n"
		 "stdin:1:43-49: ERROR: The * operator can not be used on expressions of types "
		 "uint8 "
		 "*, int8\n"
		 "stdin:1:56-59: ERROR: The - operator can not be used on expressions of type "
		 "'uint8 "
		 "*'\n"},
		{"BEGIN { $c = 1 << 64; $d = 1 / 0; $f = -9223372036854775807 - 5; }",
		 "stdin:1:14-21: ERROR: unable to fold literals due to overflow or underflow\n"
		 "stdin:1:28-33: ERROR: unable to fold literals due to overflow or underflow\n"
		 "stdin:1:40-64: ERROR: unable to fold literals due to overflow or underflow\n"},
		{"BEGIN { $d = (string[10])1; $e = (struct no_such_thing *)0; }",
		 "stdin:1:14-27: ERROR: Cannot cast from \"int8\" to \"string[10]\"\n"
		 "stdin:1:35-57: ERROR: Cannot resolve unknown type \"struct no_such_thing\"\n"},
		{"BEGIN { $x = 1; $x->foo; $x.0; $x[0]; (1,2).5; }",
		 "stdin:1:17-24: ERROR: Can not access field 'foo' on expression of type 'int8'\n"
		 "stdin:1:26-30: ERROR: Can not access index '0' on expression of type 'int8'\n"
		 "stdin:1:32-37: ERROR: The array index operator [] can only be used on arrays, "
		 "pointers, and tuples, found int8.\n"
		 "stdin:1:39-46: ERROR: Invalid tuple index: 5. Found 2 elements in tuple.\n"},
		{"BEGIN { $b = (uint8[8])nsecs; print($b[9]); $d = $b < $b; $i = -1; "
		 "print($b[$i]); }",
		 "stdin:1:37-42: ERROR: the index 9 is out of bounds for array of size 8\n"
		 "stdin:1:50-57: ERROR: The < operator cannot be used on arrays.\n"
		 "stdin:1:74-80: ERROR: The array index operator [] only accepts non-negative "
		 "integer "
		 "indices. Got: int8\n"},
		{"BEGIN { $a = pid ? 1 : \"a\"; if (comm) { } }",
		 "stdin:1:14-27: ERROR: Branches must return the same type or compatible types: "
		 "have "
		 "'int8' and 'string[2]'\n"
		 "stdin:1:33-37: ERROR: Invalid condition: string\n"},
		{"BEGIN { $x = (a=1, b=\"x\"); print($x.c); }",
		 "stdin:1:34-38: ERROR: Record does not contain a field named 'c'\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_call_messages(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { printf(\"%d %s\\n\", 1); printf(\"%d\\n\", \"abc\"); printf(\"%s\\n\", "
		 "1, 2); }",
		 "stdin:1:9-29: ERROR: not enough arguments for format string (1 supplied, 2 "
		 "expected)\n"
		 "stdin:1:31-52: ERROR: unsupported format specifier for type 'string[4]': d\n"
		 "stdin:1:54-74: ERROR: too many arguments for format string (2 supplied, 1 "
		 "expected)\n"},
		{"BEGIN { printf(1); printf(comm); printf(\"%5.2f\", 1); printf(\"%r\", 1); }",
		 "stdin:1:9-18: ERROR: printf() expects a string literal (int provided)\n"
		 "stdin:1:20-32: ERROR: printf() expects a string literal (string provided)\n"
		 "stdin:1:34-52: ERROR: unsupported format specifier: f\n"
		 "stdin:1:54-69: ERROR: unsupported format specifier for type 'int8': r\n"},
		{"BEGIN { exit(1, 2); }",
		 "stdin:1:9-19: ERROR: exit() takes up to one argument (2 provided)\n"},
		{"BEGIN { exit(\"a\"); }",
		 "stdin:1:9-18: ERROR: exit() only supports int arguments (string provided)\n"},
		{"BEGIN { time(5); print(nsecs(foo)); print(str((1,2))); print(str(1,\"a\")); }",
		 "stdin:1:9-16: ERROR: time() expects a string literal (int provided)\n"
		 "stdin:1:30-33: ERROR: Invalid timestamp mode: foo\n"
		 "stdin:1:43-53: ERROR: str() expects a string, integer or a pointer type as first "
		 "argument ((int8,int8) provided)\n"
		 "stdin:1:62-72: ERROR: str() only supports int arguments (string provided)\n"},
		{"BEGIN { print(str(nsecs, 2000)); }",
		 "stdin:1:15-31: WARNING: length param (2000) is too long and will be shortened to "
		 "1024 bytes (see BPFTRACE_MAX_STRLEN)\n"},
		{"BEGIN { print(1, 2); @a = 1; print(@a, pid); }",
		 "stdin:1:9-20: ERROR: Non-map print() only takes 1 argument, 2 found\n"
		 "stdin:1:30-44: ERROR: print() expects a int literal (int provided)\n"},
		{"BEGIN { print(kstack(foo)); print(kstack(2000)); print(kstack(1,2)); "
		 "print(kstack(build_id)); print(kstack(pid + 1)); }",
		 "stdin:1:22-25: ERROR: Error parsing stack mode: kstack: Invalid value for "
		 "stack_mode: valid values are bpftrace, raw, perf, and build_id.\n"
		 "stdin:1:35-47: ERROR: kstack([int limit]): limit shouldn't exceed 1024, 2000 "
		 "given\n"
		 "stdin:1:56-67: ERROR: Expected stack mode as first argument\n"
		 "stdin:1:76-92: ERROR: 'build_id' stack mode can only be used for ustack\n"
		 "stdin:1:101-116: ERROR: kstack: invalid limit value\n"},
		{"BEGIN { system(\"ls\"); }",
		 "stdin:1:9-21: ERROR: system() is an unsafe function being used in safe mode\n"
		 "HINT: use --unsafe\n"},
		{"BEGIN { print(args.foo); print(arg0); }",
		 "stdin:1:15-19: ERROR: The args builtin can only be used with tracepoint, "
		 "rawtracepoint, fentry/fexit, and uprobe probes (special used here)\n"
		 "stdin:1:32-36: ERROR: The arg0 builtin can only be used with 'kprobes', "
		 "'uprobes', "
		 "'usdt' and 'rawtracepoint' probes\n"},
		{"BEGIN { print(disk_name(\"sda\")); print(disk_name(8) == \"sda\"); }",
		 "stdin:1:15-31: ERROR: disk_name() only supports int arguments (string provided)\n"
		 "stdin:1:40-61: ERROR: Type mismatch for '==': comparing disk with string[4]\n"},
		{"BEGIN { strncmp(\"a\", comm, pid); }",
		 "stdin:1:9-32: ERROR: Builtin strncmp requires a non-negative literal\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_statement_messages(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { unroll(0) {} unroll(1000) {} unroll(pid) {} }",
		 "stdin:1:9-21: ERROR: unroll minimum value is 1\n"
		 "stdin:1:22-37: ERROR: unroll maximum value is 100\n"
		 "stdin:1:38-52: ERROR: invalid unroll value\n"},
		{"BEGIN { break; }",
		 "stdin:1:9-14: ERROR: 'break' statement is not allowed in a probe\n"},
		{"BEGIN { return \"a\"; }", "stdin:1:9-19: ERROR: Probe return values can only be "
					    "integers. Found string[2]\n"},
		{"BEGIN { for ($i : 0..\"a\") { } }",
		 "stdin:1:9-30: ERROR: Loop range requires an integer for the end value\n"},
		{"BEGIN { exit(); print(1); print(2); }",
		 "stdin:1:17-25: WARNING: Unreachable statement.\n"},
		{"BEGIN { 1; @a[1] = 1; has_key(@a, 1); _ = has_key(@a, 1); delete(@a[1]); }",
		 "stdin:1:9-10: WARNING: Return value discarded.\n"
		 "stdin:1:23-37: WARNING: Return value discarded.\n"},
		{"#include <nowhere/nothing.h>\nBEGIN { }",
		 "stdin:1:10-29: ERROR: 'nowhere/nothing.h' file not found\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_probe_messages(void **state)
{
	static const struct message_case cases[] = {
		{"foo:bar { }", "stdin:1:1-8: ERROR: Invalid probe type: foo\n"},
		{"interva:s:1 { }", "stdin:1:1-12: ERROR: Invalid probe type: interva\n"
				    "HINT: Did you mean: interval?\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

/* ---- types ---------------------------------------------------------------- */

static const struct sema_map *find_map(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->r->maps.len; i++)
		if (!strcmp(run->r->maps.items[i]->name, name))
			return run->r->maps.items[i];
	fail_msg("no map @%s", name);
	return NULL;
}

struct type_case {
	const char *script, *key, *value; /* of @r; key NULL: scalar */
};

static void test_types(void **state)
{
	static const struct type_case cases[] = {
		{"BEGIN { @r = 1; }", NULL, "int8"},
		{"BEGIN { @r = -1; @r = 255; }", NULL, "int16"},
		{"BEGIN { @r = 128; }", NULL, "int16"},
		{"BEGIN { @r = 0x80000000; }", NULL, "int64"},
		{"BEGIN { @r = 18446744073709551615; }", NULL, "uint64"},
		{"BEGIN { @r = 1; @r = (uint64)2; }", NULL, "uint64"},
		{"BEGIN { @r = -1; @r = (uint32)2; }", NULL, "int64"},
		{"BEGIN { @r = (int16)-1; @r = (uint8)2; }", NULL, "int16"},
		{"BEGIN { @r = (uint64)1; @r = (int64)-1; }", NULL, "int64"},
		{"BEGIN { @r = pid + 1; }", NULL, "uint64"},
		{"BEGIN { @r = (uint64)1 - (uint64)2; }", NULL, "int64"},
		{"BEGIN { @r = pid - pid; }", NULL, "int64"},
		{"BEGIN { @r = nsecs / 1000; }", NULL, "uint64"},
		{"BEGIN { @r = (int32)pid * 2; }", NULL, "int64"},
		{"BEGIN { @r = pid << 3; }", NULL, "uint64"},
		{"BEGIN { @r = pid == 1; }", NULL, "bool"},
		{"BEGIN { @r = !pid && true; }", NULL, "bool"},
		{"BEGIN { @r = -pid; }", NULL, "uint64"},
		{"BEGIN { @r++; }", NULL, "int64"},
		{"BEGIN { @r = (uint32)5; @r++; }", NULL, "uint64"},
		{"BEGIN { @r = (uint32)5; @r--; }", NULL, "int64"},
		{"BEGIN { @r += 5; }", NULL, "int64"},
		{"BEGIN { $i = 0; $i++; @r = $i; }", NULL, "int64"},
		{"BEGIN { @r = \"abc\"; @r = \"abcdef\"; }", NULL, "string[7]"},
		{"BEGIN { @r = comm; @r = \"a\"; }", NULL, "string[16]"},
		{"BEGIN { @r = str(nsecs); }", NULL, "string[1024]"},
		{"BEGIN { @r = str(nsecs, 10); }", NULL, "string[10]"},
		{"BEGIN { @r = (1, \"a\"); @r = (1000, \"abcd\"); }", NULL, "(int16,string[5])"},
		{"BEGIN { @r[pid, comm] = 1; }", "(uint32,string[16])", "int8"},
		{"BEGIN { @r[1, \"a\"] = 1; @r[-300, \"abc\"] = 2; }", "(int16,string[4])", "int8"},
		{"BEGIN { @r[disk_name(8)] = count(); }", "disk", "count_t"},
		{"BEGIN { @a = count(); @r = (int64)@a; }", NULL, "int64"},
		{"BEGIN { @a = count(); $x = @a; @r = $x; }", NULL, "uint64"},
		{"BEGIN { @a = sum(-5); @r = @a > 3; }", NULL, "bool"},
		{"BEGIN { @r = sum((uint32)5); }", NULL, "usum_t"},
		{"BEGIN { @r = sum((uint32)5); @r = sum(-1); }", NULL, "sum_t"},
		/* read before it is assigned, in script order */
		{"BEGIN { @r = @later + 1; } END { @later = nsecs; }", NULL, "uint64"},
		{"BEGIN { @r = @a; @a = @b; @b = @c; @c = comm; }", NULL, "string[16]"},
		{"BEGIN { @r = @never; }", NULL, "int64"},
		{"BEGIN { $a = 1; $b = $a; $a = (uint64)5; @r = $b; }", NULL, "uint64"},
		{"BEGIN { @r = pid ? (uint32)5 : 300; }", NULL, "uint32"},
		{"BEGIN { @r = comm == \"x\" ? \"yes\" : \"no\"; }", NULL, "string[4]"},
		{"BEGIN { @a[1, \"x\"] = 2; for ($kv : @a) { @r = $kv; } }", NULL,
		 "((int8,string[2]),int8)"},
		{"BEGIN { for ($i : 0..1000) { @r = $i; } }", NULL, "int16"},
		{"BEGIN { @r = { let $a = 5; $a + 1 }; }", NULL, "int64"},
		{"BEGIN { $t = (1, (2, \"x\")); @r = $t.1.1; }", NULL, "string[2]"},
		{"BEGIN { $t = (1, (2, \"x\")); @r = $t[1]; }", NULL, "(int8,string[2])"},
		{"BEGIN { let $x: uint8 = 5; $x = 7; @r = $x; }", NULL, "uint8"},
		{"BEGIN { let $x: string = \"a\"; $x = \"abc\"; @r = $x; }", NULL, "string[4]"},
		{"BEGIN { @r = sizeof(uint16); }", NULL, "uint64"},
		{"BEGIN { @r = nsecs(monotonic); }", NULL, "uint64"},
		{"BEGIN { @r = (uint8[8])nsecs; }", NULL, "uint8[8]"},
		{"BEGIN { $p = (uint64 *)nsecs; @r = *$p; }", NULL, "uint64"},
		{"BEGIN { $p = (uint16 *)nsecs; @r = $p[2]; }", NULL, "uint16"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct type_case *c = &cases[i];
		struct run run = {0};
		const struct sema_map *m;
		const char *value;

		start(&run, c->script);
		if (!run.r)
			fail_msg("%s\n%s", c->script, run.shown);
		m = find_map(&run, "r");
		assert_int_equal(!c->key, !m->key);
		if (c->key && strcmp(type_name(run.r->types, m->key), c->key))
			fail_msg("%s: key %s", c->script, type_name(run.r->types, m->key));
		value = type_name(run.r->types, m->value);
		/* How an unsigned aggregation is spelt is not this room's. */
		if (strcmp(value, c->value) && !type_is_aggregation(m->value))
			fail_msg("%s: value %s", c->script, value);
		if (type_is_aggregation(m->value) && m->value->kind == IMAGE_K_SUM)
			assert_int_equal(m->value->is_signed, c->value[0] != 'u');
		finish(&run);
	}
}

static void test_kernel_types(void **state)
{
	struct run run = {0};
	const struct sema_map *m;

	(void)state;
	start(&run, "BEGIN { @c = curtask.comm; @t = curtask->real_parent; "
		    "@p = ((struct task_struct *)0).pid; @s = sizeof(struct task_struct); }");
	if (!run.r || !target_btf(run.target)) {
		finish(&run);
		print_message("skipped: the kernel has no BTF\n");
		skip();
	}
	assert_string_equal(type_name(run.r->types, find_map(&run, "c")->value), "string[16]");
	m = find_map(&run, "t");
	assert_string_equal(type_name(run.r->types, m->value), "struct task_struct *");
	assert_int_equal(m->value->space, SPACE_KERNEL);
	assert_string_equal(type_name(run.r->types, find_map(&run, "p")->value), "int32");
	finish(&run);

	run = (struct run){0};
	start(&run, "BEGIN { print(curtask.comn); print(BPF_MAP_TYPE_HASH); }");
	assert_string_equal(run.shown,
			    "stdin:1:15-27: ERROR: Struct/union of type 'struct task_struct' does "
			    "not contain a field named 'comn'\nHINT: Did you mean: comm?\n");
	finish(&run);
}

/* ---- constants ------------------------------------------------------------ */

/* The value of the last assignment of the first program. */
static struct ast_expr *last_value(const struct run *run)
{
	struct ast_block *b = run->r->programs.items[0]->body;
	struct ast_stmt *st = b->stmts.items[b->stmts.len - 1];

	assert_int_equal(st->kind, AST_ASSIGN);
	return st->u.assign.value;
}

struct const_case {
	const char *expr;
	int64_t value;
	const char *text; /* strings */
	const char *type;
};

static const char *const params[] = {"5", "hello", "-3", "0x10", NULL};
static const char *const named[] = {"n=7", "flag", "name=bob", "neg=-4", "off=false", NULL};

static void test_constants(void **state)
{
	static const struct const_case cases[] = {
		{"1 + 2 * 3", 7, NULL, "int8"},
		{"1ms", 1000000, NULL, "int32"},
		{"100 - 200", -100, NULL, "int8"},
		{"1 << 63", INT64_MIN, NULL, "uint64"},
		{"0xffffffffffffffff << 4", -16, NULL, "uint64"},
		{"-9223372036854775808", INT64_MIN, NULL, "int64"},
		{"~1", -2, NULL, "uint64"},
		{"5 / -2", -2, NULL, "int8"},
		{"-7 % 4", -3, NULL, "int8"},
		{"(uint8)300", 44, NULL, "uint8"},
		{"(int8)200", -56, NULL, "int8"},
		{"(uint64)1 - (uint64)2", -1, NULL, "int64"},
		{"(int64)-1 < (uint64)5", 1, NULL, "bool"},
		{"3 > 2", 1, NULL, "bool"},
		{"-1 < 18446744073709551615", 1, NULL, "bool"},
		{"\"a\" < \"b\"", 1, NULL, "bool"},
		{"\"a\" == \"b\"", 0, NULL, "bool"},
		{"\"abc\" + 1", 0, "bc", "string[3]"},
		{"\"abc\" + \"de\"", 0, "abcde", "string[6]"},
		{"false && pid", 0, NULL, "bool"},
		{"true || pid", 1, NULL, "bool"},
		{"true ? 5 : pid", 5, NULL, "uint32"},
		{"sizeof(int32)", 4, NULL, "uint64"},
		{"probetype", 0, "special", "string[8]"},
		{"strncmp(\"abc\", \"abd\", 2)", 0, NULL, "uint64"},
		{"$1 + 1", 6, NULL, "int8"},
		{"$2", 0, "hello", "string[6]"},
		{"$3", -3, NULL, "int8"},
		{"$4", 16, NULL, "int8"},
		{"$#", 4, NULL, "int8"},
		{"$9", 0, NULL, "int8"},
		{"str($1)", 0, "5", "string[2]"},
		{"str($2 + 1)", 0, "ello", "string[5]"},
		{"str($2, 2)", 0, "he", "string[3]"},
		{"str($9)", 0, "", "string[1]"},
		{"str(42)", 0, "42", "string[3]"},
		{"getopt(\"n\", 5)", 7, NULL, "uint64"},
		{"getopt(\"other\", 5)", 5, NULL, "uint64"},
		{"getopt(\"neg\", -1)", -4, NULL, "int64"},
		{"getopt(\"flag\")", 1, NULL, "bool"},
		{"getopt(\"noflag\")", 0, NULL, "bool"},
		{"getopt(\"off\", true)", 0, NULL, "bool"},
		{"getopt(\"name\", \"x\")", 0, "bob", "string[4]"},
		{"getopt(\"name\", \"x\") == \"bob\"", 1, NULL, "bool"},
	};
	/* so that no option of the command line is unknown */
	static const char *const all = "END { _ = (getopt(\"n\", 5), getopt(\"flag\"), "
				       "getopt(\"name\", \"x\"), getopt(\"neg\", -1), "
				       "getopt(\"off\", true)); }";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct const_case *c = &cases[i];
		struct run run = {.params = params, .named = named};
		char script[512];
		const struct ast_expr *e;

		snprintf(script, sizeof(script), "BEGIN { $x = %s; } %s", c->expr, all);
		start(&run, script);
		if (!run.r)
			fail_msg("%s\n%s", script, run.shown);
		e = last_value(&run);
		if (!e->is_const || strcmp(type_name(run.r->types, e->type), c->type))
			fail_msg("%s: const %d, type %s", c->expr, e->is_const,
				 type_name(run.r->types, e->type));
		if (c->text)
			assert_string_equal(e->const_str, c->text);
		else if ((int64_t)e->const_int != c->value)
			fail_msg("%s: %lld", c->expr, (long long)e->const_int);
		finish(&run);
	}
}

static void test_options(void **state)
{
	static const struct {
		const char *script;
		const char *const named[3];
		const char *shown;
	} cases[] = {
		{"BEGIN { print(getopt(\"a\", 1)); }",
		 {"b=3"},
		 "ERROR: unexpected program command line options: --b\n"
		 "HINT: expected program options: --a\n"},
		{"BEGIN { print(getopt(\"a\", 1)); }",
		 {"a=xx"},
		 "ERROR: program command line option --a invalid integer (value: xx)\n"
		 "stdin:1:15-29: NOTE: what the script takes it for\n"},
		{"BEGIN { print(getopt(\"a\", 1)); }",
		 {"a"},
		 "ERROR: program command line option --a expects an integer (value: true)\n"
		 "stdin:1:15-29: NOTE: what the script takes it for\n"},
		{"BEGIN { print(getopt(\"a\")); }",
		 {"a=xx"},
		 "ERROR: program command line option --a expects a boolean (e.g. 'true') (value: "
		 "xx)\n"
		 "stdin:1:15-26: NOTE: what the script takes it for\n"},
		{"BEGIN { print(getopt(\"c\", 5)); print(getopt(\"c\", 6)); }",
		 {NULL},
		 "stdin:1:38-52: ERROR: Command line option 'c' needs to have the same default "
		 "value "
		 "in all places it is used. Previous default value: 5\n"},
		{"BEGIN { print(getopt(pid)); print(getopt(\"x\", pid)); }",
		 {NULL},
		 "stdin:1:22-25: ERROR: First argument to 'getopt' must be a string literal.\n"
		 "stdin:1:47-50: ERROR: Second argument to 'getopt' must be a string literal, "
		 "integer "
		 "literal, or a boolean literal.\n"},
	};
	struct run run = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run = (struct run){.named = cases[i].named};
		start(&run, cases[i].script);
		assert_string_equal(run.shown, cases[i].shown);
		finish(&run);
	}
	run = (struct run){0};
	start(&run, "BEGIN { print(getopt(\"n\", 5, \"how many\")); print(getopt(\"f\")); "
		    "print(getopt(\"n\", 5)); }");
	assert_int_equal(run.r->options.len, 2);
	assert_string_equal(run.r->options.items[0].name, "n");
	assert_string_equal(run.r->options.items[0].description, "how many");
	assert_string_equal(run.r->options.items[0].default_value, "5");
	assert_int_equal(run.r->options.items[0].kind, IMAGE_K_INT);
	assert_null(run.r->options.items[1].default_value);
	assert_int_equal(run.r->options.items[1].kind, IMAGE_K_BOOL);
	finish(&run);
}

static void test_dead_code(void **state)
{
	struct run run = {0};
	struct ast_block *b;

	(void)state;
	/* What is dead makes no map and no action. */
	start(&run, "BEGIN { if (getopt(\"x\")) { print(1); @a = 1; } else { print(2); } }");
	assert_non_null(run.r);
	b = run.r->programs.items[0]->body;
	assert_true(b->stmts.items[0]->u.if_.then->stmts.items[0]->dead);
	assert_false(b->stmts.items[0]->u.if_.otherwise->stmts.items[0]->dead);
	assert_int_equal(run.r->maps.len, 0);
	assert_int_equal(run.r->actions.len, 1);
	finish(&run);

	run = (struct run){0};
	start(&run, "BEGIN /false/ { print(1); @s[comm] = nsecs; } END { clear(@s); }");
	assert_non_null(run.r);
	assert_int_equal(run.r->programs.len, 1); /* END alone */
	assert_int_equal(run.r->actions.len, 1);
	/* A map filled only there still has its types. */
	assert_string_equal(type_name(run.r->types, find_map(&run, "s")->value), "uint64");
	finish(&run);
}

/* Predicates that are known before their probes are looked for. */
static void test_dead_probes(void **state)
{
	static const struct {
		const char *predicate;
		bool dead;
	} cases[] = {
		{"false", true},
		{"0", true},
		{"1", false},
		{"probe_exists(\"t:no:such\")", true},
		{"!probe_exists(\"t:no:such\")", false},
		{"probe_exists(\"interval:s:1\")", false},
		{"probe_exists(\"interval:s:1\") && probe_exists(\"t:no:such\")", true},
		{"probe_exists(\"interval:s:1\") || probe_exists(\"t:no:such\")", false},
		{"probe_exists(\"t:no:such\") && pid == 1", true},
		{"pid == 1 && probe_exists(\"t:no:such\")", true},
		{"pid == 1 || probe_exists(\"t:no:such\")", false},
		{"!(pid == 1 || probe_exists(\"interval:s:1\"))", true},
		{"getopt(\"x\")", true},
		{"!getopt(\"x\") && @go", false},
		{"$1 == 5", true},
		{"str($1) == \"abc\"", true},
		{"ncpus < 1", true},
		{"pid < 0 && 0 * 3", true},
		{"nsecs == 0", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct run run = {0};
		char script[256];

		snprintf(script, sizeof(script), "interval:s:1 /%s/ { @a = 1; } BEGIN { @go = 1; }",
			 cases[i].predicate);
		start(&run, script);
		assert_non_null(run.r);
		if (run.r->programs.len != (cases[i].dead ? 1 : 2))
			fail_msg("%s: %zu programs", cases[i].predicate, run.r->programs.len);
		finish(&run);
	}
}

static void test_unroll(void **state)
{
	struct run run = {.params = params};
	struct ast_stmt *st;

	(void)state;
	start(&run, "BEGIN { unroll($1) { $a = 1; print($a); } }");
	assert_non_null(run.r);
	st = run.r->programs.items[0]->body->stmts.items[0];
	assert_int_equal(st->kind, AST_BLOCK);
	assert_int_equal(st->u.block->stmts.len, 5);
	assert_int_equal(run.r->programs.items[0]->nvars, 5);
	assert_int_equal(run.r->actions.len, 5);
	finish(&run);

	run = (struct run){0};
	start(&run, "BEGIN { unroll(100) { unroll(100) { unroll(100) { print(1); } } } }");
	assert_null(run.r);
	assert_non_null(strstr(run.shown, "unroll: the script becomes too large"));
	finish(&run);
}

/* ---- actions -------------------------------------------------------------- */

static void check_action(const struct run *run, size_t i, enum image_action_kind kind,
			 const char *fmt, const char *payload)
{
	const struct sema_action *a = run->r->actions.items[i];

	assert_int_equal(a->index, i);
	assert_int_equal(a->kind, kind);
	if (fmt)
		assert_string_equal(a->fmt, fmt);
	assert_int_equal(!payload, !a->payload);
	if (payload)
		assert_string_equal(type_name(run->r->types, a->payload), payload);
}

static void test_actions(void **state)
{
	struct run run = {.unsafe = true};

	(void)state;
	start(&run, "BEGIN { printf(\"hi\\n\"); printf(\"%d %s %x\", pid, comm, true); print(5); "
		    "@m[1] = sum(5); @n = 3; print(@m); print(@m[1]); print(@m, 5, 2); print(@n); "
		    "clear(@m); zero(@m); time(); time(\"%H\"); cat(\"/proc/%d/stat\", pid); "
		    "system(\"ls %s\", comm); join((uint64)0); print(disk_name(8)); exit(3); }");
	if (!run.r)
		fail_msg("%s", run.shown);
	check_action(&run, 0, IMAGE_A_PRINTF, "hi\n", NULL);
	check_action(&run, 1, IMAGE_A_PRINTF, "%d %s %x", "(uint64,string[16],bool)");
	check_action(&run, 2, IMAGE_A_PRINT_VALUE, NULL, "int8");
	check_action(&run, 3, IMAGE_A_PRINT_MAP, NULL, NULL);
	assert_ptr_equal(run.r->actions.items[3]->map, find_map(&run, "m"));
	check_action(&run, 4, IMAGE_A_PRINT_VALUE, NULL, "int64");
	check_action(&run, 5, IMAGE_A_PRINT_MAP, NULL, NULL);
	assert_int_equal(run.r->actions.items[5]->arg[0], 5);
	assert_int_equal(run.r->actions.items[5]->arg[1], 2);
	check_action(&run, 6, IMAGE_A_PRINT_MAP, NULL, NULL);
	check_action(&run, 7, IMAGE_A_CLEAR, NULL, NULL);
	check_action(&run, 8, IMAGE_A_ZERO, NULL, NULL);
	check_action(&run, 9, IMAGE_A_TIME, "%H:%M:%S\n", NULL);
	check_action(&run, 10, IMAGE_A_TIME, "%H", NULL);
	check_action(&run, 11, IMAGE_A_CAT, "/proc/%d/stat", "(uint64)");
	check_action(&run, 12, IMAGE_A_SYSTEM, "ls %s", "(string[16])");
	assert_int_equal(run.r->actions.items[13]->kind, IMAGE_A_JOIN);
	assert_string_equal(run.r->actions.items[13]->fmt, " ");
	assert_int_equal(run.r->actions.items[13]->payload->fields.len, 16);
	check_action(&run, 14, IMAGE_A_PRINT_VALUE, NULL, "disk");
	check_action(&run, 15, IMAGE_A_EXIT, NULL, NULL);
	assert_int_equal(run.r->actions.len, 16);
	finish(&run);
}

static void test_maps(void **state)
{
	struct run run = {.env = (const char *const[]){"BPFTRACE_MAX_MAP_KEYS", "77", NULL}};
	const struct sema_map *m;

	(void)state;
	start(&run, "let @d = lruhash(9); BEGIN { @b[1] = 1; @ = 5; @h = hist(1); @c[1] = count(); "
		    "@d[1] = 1; print(kstack); print(ustack(5)); print(kstack(5)); }");
	if (!run.r)
		fail_msg("%s", run.shown);
	assert_int_equal(run.r->maps.len, 5);
	for (size_t i = 0; i < run.r->maps.len; i++)
		assert_int_equal(run.r->maps.items[i]->index, i);
	m = find_map(&run, "b");
	assert_int_equal(m->index, 0);
	assert_string_equal(m->elf_name, "AT_b");
	assert_int_equal(m->max_entries, 77);
	assert_false(m->percpu);
	m = find_map(&run, "");
	assert_string_equal(m->elf_name, "AT_");
	assert_null(m->key);
	assert_int_equal(m->max_entries, 1);
	assert_true(find_map(&run, "h")->percpu);
	assert_true(find_map(&run, "c")->percpu);
	assert_int_equal(find_map(&run, "d")->max_entries, 9);
	assert_int_equal(run.r->stacks.len, 2);
	assert_int_equal(run.r->stacks.items[0]->depth, 127);
	assert_int_equal(run.r->stacks.items[0]->index, 5);
	assert_int_equal(run.r->stacks.items[1]->depth, 5);
	assert_int_equal(run.r->stacks.items[1]->index, 6);
	finish(&run);
}

/* ---- config --------------------------------------------------------------- */

static void test_config(void **state)
{
	struct run run = {0};

	(void)state;
	start(&run, "BEGIN { }");
	assert_int_equal(run.r->config.max_strlen, 1024);
	assert_int_equal(run.r->config.max_map_keys, 4096);
	assert_int_equal(run.r->config.sync_probes, 1);
	assert_string_equal(run.r->config.license, "GPL");
	assert_true(run.r->programs.len == 1 && !run.r->programs.items[0]->gated);
	finish(&run);

	run = (struct run){0};
	start(&run,
	      "config = { BPFTRACE_MAX_STRLEN = 64; STACK_MODE = perf; missing_probes = Warn; "
	      "cpp_demangle = false; str_trunc_trailer = \"!\"; license = \"Dual MIT/GPL\"; "
	      "sync_probes = 0 } interval:s:1 { }");
	assert_string_equal(run.shown, "");
	assert_int_equal(run.r->config.max_strlen, 64);
	assert_int_equal(run.r->config.stack_mode, IMAGE_STACK_PERF);
	assert_int_equal(run.r->config.missing_probes, IMAGE_MISSING_WARN);
	assert_int_equal(run.r->config.cpp_demangle, 0);
	assert_string_equal(run.r->config.str_trunc_trailer, "!");
	assert_string_equal(run.r->config.license, "Dual MIT/GPL");
	assert_false(run.r->programs.items[0]->gated);
	finish(&run);

	/* the environment wins */
	run = (struct run){
		.env = (const char *const[]){"BPFTRACE_MAX_STRLEN", "32", "BTRUN_SYNC", "0", NULL}};
	start(&run, "config = { max_strlen = 64; sync_probes = 1 } BEGIN { }");
	assert_int_equal(run.r->config.max_strlen, 32);
	assert_int_equal(run.r->config.sync_probes, 0);
	finish(&run);

	run = (struct run){.no_sync = true};
	start(&run, "config = { sync_probes = 1 } interval:s:1 { }");
	assert_false(run.r->programs.items[0]->gated);
	finish(&run);

	run = (struct run){.env = (const char *const[]){"BPFTRACE_STACK_MODE", "bad", NULL}};
	start(&run, "BEGIN { }");
	assert_null(run.r);
	assert_non_null(strstr(run.shown, "stack_mode: Invalid value for stack_mode: valid values "
					  "are bpftrace, raw, perf, and build_id."));
	finish(&run);
}

static void test_config_messages(void **state)
{
	static const struct message_case cases[] = {
		{"config = { foo = 1; stack_mode = bar; max_strlen = abc; missing_probes = 5 } "
		 "BEGIN "
		 "{ }",
		 "stdin:1:12-19: ERROR: foo: not a known configuration option\n"
		 "stdin:1:21-37: ERROR: stack_mode: Invalid value for stack_mode: valid values are "
		 "bpftrace, raw, perf, and build_id.\n"
		 "stdin:1:39-55: ERROR: max_strlen: expecting a number, got abc\n"
		 "stdin:1:57-75: ERROR: missing_probes: Invalid value for missing_probes: valid "
		 "values are ignore, warn, and error.\n"},
		{"config = { max_strlenn = 1 } BEGIN { }",
		 "stdin:1:12-27: ERROR: max_strlenn: not a known configuration option\n"
		 "HINT: Did you mean: max_strlen?\n"},
		{"config = { strlen = 32; symbol_source = dwarf } BEGIN { }",
		 "stdin:1:12-23: WARNING: strlen has been renamed, please use max_strlen\n"
		 "stdin:1:25-46: WARNING: symbol_source is deprecated and has no effect\n"},
		{"config = { vmlinux = \"x\" } BEGIN { }",
		 "stdin:1:12-25: ERROR: vmlinux: can only be set as an environment variable\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_config_names(void **state)
{
	const char *const *names = sema_config_names();
	size_t n = 0;

	(void)state;
	for (; names[n]; n++) {
		struct run run = {0};
		char script[128];

		/* Each is known: the value may be wrong, the name may not. */
		snprintf(script, sizeof(script), "config = { %s = 1 } BEGIN { }", names[n]);
		start(&run, script);
		assert_null(strstr(run.shown, "not a known"));
		finish(&run);
	}
	assert_true(n >= 20);
}

/* ---- probes and programs -------------------------------------------------- */

static bool have_tracepoints(struct run *run)
{
	run->target = target_open_running();
	bool have = target_has_tracepoint(run->target, "syscalls", "sys_enter_read") &&
		    target_has_tracepoint(run->target, "sched", "sched_switch") &&
		    target_has(run->target, TARGET_F_RAW_TP) &&
		    target_has_raw_tracepoint(run->target, "sys_enter");

	target_close(run->target);
	if (!have)
		print_message("skipped: no tracepoints, or no rights to see and use them\n");
	return have;
}

static void test_simple_programs(void **state)
{
	struct run run = {0};

	(void)state;
	start(&run, "BEGIN { print(probe); } interval:s:1, interval:s:2 { print(1); } END { }");
	assert_int_equal(run.r->programs.len, 3);
	assert_int_equal(run.r->programs.items[0]->attach, IMAGE_AT_BEGIN);
	assert_true(run.r->programs.items[0]->uses_probe);
	assert_false(run.r->programs.items[0]->gated);
	/* one program serves both intervals */
	assert_int_equal(run.r->programs.items[1]->attach, IMAGE_AT_INTERVAL);
	assert_int_equal(run.r->programs.items[1]->attachments.len, 2);
	assert_true(run.r->programs.items[1]->gated);
	assert_int_equal(run.r->programs.items[2]->attach, IMAGE_AT_END);
	assert_int_equal(run.r->probes.len, 4);
	for (size_t i = 0; i < 2; i++) {
		const struct sema_attachment *a = &run.r->programs.items[1]->attachments.items[i];

		assert_int_equal(a->probe, i + 1);
		assert_int_equal(a->nprobes, 1);
	}
	finish(&run);

	/* with the builtin probe each needs its own */
	run = (struct run){0};
	start(&run, "interval:s:1, interval:s:2 { @[probe] = count(); }");
	assert_int_equal(run.r->programs.len, 2);
	assert_int_equal(find_map(&run, "")->key->kind, IMAGE_K_PROBE);
	assert_string_not_equal(run.r->programs.items[0]->name, run.r->programs.items[1]->name);
	finish(&run);

	/* compared or kept with strings it becomes one */
	run = (struct run){0};
	start(&run, "BEGIN, END { $p = probe; if ($p == \"begin\") { print(1); } @[probe] = 1; }");
	assert_int_equal(find_map(&run, "")->key->kind, IMAGE_K_STRING);
	finish(&run);
	run = (struct run){0};
	start(&run, "BEGIN { @[probe] = 1; @[\"x\"] = 1; }");
	assert_string_equal(type_name(run.r->types, find_map(&run, "")->key), "string[6]");
	finish(&run);

	run = (struct run){.params = params};
	start(&run, "interval:s:$1 { }");
	assert_string_equal(run.r->probes.items[0].name, "interval:s:5");
	finish(&run);
}

static void check_syscall_table(const struct run *run, const struct sema_program *p, size_t n)
{
	const struct sema_attachment *a = &p->attachments.items[0];
	size_t found = 0;

	assert_int_equal(p->attachments.len, 1);
	assert_int_equal(a->nprobes, n);
	for (uint32_t nr = 0; nr < p->nsyscalls; nr++) {
		uint32_t row = p->syscall_probe[nr];

		if (!row--)
			continue;
		assert_in_range(row, a->probe, a->probe + a->nprobes - 1);
		assert_non_null(strstr(run->r->probes.items[row].name, "tracepoint:syscalls:sys_"));
		found++;
	}
	assert_int_equal(found, n);
}

static void test_syscall_programs(void **state)
{
	struct run run = {0};
	const struct sema_program *p;

	(void)state;
	if (!have_tracepoints(&run))
		skip();
	run = (struct run){0};
	start(&run, "tracepoint:syscalls:sys_enter_read, tracepoint:syscalls:sys_exit_read, "
		    "tracepoint:syscalls:sys_enter_write { @[probe] = count(); }");
	assert_int_equal(run.r->programs.len, 2);
	p = run.r->programs.items[0];
	assert_true(p->is_syscall && p->uses_probe);
	assert_int_equal(p->attach, IMAGE_AT_RAW_TP);
	assert_string_equal(p->attachments.items[0].target, "sys_enter");
	check_syscall_table(&run, p, 2);
	assert_int_equal(p->nsyscalls, target_syscall_nr("write") + 1);
	assert_string_equal(
		run.r->probes.items[p->syscall_probe[target_syscall_nr("write")] - 1].name,
		"tracepoint:syscalls:sys_enter_write");
	p = run.r->programs.items[1];
	assert_string_equal(p->attachments.items[0].target, "sys_exit");
	check_syscall_table(&run, p, 1);
	finish(&run);

	/* args: a program each, still raw */
	run = (struct run){0};
	start(&run, "tracepoint:syscalls:sys_enter_read, tracepoint:syscalls:sys_enter_write "
		    "{ @[args.fd] = sum(args.count); }");
	if (!run.r)
		fail_msg("%s", run.shown);
	assert_int_equal(run.r->programs.len, 2);
	for (size_t i = 0; i < 2; i++) {
		p = run.r->programs.items[i];
		assert_int_equal(p->attach, IMAGE_AT_RAW_TP);
		assert_non_null(p->args);
		check_syscall_table(&run, p, 1);
	}
	finish(&run);

	/* stacks, or a kernel without raw tracepoints: the plain way */
	run = (struct run){0};
	start(&run, "tracepoint:syscalls:sys_enter_read { @[ustack] = count(); }");
	assert_int_equal(run.r->programs.items[0]->attach, IMAGE_AT_TRACEPOINT);
	finish(&run);
	run = (struct run){.raw_tp_off = true};
	start(&run, "tracepoint:syscalls:sys_enter_read { @ = count(); }");
	assert_int_equal(run.r->programs.items[0]->attach, IMAGE_AT_TRACEPOINT);
	assert_false(run.r->programs.items[0]->is_syscall);
	finish(&run);
}

static void test_tracepoint_programs(void **state)
{
	struct run run = {0};

	(void)state;
	if (!have_tracepoints(&run))
		skip();
	run = (struct run){0};
	start(&run,
	      "tracepoint:sched:sched_switch, tracepoint:sched:sched_wakeup { @ = count(); }");
	assert_int_equal(run.r->programs.len, 1);
	assert_int_equal(run.r->programs.items[0]->attach, IMAGE_AT_RAW_TP);
	assert_int_equal(run.r->programs.items[0]->attachments.len, 2);
	assert_string_equal(run.r->programs.items[0]->attachments.items[0].target, "sched_switch");
	finish(&run);

	run = (struct run){0};
	start(&run, "tracepoint:sched:sched_switch { @[args.prev_comm] = count(); }");
	assert_int_equal(run.r->programs.items[0]->attach, IMAGE_AT_TRACEPOINT);
	assert_string_equal(run.r->programs.items[0]->attachments.items[0].target,
			    "sched:sched_switch");
	assert_string_equal(type_name(run.r->types, find_map(&run, "")->key), "string[16]");
	finish(&run);

	run = (struct run){0};
	start(&run, "tracepoint:sched:sched_switch { @[kstack] = count(); }");
	assert_int_equal(run.r->programs.items[0]->attach, IMAGE_AT_TRACEPOINT);
	finish(&run);

	run = (struct run){0};
	start(&run, "tracepoint:sched:sched_switch { print(args.prev_com); }");
	assert_string_equal(run.shown,
			    "stdin:1:39-52: ERROR: Struct/union of type 'struct "
			    "tracepoint:sched:sched_switch_args' does not contain a field named "
			    "'prev_com'\nHINT: Did you mean: prev_comm?\n");
	finish(&run);
}

static void test_missing_probes(void **state)
{
	struct run run = {0};

	(void)state;
	if (!have_tracepoints(&run))
		skip();
	run = (struct run){0};
	start(&run, "tracepoint:sched:no_such_event { @ = 1; } BEGIN { print(@); }");
	assert_null(run.r);
	assert_non_null(strstr(run.shown, "stdin:1:1-31: ERROR: No matches for tracepoint "
					  "sched:no_such_event."));
	/* no complaint about @, which the missing probe would have filled */
	assert_null(strstr(run.shown, "Undefined map"));
	finish(&run);

	run = (struct run){0};
	start(&run,
	      "config = { missing_probes = warn } tracepoint:sched:no_such_event { } BEGIN { }");
	assert_non_null(run.r);
	assert_int_equal(run.r->programs.len, 1);
	assert_non_null(strstr(run.shown, "WARNING: No matches for tracepoint "
					  "sched:no_such_event. Skipping."));
	finish(&run);

	run = (struct run){0};
	start(&run,
	      "config = { missing_probes = ignore } tracepoint:sched:no_such_event { } BEGIN { "
	      "}");
	assert_string_equal(run.shown, "");
	finish(&run);

	run = (struct run){0};
	start(&run, "config = { max_probes = 1 } BEGIN, END { }");
	assert_non_null(strstr(run.shown, "Can't attach to 2 probes because it exceeds the current "
					  "limit of 1 probes."));
	finish(&run);
	run = (struct run){0};
	start(&run, "config = { max_bpf_progs = 1 } BEGIN, END { }");
	assert_non_null(strstr(run.shown, "which exceeds the current limit of 1"));
	finish(&run);
}

/* ---- the tree ------------------------------------------------------------- */

static char *printed(struct ast_program *p)
{
	static const struct ast_print_opts plain;
	char *out = NULL;
	size_t n;
	FILE *f = open_memstream(&out, &n);

	ast_print_program(f, p, &plain);
	fclose(f);
	return out;
}

static void test_gate_shown(void **state)
{
	struct run run = {0};
	char *tree;

	(void)state;
	start(&run, "interval:s:1 { print(1); }");
	tree = printed(run.r->ast);
	assert_non_null(strstr(tree, "active == true"));
	assert_null(run.r->programs.items[0]->predicate);
	free(tree);
	finish(&run);

	run = (struct run){0};
	start(&run, "interval:s:1 /pid == 1 || tid == 2/ { print(1); }");
	tree = printed(run.r->ast);
	assert_non_null(strstr(tree, "active == true && "));
	free(tree);
	finish(&run);

	run = (struct run){.no_sync = true};
	start(&run, "interval:s:1 { print(1); } BEGIN { }");
	tree = printed(run.r->ast);
	assert_null(strstr(tree, "active"));
	free(tree);
	finish(&run);
}

/* Everything that is handed on, as text. */
static char *dump(const struct run *run)
{
	char *out = NULL, *tree = printed(run->r->ast);
	size_t n;
	FILE *f = open_memstream(&out, &n);

	fputs(tree, f);
	for (size_t i = 0; i < run->r->programs.len; i++) {
		const struct sema_program *p = run->r->programs.items[i];

		fprintf(f, "%s %d %zu\n", p->name, p->attach, p->attachments.len);
		for (size_t j = 0; j < p->attachments.len; j++)
			fprintf(f, " %s %u %u\n", p->attachments.items[j].target,
				p->attachments.items[j].probe, p->attachments.items[j].nprobes);
		for (uint32_t j = 0; j < p->nsyscalls; j++)
			fprintf(f, " %u", p->syscall_probe[j]);
	}
	for (size_t i = 0; i < run->r->maps.len; i++)
		fprintf(f, "@%s %s\n", run->r->maps.items[i]->name,
			type_name(run->r->types, run->r->maps.items[i]->value));
	for (size_t i = 0; i < run->r->probes.len; i++)
		fprintf(f, "%s\n", run->r->probes.items[i].name);
	fputs(run->shown, f);
	fclose(f);
	free(tree);
	return out;
}

static void test_same_again(void **state)
{
	static const char script[] =
		"config = { missing_probes = ignore } "
		"tracepoint:syscalls:sys_enter_* { @a[probe] = count(); } "
		"tracepoint:syscalls:sys_exit_r* { @b[args.ret] = count(); } "
		"BEGIN { @c = @d; @d = (1, comm); $x = @c; @e[$x.1] = hist(3); 1; } "
		"interval:s:1 { print(@a); clear(@b); }";
	char *before = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct run run = {0};
		char *now;

		start(&run, script);
		if (!run.r)
			fail_msg("%s", run.shown);
		now = dump(&run);
		if (before)
			assert_string_equal(now, before);
		free(before);
		before = now;
		finish(&run);
	}
	free(before);
}

/* Values that double with each assignment would need all memory there is. */
static void test_growing_tuples(void **state)
{
	struct run run = {0};
	char script[4096] = "BEGIN { $a0 = (1, 2); ", line[64];

	(void)state;
	for (int i = 1; i < 60; i++) {
		snprintf(line, sizeof(line), "$a%d = ($a%d, $a%d); ", i, i - 1, i - 1);
		strcat(script, line);
	}
	strcat(script, "}");
	start(&run, script);
	assert_null(run.r);
	assert_non_null(strstr(run.shown, "A tuple may hold up to 1024 values"));
	finish(&run);
}

static void test_builtins(void **state)
{
	(void)state;
	assert_int_equal(builtin_find("pid")->id, BUILTIN_PID);
	assert_int_equal(builtin_find("arg0")->id, BUILTIN_ARGN);
	assert_int_equal(builtin_find("arg15")->id, BUILTIN_ARGN);
	assert_null(builtin_find("arg01"));
	assert_null(builtin_find("arg"));
	assert_null(builtin_find("argx"));
	assert_null(builtin_find("nosuch"));
	assert_int_equal(builtin_find("args")->id, BUILTIN_ARGS);
	assert_string_equal(builtin_names()[0], "pid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtins),
		cmocka_unit_test(test_map_messages),
		cmocka_unit_test(test_aggregation_messages),
		cmocka_unit_test(test_variable_messages),
		cmocka_unit_test(test_expression_messages),
		cmocka_unit_test(test_call_messages),
		cmocka_unit_test(test_statement_messages),
		cmocka_unit_test(test_probe_messages),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_kernel_types),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_dead_code),
		cmocka_unit_test(test_dead_probes),
		cmocka_unit_test(test_unroll),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_messages),
		cmocka_unit_test(test_config_names),
		cmocka_unit_test(test_simple_programs),
		cmocka_unit_test(test_syscall_programs),
		cmocka_unit_test(test_tracepoint_programs),
		cmocka_unit_test(test_missing_probes),
		cmocka_unit_test(test_gate_shown),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_growing_tuples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
