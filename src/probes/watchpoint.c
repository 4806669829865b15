/* SPDX-License-Identifier: Apache-2.0 */
/* watchpoint: memory that is written, read or executed, through the processor's debug registers. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/hw_breakpoint.h>
#include <string.h>

#include "probes/process.h"

/* ---- expanding -------------------------------------------------------------------- */

static const struct watch_mode {
	const char *letters; /* sorted */
	unsigned type;       /* perf_event_attr.bp_type */
} modes[] = {
#if defined(__aarch64__)
	{"r", HW_BREAKPOINT_R},
#endif
	{"rw", HW_BREAKPOINT_RW},
	{"w", HW_BREAKPOINT_W},
	{"x", HW_BREAKPOINT_X},
};

/* "wr" as "rw". Returns 0, or -EINVAL with a message. */
static int parse_mode(const char *text, const struct watch_mode **mode, char *err, size_t errlen)
{
	static const char letters[] = "rwx";
	char sorted[sizeof(letters)] = "", supported[64] = "";
	size_t n = 0;

	if (!*text || text[strspn(text, letters)])
		return probe_fail(err, errlen, -EINVAL,
				  "watchpoint mode must be combination of (r,w,x)");
	for (const char *l = letters; *l; l++) {
		const char *found = strchr(text, *l);

		if (found && strchr(found + 1, *l))
			return probe_fail(err, errlen, -EINVAL,
					  "watchpoint modes may not be duplicated");
		if (found)
			sorted[n++] = *l;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		size_t len = strlen(supported);

		*mode = &modes[i];
		if (!strcmp(modes[i].letters, sorted))
			return 0;
		snprintf(supported + len, sizeof(supported) - len, "%s%s", len ? "," : "",
			 modes[i].letters);
	}
	return probe_fail(err, errlen, -EINVAL, "invalid watchpoint mode: %s (supported modes: %s)",
			  sorted, supported);
}

static int parse_length(const char *text, uint64_t *len, char *err, size_t errlen)
{
	char why[256];

	if (probe_parse_uint(text, len, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid length argument: %s", why);
	if (*len != 1 && *len != 2 && *len != 4 && *len != 8)
		return probe_fail(err, errlen, -EINVAL,
				  "watchpoint length must be one of (1,2,4,8)");
	return 0;
}

/* A number, or the name of something that lies in memory. */
static bool is_symbol(const char *text)
{
	return (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_';
}

static int parse_address(const char *text, uint64_t *address, char *err, size_t errlen)
{
	char why[256];

	*address = 0;
	if (is_symbol(text))
		return 0;
	if (probe_parse_uint(text, address, why, sizeof(why)))
		return probe_fail(err, errlen, -EINVAL, "Invalid function/address argument: %s",
				  why);
	if (!*address)
		return probe_fail(err, errlen, -EINVAL,
				  "watchpoint must be attached to a non-zero address");
	return 0;
}

static int expand(struct target *t, const char *const *parts, size_t nparts, probe_point_fn *cb,
		  void *arg, char *err, size_t errlen)
{
	const struct watch_mode *mode;
	char name[PROBE_NAME_MAX];
	struct probe_point p = {.name = name, .attach = IMAGE_AT_WATCHPOINT};
	uint64_t address, len;
	int code;

	(void)t;
	if (nparts != 3)
		return probe_fail(err, errlen, -EINVAL,
				  "watchpoint probe type requires 3 arguments, found %zu", nparts);
	code = parse_address(parts[0], &address, err, errlen);
	if (!code)
		code = parse_length(parts[1], &len, err, errlen);
	if (!code)
		code = parse_mode(parts[2], &mode, err, errlen);
	if (code)
		return code;
	snprintf(name, sizeof(name), "watchpoint:%s:%s:%s", parts[0], parts[1], parts[2]);
	p.parts[0] = parts[0];
	p.parts[1] = parts[1];
	p.parts[2] = mode->letters;
	p.target = address ? "" : parts[0];
	p.arg[0] = (int64_t)address;
	p.arg[1] = (int64_t)(len << 8 | mode->type);
	return cb(&p, arg);
}

static const char *const aliases[] = {"w", NULL};

const struct probe_type probe_watchpoint = {
	.name = "watchpoint",
	.aliases = aliases,
	.flags = PROBE_NO_WILDCARD | PROBE_HAS_REGS,
	.expand = expand,
};

/* ---- attaching ------------------------------------------------------------------------ */

/* Where the kernel has @symbol, 0: nowhere. */
static uint64_t kernel_address(const char *symbol)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long at;
	uint64_t found = 0;
	char name[512];

	while (f && !found && fscanf(f, "%llx %*c %511s%*[^\n]", &at, name) == 2)
		if (!strcmp(name, symbol))
			found = at;
	if (f)
		fclose(f);
	return found;
}

static int find_address(struct attach_env *env, const char *symbol, uint64_t *address)
{
	int err = env->pid ? process_symbol_address(env->pid, symbol, address) : -ENOENT;

	if (err)
		*address = kernel_address(symbol);
	if (*address)
		return 0;
	return probe_fail(env->err, sizeof(env->err), -ENOENT,
			  "watchpoint: neither the kernel nor the traced process has a symbol '%s'",
			  symbol);
}

static int attach(struct attach_env *env, const struct image *img,
		  const struct image_attachment *at, struct bpf_program *prog,
		  struct probe_link **link)
{
	const char *symbol = image_str(img, at->target);
	uint64_t address = (uint64_t)at->arg[0];
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.sample_period = 1,
		.bp_type = at->arg[1] & 0xff,
		.bp_len = at->arg[1] >> 8,
	};
	int err = *symbol ? find_address(env, symbol, &address) : 0;

	if (err)
		return err;
	attr.bp_addr = address;
	if (attr.bp_type & HW_BREAKPOINT_X)
		attr.bp_len = sizeof(long); /* the only one that the kernel takes */
	err = probe_attach_everywhere(env, prog, &attr, link);
	if (err == -ENOSPC)
		return probe_fail(env->err, sizeof(env->err), err, "No more HW registers left");
	if (err == -EINVAL && address % attr.bp_len)
		return probe_fail(env->err, sizeof(env->err), err,
				  "watchpoint: 0x%" PRIx64 " is no multiple of the length",
				  address);
	return err;
}

const struct attacher attacher_watchpoint = {.kind = IMAGE_AT_WATCHPOINT, .attach = attach};
