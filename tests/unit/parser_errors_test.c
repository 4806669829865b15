/* SPDX-License-Identifier: Apache-2.0 */
/* The parser on scripts that are wrong: messages, limits, damaged scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parser/ast.h"

/* What is printed for a script; "" when it parses. */
static char *messages(const char *text, size_t size, unsigned *errors)
{
	struct diag_list d = {.arena = arena_new()};
	uint32_t src = diag_add_source(&d, "stdin", text, size);
	char *out;
	size_t n;
	FILE *f = open_memstream(&out, &n);

	assert_non_null(parse_program(&d, src));
	diag_print(&d, f, false, true);
	fclose(f);
	if (errors)
		*errors = d.errors;
	arena_free(d.arena);
	return out;
}

struct message_case {
	const char *script, *messages;
};

static void check_messages(const struct message_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *is = messages(cases[i].script, strlen(cases[i].script), NULL);

		assert_string_equal(is, cases[i].messages);
		free(is);
	}
}

#define CHECK_MESSAGES(cases) check_messages(cases, sizeof(cases) / sizeof(*(cases)))

static void test_syntax(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { $x = ; }",
		 "stdin:1:14-15: ERROR: syntax: expected expression, found ';'\n"
		 "BEGIN { $x = ; }\n"
		 "             ~\n"},
		{"BEGIN {\n\tprintf(\"a\\n\" 1);\n}",
		 "stdin:2:15-16: ERROR: syntax: expected ')' or ',', found '1'\n"
		 "    printf(\"a\\n\" 1);\n"
		 "                 ~\n"},
		{"BEGIN { $a = 1 $b = 2; }",
		 "stdin:1:16-18: ERROR: syntax: expected ';', found '$b'\n"
		 "BEGIN { $a = 1 $b = 2; }\n"
		 "               ~~\n"},
		{"kprobe:f", "stdin:1:9-9: ERROR: syntax: expected '{', found end of script\n"
			     "kprobe:f\n"
			     "        ~\n"},
		{"BEGIN { if ($a) { exit() }\n\n",
		 "stdin:1:27-27: ERROR: syntax: expected statement or '}', found end of script\n"
		 "BEGIN { if ($a) { exit() }\n"
		 "                          ~\n"
		 "HINT: The '{' at 1:7 is not closed\n"},
		{"kprobe:f /pid == 1 { exit() }",
		 "stdin:1:20-21: ERROR: syntax: expected '/' to close predicate, found '{'\n"
		 "kprobe:f /pid == 1 { exit() }\n"
		 "                   ~\n"},
		{"BEGIN { if ($a = 1) { } }",
		 "stdin:1:16-17: ERROR: syntax: expected ')' or ',', found '='\n"
		 "BEGIN { if ($a = 1) { } }\n"
		 "               ~\n"
		 "HINT: Did you mean '=='?\n"},
		{"BEGIN { exit( }",
		 "stdin:1:15-16: ERROR: syntax: expected expression or ')', found '}'\n"
		 "BEGIN { exit( }\n"
		 "              ~\n"},
		{"BEGIN { } }", "stdin:1:11-12: ERROR: syntax: expected attach point, found '}'\n"
				"BEGIN { } }\n"
				"          ~\n"},
		{"BEGIN { else { } }",
		 "stdin:1:9-13: ERROR: syntax: expected statement or '}', found 'else'\n"
		 "BEGIN { else { } }\n"
		 "        ~~~~\n"},
		{"BEGIN { $a.\"x\"; }",
		 "stdin:1:12-15: ERROR: syntax: expected identifier or integer, found string\n"
		 "BEGIN { $a.\"x\"; }\n"
		 "           ~~~\n"},
		{"BEGIN { for ($i : 5) { } }",
		 "stdin:1:19-20: ERROR: syntax: expected map or range in for loop\n"
		 "BEGIN { for ($i : 5) { } }\n"
		 "                  ~\n"},
		{"let $a = 1;\nBEGIN { exit() }",
		 "stdin:1:5-7: ERROR: syntax: expected map, found '$a'\n"
		 "let $a = 1;\n"
		 "    ~~\n"
		 "HINT: Outside of probes only maps can be declared: let @a = hash(100);\n"},
		{"config = { a 1 }", "stdin:1:14-15: ERROR: syntax: expected '=', found '1'\n"
				     "config = { a 1 }\n"
				     "             ~\n"},
		{"macro pid2(pid) { 1 }",
		 "stdin:1:12-15: ERROR: syntax: builtin 'pid' can't be used as a macro argument\n"
		 "macro pid2(pid) { 1 }\n"
		 "           ~~~\n"},
		{"BEGIN { } config = { a=1 }",
		 "stdin:1:11-17: ERROR: syntax: config must appear before probes and functions\n"
		 "BEGIN { } config = { a=1 }\n"
		 "          ~~~~~~\n"},
		{"BEGIN { }\nstruct a {\n int b;\n};",
		 "stdin:2:1-11: ERROR: syntax: C definitions must appear before probes and "
		 "functions\n"
		 "struct a {\n"
		 "~~~~~~~~~~\n"},
		{"BEGIN { (a=1, a=2); }",
		 "stdin:1:15-18: ERROR: syntax: Named argument list already contains name: a\n"
		 "BEGIN { (a=1, a=2); }\n"
		 "              ~~~\n"},
		{"BEGIN { $a.0 = 1; }",
		 "stdin:1:9-17: ERROR: syntax: Tuples and records are immutable once created. "
		 "Consider creating a new value and assigning it instead.\n"
		 "BEGIN { $a.0 = 1; }\n"
		 "        ~~~~~~~~\n"},
		{"BEGIN { &1; }",
		 "stdin:1:10-11: ERROR: syntax: address-of operator (&) can only be used on a map "
		 "or variable\n"
		 "BEGIN { &1; }\n"
		 "         ~\n"},
		{"BEGIN { ++1; 1++; }",
		 "stdin:1:11-12: ERROR: syntax: increment/decrement requires a variable or map\n"
		 "BEGIN { ++1; 1++; }\n"
		 "          ~\n"
		 "stdin:1:15-17: ERROR: syntax: increment/decrement requires a variable or map\n"
		 "BEGIN { ++1; 1++; }\n"
		 "              ~~\n"},
		{"BEGIN { if (x=1) { } while (1, 2) { } }",
		 "stdin:1:12-17: ERROR: syntax: expected a condition, found a record\n"
		 "BEGIN { if (x=1) { } while (1, 2) { } }\n"
		 "           ~~~~~\n"
		 "HINT: Did you mean '=='?\n"
		 "stdin:1:28-34: ERROR: syntax: expected a condition, found a tuple\n"
		 "BEGIN { if (x=1) { } while (1, 2) { } }\n"
		 "                           ~~~~~~\n"},
		{"BEGIN { $a = if $b { 1 }; }",
		 "stdin:1:14-25: ERROR: syntax: an if that is used as a value needs an else\n"
		 "BEGIN { $a = if $b { 1 }; }\n"
		 "             ~~~~~~~~~~~\n"},
		{"fn f($a : uint8*): struct x { return 1; }",
		 "stdin:1:1-5: ERROR: functions (fn) are not supported\n"
		 "fn f($a : uint8*): struct x { return 1; }\n"
		 "~~~~\n"
		 "HINT: Use a macro: macro f(...) { ... }\n"},
		{"BEGIN { f(\n1) = 2; }", "stdin:1:9-11: ERROR: syntax: invalid assignment target\n"
					  "BEGIN { f(\n"
					  "        ~~\n"},
		{"import \"x.bt\"\nBEGIN { }",
		 "stdin:2:1-6: ERROR: syntax: expected ';', found 'BEGIN'\n"
		 "BEGIN { }\n"
		 "~~~~~\n"},
		{"struct a { int x; ",
		 "stdin:1:19-19: ERROR: syntax: expected '}' to close the definition\n"
		 "struct a { int x; \n"
		 "                  ~\n"},
		{"struct a { } __attribute__(packed);",
		 "stdin:1:14-27: ERROR: syntax: __attribute__ syntax error, expected '(('\n"
		 "struct a { } __attribute__(packed);\n"
		 "             ~~~~~~~~~~~~~\n"},
		{"BEGIN { $0; }",
		 "stdin:1:9-11: ERROR: syntax: param $0 is out of integer range [1, "
		 "9223372036854775807]\n"
		 "BEGIN { $0; }\n"
		 "        ~~\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_tokens(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { exit() } /* abc", "stdin:1:18-20: ERROR: syntax: unterminated comment\n"
					    "BEGIN { exit() } /* abc\n"
					    "                 ~~\n"},
		{"BEGIN { $a = \"abc; }\n", "stdin:1:14-21: ERROR: syntax: unterminated string\n"
					    "BEGIN { $a = \"abc; }\n"
					    "             ~~~~~~~\n"},
		{"BEGIN { 99999999999999999999; }",
		 "stdin:1:9-29: ERROR: syntax: overflow error, maximum value is "
		 "18446744073709551615: 99999999999999999999\n"
		 "BEGIN { 99999999999999999999; }\n"
		 "        ~~~~~~~~~~~~~~~~~~~~\n"},
		{"BEGIN { \"\\q\"; }",
		 "stdin:1:10-12: ERROR: syntax: invalid escape character '\\q'\n"
		 "BEGIN { \"\\q\"; }\n"
		 "         ~~\n"},
		{"BEGIN { \"\\777\"; }",
		 "stdin:1:10-14: ERROR: syntax: octal escape sequence out of range '\\777'\n"
		 "BEGIN { \"\\777\"; }\n"
		 "         ~~~~\n"},
		{"BEGIN { # }", "stdin:1:9-10: ERROR: syntax: unexpected character '#'\n"
				"BEGIN { # }\n"
				"        ~\n"},
		{"BEGIN { $a = 1; \xc3\xa4 }",
		 "stdin:1:17-18: ERROR: syntax: unexpected byte 0xc3\n"
		 "BEGIN { $a = 1; \xc3\xa4 }\n"
		 "                ~\n"},
		{"BEGIN { $ = 1; }", "stdin:1:9-10: ERROR: syntax: expected identifier after '$'\n"
				     "BEGIN { $ = 1; }\n"
				     "        ~\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_bad_integers(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"5e", "invalid exponent: 5e"},
		{"1e21", "overflow error, maximum value is 18446744073709551615: 1e21"},
		{"1e99999999999999999999",
		 "overflow error, maximum value is 18446744073709551615: 1e99999999999999999999"},
		{"10000000000m",
		 "overflow error, maximum value is 18446744073709551615: 10000000000m"},
		{"5000000000u", "overflow error, maximum value is 4294967295: 5000000000u"},
		{"9223372036854775808l",
		 "overflow error, maximum value is 9223372036854775807: 9223372036854775808l"},
		{"0x10000000000000000",
		 "overflow error, maximum value is 18446744073709551615: 0x10000000000000000"},
		{"12e4", "coefficient part of scientific literal must be 1-9: 12e4"},
		{"0x", "invalid integer: 0x"},
		{"1_", "trailing underscore in integer literal"},
		{"1_e3", "trailing underscore in integer literal"},
		{"1e3_", "trailing underscore in integer literal"},
		{"0x1_", "trailing underscore in integer literal"},
		{"089", "invalid integer suffix '89'"},
		{"5S", "invalid integer suffix 'S'"},
		{"0x5ms", "invalid integer suffix 'ms'"},
		{"1foo", "invalid integer suffix 'foo'"},
		{"0b2", "invalid integer: 0b2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[128], expected[256], *is;

		snprintf(script, sizeof(script), "BEGIN { %s; }", cases[i].text);
		snprintf(expected, sizeof(expected), "ERROR: syntax: %s\n", cases[i].message);
		is = messages(script, strlen(script), NULL);
		if (!strstr(is, expected))
			fail_msg("%s: %s", cases[i].text, is);
		free(is);
	}
}

