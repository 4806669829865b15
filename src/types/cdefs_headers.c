/* SPDX-License-Identifier: Apache-2.0 */
/* Headers: the compiler's own, the kernel's where they are, and the kernel's configuration. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "types/cdefs_internal.h"

/* Found last, so that those of a compiler that is there win. */
const struct cdefs_header cdefs_own_headers[] = {
	{"stddef.h", "#pragma once\n"
		     "typedef __SIZE_TYPE__ size_t;\n"
		     "typedef __PTRDIFF_TYPE__ ptrdiff_t;\n"
		     "typedef __WCHAR_TYPE__ wchar_t;\n"
		     "#define NULL ((void *)0)\n"
		     "#define offsetof(type, member) __builtin_offsetof(type, member)\n"},
	{"stdbool.h", "#pragma once\n"
		      "#define bool _Bool\n"
		      "#define true 1\n"
		      "#define false 0\n"},
	{"stdarg.h", "#pragma once\n"
		     "typedef __builtin_va_list va_list;\n"
		     "typedef __builtin_va_list __gnuc_va_list;\n"
		     "#define va_start(list, last) __builtin_va_start(list, last)\n"
		     "#define va_end(list) __builtin_va_end(list)\n"
		     "#define va_arg(list, type) __builtin_va_arg(list, type)\n"
		     "#define va_copy(to, from) __builtin_va_copy(to, from)\n"},
	{"stdint.h", "#pragma once\n"
		     "typedef __INT8_TYPE__ int8_t;\n"
		     "typedef __INT16_TYPE__ int16_t;\n"
		     "typedef __INT32_TYPE__ int32_t;\n"
		     "typedef __INT64_TYPE__ int64_t;\n"
		     "typedef __UINT8_TYPE__ uint8_t;\n"
		     "typedef __UINT16_TYPE__ uint16_t;\n"
		     "typedef __UINT32_TYPE__ uint32_t;\n"
		     "typedef __UINT64_TYPE__ uint64_t;\n"
		     "typedef __INTPTR_TYPE__ intptr_t;\n"
		     "typedef __UINTPTR_TYPE__ uintptr_t;\n"},
	{NULL, NULL},
};

/* First folders, and whole names, of headers that a machine without a compiler has not. */
static const char *const known[] = {
	"linux",    "net",     "asm",        "asm-generic", "uapi",     "trace",   "generated",
	"crypto",   "scsi",    "rdma",       "drm",         "sound",    "acpi",    "block",
	"fs",       "kernel",  "mm",         "xen",         "target",   "keys",    "drivers",
	"security", "include", "sys",        "netinet",     "arpa",     "bits",    "dirent.h",
	"errno.h",  "fcntl.h", "inttypes.h", "limits.h",    "signal.h", "stdio.h", "stdlib.h",
	"string.h", "time.h",  "unistd.h",   "pthread.h",   NULL,
};

bool cdefs_may_be_empty(const char *path)
{
	size_t len;

	while (!strncmp(path, "../", 3))
		path += 3;
	len = strcspn(path, "/");
	for (size_t i = 0; known[i]; i++)
		if (strlen(known[i]) == len && !strncmp(known[i], path, len))
			return true;
	return false;
}

/* ---- the kernel's own headers ---------------------------------------------------- */

static const char *kernel_dir(struct cdefs_reader *r, const char *variable, const char *link)
{
	const char *dir = getenv(variable);
	struct utsname u;

	if (!dir) {
		if (uname(&u))
			return NULL;
		dir = arena_printf(r->arena, "/lib/modules/%s/%s", u.release, link);
	}
	return access(dir, R_OK) ? NULL : dir;
}

static void add_dir(struct cdefs_reader *r, struct cdefs_args *args, const char *dir,
		    const char *below)
{
	vec_push(r->arena, &args->v, "-isystem");
	vec_push(r->arena, &args->v, arena_printf(r->arena, "%s/%s", dir, below));
}

#if defined(__x86_64__)
#define KERNEL_ARCH "x86"
#else
#error "the kernel's name for this machine is not known"
#endif

bool cdefs_kernel_args(struct cdefs_reader *r, struct cdefs_args *args)
{
	static const char *const below[] = {
		"arch/" KERNEL_ARCH "/include",
		"arch/" KERNEL_ARCH "/include/generated",
		"include",
		"arch/" KERNEL_ARCH "/include/uapi",
		"arch/" KERNEL_ARCH "/include/generated/uapi",
		"include/uapi",
		"include/generated/uapi",
	};
	static const char *const options[] = {
		"-nostdlibinc",
		"-include",
		"linux/kconfig.h",
		"-D__KERNEL__",
		"-D__BPF_TRACING__",
		"-D__HAVE_BUILTIN_BSWAP16__",
		"-D__HAVE_BUILTIN_BSWAP32__",
		"-D__HAVE_BUILTIN_BSWAP64__",
		"-DKBUILD_MODNAME=\"btrun\"",
	};
	const char *build = kernel_dir(r, "BPFTRACE_KERNEL_BUILD", "build");
	const char *source = kernel_dir(r, "BPFTRACE_KERNEL_SOURCE", "source");

	if (!build && !source)
		return false;
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		if (source)
			add_dir(r, args, source, below[i]);
		if (build && (!source || strcmp(source, build)))
			add_dir(r, args, build, below[i]);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		vec_push(r->arena, &args->v, options[i]);
	return true;
}

/* ---- configuration --------------------------------------------------------------- */

/* The value of CONFIG_name (@len bytes) in the kernel's configuration, NULL: not set. */
static const char *config_value(struct cdefs_reader *r, const char *config, const char *name,
				size_t len)
{
	for (const char *line = config; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) || line[len] != '=')
			continue;
		line += len + 1;
		return arena_strndup(r->arena, line, strcspn(line, "\n"));
	}
	return NULL;
}

static void define_config(struct cdefs_reader *r, struct cdefs_args *args, const char *config,
			  const char *name, size_t len)
{
	static const char module[] = "_MODULE";
	size_t base = len - (sizeof(module) - 1);
	const char *value = config_value(r, config, name, len);

	if (value && strcmp(value, "m"))
		vec_push(r->arena, &args->v,
			 arena_printf(r->arena, "-D%.*s=%s", (int)len, name,
				      strcmp(value, "y") ? value : "1"));
	if (value || len < sizeof(module) || strncmp(name + base, module, sizeof(module) - 1))
		return;
	value = config_value(r, config, name, base);
	if (value && !strcmp(value, "m"))
		vec_push(r->arena, &args->v, arena_printf(r->arena, "-D%.*s=1", (int)len, name));
}

void cdefs_config_args(struct cdefs_reader *r, struct cdefs_args *args)
{
	const char *at = strstr(r->text, "CONFIG_");
	char *config = at && r->ts->target ? target_kconfig(r->ts->target) : NULL;

	while (config && at) {
		size_t len = 0;

		while (isalnum((unsigned char)at[len]) || at[len] == '_')
			len++;
		define_config(r, args, config, at, len);
		at = strstr(at + len, "CONFIG_");
	}
	free(config);
}
