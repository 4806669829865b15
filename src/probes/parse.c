/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of attach points: numbers, rates, and those without any. */
#include "probes/probes_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

int probe_fail(char *err, size_t errlen, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err, errlen, fmt, args);
	va_end(args);
	return code;
}

/* ---- numbers ---------------------------------------------------------------- */

struct suffix {
	const char *text;
	uint64_t factor, max;
};

static const struct suffix suffixes[] = {
	{"", 1, UINT64_MAX},
	{"u", 1, UINT32_MAX},
	{"ul", 1, ULONG_MAX},
	{"ull", 1, UINT64_MAX},
	{"l", 1, LONG_MAX},
	{"ll", 1, INT64_MAX},
	{"ns", 1, UINT64_MAX},
	{"us", 1000, UINT64_MAX},
	{"ms", 1000000, UINT64_MAX},
	{"s", 1000000000, UINT64_MAX},
	{"m", 60000000000, UINT64_MAX},
	{"h", 3600000000000, UINT64_MAX},
	{"d", 86400000000000, UINT64_MAX},
};

static int overflow(const char *text, uint64_t max, char *why, size_t size)
{
	return probe_fail(why, size, -EINVAL, "overflow error, maximum value is %llu: %s",
			  (unsigned long long)max, text);
}

/* Removes the underscores; false when the number is too long to be one. */
static bool drop_underscores(const char *text, char *digits, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (n + 1 >= size)
			return false;
		digits[n++] = *text;
	}
	digits[n] = 0;
	return true;
}

/* Takes the prefix off and returns the base. */
static int number_base(const char **s)
{
	if (!strncasecmp(*s, "0x", 2)) {
		*s += 2;
		return 16;
	}
	if (!strncasecmp(*s, "0b", 2)) {
		*s += 2;
		return 2;
	}
	return **s == '0' && (*s)[1] >= '0' && (*s)[1] <= '7' ? 8 : 10;
}

/* "e6" behind the coefficient *@value; moves *@s behind it. */
static int parse_exponent(const char **s, uint64_t *value, const char *text, char *why, size_t size)
{
	unsigned long exponent;
	char *end;

	if ((**s != 'e' && **s != 'E') || (*s)[1] < '1' || (*s)[1] > '9')
		return 0;
	if (*value < 1 || *value > 9)
		return probe_fail(why, size, -EINVAL,
				  "coefficient part of scientific literal must be 1-9: %s", text);
	exponent = strtoul(*s + 1, &end, 10);
	*s = end;
	for (; exponent; exponent--) {
		if (*value > UINT64_MAX / 10)
			return overflow(text, UINT64_MAX, why, size);
		*value *= 10;
	}
	return 0;
}

static int apply_suffix(const char *s, uint64_t *value, const char *text, char *why, size_t size)
{
	for (size_t i = 0; i < LENGTH(suffixes); i++) {
		if (strcmp(suffixes[i].text, s))
			continue;
		if (*value > suffixes[i].max / suffixes[i].factor)
			return overflow(text, suffixes[i].max, why, size);
		*value *= suffixes[i].factor;
		return 0;
	}
	return probe_fail(why, size, -EINVAL, "invalid trailing bytes: %s", text);
}

int probe_parse_uint(const char *text, uint64_t *value, char *why, size_t size)
{
	char digits[128], *end;
	const char *s = digits;
	int base, err;

	if (!drop_underscores(text, digits, sizeof(digits)))
		return overflow(text, UINT64_MAX, why, size);
	base = number_base(&s);
	errno = 0;
	*value = strtoull(s, &end, base);
	if (end == s)
		return probe_fail(why, size, -EINVAL, "invalid integer: %s", text);
	if (errno == ERANGE)
		return overflow(text, UINT64_MAX, why, size);
	s = end;
	err = parse_exponent(&s, value, text, why, size);
	return err ? err : apply_suffix(s, value, text, why, size);
}

/* ---- types without parts ------------------------------------------------------ */

int probe_expand_plain(const char *type, enum image_attach_kind kind, const char *const *parts,
		       size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	struct probe_point p = {.name = type, .attach = kind, .target = ""};

	if (nparts > 1 || (nparts == 1 && strcmp(parts[0], "*")))
		return probe_fail(err, errlen, -EINVAL,
				  "%s probe type requires 0 arguments, found %zu", type, nparts);
	return cb(&p, arg);
}