static void test_all_errors_reported(void **state)
{
	static const struct message_case cases[] = {
		{"BEGIN { $a = ; f(; $b = 1 }\n"
		 "kprobe:f / / { }\n"
		 "kprobe:g { if ($a { f(); } g(1 2); }\n"
		 "END { $x + ; }\n",
		 "stdin:1:14-15: ERROR: syntax: expected expression, found ';'\n"
		 "BEGIN { $a = ; f(; $b = 1 }\n"
		 "             ~\n"
		 "stdin:1:18-19: ERROR: syntax: expected expression or ')', found ';'\n"
		 "BEGIN { $a = ; f(; $b = 1 }\n"
		 "                 ~\n"
		 "stdin:2:12-13: ERROR: syntax: expected expression, found '/'\n"
		 "kprobe:f / / { }\n"
		 "           ~\n"
		 "stdin:3:19-20: ERROR: syntax: expected ')' or ',', found '{'\n"
		 "kprobe:g { if ($a { f(); } g(1 2); }\n"
		 "                  ~\n"
		 "stdin:3:32-33: ERROR: syntax: expected ')' or ',', found '2'\n"
		 "kprobe:g { if ($a { f(); } g(1 2); }\n"
		 "                               ~\n"
		 "stdin:4:12-13: ERROR: syntax: expected expression, found ';'\n"
		 "END { $x + ; }\n"
		 "           ~\n"},
	};

	(void)state;
	CHECK_MESSAGES(cases);
}

