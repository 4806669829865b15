/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "runtime/internal.h"

static void message(const char *kind, const char *fmt, va_list ap)
{
	flockfile(stderr);
	fputs(kind, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void run_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("ERROR: ", fmt, ap);
	va_end(ap);
}

void run_warning(const struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->opts->no_warnings)
		return;
	va_start(ap, fmt);
	message("WARNING: ", fmt, ap);
	va_end(ap);
}
