/* SPDX-License-Identifier: Apache-2.0 */
/* The formatter: what it makes of scripts, and that it does no more than lay them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glob.h>
#include <cmocka.h>

#include "ast.h"

/* The formatted text (malloc), NULL when it cannot be parsed. */
static char *format(const char *text)
{
	struct diag_list d = {.arena = arena_new()};
	size_t size;
	char *out = format_script(&d, diag_add_source(&d, "x", text, strlen(text)), &size);

	if (out)
		assert_int_equal(strlen(out), size);
	arena_free(d.arena);
	return out;
}

static void check(const char *text, const char *want)
{
	char *got = format(text);

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
	got = format(want);
	assert_string_equal(got, want);
	free(got);
}

static void check_body(const char *text, const char *want)
{
	char in[1024], out[1024];

	snprintf(in, sizeof(in), "begin{%s}", text);
	snprintf(out, sizeof(out), "begin\n{\n%s\n}\n", want);
	check(in, out);
}

/* ---- what it looks like --------------------------------------------------------------- */

static void test_probes(void **state)
{
	(void)state;
	check("", "");
	check("BEGIN { exit() }", "BEGIN\n{\n\texit();\n}\n");
	check("kprobe:a,kprobe:b,/pid==1/{}", "kprobe:a,\nkprobe:b\n/pid == 1/\n{\n}\n");
	check("begin{}end{}", "begin\n{\n}\n\nend\n{\n}\n");
	check("#!/usr/bin/env btrun\n// what it is\n\n\n\nbegin{}",
	      "#!/usr/bin/env btrun\n// what it is\n\nbegin\n{\n}\n");
}

static void test_top(void **state)
{
	(void)state;
	check("#include <a.h>\n#define X  1\nstruct s {int a;\n  int b;\n}\nbegin{}",
	      "#include <a.h>\n#define X  1\nstruct s {int a;\n\tint b;\n};\n\nbegin\n{\n}\n");
	check("config={a=1;b=\"x\"}let @m=hash(5) begin{}",
	      "config = {\n\ta = 1;\n\tb = \"x\";\n}\n\nlet @m = hash(5);\n\nbegin\n{\n}\n");
	check("import \"a\";begin{}", "import \"a\";\n\nbegin\n{\n}\n");
	check("macro m(x,$y,@z){x+1}begin{}", "macro m(x, $y, @z) { x + 1 }\n\nbegin\n{\n}\n");
	check("macro m(x){$a=x;$a}begin{}", "macro m(x)\n{\n\t$a = x;\n\t$a\n}\n\nbegin\n{\n}\n");
}