static void test_at_most_50_errors(void **state)
{
	char script[4096] = "BEGIN { ";
	unsigned errors;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(script, "f(; ");
	strcat(script, "}");
	free(messages(script, strlen(script), &errors));
	assert_int_equal(errors, DIAG_MAX_ERRORS);
}

/* ---- limits ------------------------------------------------------------------------- */

static char *repeat(const char *head, const char *piece, size_t n, const char *middle,
		    const char *tail_piece, const char *tail)
{
	size_t size = strlen(head) + n * (strlen(piece) + strlen(tail_piece)) + strlen(middle) +
		      strlen(tail) + 1;
	char *text = malloc(size), *at = text;

	assert_non_null(text);
	at = stpcpy(at, head);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, piece);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, tail_piece);
	stpcpy(at, tail);
	return text;
}

struct nest_case {
	const char *head, *piece, *middle, *tail_piece, *tail;
};

static const struct nest_case nests[] = {
	{"BEGIN { $a = ", "(", "1", ")", "; }"},
	{"BEGIN { $a = ", "(uint8)(", "1", ")", "; }"},
	{"BEGIN { $a = ", "f(", "1", ")", "; }"},
	{"BEGIN { $a = ", "@m[", "1", "]", "; }"},
	{"BEGIN ", "{ ", "1", " }", ""},
	{"BEGIN { $a = ", "{ ", "1", " }", "; }"},
	{"BEGIN { ", "if ($a) { ", "1", " }", " }"},
	{"BEGIN { $a = ", "sizeof(", "1", ")", "; }"},
	{"BEGIN { $a = ", "- ", "1", "", "; }"},
	{"BEGIN { $a = ", "!", "1", "", "; }"},
	{"BEGIN { $a = ", "(uint8)", "1", "", "; }"},
	{"BEGIN { $a = ", "1 + ", "1", "", "; }"},
	{"BEGIN { $a = ", "1 ? 1 : ", "1", "", "; }"},
	{"BEGIN { $a = ", "1 ?: ", "1", "", "; }"},
	{"BEGIN { $a = $b", ".x", "", "", "; }"},
	{"BEGIN { $a = $b", "[0]", "", "", "; }"},
	{"BEGIN { ", "if ($a) { 1 } else ", "{ 2 }", "", " }"},
	{"BEGIN { $z = ", "if ($a) { 1 } else ", "{ 2 }", "", "; }"},
	{"BEGIN { $a = (uint8", "*", ")1", "", "; }"},
	{"BEGIN { let $a : uint8", "[2]", "", "", "; }"},
};

