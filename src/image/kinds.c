/* SPDX-License-Identifier: Apache-2.0 */
#include "image/kinds.h"

#include <inttypes.h>
#include <stdio.h>

const struct kind_row image_kinds[IMAGE_NKINDS] = {
	[IMAGE_K_VOID] = {"void", 0, 0},
	[IMAGE_K_INT] = {"int", 1, KIND_INT_SIZE},
	[IMAGE_K_BOOL] = {"bool", 1, 0},
	[IMAGE_K_STRING] = {"string", 1, 0},
	[IMAGE_K_BUFFER] = {"buffer", 4, 0},
	[IMAGE_K_POINTER] = {"pointer", 8, KIND_OPT_TYPE},
	[IMAGE_K_ENUM] = {"enum", 1, KIND_INT_SIZE | KIND_ENUMS},
	[IMAGE_K_ARRAY] = {"array", 0, KIND_ELEM_TYPE},
	[IMAGE_K_STRUCT] = {"struct", 0, KIND_FIELDS},
	[IMAGE_K_UNION] = {"union", 0, KIND_FIELDS},
	[IMAGE_K_TUPLE] = {"tuple", 0, KIND_FIELDS},
	[IMAGE_K_RECORD] = {"record", 0, KIND_FIELDS},
	[IMAGE_K_KSTACK] = {"kstack", 8, KIND_ELEM_MAP},
	[IMAGE_K_USTACK] = {"ustack", 16, KIND_ELEM_MAP},
	[IMAGE_K_KSYM] = {"ksym", 8, 0},
	[IMAGE_K_USYM] = {"usym", 16, 0},
	[IMAGE_K_INET] = {"inet", 20, 0},
	[IMAGE_K_MAC] = {"mac", 6, 0},
	[IMAGE_K_USERNAME] = {"username", 4, KIND_INT_SIZE},
	[IMAGE_K_TIMESTAMP] = {"timestamp", 8, 0},
	[IMAGE_K_CGROUP_PATH] = {"cgroup_path", 8, 0},
	[IMAGE_K_PROBE] = {"probe", 4, 0},
	[IMAGE_K_DISK] = {"disk", 4, 0},
	[IMAGE_K_LOADAVG] = {"loadavg", 8, 0},
	[IMAGE_K_MEMINFO] = {"meminfo", 8, 0},
	[IMAGE_K_COUNT] = {"count", 8, KIND_AGGREGATION},
	[IMAGE_K_SUM] = {"sum", 8, KIND_AGGREGATION},
	[IMAGE_K_MIN] = {"min", 16, KIND_AGGREGATION},
	[IMAGE_K_MAX] = {"max", 16, KIND_AGGREGATION},
	[IMAGE_K_AVG] = {"avg", 16, KIND_AGGREGATION},
	[IMAGE_K_STATS] = {"stats", 16, KIND_AGGREGATION},
	[IMAGE_K_HIST] = {"hist", 8, KIND_AGGREGATION},
	[IMAGE_K_LHIST] = {"lhist", 8, KIND_AGGREGATION},
	[IMAGE_K_TSERIES] = {"tseries", 24, KIND_AGGREGATION},
};

const char *image_kind_name(uint32_t kind)
{
	return kind < IMAGE_NKINDS ? image_kinds[kind].name : "?";
}

const char *image_attach_name(uint32_t kind)
{
	static const char *const names[IMAGE_NATTACH] = {
		[IMAGE_AT_BEGIN] = "begin",
		[IMAGE_AT_END] = "end",
		[IMAGE_AT_TRACEPOINT] = "tracepoint",
		[IMAGE_AT_RAW_TP] = "rawtracepoint",
		[IMAGE_AT_BTF_TP] = "typed rawtracepoint",
		[IMAGE_AT_INTERVAL] = "interval",
		[IMAGE_AT_PROFILE] = "profile",
		[IMAGE_AT_SOFTWARE] = "software",
		[IMAGE_AT_HARDWARE] = "hardware",
		[IMAGE_AT_KPROBE] = "kprobe",
		[IMAGE_AT_KRETPROBE] = "kretprobe",
		[IMAGE_AT_FENTRY] = "fentry",
		[IMAGE_AT_FEXIT] = "fexit",
		[IMAGE_AT_UPROBE] = "uprobe",
		[IMAGE_AT_URETPROBE] = "uretprobe",
		[IMAGE_AT_USDT] = "usdt",
		[IMAGE_AT_WATCHPOINT] = "watchpoint",
		[IMAGE_AT_ITER] = "iter",
		[IMAGE_AT_SELF] = "self",
		[IMAGE_AT_TEST] = "test",
		[IMAGE_AT_BENCH] = "bench",
	};

	return kind < IMAGE_NATTACH ? names[kind] : "?";
}