int probe_expand_named(const char *type, enum image_attach_kind kind, const char *const *parts,
		       size_t nparts, probe_point_fn *cb, void *arg, char *err, size_t errlen)
{
	char name[256];
	struct probe_point p = {.name = name, .attach = kind, .target = ""};

	if (nparts != 1)
		return probe_fail(err, errlen, -EINVAL,
				  "%s probe type requires 1 arguments, found %zu", type, nparts);
	if ((size_t)snprintf(name, sizeof(name), "%s:%s", type, parts[0]) >= sizeof(name))
		return probe_fail(err, errlen, -EINVAL, "the name of the %s is too long", type);
	p.parts[0] = parts[0];
	return cb(&p, arg);
}

/* ---- rates --------------------------------------------------------------------- */

#define MIN_PERIOD 1000

struct unit {
	const char *name;
	uint64_t ns; /* 0: per second */
};

/* Sorted as they are listed. */
static const struct unit units[] = {
	{"hz", 0},
	{"ms", 1000000},
	{"s", 1000000000},
	{"us", 1000},
};

static int fail_rate(const char *type, const char *why, char *err, size_t errlen)
{
	return probe_fail(err, errlen, -EINVAL, "Invalid rate of %s probe: %s", type, why);
}

static int fail_too_fast(const char *type, const char *ns, char *err, size_t errlen)
{
	return probe_fail(err, errlen, -EINVAL,
			  "Invalid rate of %s probe. Minimum is 1000 or 1us. Found: %s nanoseconds",
			  type, ns);
}

/* "10ms": one part, a duration. */
static int parse_duration(const char *type, const char *part, struct probe_rate *r, char *err,
			  size_t errlen)
{
	char why[256], text[32];
	uint64_t ns;

	if (target_has_wildcard(part))
		return probe_fail(err, errlen, -EINVAL, "%s is not an accepted unit of time", part);
	if (probe_parse_uint(part, &ns, why, sizeof(why)))
		return fail_rate(type, why, err, errlen);
	if (ns > INT64_MAX) /* negative */
		return fail_too_fast(type, part, err, errlen);
	if (ns < MIN_PERIOD) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)ns);
		return fail_too_fast(type, text, err, errlen);
	}
	r->unit = "us";
	r->count = ns / 1000;
	r->period_ns = r->count * 1000;
	return 0;
}

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < LENGTH(units); i++) {
		if (!strcmp(units[i].name, name))
			return &units[i];
	}
	return NULL;
}

/* "s:5": a unit and a number. */
static int parse_unit_rate(const char *type, const char *const *parts, struct probe_rate *r,
			   char *err, size_t errlen)
{
	const struct unit *unit = find_unit(parts[0]);
	char why[256];

	if (probe_parse_uint(parts[1], &r->count, why, sizeof(why)))
		return fail_rate(type, why, err, errlen);
	if (!*parts[0])
		return probe_fail(err, errlen, -EINVAL, "%s probe must have unit of time", type);
	if (!unit)
		return probe_fail(err, errlen, -EINVAL, "%s is not an accepted unit of time",
				  parts[0]);
	if (!r->count || r->count > INT64_MAX)
		return probe_fail(err, errlen, -EINVAL, "%s frequency should be a positive integer",
				  type);
	r->unit = unit->name;
	if (!unit->ns) {
		r->period_ns = 1000000000 / r->count;
		return 0;
	}
	if (r->count > INT64_MAX / unit->ns) {
		overflow(parts[1], INT64_MAX / unit->ns, why, sizeof(why));
		return fail_rate(type, why, err, errlen);
	}
	r->period_ns = r->count * unit->ns;
	return 0;
}

int probe_parse_rate(const char *type, const char *const *parts, size_t nparts,
		     struct probe_rate *rate, char *err, size_t errlen)
{
	if (nparts == 1)
		return parse_duration(type, parts[0], rate, err, errlen);
	if (nparts == 2)
		return parse_unit_rate(type, parts, rate, err, errlen);
	return probe_fail(err, errlen, -EINVAL,
			  "%s probe type requires 1 or 2 arguments, found %zu", type, nparts);
}

int probe_list_units(const struct probe_type *type, const char *pattern, probe_point_fn *cb,
		     void *arg)
{
	const char *rest;
	int err = 0;

	if (!probe_list_wanted(type, pattern, true, &rest))
		return 0;
	for (size_t i = 0; i < LENGTH(units) && !err; i++) {
		char name[64], unit[8];
		struct probe_point p = {.name = name, .parts = {units[i].name}};

		snprintf(unit, sizeof(unit), "%s:", units[i].name);
		snprintf(name, sizeof(name), "%s:%s", type->name, unit);
		err = target_glob(rest, unit) ? cb(&p, arg) : 0;
	}
	return err;
}