static void test_nesting(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(nests) / sizeof(*nests); i++) {
		const struct nest_case *c = &nests[i];

		for (int k = 0; k < 2; k++) {
			/* 40 levels are fine; 100,000 are an error, and no crash. */
			char *text = repeat(c->head, c->piece, k ? 100000 : 40, c->middle,
					    c->tail_piece, c->tail);
			unsigned errors;
			char *is;

			if (strlen(text) > 1024 * 1024)
				text[1024 * 1024] = '\0';
			is = messages(text, strlen(text), &errors);
			if (!k && errors)
				fail_msg("%s...: %s", c->piece, is);
			if (k && !errors)
				fail_msg("%s...: no error", c->piece);
			free(is);
			free(text);
		}
	}
}

static void test_nesting_message(void **state)
{
	char *text = repeat("BEGIN {\n $a = ", "(", 300, "1", ")", "; }");
	char *is = messages(text, strlen(text), NULL);

	(void)state;
	assert_non_null(strstr(is, "stdin:2:206-207: ERROR: syntax: nested too deeply, at most 200 "
				   "levels are allowed\n"));
	free(is);
	free(text);
}

/* Brackets that are never closed, quotes and slashes: each in a megabyte, each in time. */
static void test_megabytes(void **state)
{
	static const char *const pieces[] = {"{",          "}",
					     "(",          "\"",
					     "/",          "/*",
					     "BEGIN",      ";",
					     "1 ",         "$",
					     "@",          "a:",
					     "struct a {", "struct a ",
					     "#",          "\\\n",
					     "k:f,",       "[1]",
					     "f(",         "-1",
					     "config = {", "let @a = hash(1)",
					     "=",          "struct x { } __attribute__ ",
					     "enum (",     "fn f("};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		static const char *const heads[] = {"", "BEGIN { ", "k:f /"};

		for (size_t k = 0; k < sizeof(heads) / sizeof(*heads); k++) {
			size_t n = (1024 * 1024 - 16) / strlen(pieces[i]);
			char *text = repeat(heads[k], pieces[i], n, "", "", "");

			free(messages(text, strlen(text), NULL));
			free(text);
		}
	}
}

