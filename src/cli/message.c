/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "output/message.h"

/* The version whose language, options and output ours are. */
#define BPFTRACE_VERSION "0.27.1"

static bool stands_in(void)
{
	return !strcmp(program_invocation_short_name, "bpftrace");
}

const char *cli_name(void)
{
	return stands_in() ? "bpftrace" : "btrun";
}

void cli_print_versions(FILE *out)
{
	const char *ours = "btrun v" BTRUN_VERSION, *theirs = "bpftrace v" BPFTRACE_VERSION;

	fprintf(out, "%s\n%s\n", stands_in() ? theirs : ours, stands_in() ? ours : theirs);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_vprint(MESSAGE_ERROR, fmt, ap);
	va_end(ap);
}

void cli_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_vprint(MESSAGE_WARNING, fmt, ap);
	va_end(ap);
}
