/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cache_key.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cli/handover.h"
#include "target/depends.h"

extern char **environ;

/* ---- fields ---------------------------------------------------------------------- */

static void add(FILE *f, const void *data, size_t size)
{
	uint64_t length = size;

	fwrite(&length, sizeof(length), 1, f);
	fwrite(data, 1, size, f);
}

static void add_text(FILE *f, const char *text)
{
	add(f, text, strlen(text));
}

/* A small file of /proc or /sys as it is now; empty where there is none. */
static void add_file(FILE *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[4096];
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf));

	add(f, buf, n < 0 ? 0 : n);
	if (fd >= 0)
		close(fd);
}

static void add_link(FILE *f, const char *path)
{
	char buf[PATH_MAX];
	ssize_t n = readlink(path, buf, sizeof(buf));

	add(f, buf, n < 0 ? 0 : n);
}

static void add_state(FILE *f, const char *path)
{
	struct target_file_state s = target_file_state(path);

	add(f, &s, sizeof(s));
}

/* The first @words words of each line of @path that @wanted takes (NULL: all). */
static void add_lines(FILE *f, const char *path, unsigned words, const char *wanted)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (in && getline(&line, &size, in) > 0) {
		size_t len = 0;

		if (wanted && !strstr(line, wanted))
			continue;
		for (unsigned i = 0; i < words && line[len]; i++)
			len += strcspn(line + len, " \n") + 1;
		add(f, line, strnlen(line, len));
	}
	add_text(f, ""); /* the list's end */
	free(line);
	if (in)
		fclose(in);
}

/* ---- what there is ------------------------------------------------------------------ */

static void add_environment(FILE *f)
{
	static const char *const names[] = {
		"BPFTRACE_", "BTRUN_",           "CPATH=", "C_INCLUDE_PATH=",
		"PATH=",     "LD_LIBRARY_PATH=", "HOME="};

	for (char **e = environ; *e; e++)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strncmp(*e, names[i], strlen(names[i])))
				add_text(f, *e);
	add_text(f, "");
}

static void add_kernel(FILE *f)
{
	struct utsname u;
	uint64_t btf;

	if (!uname(&u)) {
		add_text(f, u.release);
		add_text(f, u.version);
		add_text(f, u.machine);
	}
	btf = target_file_state("/sys/kernel/btf/vmlinux").size; /* its times come and go */
	add(f, &btf, sizeof(btf));
	add_lines(f, "/proc/modules", 2, NULL);
	add_file(f, "/sys/devices/system/cpu/possible");
	add_file(f, "/sys/devices/system/cpu/online");
	add_file(f, "/proc/sys/kernel/perf_event_max_stack");
	add_file(f, "/proc/sys/kernel/perf_event_max_sample_rate");
	add_file(f, "/proc/sys/kernel/kptr_restrict");
	add_file(f, "/sys/kernel/security/lockdown");
	add_lines(f, "/proc/self/status", INT_MAX, "CapEff:");
	add_link(f, "/proc/self/ns/pid");
	add_link(f, "/proc/self/ns/user");
}

/* The process of -p: which one it is, and what is mapped into it. */
static void add_process(FILE *f, int pid)
{
	char path[64];

	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *in = fopen(path, "re");
	char line[1024], *field = NULL;

	if (in && fgets(line, sizeof(line), in))
		field = strrchr(line, ')'); /* before field 3; the start time is field 22 */
	for (int i = 2; field && i < 22; i++) {
		field = strchr(field + 1, ' ');
	}
	if (field)
		add(f, field + 1, strcspn(field + 1, " \n"));
	if (in)
		fclose(in);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	add_link(f, path);
	add_state(f, path);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	add_link(f, path);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	add_lines(f, path, INT_MAX, " r-xp ");
}

static bool add_all(FILE *f, const struct cli_options *o, const char *text, size_t size)
{
	char buf[PATH_MAX];

	add_text(f, o->file ? o->file : "-e");
	add_text(f, "btrun " BTRUN_VERSION);
	if (handover_compiler_path(buf))
		return false;
	add_text(f, buf);
	add_state(f, buf);
	for (const char *const *w = o->compile_words; w && *w; w++)
		add_text(f, *w);
	add(f, text, size);
	if (!getcwd(buf, sizeof(buf)))
		return false;
	add_text(f, buf);
	add_environment(f);
	add_kernel(f);
	add_process(f, o->run.pid);
	return true;
}

/* Whether the product would be no image, or is made to be looked at. */
static bool is_special(const struct cli_options *o)
{
	return o->mode != CLI_RUN || o->script_help || o->dump || o->emit_elf || o->emit_image ||
	       o->aot;
}

static bool switched_off(const struct cli_options *o)
{
	const char *env = getenv("BTRUN_CACHE");

	return o->no_cache || (env && !strcmp(env, "0"));
}

bool cache_key_make(struct cache_key *k, const struct cli_options *o, const char *text, size_t size)
{
	XXH128_hash_t hash;
	bool done;
	FILE *f;

	*k = (struct cache_key){0};
	if (is_special(o) || switched_off(o))
		return false;
	f = open_memstream(&k->data, &k->size);
	if (!f)
		return false;
	done = add_all(f, o, text, size) && !ferror(f);
	if (fclose(f) || !done) {
		cache_key_free(k);
		return false;
	}
	hash = XXH3_128bits(k->data, k->size);
	snprintf(k->name, sizeof(k->name), "%016llx%016llx", (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
	return true;
}

void cache_key_free(struct cache_key *k)
{
	free(k->data);
	*k = (struct cache_key){0};
}