static void test_size_limit(void **state)
{
	char *text = repeat("BEGIN { exit() }", " ", 1024 * 1024 - 16, "", "", "");
	unsigned errors;
	char *is;

	(void)state;
	is = messages(text, 1024 * 1024, &errors);
	assert_int_equal(errors, 0);
	free(is);
	free(text);
	text = repeat("BEGIN { exit() }", " ", 1024 * 1024 - 15, "", "", "");
	is = messages(text, 1024 * 1024 + 1, &errors);
	assert_int_equal(errors, 1);
	assert_non_null(strstr(is, "ERROR: the script is too long"));
	free(is);
	free(text);
}

#define BYTES(text) (text), sizeof(text) - 1

static void test_odd_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		bool wrong;
	} cases[] = {
		{BYTES("BEGIN { \0 }"), true},
		{BYTES("BEGIN { \"a\0b\"; }"), true},
		{BYTES("BE\0GIN { }"), true},
		{BYTES("\0"), true},
		{BYTES("BEGIN { \x01 }"), true},
		{BYTES("BEGIN { exit\xff(); }"), true},
		{BYTES("BEGIN { // \0 \xff\n }"), false},
		{BYTES("BEGIN { /* \0 \xff\n */ }"), false},
		{BYTES("BEGIN { \"\xff\xfe\"; }"), false},
		{BYTES("kprobe:\"\xc3\xbc\" { }"), false},
		{BYTES("BEGIN {\r\n exit();\r\n}\r\n"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned errors;
		char *is = messages(cases[i].text, cases[i].size, &errors);

		if (!errors == cases[i].wrong)
			fail_msg("case %zu: %s", i, is);
		/* No control character of a script reaches the terminal. */
		for (const char *s = is; *s; s++)
			assert_true(*s == '\n' || (unsigned char)*s >= 0x20);
		free(is);
	}
}

/* ---- damaged scripts -------------------------------------------------------------- */

static const char script[] =
	"#!/usr/bin/env btrun\n"
	"/* Block I/O with latency. */\n"
	"#include <linux/blkdev.h>\n"
	"struct io {\n"
	"\tint dev; char name[16];\n"
	"};\n"
	"config = { missing_probes = warn; max_map_keys=1e4; license=\"GPL\" }\n"
	"import \"lib.bt\";\n"
	"let @start = lruhash(1_000);\n"
	"macro since($t, @m) { $t == 0 ? 0 : nsecs - @m[$t] }\n"
	"BEGIN\n"
	"{\n"
	"\tprintf(\"%-12s %-7s\\n\", \"TIME(s)\", \"COMM\"); // head\n"
	"\t@limit = getopt(\"min_us\", 0) * 1us;\n"
	"}\n"
	"rawtracepoint:block_io_start\n"
	"{\n"
	"\t$rq = (struct request *)arg0;\n"
	"\t@start[$rq] = nsecs;\n"
	"\t@who[$rq] = (pid, comm, $rq->__sector, $rq.q[0]);\n"
	"}\n"
	"tracepoint:block:block_rq_*,\n"
	"kprobe:\"blk_done\"+0x4\n"
	"/@start[arg0] / 1000 > @limit && (pid != 0 || !$1)/\n"
	"{\n"
	"\tlet $us : uint64 = since(arg0, @start) / 1000;\n"
	"\tif ($us > 100 && $us <= 200) {\n"
	"\t\t@slow[disk_name(args.dev), -1] = hist($us);\n"
	"\t} else if ($us >> 3 == ~0x1f) {\n"
	"\t\t@lat += $us; @n++; --@left;\n"
	"\t} else { @rest[sizeof(struct io), offsetof(struct io, dev)] = sum($us); }\n"
	"\t$kind = { let $c = $us % 2; $c ? \"R\" : \"W\" };\n"
	"\tfor ($kv : @who) { print(($kv.0, $kv.1.2)); continue; }\n"
	"\tfor ($i : 0..$#) { if ($i == 3) { break; } }\n"
	"\tunroll (2) { $us <<= 1; }\n"
	"\twhile ($us < 10) { $us ^= (uint8[2])5; }\n"
	"\t_ = delete(@start, arg0);\n"
	"\tprint((a=1, b=*$rq)); return;\n"
	"}\n"
	"interval:s:1, END /1/ { clear(@slow); exit(); }\n";

/* The end of the token at @s: a word, a number, a string, a comment, an operator. */
static size_t token_len(const char *s)
{
	static const char *const ops[] = {"<<=", "||", "&&", "==", "!=", "<=", ">=", "<<", ">>",
					  "++",  "--", "->", "..", "+=", "^=", "/*", "//"};
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	if (n)
		return n;
	if (*s == '"') {
		for (n = 1; s[n] && s[n] != '"'; n++)
			n += s[n] == '\\';
		return n + 1;
	}
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (!strncmp(s, ops[i], strlen(ops[i])))
			return strlen(ops[i]);
	}
	return 1;
}