/* What is said of each: a, b, size are in its words. */
static const char *const reloc_words[IMAGE_NRELOCS] = {
	[IMAGE_R_FIELD] = "the offset of %2$s in %1$s",
	[IMAGE_R_BITS] = "the first bit of %2$s in %1$s",
	[IMAGE_R_FIELD_EXISTS] = "whether %1$s has %2$s",
	[IMAGE_R_TYPE_SIZE] = "the size of %1$s",
	[IMAGE_R_LAYOUT] = "the layout of %1$s",
	[IMAGE_R_ENUM] = "the value of %2$s",
	[IMAGE_R_TRACEPOINT] = "the offset of %2$s in tracepoint %1$s",
	[IMAGE_R_RAW_ARG] = "argument %2$s of raw tracepoint %1$s",
	[IMAGE_R_FUNC_ARG] = "argument %2$s of function %1$s",
	[IMAGE_R_PROBE_EXISTS] = "whether there is %1$s",
	[IMAGE_R_PID] = "the process of -p",
	[IMAGE_R_KERNEL] = "the kernel that it was compiled on, %1$s",
	[IMAGE_R_ARGUMENT] = "argument %3$u",
	[IMAGE_R_TEXT] = "text of argument %3$u",
	[IMAGE_R_ARGUMENT_IS] = "whether argument %3$u is \"%2$s\"",
	[IMAGE_R_NARGUMENTS] = "the number of parameters",
};

void image_reloc_words(const struct image *img, uint32_t row, char *text, size_t size)
{
	const struct image_reloc *r = &img->relocs[row];
	bool sized = r->kind <= IMAGE_R_BITS || r->kind == IMAGE_R_TRACEPOINT ||
		     r->kind == IMAGE_R_RAW_ARG || r->kind == IMAGE_R_FUNC_ARG;
	int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(text, size, reloc_words[r->kind], image_str(img, r->a), image_str(img, r->b),
		     r->size);
#pragma GCC diagnostic pop
	if (n < 0 || (size_t)n >= size)
		return;
	if (r->flags & IMAGE_RELOC_EXACT && r->kind != IMAGE_R_KERNEL)
		snprintf(text + n, size - n, " to be %" PRIu64, r->value);
	else if (sized && r->size)
		snprintf(text + n, size - n, " (%s%u %s)",
			 r->flags & IMAGE_RELOC_AT_LEAST ? "at least " : "", r->size,
			 r->kind == IMAGE_R_BITS ? "bits" : "bytes");
}

const char *image_action_name(uint32_t kind)
{
	static const char *const names[IMAGE_NACTIONS] = {
		[IMAGE_A_PRINTF] = "printf",       [IMAGE_A_PRINT_VALUE] = "print value",
		[IMAGE_A_PRINT_MAP] = "print map", [IMAGE_A_PRINT_ELEM] = "print element",
		[IMAGE_A_CLEAR] = "clear",         [IMAGE_A_ZERO] = "zero",
		[IMAGE_A_EXIT] = "exit",           [IMAGE_A_TIME] = "time",
		[IMAGE_A_JOIN] = "join",           [IMAGE_A_CAT] = "cat",
		[IMAGE_A_SYSTEM] = "system",       [IMAGE_A_ERRORF] = "errorf",
		[IMAGE_A_WARNF] = "warnf",         [IMAGE_A_RUNTIME_ERROR] = "runtime error",
		[IMAGE_A_REMEMBER] = "remember",   [IMAGE_A_SKBOUTPUT] = "skboutput",
		[IMAGE_A_ROWS] = "rows",           [IMAGE_A_CYCLES] = "cycles",
		[IMAGE_A_SCREEN] = "screen",
	};

	return kind < IMAGE_NACTIONS ? names[kind] : "?";
}

const char *image_op_name(uint32_t code)
{
	static const char *const names[IMAGE_NOPS] = {
#define OP(id, name, pops, check, eval) name,
#include "image/ops.def"
#undef OP
	};

	return code < IMAGE_NOPS ? names[code] : "?";
}
