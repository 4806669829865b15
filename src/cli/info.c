/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/info.h"

#include <bpf/libbpf.h>
#include <sys/utsname.h>

/* What a build may have or not, in bpftrace's words: programs search for them. */
static const struct {
	const char *words;
	bool there;
} build_rows[] = {
	{"bfd", false},
#ifdef BTRUN_HAVE_LIBDW
	{"libdw (DWARF support)", true},
#else
	{"libdw (DWARF support)", false},
#endif
	{"libsystemd (systemd notify support)", true}, /* done without the library */
	{"blazesym (advanced symbolization)", false},
#ifdef __x86_64__
	{"dwunwind (DWARF stack unwinding)", true},
#else
	{"dwunwind (DWARF stack unwinding)", false},
#endif
};

void cli_print_info(struct target *t, FILE *out)
{
	struct utsname u;

	if (!uname(&u))
		fprintf(out,
			"System\n"
			"  OS: %s %s %s\n"
			"  Arch: %s\n"
			"\n",
			u.sysname, u.release, u.version, u.machine);
	fprintf(out,
		"Build\n"
		"  version: v%s\n"
		"  LLVM: %s\n"
		"  libbpf: %s\n",
		BTRUN_VERSION, BTRUN_LLVM_VERSION, libbpf_version_string() + 1);
	for (size_t i = 0; i < sizeof(build_rows) / sizeof(*build_rows); i++)
		fprintf(out, "  %s: %s\n", build_rows[i].words, build_rows[i].there ? "yes" : "no");
	fputc('\n', out);
	target_print_info(t, out);
}