/* Parses, or says where the trouble is: a line, a column, an underline. */
static void check_damaged(const char *text, size_t size)
{
	unsigned errors;
	char *is = messages(text, size, &errors), *colon;
	int line, begin, end;

	if (!errors != !*is)
		fail_msg("%s\n----\n%s", text, is);
	if (errors) {
		if (sscanf(is, "stdin:%d:%d-%d: ERROR: ", &line, &begin, &end) != 3)
			fail_msg("%s\n----\n%s", text, is);
		assert_true(line > 0 && begin > 0 && end >= begin);
		colon = strstr(is, "~");
		if (!colon)
			fail_msg("%s\n----\n%s", text, is);
	}
	free(is);
}

static void test_script_is_right(void **state)
{
	char *is = messages(script, strlen(script), NULL);

	(void)state;
	assert_string_equal(is, "");
	free(is);
}

static void test_each_token_removed(void **state)
{
	char damaged[sizeof(script)];
	unsigned n = 0;

	(void)state;
	for (const char *s = script; *s; s += token_len(s)) {
		size_t before = (size_t)(s - script), len = token_len(s);

		if (isspace((unsigned char)*s))
			continue;
		memcpy(damaged, script, before);
		strcpy(damaged + before, s + len);
		check_damaged(damaged, strlen(damaged));
		n++;
	}
	assert_true(n > 400);
}

