/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/portable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/open.h"
#include "target/target.h"

/*
 * A script is compiled for the first of these, with all that such kernels have, and, where it
 * makes use of what the next one has not, for that, too. On each, newer kernels run it as well.
 */
static const uint32_t levels[] = {TARGET_VERSION(6, 1, 0), TARGET_VERSION(5, 10, 0),
				  TARGET_VERSION(4, 18, 0)};
#define NLEVELS (sizeof(levels) / sizeof(*levels))

/* Newer instructions save little, and would make two images of every script. */
#define NEVER "cpu_v3"

static int compile_level(const struct cli_options *o, const struct compile_input *in,
			 uint32_t level, struct compile_output *out)
{
	struct target *t = cli_open_target(o);
	char err[64];
	int ret;

	if (!t)
		return -EPERM;
	target_set_portable(t, level);
	target_disable(t, NEVER, err, sizeof(err));
	ret = compile_script(in, t, false, out);
	target_close(t);
	return ret;
}

/* Whether the image needs what came after Linux @level. */
static bool needs_newer(const struct compile_output *out, uint32_t level)
{
	struct image img;
	char err[256];

	if (image_open(&img, out->image, out->image_size, err, sizeof(err)))
		return false;
	for (uint32_t i = 0; i < img.nneeds; i++)
		if (img.needs[i].since > level)
			return true;
	return false;
}

static void add_older(struct compile_output *out, const void *older, size_t size)
{
	struct image_builder *b;
	struct image img;
	char err[256];

	if (image_open(&img, out->image, out->image_size, err, sizeof(err)))
		return;
	b = image_builder_from(&img);
	image_set_older(b, older, size);
	free(out->image);
	out->image = image_finish(b, &out->image_size);
	image_builder_free(b);
}

/* What a script cannot do without is not in older images: that is no error. */
static void compile_older(const struct cli_options *o, const struct compile_input *in, size_t i,
			  struct compile_output *newer)
{
	struct compile_output out;

	while (i < NLEVELS && !needs_newer(newer, levels[i]))
		i++;
	if (i == NLEVELS)
		return;
	if (!compile_level(o, in, levels[i], &out)) {
		compile_older(o, in, i + 1, &out);
		add_older(newer, out.image, out.image_size);
	}
	compile_output_free(&out);
}

/*
 * Arguments stay arguments where the script lets them; where it needs one while it is compiled (in
 * a format, as a limit), all are those of now, which the image says.
 */
static int compile_first(const struct cli_options *o, struct compile_input *in,
			 struct compile_output *out)
{
	uint32_t level = o->target_kernel ? o->target_kernel : levels[0];
	struct compile_output fixed;
	int err = compile_level(o, in, level, out);

	if (!err)
		return 0;
	in->sema.fixed_arguments = true;
	if (compile_level(o, in, level, &fixed)) {
		compile_output_free(&fixed); /* what is wrong is something else */
		return err;
	}
	compile_output_free(out);
	*out = fixed;
	return 0;
}

int cli_compile_portable(const struct cli_options *o, const struct compile_input *in,
			 struct compile_output *out)
{
	struct compile_input quiet = *in;
	int err = compile_first(o, &quiet, out);

	quiet.dump = 0;
	quiet.emit_elf = NULL;
	quiet.stage = NULL;
	if (!err && !o->target_kernel && out->sema->programs.len)
		compile_older(o, &quiet, 1, out);
	return err;
}
