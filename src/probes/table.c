/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of probe types and attachers. */
#include "probes/probes_internal.h"

#include <string.h>
#include <strings.h>

/* The order is that of -l: by name. */
const struct probe_type *const probe_types[] = {
	&probe_begin,     &probe_bench,    &probe_end,           &probe_fentry,
	&probe_fexit,     &probe_hardware, &probe_interval,      &probe_kprobe,
	&probe_kretprobe, &probe_profile,  &probe_rawtracepoint, &probe_self,
	&probe_software,  &probe_test,     &probe_tracepoint,    &probe_uprobe,
	&probe_uretprobe, &probe_usdt,     &probe_watchpoint,    NULL,
};

static const struct attacher *const attachers[] = {
	&attacher_fentry,    &attacher_fexit,     &attacher_hardware,   &attacher_interval,
	&attacher_kprobe,    &attacher_kretprobe, &attacher_profile,    &attacher_raw_tp,
	&attacher_btf_tp,    &attacher_software,  &attacher_tracepoint, &attacher_uprobe,
	&attacher_uretprobe, &attacher_usdt,      &attacher_watchpoint,
};

/* probe_types in words. */
static const char *const names[] = {
	"begin",    "BEGIN",
	"bench",    "end",
	"END",      "fentry",
	"f",        "kfunc",
	"fexit",    "fr",
	"kretfunc", "hardware",
	"h",        "interval",
	"i",        "kprobe",
	"k",        "kretprobe",
	"kr",       "profile",
	"p",        "rawtracepoint",
	"rt",       "self",
	"software", "s",
	"test",     "tracepoint",
	"t",        "uprobe",
	"u",        "uretprobe",
	"ur",       "usdt",
	"U",        "watchpoint",
	"w",        NULL,
};

const struct probe_type *probe_type_find(const char *name)
{
	for (size_t i = 0; probe_types[i]; i++) {
		const struct probe_type *type = probe_types[i];

		if (!strcasecmp(type->name, name))
			return type;
		for (size_t k = 0; type->aliases[k]; k++) {
			if (!strcmp(type->aliases[k], name))
				return type;
		}
	}
	return NULL;
}

const char *const *probe_type_names(void)
{
	return names;
}

const struct attacher *attacher_find(uint32_t kind)
{
	for (size_t i = 0; i < sizeof(attachers) / sizeof(*attachers); i++) {
		if (attachers[i]->kind == kind)
			return attachers[i];
	}
	return NULL;
}

bool probe_list_wanted(const struct probe_type *type, const char *pattern, bool by_name_only,
		       const char **rest)
{
	const char *colon = strchr(pattern, ':');
	char provider[64];

	*rest = colon ? colon + 1 : pattern;
	if (!**rest)
		*rest = "*";
	if (!colon)
		return !by_name_only;
	if ((size_t)(colon - pattern) >= sizeof(provider))
		return false;
	memcpy(provider, pattern, colon - pattern);
	provider[colon - pattern] = 0;
	if (target_has_wildcard(provider))
		return !by_name_only && target_glob(provider, type->name);
	return probe_type_find(provider) == type;
}
