/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fuzzer's target for images: opened, printed, bound, values of its types shown in each
 * format, its object opened, all but given to the kernel. As fuzz.c with replay.c, a program
 * that runs the files named on its command line.
 */
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "output/output.h"

#define KERNEL    TARGET_VERSION(6, 12, 0)
#define MAX_VALUE (1u << 16) /* bytes of a value that is shown */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *nowhere(void)
{
	static FILE *f;

	if (!f)
		f = fopen("/dev/null", "we");
	return f;
}

/* ---- values ------------------------------------------------------------------------- */

/* Bytes to be shown as a value of type @row: zeros, or what the image itself consists of. */
static void *value_of(const struct image *img, uint32_t row, bool zeros)
{
	size_t size = row == IMAGE_NONE ? 8 : img->types[row].size;
	uint8_t *p;

	if (size > MAX_VALUE)
		return NULL;
	p = calloc(1, size + 1);
	for (size_t i = 0; p && !zeros && i < size; i++)
		p[i] = img->data[(i * 7 + 13) % img->size];
	return p;
}

static int no_stack(void *arg, uint32_t map, int64_t id, void *frames, size_t size)
{
	(void)arg, (void)map, (void)id;
	memset(frames, 0x5a, size < 64 ? size : 64);
	return size < 64 ? -2 : 4;
}

static void show_action(struct output *o, const struct image *img, uint32_t row, bool zeros)
{
	const struct image_action *a = &img->actions[row];
	void *payload = value_of(img, a->type, zeros);

	if (payload && a->kind == IMAGE_A_PRINT_VALUE)
		output_value(o, a->type, payload);
	else if (payload && (a->kind == IMAGE_A_PRINTF || a->kind == IMAGE_A_CAT ||
			     a->kind == IMAGE_A_SYSTEM || a->kind == IMAGE_A_ERRORF))
		output_printf(o, a, payload);
	free(payload);
}

static void show_map(struct output *o, const struct image *img, uint32_t row, bool zeros)
{
	const struct image_map *m = &img->maps[row];
	struct output_elem e = {0};
	void *key, *value;

	if (m->flags & IMAGE_MAP_INTERNAL)
		return;
	key = value_of(img, m->key, zeros);
	value = value_of(img, m->value, zeros);
	e.key = m->key == IMAGE_NONE ? NULL : key;
	e.value = value;
	if (key && value)
		output_map(o, row, &e, 1, 0, 0);
	free(key);
	free(value);
}

static void show_all(const struct image *img, const char *format, bool zeros)
{
	struct output_opts opts = {
		.file = nowhere(), .format = format, .stack = no_stack, .ncpus = 1};
	struct symbols *sym = symbols_new(NULL);
	struct output *o = sym ? output_new(img, sym, &opts) : NULL;

	for (uint32_t i = 0; o && i < img->nactions; i++)
		show_action(o, img, i, zeros);
	for (uint32_t i = 0; o && i < img->nmaps; i++)
		show_map(o, img, i, zeros);
	output_free(o);
	symbols_free(sym);
}

/* ---- binding, and the object ------------------------------------------------------------ */

/* Whether loading it would open the files that it names: those are no input. */
static bool names_files(const struct image *img)
{
	static const char *const types[] = {"uprobe", "uretprobe", "usdt", "watchpoint"};

	for (uint32_t i = 0; i < img->npoints; i++)
		for (size_t j = 0; j < sizeof(types) / sizeof(*types); j++)
			if (strstr(image_str(img, img->points[i].type), types[j]))
				return true;
	for (uint32_t i = 0; i < img->nrelocs; i++)
		if (img->relocs[i].kind == IMAGE_R_PROBE_EXISTS)
			return true;
	return false;
}

static struct target *some_kernel(void)
{
	static struct target *t;

	if (!t) {
		t = target_open_running();
		target_set_version(t, KERNEL);
	}
	return t;
}

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

static void open_object(const struct image *img)
{
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_map *map;

	libbpf_set_print(say_nothing);
	obj = bpf_object__open_mem(img->object, img->object_size, NULL);
	if (!obj)
		return;
	bpf_object__for_each_program(prog, obj) bpf_program__set_autoload(prog, false);
	bpf_object__for_each_map(map, obj) bpf_map__set_max_entries(map, 1);
	bpf_object__close(obj);
}

static void bind(const void *image, size_t size)
{
	static const char *const words[] = {"--pid=5", "1", "text", "--disk=x"};
	char err[BIND_ERROR_MAX];
	void *bound;

	for (size_t n = 0; n <= 4; n += 2) {
		const struct bind_arguments args = {words, n};
		struct image img;

		if (!bind_image(&img, image, size, some_kernel(), &args, &bound, err))
			open_object(&img);
		free(bound);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *image = malloc(size + 1); /* aligned, and its end is noticed */
	struct image img;
	char err[256];

	memcpy(image, data, size);
	image = realloc(image, size ? size : 1);
	if (!image_open(&img, image, size, err, sizeof(err))) {
		image_print(nowhere(), &img);
		image_print_arguments(nowhere(), &img);
		for (unsigned i = 0; output_format_name(i); i++) {
			show_all(&img, output_format_name(i), true);
			show_all(&img, output_format_name(i), false);
		}
		if (!names_files(&img))
			bind(image, size);
		else
			open_object(&img);
	}
	free(image);
	return 0;
}
