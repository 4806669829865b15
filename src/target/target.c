/* SPDX-License-Identifier: Apache-2.0 */
#include "target/target_internal.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct feature_row {
	const char *name, *words;
	uint32_t since;
};

static const struct feature_row features[TARGET_NFEATURES] = {
#define X(id, feature, version, text)                                                              \
	[TARGET_F_##id] = {.name = feature, .words = text, .since = version},
	TARGET_FEATURES(X)
#undef X
};

static const char *const since_texts[TARGET_NFEATURES] = {
#define TARGET_TEXT_(a, b, c)                #a "." #b
#define X(id, feature, version, text)        [TARGET_F_##id] = "Linux " TARGET_SINCE_##version,
#define TARGET_SINCE_TARGET_VERSION(a, b, c) TARGET_TEXT_(a, b, c)
	TARGET_FEATURES(X)
#undef X
};

static uint32_t parse_version(const char *text)
{
	unsigned a = 0, b = 0, c = 0;

	sscanf(text, "%u.%u.%u", &a, &b, &c);
	return TARGET_VERSION(a, b, c);
}

/* Debian names the exact version in uname's version only: "#1 SMP Debian 6.1.158-1". */
static uint32_t running_version(void)
{
	struct utsname u;
	const char *debian;

	if (uname(&u))
		return 0;
	debian = strstr(u.version, "Debian ");
	return parse_version(debian ? debian + strlen("Debian ") : u.release);
}

struct target *target_open_running(void)
{
	struct target *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->tracefs = -1;
	t->version = running_version();
	return t;
}

void target_set_version(struct target *t, uint32_t version)
{
	t->version = version;
	t->by_version = true;
}

void target_set_portable(struct target *t, uint32_t version)
{
	target_set_version(t, version);
	t->portable = true;
}

bool target_is_other(const struct target *t)
{
	return t->by_version && !t->portable;
}

bool target_is_portable(const struct target *t)
{
	return t->portable;
}

/*
 * Features that code is generated for; the others are for whoever attaches, who chooses on the
 * kernel that he is on.
 */
static bool is_of_code(enum target_feature f)
{
	static const enum target_feature others[] = {
		TARGET_F_KPROBE,       TARGET_F_KPROBE_MULTI, TARGET_F_KPROBE_SESSION,
		TARGET_F_UPROBE_MULTI, TARGET_F_REF_CTR,      TARGET_F_FENTRY,
		TARGET_F_ITER,         TARGET_F_BTF,          TARGET_F_MEMBARRIER,
		TARGET_F_MAP_BATCH,    TARGET_F_LAZY_HASH};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (others[i] == f)
			return false;
	return true;
}

size_t target_needs(const struct target *t, struct target_need *needs, size_t max)
{
	size_t n = 0;

	for (int f = 0; f < TARGET_NFEATURES && n < max; f++)
		if (t->used_features[f] && is_of_code(f))
			needs[n++] =
				(struct target_need){0, f, features[f].name, features[f].since};
	return n + helper_needs(t, needs + n, max - n);
}

uint32_t target_parse_version(const char *text)
{
	unsigned a, b, c = 0;
	char rest;
	int n = sscanf(text, "%u.%u%c", &a, &b, &rest);

	if (n == 3 && rest == '.' && sscanf(text, "%u.%u.%u%c", &a, &b, &c, &rest) != 3)
		return 0;
	if (n < 2 || (n == 3 && rest != '.') || a < 3 || a > 255 || b > 255)
		return 0;
	return TARGET_VERSION(a, b, c);
}

void target_close(struct target *t)
{
	if (!t)
		return;
	if (t->tracefs >= 0)
		close(t->tracefs);
	function_list_free(t->functions);
	btf_view_free(t->view);
	if (t->btf != t->btf_bytes.elf)
		btf__free(t->btf);
	btf_bytes_free(&t->btf_bytes);
	depends_free(&t->depends);
	while (t->kept) {
		struct target_kept *k = t->kept;

		t->kept = k->next;
		k->free_it(k->p);
		free(k);
	}
	free(t);
}

void target_keep(struct target *t, void *p, void (*free_it)(void *p))
{
	struct target_kept *k = malloc(sizeof(*k));

	if (!k) /* it lives until the process ends */
		return;
	*k = (struct target_kept){t->kept, p, free_it};
	t->kept = k;
}

void target_set_debug_dirs(struct target *t, const char *const *dirs)
{
	t->debug_dirs = dirs;
}

const char *const *target_debug_dirs(const struct target *t)
{
	return t->debug_dirs;
}

bool target_has(struct target *t, enum target_feature f)
{
	if (t->feature[f] == FEATURE_UNKNOWN) {
		bool has = t->by_version ? t->version >= features[f].since : feature_try(t, f);

		t->feature[f] = has ? FEATURE_YES : FEATURE_NO;
	}
	t->used_features[f] |= t->feature[f] == FEATURE_YES;
	return t->feature[f] == FEATURE_YES;
}

static int disable_one(struct target *t, const char *name, size_t len)
{
	for (int f = 0; f < TARGET_NFEATURES; f++) {
		if (strlen(features[f].name) == len && !strncmp(features[f].name, name, len)) {
			t->feature[f] = FEATURE_OFF;
			return 0;
		}
	}
	return -EINVAL;
}

int target_disable(struct target *t, const char *names, char *err, size_t errlen)
{
	while (*names) {
		size_t len = strcspn(names, ",");

		if (disable_one(t, names, len)) {
			snprintf(err, errlen, "%.*s", (int)len, names);
			return -EINVAL;
		}
		names += len + (names[len] == ',');
	}
	return 0;
}

void target_hide_probes(struct target *t, const char *patterns)
{
	t->hidden_probes = patterns;
}

bool target_hides_probe(const struct target *t, const char *name)
{
	const char *p = t->hidden_probes ? t->hidden_probes : "";
	char pattern[256];

	while (*p) {
		size_t len = strcspn(p, ",");

		snprintf(pattern, sizeof(pattern), "%.*s", (int)len, p);
		if (target_glob(pattern, name))
			return true;
		p += len + (p[len] == ',');
	}
	return false;
}

bool target_was_disabled(const struct target *t)
{
	for (int f = 0; f < TARGET_NFEATURES; f++)
		if (t->feature[f] == FEATURE_OFF)
			return true;
	return false;
}

const char *target_feature_name(enum target_feature f)
{
	return features[f].name;
}

const char *target_feature_words(enum target_feature f)
{
	return features[f].words;
}

const char *target_feature_since(enum target_feature f)
{
	return since_texts[f];
}

uint32_t target_version(const struct target *t)
{
	return t->version;
}

void target_set_pid(struct target *t, int pid)
{
	t->pid = pid;
}

int target_pid(const struct target *t)
{
	return t->pid;
}

bool target_has_wildcard(const char *pattern)
{
	return strchr(pattern, '*');
}

bool target_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *resume = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			if (!*pattern) /* takes all that is left */
				return true;
			resume = s;
		} else if (*pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			/* the last star takes one character more */
			pattern = star + 1;
			s = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