static void test_each_token_doubled_or_replaced(void **state)
{
	static const char *const others[] = {NULL, "{", "}", "(",  ")", ";",
					     "\"", "/", ",", "if", "1"};
	char damaged[2 * sizeof(script)];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		for (const char *s = script; *s; s += token_len(s)) {
			size_t before = (size_t)(s - script), len = token_len(s);

			if (isspace((unsigned char)*s))
				continue;
			memcpy(damaged, script, before);
			if (others[i])
				strcpy(damaged + before, others[i]);
			else
				strcpy(stpncpy(damaged + before, s, len), " ");
			strcat(damaged, others[i] ? s + len : s);
			check_damaged(damaged, strlen(damaged));
		}
	}
}

static void test_truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(script); n++) {
		/* Of exact size, so that the sanitizer sees a read behind the end. */
		char *text = malloc(n + 1);

		memcpy(text, script, n);
		text[n] = '\0';
		check_damaged(text, n);
		free(text);
	}
}

/* ---- diagnostics --------------------------------------------------------------------- */

static void test_diag_forms(void **state)
{
	static const char text[] = "BEGIN {\n\tfoo(\n1);\n}\n";
	struct diag_list d = {.arena = arena_new()};
	uint32_t src = diag_add_source(&d, "a.bt", text, strlen(text));
	char *out;
	size_t n;
	FILE *f = open_memstream(&out, &n);

	(void)state;
	diag_warning(&d, (struct span){src, 0, 5}, "w");
	diag_error(&d, (struct span){src, 9, 16}, "two lines");
	diag_error(&d, (struct span){src, 9, 12}, "unknown: %s", "foo");
	diag_hint(&d, "try %s", "bar");
	diag_error(&d, (struct span){src, 9, 12}, "unknown: foo");
	assert_int_equal(d.errors, 2);
	diag_print(&d, f, false, true);
	diag_print(&d, f, true, false);
	fclose(f);
	assert_string_equal(out, "a.bt:2-3: ERROR: two lines\n"
				 "    foo(\n"
				 "1);\n"
				 "a.bt:2:2-5: ERROR: unknown: foo\n"
				 "    foo(\n"
				 "    ~~~\n"
				 "HINT: try bar\n"
				 "a.bt:1:1-6: WARNING: w\n"
				 "BEGIN {\n"
				 "~~~~~\n"
				 "\033[31ma.bt:2-3: ERROR: two lines\033[0m\n"
				 "    foo(\n"
				 "1);\n"
				 "\033[31ma.bt:2:2-5: ERROR: unknown: foo\033[0m\n"
				 "    foo(\n"
				 "    ~~~\n"
				 "HINT: try bar\n");
	free(out);
	arena_free(d.arena);
}

/* A line of a megabyte is quoted around the place only. */
static void test_long_line(void **state)
{
	char *text = repeat("BEGIN { $a = 1; ", " ", 100000, "\t) ", " ", "}");
	char *is = messages(text, strlen(text), NULL);
	const char *quote = strchr(is, '\n') + 1, *mark = strchr(quote, '\n') + 1;

	(void)state;
	assert_non_null(strstr(is, "stdin:1:100018-100019: ERROR: syntax: expected"));
	assert_true(strlen(is) < 2000);
	assert_int_equal(strchr(quote, ')') - quote, strchr(mark, '~') - mark);
	free(is);
	free(text);
}

static void test_did_you_mean(void **state)
{
	static const char *const names[] = {"pid",    "tid",        "comm",   "nsecs",
					    "printf", "tracepoint", "kstack", NULL};

	(void)state;
	assert_string_equal(diag_did_you_mean("pidd", names), "pid");
	assert_string_equal(diag_did_you_mean("pritnf", names), "printf");
	assert_string_equal(diag_did_you_mean("tracpoint", names), "tracepoint");
	assert_string_equal(diag_did_you_mean("kstak", names), "kstack");
	assert_string_equal(diag_did_you_mean("com", names), "comm");
	assert_null(diag_did_you_mean("elapsed", names));
	assert_null(diag_did_you_mean("x", names));
	assert_null(diag_did_you_mean("", names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_bad_integers),
		cmocka_unit_test(test_all_errors_reported),
		cmocka_unit_test(test_at_most_50_errors),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_nesting_message),
		cmocka_unit_test(test_megabytes),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_script_is_right),
		cmocka_unit_test(test_each_token_removed),
		cmocka_unit_test(test_each_token_doubled_or_replaced),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_diag_forms),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_did_you_mean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
