/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks as folded lines and as a flame graph; what moves in one is tests/flamegraph_test.py's. */
#include "output_fixture.h"

struct key {
	char comm[8];
	int64_t stack;
};

static uint32_t stack_map(struct fixture *f, const char *name, uint32_t value, uint32_t flags)
{
	uint32_t comm = type(f, IMAGE_K_STRING, 8, false);
	uint32_t stack = type_args(f, IMAGE_K_KSTACK, 8, 127, 0, 0);
	struct part parts[] = {{"", stack, 8},
			       {"", comm, 0}}; /* the stack comes first in the key */

	return map(f, name, compound(f, IMAGE_K_TUPLE, 16, parts, 2), value, flags);
}

static void test_lines(void **state)
{
	struct key keys[] = {{"b", 7}, {"a;\n", 7}, {"b", 7}, {"c", -14}};
	int64_t values[] = {3, 4, 30, 5};
	struct output_elem elems[4];
	struct fixture f;
	uint32_t m;

	(void)state;
	begin(&f);
	f.format = "folded";
	m = stack_map(&f, "s", type(&f, IMAGE_K_INT, 8, true), 0);
	ready(&f);
	for (int i = 0; i < 4; i++)
		elems[i] = (struct output_elem){&keys[i], &values[i]};
	output_map(f.o, m, elems, 4, 0, 0);
	expect(&f, "a: ;[unknown]_[k];[unknown]_[k] 4\n"
		   "b;[unknown]_[k];[unknown]_[k] 33\n"
		   "c 5\n");
	output_map(f.o, m, elems, 4, 1, 10); /* the greatest alone, divided */
	expect(&f, "b;[unknown]_[k];[unknown]_[k] 3\n");
	output_finish(f.o);
	expect(&f, "");
	end(&f);
}

/* Both processors' values, and of stats the total. */
static void test_aggregations(void **state)
{
	struct key key = {"x", -1};
	int64_t counts[] = {2, 3}, stats[] = {10, 2, 30, 1};
	struct output_elem count = {&key, counts}, stat = {&key, stats};
	struct fixture f;
	uint32_t c, s;

	(void)state;
	begin(&f);
	f.format = "folded";
	c = stack_map(&f, "c", type(&f, IMAGE_K_COUNT, 8, true), IMAGE_MAP_PERCPU);
	s = stack_map(&f, "s", type(&f, IMAGE_K_STATS, 16, true), IMAGE_MAP_PERCPU);
	ready(&f);
	output_map(f.o, c, &count, 1, 0, 0);
	output_map(f.o, s, &stat, 1, 0, 0);
	expect(&f, "x 5\nx 40\n");
	end(&f);
}

static bool has(const struct fixture *f, const char *text)
{
	return strstr(f->text, text);
}

static void draw(struct fixture *f)
{
	output_finish(f->o);
	assert_int_equal(output_flush(f->o), 0);
	fflush(f->file);
}

static void test_graph(void **state)
{
	struct key keys[] = {{"<a&\"b>", 7}, {"\xff\x01", -1}};
	int64_t values[] = {3, 1};
	struct output_elem elems[] = {{&keys[0], &values[0]}, {&keys[1], &values[1]}};
	struct fixture f;
	uint32_t m;

	(void)state;
	begin(&f);
	f.format = "flamegraph";
	m = stack_map(&f, "s", type(&f, IMAGE_K_INT, 8, true), 0);
	ready(&f);
	output_map(f.o, m, elems, 2, 0, 0);
	expect(&f, ""); /* one graph, at the end */
	output_map(f.o, m, elems, 2, 0, 0);
	draw(&f);
	assert_true(has(&f, "<title>all (8, 100.00%)</title>"));
	assert_true(has(&f, "<title>&lt;a&amp;&quot;b&gt; (6, 75.00%)</title>"));
	assert_true(has(&f, "<title>\xef\xbf\xbd  (2, 25.00%)</title>"));
	assert_true(has(&f, "<title>[unknown]_[k] (6, 75.00%)</title>"));
	assert_true(has(&f, "width=\"885.00\"")); /* of 1180 */
	assert_false(has(&f, "@s"));
	assert_false(has(&f, "href"));
	end(&f);
}

static void test_maps_are_told_apart(void **state)
{
	struct key key = {"x", -1};
	int64_t value = 1;
	struct output_elem elem = {&key, &value};
	struct fixture f;
	uint32_t a, b;

	(void)state;
	begin(&f);
	f.format = "flamegraph";
	a = stack_map(&f, "one", type(&f, IMAGE_K_INT, 8, true), 0);
	b = stack_map(&f, "two", type(&f, IMAGE_K_INT, 8, true), 0);
	ready(&f);
	output_map(f.o, a, &elem, 1, 0, 0);
	output_map(f.o, b, &elem, 1, 0, 0);
	output_map(f.o, a, &elem, 1, 0, 0);
	draw(&f);
	assert_true(has(&f, "<title>@one (2, 66.67%)</title>"));
	assert_true(has(&f, "<title>@two (1, 33.33%)</title>"));
	end(&f);
}

static void test_nothing_to_draw(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.format = "flamegraph";
	ready(&f);
	draw(&f);
	assert_true(has(&f, "There is no stack to show."));
	assert_true(has(&f, "</svg>\n"));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),           cmocka_unit_test(test_aggregations),
		cmocka_unit_test(test_graph),           cmocka_unit_test(test_maps_are_told_apart),
		cmocka_unit_test(test_nothing_to_draw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
