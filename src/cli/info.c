/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/info.h"

#include <bpf/libbpf.h>
#include <sys/utsname.h>

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
		"  libbpf: %s\n"
		"\n",
		BTRUN_VERSION, BTRUN_LLVM_VERSION, libbpf_version_string() + 1);
	target_print_info(t, out);
}
