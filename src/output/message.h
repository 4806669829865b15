/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to standard error: "ERROR: ...", "WARNING: ...", coloured where a person reads them.
 */
#ifndef BT_OUTPUT_MESSAGE_H
#define BT_OUTPUT_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>

enum message_level { MESSAGE_ERROR, MESSAGE_WARNING };

/* Whether messages are coloured: $BPFTRACE_COLOR (auto, always, never), else on terminals. */
bool message_colored(void);
/*
 * One message with a newline added where it has none; @where, unless "" or NULL, stands before
 * it, the lines of @quote, likewise, behind it.
 */
void message_put(enum message_level level, const char *where, const char *quote, const char *text);
/* Without place. */
void message_vprint(enum message_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#endif