static void test_expressions(void **state)
{
	static const char *const rows[][2] = {
		{"$a=-1- -2", "\t$a = -1 - -2;"},
		{"$a=- -$b", "\t$a = - -$b;"},
		{"$a=!$b&&~$c!=*$p&1", "\t$a = !$b && ~$c != *$p & 1;"},
		{"$a=(uint8)$b+(struct s**)arg0", "\t$a = (uint8)$b + (struct s **)arg0;"},
		{"$a=$b?1:2", "\t$a = $b ? 1 : 2;"},
		{"$a=$b?:2", "\t$a = $b ?: 2;"},
		{"@a[1,\"x\"]++;--$b", "\t@a[1, \"x\"]++;\n\t--$b;"},
		{"$a=(1,);$b=(x=1,y=(2,3))", "\t$a = (1,);\n\t$b = (x=1, y=(2, 3));"},
		{"$a=args . b->c[0].1", "\t$a = args.b->c[0].1;"},
		{"let $a:uint8=0xfF;let $b", "\tlet $a: uint8 = 0xfF;\n\tlet $b;"},
		{"m!( 1 , @a )", "\tm!(1, @a);"},
		{"$a=sizeof( struct s )+offsetof(struct s,a . b)",
		 "\t$a = sizeof(struct s) + offsetof(struct s, a.b);"},
		{"$a={let $b=1;$b}", "\t$a = { let $b = 1; $b };"},
		{"$a=if(1){2}else{3}", "\t$a = if (1) { 2 } else { 3 };"},
		{"$a=5ms+1e3", "\t$a = 5ms + 1e3;"},
		{"printf ( \"a\\n\" )", "\tprintf(\"a\\n\");"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_body(rows[i][0], rows[i][1]);
}

static void test_statements(void **state)
{
	(void)state;
	check_body("if($a){return}else if $b{exit()}else{$c=1}",
		   "\tif ($a) {\n\t\treturn;\n\t} else if $b {\n\t\texit();\n\t} else {\n"
		   "\t\t$c = 1;\n\t}");
	check_body("for($i:0..10){continue}for($kv:@m){break}",
		   "\tfor ($i : 0..10) {\n\t\tcontinue;\n\t}\n\tfor ($kv : @m) {\n\t\tbreak;\n\t}");
	check_body("while($a<1){$a++}unroll(3){@++}{ $b=1 }",
		   "\twhile ($a < 1) {\n\t\t$a++;\n\t}\n\tunroll (3) {\n\t\t@++;\n\t}\n\t{\n"
		   "\t\t$b = 1;\n\t}");
	check_body("$a=1;;if(1){};$b=2;", "\t$a = 1;\n\tif (1) {\n\t}\n\t$b = 2;");
	check_body("\n\n\n$a=1;\n\n\n\n$b=2;\n\n", "\t$a = 1;\n\n\t$b = 2;");
}

static void test_comments(void **state)
{
	(void)state;
	check("// a\nbegin{// b\n// c\n$a=1;// d\n/* e */$b=2;/* f\n   g */}// h\n// i",
	      "// a\nbegin\n{ // b\n\t// c\n\t$a = 1; // d\n\t/* e */ $b = 2; /* f\n   g */\n} // "
	      "h\n\n"
	      "// i\n");
	check_body("f(/* x */1,// y\n2)", "\tf(/* x */ 1, // y\n\t    2);");
	check_body("\nif(1){}\n// no\nelse{}", "\tif (1) {\n\t}\n\t// no\n\telse {\n\t}");
	check_body("\n/*\n* a\n     * b\n*/\n$a=1", "\t/*\n\t * a\n\t * b\n\t */\n\t$a = 1;");
	check("kprobe:a, // one\nkprobe:b /* two */\n/1/ // three\n{}",
	      "kprobe:a, // one\nkprobe:b /* two */\n/1/ // three\n{\n}\n");
}

static void test_long_lines(void **state)
{
	(void)state;
	check_body("printf(\"%d %d %d %d %d %d %d\\n\",@first[1],@second[2],@third[3],@fourth[4],"
		   "@fifth[5],@sixth[6])",
		   "\tprintf(\"%d %d %d %d %d %d %d\\n\", @first[1], @second[2], @third[3], "
		   "@fourth[4], @fifth[5],\n\t    @sixth[6]);");
	/* the outer list is broken, not the inner one */
	check_body(
		"print((\"1111111111111111111111111111\",\"22222222222222222222222222222222\","
		"strncmp(\"aaaaaaaaaaa\",\"b\",1)))",
		"\tprint((\"1111111111111111111111111111\", \"22222222222222222222222222222222\",\n"
		"\t    strncmp(\"aaaaaaaaaaa\", \"b\", 1)));");
}

static void test_errors(void **state)
{
	(void)state;
	assert_null(format("begin { $a = ; }"));
	assert_null(format("begin { \"x }"));
	assert_null(format("begin {"));
}

/* ---- what it leaves as it is ------------------------------------------------------------- */

static char *tree(const char *text)
{
	struct diag_list d = {.arena = arena_new()};
	struct ast_program *p = parse_program(&d, diag_add_source(&d, "x", text, strlen(text)));
	char *out = NULL;
	size_t size;
	FILE *f;

	if (!d.errors) {
		f = open_memstream(&out, &size);
		ast_print_program(f, p, NULL);
		fclose(f);
	}
	arena_free(d.arena);
	return out;
}

/* The same tree, and formatting once more changes nothing. Returns whether it could be parsed. */
static bool check_script(const char *where, const char *text)
{
	char *once = format(text), *twice, *before, *after;

	if (!once)
		return false;
	twice = format(once);
	before = tree(text);
	after = tree(once);
	if (!twice || strcmp(once, twice) || !before || !after || strcmp(before, after))
		fail_msg("%s:\n%s\n---- once:\n%s\n---- twice:\n%s", where, text, once,
			 twice ? twice : "(not parsed)");
	free(once);
	free(twice);
	free(before);
	free(after);
	return true;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(f);
	if (getdelim(&text, &size, '\0', f) < 0)
		fail_msg("%s is empty", path);
	fclose(f);
	return text;
}

/* Each section "--- script" of a language test. */
static unsigned check_sections(const char *path, char *text)
{
	unsigned n = 0;
	char *p = text;

	while ((p = strstr(p, "\n--- script"))) {
		char *begin = strchr(p + 1, '\n'), *end, *next;

		if (!begin)
			break;
		end = strstr(begin, "\n--- ");
		next = strstr(begin, "\n=== ");
		if (!end || (next && next < end))
			end = next;
		if (!end)
			end = begin + strlen(begin) - 1;
		p = strndup(begin + 1, end - begin);
		n += check_script(path, p);
		free(p);
		p = end;
	}
	return n;
}

static unsigned check_files(const char *pattern, unsigned (*use)(const char *path, char *text))
{
	unsigned n = 0;
	glob_t g;

	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		char *text = read_file(g.gl_pathv[i]);

		n += use(g.gl_pathv[i], text);
		free(text);
	}
	globfree(&g);
	return n;
}

static unsigned check_whole(const char *path, char *text)
{
	return check_script(path, text);
}

static void test_scripts(void **state)
{
	(void)state;
	assert_true(check_files(BTRUN_SCRIPTS "/*.bt", check_whole) >= 2);
	assert_true(check_files(BTRUN_SCRIPTS "/../tests/language/*.test", check_sections) > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),      cmocka_unit_test(test_top),
		cmocka_unit_test(test_expressions), cmocka_unit_test(test_statements),
		cmocka_unit_test(test_comments),    cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_errors),      cmocka_unit_test(test_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
