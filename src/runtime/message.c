/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "output/message.h"
#include "runtime/internal.h"

void run_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_vprint(MESSAGE_ERROR, fmt, ap);
	va_end(ap);
}

void run_warning(const struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->opts->no_warnings)
		return;
	va_start(ap, fmt);
	message_vprint(MESSAGE_WARNING, fmt, ap);
	va_end(ap);
}
