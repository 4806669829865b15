/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON format: what its files share. */
#ifndef BT_OUTPUT_JSON_H
#define BT_OUTPUT_JSON_H

#include "output/internal.h"

/* @n bytes as they stand between quotes; what is not UTF-8 becomes U+FFFD. */
void json_escaped(struct outbuf *b, const char *text, size_t n);
/* The same with the quotes. */
void json_string(struct outbuf *b, const char *text, size_t n);
/* A number; as a string where a double would change it. */
void json_int(struct outbuf *b, int64_t v, bool is_signed);
/* One value; integers are divided by @divisor. */
void json_value(struct output *o, struct outbuf *b, uint32_t type, const void *value,
		uint64_t divisor);

#endif
