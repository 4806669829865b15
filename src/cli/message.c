/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The version whose language, options and output ours are. */
#define BPFTRACE_VERSION "0.27.1"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define RESET  "\033[0m"

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

bool cli_color(void)
{
	const char *mode = getenv("BPFTRACE_COLOR");

	if (mode && !strcmp(mode, "always"))
		return true;
	if (mode && !strcmp(mode, "never"))
		return false;
	return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static void message(const char *word, const char *color, const char *fmt, va_list ap)
{
	bool colored = cli_color();

	fprintf(stderr, "%s%s: ", colored ? color : "", word);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "%s\n", colored ? RESET : "");
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("ERROR", RED, fmt, ap);
	va_end(ap);
}

void cli_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("WARNING", YELLOW, fmt, ap);
	va_end(ap);
}
