/* SPDX-License-Identifier: Apache-2.0 */
#include "output/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESET "\033[0m"

static const struct {
	const char *word, *color;
} levels[] = {
	[MESSAGE_ERROR] = {"ERROR", "\033[31m"},
	[MESSAGE_WARNING] = {"WARNING", "\033[33m"},
};

bool message_colored(void)
{
	const char *mode = getenv("BPFTRACE_COLOR");

	if (mode && !strcmp(mode, "always"))
		return true;
	if (mode && !strcmp(mode, "never"))
		return false;
	return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

void message_put(enum message_level level, const char *where, const char *quote, const char *text)
{
	bool colored = message_colored();
	size_t len = strlen(text);

	if (len && text[len - 1] == '\n')
		len--;
	flockfile(stderr);
	if (colored)
		fputs(levels[level].color, stderr);
	if (where && *where)
		fprintf(stderr, "%s: ", where);
	fprintf(stderr, "%s: %.*s%s\n", levels[level].word, (int)len, text, colored ? RESET : "");
	if (quote && *quote)
		fprintf(stderr, "%s\n", quote);
	funlockfile(stderr);
}

void message_vprint(enum message_level level, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	message_put(level, NULL, NULL, text);
	free(text);
}
