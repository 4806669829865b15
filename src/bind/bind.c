/* SPDX-License-Identifier: Apache-2.0 */
/* The order of binding: arguments, needs, constants, instructions, attachments. */
#include "bind/bind.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bind/internal.h"

#define MAX_OLDER 8 /* images in images */

/* ---- needs --------------------------------------------------------------------------- */

static bool has_feature(struct target *t, const char *name)
{
	for (unsigned f = 0; f < TARGET_NFEATURES; f++)
		if (!strcmp(target_feature_name(f), name))
			return target_has(t, f);
	return false;
}

static bool is_met(struct target *t, const struct image *img, const struct image_need *n)
{
	struct target_lack lack;

	/* trying takes time, and what a kernel of that version lacks was left out of it on purpose
	 */
	if (target_version(t) >= n->since && !target_was_disabled(t))
		return true;
	switch (n->kind) {
	case IMAGE_NEED_FEATURE:
		return has_feature(t, image_str(img, n->name));
	case IMAGE_NEED_HELPER:
		return !target_lacks_helper(t, n->id, &lack);
	default:
		return !target_lacks_map_type(t, n->id, &lack);
	}
}

static const struct image_need *unmet_need(struct target *t, const struct image *img)
{
	for (uint32_t i = 0; i < img->nneeds; i++)
		if (!is_met(t, img, &img->needs[i]))
			return &img->needs[i];
	return NULL;
}

static int refuse_need(const struct image *img, const struct image_need *n, char *err)
{
	static const char *const kinds[IMAGE_NNEEDS] = {"feature", "BPF helper", "BPF map type"};

	snprintf(err, BIND_ERROR_MAX,
		 "the compiled script needs the kernel %s %s, which came with Linux %u.%u",
		 kinds[n->kind], image_str(img, n->name), n->since >> 16, n->since >> 8 & 0xff);
	return -ENOTSUP;
}

static int check_machine(const struct image *img, char *err)
{
	const char *machine = image_str(img, img->config->machine);
	struct utsname u;

	if (!*machine || uname(&u) || !strcmp(u.machine, machine))
		return 0;
	snprintf(err, BIND_ERROR_MAX, "the script was compiled for %s, this machine is %s", machine,
		 u.machine);
	return -ENOTSUP;
}

/* One that is for a kernel alone reads at that one's offsets. */
static int check_kernel(const struct image *img, char *err)
{
	const char *kernel = image_str(img, img->config->kernel);
	char own[256];
	struct utsname u;

	if (img->config->portable || !*kernel || uname(&u))
		return 0;
	snprintf(own, sizeof(own), "%s %s", u.release, u.version);
	if (!strcmp(own, kernel))
		return 0;
	snprintf(err, BIND_ERROR_MAX,
		 "the script was compiled with --no-portable for the kernel %s, this one is %s",
		 kernel, own);
	return -ENOTSUP;
}

/* Opens @data, or the first image within it that this kernel has everything for. */
static int open_fitting(struct image *img, const void *data, size_t size, struct target *t,
			char *err)
{
	const struct image_need *need = NULL;
	struct image first;

	for (unsigned i = 0; i < MAX_OLDER; i++) {
		int ret = image_open(img, data, size, err, BIND_ERROR_MAX);

		if (!ret)
			ret = check_machine(img, err);
		if (ret)
			return ret;
		need = img->config->portable ? unmet_need(t, img) : NULL;
		if (!need)
			return check_kernel(img, err);
		first = *img;
		if (!img->older)
			break;
		data = img->older;
		size = img->older_size;
	}
	return refuse_need(&first, need, err);
}

/* ---- instructions ----------------------------------------------------------------------- */

static void set_constant(struct bpf_insn *i, uint64_t value)
{
	i[0].imm = (int32_t)value;
	i[1].imm = (int32_t)(value >> 32);
}

/* The call is refused where the verifier gets to it; what follows is never looked at. */
static void poison(struct bpf_insn *i, uint32_t row)
{
	i[0] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BIND_POISON + (int32_t)row};
	i[1] = (struct bpf_insn){.code = BPF_JMP | BPF_JA};
}

static void patch(const struct binding *bi, const struct image_site *s, uint8_t *object)
{
	const struct bound_value *v = &bi->values[s->reloc];
	unsigned n = s->how == IMAGE_SITE_OFFSET ? 3 : 2;
	struct bpf_insn insns[3];

	memcpy(insns, object + s->offset, n * sizeof(*insns));
	if (!v->found || (n == 3 && v->value > INT16_MAX))
		poison(insns, s->reloc);
	else
		set_constant(insns, v->value);
	if (n == 3)
		insns[2].off = v->found ? (int16_t)v->value : 0;
	memcpy(object + s->offset, insns, n * sizeof(*insns));
}

static int patch_object(const struct binding *bi, struct image_builder *b)
{
	const struct image *img = bi->img;
	uint8_t *object = malloc(img->object_size + 1);

	if (!object)
		return -ENOMEM;
	memcpy(object, img->object, img->object_size);
	for (uint32_t i = 0; i < img->nsites; i++)
		patch(bi, &img->sites[i], object);
	image_set_object(b, object, img->object_size);
	free(object);
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void find_values(struct binding *bi)
{
	for (uint32_t i = 0; i < bi->img->nrelocs; i++)
		bi->values[i].found = !find_reloc(bi, i, &bi->values[i].value);
}

/* What is left of a portable image: relocations stay, for messages. */
static void drop_bound(const struct image *img, struct image_builder *b)
{
	struct image_config config = *img->config;

	config.portable = 0;
	image_set_config(b, &config);
	image_builder_clear(b, IMAGE_SEC_SITES);
	image_builder_clear(b, IMAGE_SEC_CONDITIONS);
	image_builder_clear(b, IMAGE_SEC_POINTS);
	image_builder_clear(b, IMAGE_SEC_OLDER);
}

static int bind(struct binding *bi, void **bound, size_t *size)
{
	struct image_builder *b = image_builder_from(bi->img);
	int err;

	bi->values = calloc(bi->img->nrelocs + 1, sizeof(*bi->values));
	err = bi->values ? 0 : -ENOMEM;
	if (!err) {
		find_values(bi);
		err = patch_object(bi, b);
	}
	if (!err)
		err = bind_points(bi, b);
	if (!err) {
		drop_bound(bi->img, b);
		*bound = image_finish(b, size);
	}
	free(bi->values);
	image_builder_free(b);
	return err;
}

int bind_image(struct image *img, const void *data, size_t size, struct target *t,
	       const struct bind_arguments *args, void **bound, char *err)
{
	struct binding bi = {.img = img, .target = t, .err = err};
	size_t bound_size;
	int ret;

	*bound = NULL;
	*err = 0;
	ret = open_fitting(img, data, size, t, err);
	if (!ret && img->config->portable)
		ret = sort_arguments(&bi, args);
	if (!ret && !img->config->portable)
		return 0;
	if (!ret)
		ret = bind(&bi, bound, &bound_size);
	free(bi.given);
	if (ret && !*err)
		snprintf(err, BIND_ERROR_MAX, "%s", strerror(-ret));
	return ret ? ret : image_open(img, *bound, bound_size, err, BIND_ERROR_MAX);
}
