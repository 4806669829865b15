/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --info: what the kernel has, in bpftrace's words and order (scripts search for them), and
 * behind that the table of features that can be switched off.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/target_internal.h"

#define COLUMN 35 /* where the second entry of a line starts */

/* Newer than the headers of some. */
#define HELPER_LOOKUP_PERCPU 195
#define HELPER_TAI           208

enum answer_kind { ANSWER_FEATURE, ANSWER_HELPER, ANSWER_TEXT };

/* One entry: the answer comes from a feature, a helper's number or a function of its own. */
struct info_row {
	const char *words;
	enum answer_kind kind;
	uint32_t id;
	const char *(*text)(struct target *t);
};

/* ---- answers of their own ------------------------------------------------------ */

/* Since 5.2 the verifier looks at a million instructions of a privileged program. */
static const char *instruction_limit(struct target *t)
{
	return target_has(t, TARGET_F_GLOBAL_DATA) ? "1000000" : "4096";
}

/* BTF has its own ids and tells whose it is. */
static const char *module_btf(struct target *t)
{
	struct bpf_btf_info info = {0};
	uint32_t len = sizeof(info), id = 0;
	int fd, err;

	if (!target_has(t, TARGET_F_BTF) || bpf_btf_get_next_id(0, &id))
		return "no";
	fd = bpf_btf_get_fd_by_id(id);
	if (fd < 0)
		return "no";
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	return !err && info.kernel_btf ? "yes" : "no";
}

/* ---- the tables ------------------------------------------------------------------ */

#define FEATURE(name, f) {name, ANSWER_FEATURE, TARGET_F_##f, NULL}
#define HELPER(name, n)  {name, ANSWER_HELPER, n, NULL}
#define TEXT(name, fn)   {name, ANSWER_TEXT, 0, fn}

static const struct info_row helper_rows[] = {
	FEATURE("dpath", D_PATH),        HELPER("get_tai_ns", HELPER_TAI),
	FEATURE("get_func_ip", FUNC_IP), HELPER("lookup_percpu_elem", HELPER_LOOKUP_PERCPU),
	FEATURE("loop", BPF_LOOP),
};

static const struct info_row feature_rows[] = {
	TEXT("Instruction limit", instruction_limit),
	FEATURE("btf", BTF),
	TEXT("module btf", module_btf),
	FEATURE("Loop support", BOUNDED_LOOPS),
};

static const struct info_row probe_rows[] = {
	FEATURE("kprobe_multi", KPROBE_MULTI),
	FEATURE("uprobe_multi", UPROBE_MULTI),
	FEATURE("kprobe_session", KPROBE_SESSION),
	FEATURE("iter", ITER),
};

static const char *answer(struct target *t, const struct info_row *row)
{
	struct target_lack lack;

	switch (row->kind) {
	case ANSWER_FEATURE:
		return target_has(t, row->id) ? "yes" : "no";
	case ANSWER_HELPER:
		return target_lacks_helper(t, row->id, &lack) ? "no" : "yes";
	case ANSWER_TEXT:
		break;
	}
	return row->text(t);
}

static void print_rows(struct target *t, FILE *out, const char *title, const struct info_row *rows,
		       size_t n)
{
	fprintf(out, "%s\n", title);
	for (size_t i = 0; i < n; i++) {
		const char *text = answer(t, &rows[i]);
		int len = fprintf(out, "%s%s: %s", i % 2 ? "" : "  ", rows[i].words, text);

		if (i % 2 || i + 1 == n)
			fputc('\n', out);
		else
			fprintf(out, "%*s", len < COLUMN ? COLUMN - len : 1, "");
	}
	fputc('\n', out);
}

/* ---- the features that have a name ------------------------------------------------ */

static void print_features(struct target *t, FILE *out)
{
	fputs("Features that are made use of (--no-feature NAME does without)\n", out);
	for (int f = 0; f < TARGET_NFEATURES; f++) {
		int len = fprintf(out, "  %s: %s", target_feature_name(f),
				  target_has(t, f)               ? "yes"
				  : t->feature[f] == FEATURE_OFF ? "off"
								 : "no");

		fprintf(out, "%*s%-12s%s\n", len < COLUMN ? COLUMN - len : 1, "",
			target_feature_since(f), target_feature_words(f));
	}
}

static int count_one(const char *category, const char *event, void *arg)
{
	(void)category;
	(void)event;
	++*(unsigned *)arg;
	return 0;
}

static void print_tracepoints(struct target *t, FILE *out)
{
	unsigned n = 0;
	int err = target_each_tracepoint(t, "*", "*", count_one, &n);

	if (err)
		fprintf(out, "  tracepoints: no list (%s)\n", strerror(-err));
	else
		fprintf(out, "  tracepoints: %u\n", n);
}

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

void target_print_info(struct target *t, FILE *out)
{
	print_rows(t, out, "Kernel helpers", helper_rows, LENGTH(helper_rows));
	print_rows(t, out, "Kernel features", feature_rows, LENGTH(feature_rows));
	print_rows(t, out, "Probe types", probe_rows, LENGTH(probe_rows));
	print_features(t, out);
	print_tracepoints(t, out);
}
