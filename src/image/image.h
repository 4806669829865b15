/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: the border between compiling and running.
 *
 * A compiled script is one byte string: a header, a table of sections and the
 * sections. It holds no pointers; strings are offsets into one string section,
 * rows refer to rows by index. All integers are in the byte order of the
 * machine, all rows are 8-byte aligned. The compiling half makes one with an
 * image_builder; the running half reads it through struct image, which checks
 * every offset, index and string once, on opening.
 */
#ifndef BT_IMAGE_H
#define BT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAGIC   "BTRUNIMG"
#define IMAGE_VERSION 8u
#define IMAGE_NONE    UINT32_MAX /* "no row" where a row's index is expected */

enum image_section_id {
	IMAGE_SEC_STRINGS,     /* char[], starts with a NUL: offset 0 is "" */
	IMAGE_SEC_OBJECT,      /* the BPF ELF object */
	IMAGE_SEC_TYPES,       /* struct image_type[] */
	IMAGE_SEC_FIELDS,      /* struct image_field[] */
	IMAGE_SEC_MAPS,        /* struct image_map[] */
	IMAGE_SEC_ACTIONS,     /* struct image_action[] */
	IMAGE_SEC_PROBES,      /* struct image_probe[] */
	IMAGE_SEC_ATTACHMENTS, /* struct image_attachment[] */
	IMAGE_SEC_CONFIG,      /* struct image_config, one */
	IMAGE_SEC_ENUMS,       /* struct image_enumerator[] */
	IMAGE_SEC_NEEDS,       /* struct image_need[] */
	IMAGE_SEC_RELOCS,      /* struct image_reloc[]; this and the next ones: portable images */
	IMAGE_SEC_SITES,       /* struct image_site[] */
	IMAGE_SEC_CONDITIONS,  /* struct image_condition[] */
	IMAGE_SEC_POINTS,      /* struct image_point[] */
	IMAGE_SEC_ARGUMENTS,   /* struct image_argument[] */
	IMAGE_SEC_OLDER,       /* an image of the same script for older kernels, or nothing */
	IMAGE_SEC_TABLES,      /* struct image_table[] */
	IMAGE_SEC_COLUMNS,     /* struct image_column[] */
	IMAGE_SEC_OPS,         /* struct image_op[] */
	IMAGE_NSECTIONS
};

struct image_section {
	uint64_t offset; /* from the start of the image, multiple of 8 */
	uint64_t size;   /* in bytes */
};

struct image_header {
	char magic[8];
	uint32_t version;
	uint32_t nsections;
	uint64_t size; /* of the whole image in bytes */
	struct image_section sections[IMAGE_NSECTIONS];
};

/* ---- types: how bytes in maps and events are to be shown ---------------- */

enum image_kind {
	IMAGE_K_VOID,
	IMAGE_K_INT,     /* size 1, 2, 4, 8; IMAGE_TF_SIGNED */
	IMAGE_K_BOOL,    /* size 1 */
	IMAGE_K_STRING,  /* char[size], NUL-padded; one that fills it was cut, with arg[0] one
			   of length size - 1, too; with arg[1] none was */
	IMAGE_K_BUFFER,  /* u32 length, then bytes */
	IMAGE_K_POINTER, /* 8 bytes, shown 0x... */
	IMAGE_K_ENUM,    /* as INT; enumerators at fields (first row in ENUMS) and count */
	IMAGE_K_ARRAY,   /* count elements of elem */
	IMAGE_K_STRUCT,  /* count fields from fields on: { .a = 1, .b = 2 } */
	IMAGE_K_UNION,
	IMAGE_K_TUPLE,       /* (1, 2) */
	IMAGE_K_RECORD,      /* { .a = 1 } */
	IMAGE_K_KSTACK,      /* s64: id in stack map elem (a row of MAPS), negative: -errno;
				arg[0] depth, arg[1] enum image_stack_mode */
	IMAGE_K_USTACK,      /* s64 id as KSTACK, u32 pid, u32 zero */
	IMAGE_K_KSYM,        /* u64 address */
	IMAGE_K_USYM,        /* u64 address, u32 pid, u32 zero */
	IMAGE_K_INET,        /* u32 family (AF_INET, AF_INET6), u8[16] address */
	IMAGE_K_MAC,         /* u8[6] */
	IMAGE_K_USERNAME,    /* u32 or u64 uid */
	IMAGE_K_TIMESTAMP,   /* u64 ns since boot; name is the strftime format;
				arg[0] enum image_clock */
	IMAGE_K_CGROUP_PATH, /* u64 id */
	IMAGE_K_PROBE,       /* u32 row of PROBES, shown as the probe's name */
	IMAGE_K_DISK,        /* u32 kernel dev_t (major << 20 | minor), shown as the disk's name */
	IMAGE_K_LOADAVG,     /* u64, nothing: the load average at the time when it is shown */
	IMAGE_K_MEMINFO,     /* u64, nothing: line name of /proc/meminfo, when it is shown; bytes,
				divided by arg[0] */
	/* aggregations: only as map values; the layout of one CPU's value */
	IMAGE_K_COUNT,   /* s64 */
	IMAGE_K_SUM,     /* s64; IMAGE_TF_SIGNED */
	IMAGE_K_MIN,     /* s64 value, u64 set (0: no value yet) */
	IMAGE_K_MAX,     /* as MIN */
	IMAGE_K_AVG,     /* s64 total, u64 count */
	IMAGE_K_STATS,   /* s64 total, u64 count */
	IMAGE_K_HIST,    /* u64 buckets; arg[0]: bits (0 to 5); see image_hist_buckets() */
	IMAGE_K_LHIST,   /* u64 buckets; arg[0..2]: min, max, step; below, steps..., above */
	IMAGE_K_TSERIES, /* slots (struct image_tseries_slot); IMAGE_TF_SIGNED; arg[0..2]: interval
			    in ns, how many intervals, enum image_tseries_agg */
	IMAGE_NKINDS
};

enum image_type_flags { IMAGE_TF_SIGNED = 1 };
enum image_stack_mode {
	IMAGE_STACK_BPFTRACE,
	IMAGE_STACK_PERF,
	IMAGE_STACK_RAW,
	IMAGE_STACK_BUILD_ID
};
enum image_clock { IMAGE_CLOCK_BOOT, IMAGE_CLOCK_MONOTONIC, IMAGE_CLOCK_TAI };

/*
 * One interval of a tseries(): interval number e = time / arg[0] lies in slot e % arg[1].
 * Times are of the TAI clock.
 */
struct image_tseries_slot {
	int64_t value; /* AVG: the sum */
	uint64_t
		meta; /* LAST: the time of the value; AVG: values; MIN, MAX: whether there is one */
	uint64_t epoch; /* number of the interval + 1; 0: unused */
};
enum image_tseries_agg {
	IMAGE_TSERIES_LAST,
	IMAGE_TSERIES_AVG,
	IMAGE_TSERIES_MAX,
	IMAGE_TSERIES_MIN,
	IMAGE_TSERIES_SUM,
	IMAGE_NTSERIES
};
/* The most intervals: all of them are one element of a per-CPU map, 32 KiB at most. */
#define IMAGE_TSERIES_MAX_INTERVALS 1365

struct image_type {
	uint16_t kind; /* enum image_kind */
	uint16_t flags;
	uint32_t size;   /* bytes of one value; a multiple of its alignment */
	uint32_t elem;   /* row of TYPES (ARRAY, POINTER) or of MAPS (stacks), or IMAGE_NONE */
	uint32_t count;  /* elements, fields or enumerators */
	uint32_t fields; /* first row of FIELDS (or of ENUMS) */
	uint32_t name;   /* string */
	int64_t arg[3];
};

struct image_field {
	uint32_t name; /* string; "" in tuples and for anonymous members */
	uint32_t type;
	uint32_t offset;   /* bytes */
	uint16_t bit_off;  /* bit-fields: from offset, counted from the lowest bit */
	uint16_t bit_size; /* 0: no bit-field */
};

struct image_enumerator {
	uint64_t value;
	uint32_t name;
	uint32_t pad;
};

/* ---- maps --------------------------------------------------------------- */

enum image_map_flags {
	IMAGE_MAP_SCALAR = 1,            /* no key in the script: element 0 of an array map */
	IMAGE_MAP_PERCPU = 2,            /* a value a CPU, to be merged */
	IMAGE_MAP_INTERNAL = 4,          /* not the script's: stacks, scratch */
	IMAGE_MAP_STACKS = 8,            /* u64 id: u64 number of frames, then u64 addresses */
	IMAGE_MAP_SIGNIFICANT_ZERO = 16, /* free for later */
	IMAGE_MAP_BUILD_IDS = 32,        /* STACKS: struct bpf_stack_build_id, not addresses */
};

struct image_map {
	uint32_t name;     /* as in the script, without @: "" for the anonymous map */
	uint32_t elf_name; /* of the map in the object */
	uint32_t key;      /* row of TYPES; IMAGE_NONE when scalar */
	uint32_t value;    /* row of TYPES; IMAGE_NONE for internal maps */
	uint32_t flags;
	uint32_t max_entries;
	/*
	 * A scalar map's value is preceded by a u64 "set" word (0: never assigned,
	 * not printed) unless the value is an aggregation. Offset of the value proper:
	 */
	uint32_t value_off;
	uint32_t pad;
};

/* ---- events and actions ------------------------------------------------- */

/*
 * Every record in the ring buffer starts with this; the payload (row's type)
 * follows at the next 8-byte boundary. What to do is the action's row.
 */
struct image_event {
	uint32_t action; /* row of ACTIONS */
	uint32_t size;   /* of header and payload, bytes */
};

/* What stands before a packet that skboutput() sends, through IMAGE_PACKETS_MAP. */
struct image_packet {
	struct image_event event;
	uint64_t time;   /* of the clock that nsecs reads */
	uint64_t length; /* bytes of the packet that follow */
	uint64_t offset; /* how many of them are left out */
};

enum image_action_kind {
	IMAGE_A_PRINTF,      /* fmt, type: tuple of the arguments */
	IMAGE_A_PRINT_VALUE, /* type: the value */
	IMAGE_A_PRINT_MAP,   /* map; arg[0] top (0: all), arg[1] divisor (0: 1) */
	IMAGE_A_PRINT_ELEM,  /* map; type: tuple (key, value): print(@m[k]) of a non-aggregation */
	IMAGE_A_CLEAR,       /* map */
	IMAGE_A_ZERO,        /* map */
	IMAGE_A_EXIT,        /* no payload: code is in the control words */
	IMAGE_A_TIME,        /* fmt: strftime */
	IMAGE_A_JOIN,        /* type: tuple of strings; fmt: separator */
	IMAGE_A_CAT,         /* fmt, type as printf: file name */
	IMAGE_A_SYSTEM,      /* fmt, type as printf: command */
	IMAGE_A_ERRORF,      /* fmt, type as printf; where is shown */
	IMAGE_A_WARNF,
	IMAGE_A_SKBOUTPUT,     /* fmt: path of the file; comes as struct image_packet */
	IMAGE_A_RUNTIME_ERROR, /* type: tuple (s64 result, u32 helper) of a helper that failed;
				* without a type: fmt is the warning */
	IMAGE_A_REMEMBER,      /* type: u32 pid: its addresses will be asked for, maybe later */
	IMAGE_A_ROWS,          /* map, table; fmt; type: tuple of what was sent; arg[0] rows at
				* most (0: all) */
	IMAGE_A_CYCLES,        /* likewise, of the graph whose edges are the map's keys */
	IMAGE_A_SCREEN,        /* no payload: what follows begins at the top of the screen */
	IMAGE_NACTIONS
};

struct image_action {
	uint32_t kind;  /* enum image_action_kind */
	uint32_t fmt;   /* string: the format with escapes resolved */
	uint32_t type;  /* row of TYPES, or IMAGE_NONE */
	uint32_t map;   /* row of MAPS, or IMAGE_NONE */
	uint32_t where; /* string: "file:line:col-col" of the call; on further lines, what is to
			 * be shown after a message: the script's line, the macro calls that
			 * led there */
	uint32_t table; /* ROWS, CYCLES: row of TABLES */
	uint64_t arg[2];
};

/* ---- tables made of maps ------------------------------------------------ */

/*
 * What is shown of each row (element) of a map: columns, computed when it is shown. The
 * first column is no part of the text: rows are ordered by it, the greatest first.
 */
struct image_table {
	uint32_t tuple;         /* row of TYPES: the columns as the action's fmt takes them */
	uint32_t column;        /* first row of COLUMNS */
	uint32_t ncolumns;      /* with the first */
	uint32_t heading;       /* CYCLES: string, a format that is told once a cycle */
	uint32_t heading_tuple; /* row of TYPES: its arguments, or IMAGE_NONE */
	uint32_t pad;
};

/* One expression in postfix: operations on a stack of numbers and values. */
struct image_column {
	uint32_t op; /* first row of OPS */
	uint32_t nops;
	uint32_t type; /* row of TYPES: what it is shown as */
	uint32_t pad;
};

enum image_op_code {
#define OP(id, name, pops, check, eval) IMAGE_OP_##id,
#include "image/ops.def"
#undef OP
	IMAGE_NOPS
};

enum image_op_part { /* of NUMBER: what an aggregation comes to */
		     IMAGE_PART_NUMBER,
		     IMAGE_PART_COUNT,
		     IMAGE_PART_TOTAL,
		     IMAGE_PART_AVERAGE,
		     IMAGE_NPARTS
};

struct image_op {
	uint16_t code;   /* enum image_op_code */
	uint16_t part;   /* enum image_op_part; or whether numbers are signed */
	uint32_t map;    /* row of MAPS, or IMAGE_NONE */
	uint32_t type;   /* row of TYPES: of the value that is taken, or IMAGE_NONE */
	uint32_t offset; /* of that value, bytes */
	int64_t value;   /* CONST: itself; TEXT: string; CAST: bytes */
};

/* Whether a column takes values of the type for numbers, whatever they are shown as; others
 * are bytes. */
bool image_is_number(const struct image_type *t);

/* No expression needs more values at a time. */
#define IMAGE_OP_STACK 64

/*
 * The control words: the one variable of section ".data.control" of the object
 * (without global data: element 0 of array map "control"). User space maps it.
 */
#define IMAGE_CONTROL_SECTION ".data.control"
#define IMAGE_CONTROL_MAP     "control"
#define IMAGE_EVENTS_MAP      "events"   /* the ring buffer */
#define IMAGE_PACKETS_MAP     "packets"  /* a perf event array */
#define IMAGE_SCRATCH_PREFIX  "scratch_" /* arrays that need an element for each processor */
struct image_control {
	uint32_t active;  /* the gate: 1 awake, 0 asleep; other values are free for later */
	uint32_t exiting; /* set by exit() */
	int64_t exit_code;
	uint64_t start_ns; /* the wake's moment on the clock that nsecs reads; 0 before */
	uint64_t cpid;     /* the -c child's pid, 0 without */
	/* unread bytes in the ring buffer beyond which printf and print of values give up, so
	 * that IMAGE_EVENTS_RESERVE bytes stay free; set by user space; 0: no limit */
	uint64_t events_limit;
	/* what TAI is ahead of the clock that nsecs reads, ns */
	int64_t tai_offset;
	/* the PID namespace that pids are shown in, as stat(2) has it; inode 0: the initial one */
	uint64_t pidns_dev, pidns_ino;
	/* what was lost, on a cache line of its own; added to atomically */
	uint64_t lost_events;  /* no room in the ring buffer */
	uint64_t lost_updates; /* a map was full */
	uint64_t lost_stacks;  /* a stack could not be stored */
	uint64_t read_errors;  /* failed reads of memory (all, -k or not) */
	uint64_t reserved2[4];
};

/*
 * The part of the ring buffer, in bytes, that only clear, zero, print of a map,
 * time and exit may use, so that no amount of printf crowds them out.
 */
#define IMAGE_EVENTS_RESERVE (128u * 1024)

/* ---- probes and attachments --------------------------------------------- */

struct image_probe {
	uint32_t name; /* fully expanded, as the builtin probe shows it */
	uint32_t type; /* string: "tracepoint" */
};

/* How a program is attached: one attacher each in src/probes/. */
enum image_attach_kind {
	IMAGE_AT_BEGIN,      /* test-run before waking */
	IMAGE_AT_END,        /* test-run after the last event */
	IMAGE_AT_TRACEPOINT, /* target "category:event", through perf */
	IMAGE_AT_RAW_TP,     /* target: the tracepoint's name */
	IMAGE_AT_BTF_TP,     /* likewise; the program's arguments have types to the verifier */
	IMAGE_AT_INTERVAL,   /* arg[0] period in ns: one CPU */
	IMAGE_AT_PROFILE,    /* arg[0] frequency in Hz, or 0 and arg[1] period in ns: all CPUs */
	IMAGE_AT_SOFTWARE,   /* arg[0] perf config, arg[1] period in events */
	IMAGE_AT_HARDWARE,
	IMAGE_AT_KPROBE, /* target: function; arg[0] offset */
	IMAGE_AT_KRETPROBE,
	IMAGE_AT_FENTRY,
	IMAGE_AT_FEXIT,
	IMAGE_AT_UPROBE, /* target "path", arg[0] file offset, arg[1] fingerprint of the file */
	IMAGE_AT_URETPROBE,
	IMAGE_AT_USDT,       /* as UPROBE; arg[2] file offset of the semaphore, 0: none */
	IMAGE_AT_WATCHPOINT, /* arg[0] address, or target: symbol; arg[1] length << 8 | bp_type */
	IMAGE_AT_ITER,       /* target "iterator" or "iterator:file to pin it to" */
	IMAGE_AT_SELF,       /* test-run on a signal to btrun */
	IMAGE_AT_TEST,
	IMAGE_AT_BENCH,
	IMAGE_NATTACH
};

enum image_attachment_flags {
	IMAGE_ATTACHMENT_AGAIN = 1, /* another place of a probe that an earlier row is of, too */
};

struct image_attachment {
	uint32_t kind;    /* enum image_attach_kind */
	uint32_t prog;    /* string: the program's name in the object */
	uint32_t target;  /* string */
	uint32_t probe;   /* first row of PROBES that it serves */
	uint32_t nprobes; /* how many: a shared system-call program serves many */
	uint32_t flags;   /* enum image_attachment_flags */
	uint64_t cookie;  /* what bpf_get_attach_cookie() gives: a program of several probes
			   * learns the row of PROBES from it */
	int64_t arg[3];
	uint64_t reserved;
};

/* ---- portable images ------------------------------------------------------ */

/*
 * What depends on the kernel, or on the arguments of a run, stands in the object as an
 * instruction that loads a 64-bit constant (lddw). Each is a row of SITES; the row of RELOCS
 * that it names says what the constant stands for. src/bind/ finds it out and puts it in
 * before the object is loaded, so that the verifier takes branches on it for decided. What
 * cannot be found makes the instruction one that the verifier refuses, if it ever gets there:
 * nothing reads at a wrong offset, and code for other kernels does no harm.
 */
enum image_reloc_kind {
	IMAGE_R_FIELD,        /* byte offset of member b ("a.b") of type a ("struct foo") */
	IMAGE_R_BITS,         /* likewise of a bit-field: how far above the byte it begins, bits */
	IMAGE_R_FIELD_EXISTS, /* 1 or 0; pointers on the way are followed */
	IMAGE_R_TYPE_SIZE,    /* bytes of type a */
	IMAGE_R_LAYOUT,       /* a number made of all that type a consists of */
	IMAGE_R_ENUM,         /* value of enumerator b */
	IMAGE_R_TRACEPOINT,   /* byte offset of field b in the record of tracepoint a */
	IMAGE_R_RAW_ARG,      /* byte offset in the context of argument b of raw tracepoint a */
	IMAGE_R_FUNC_ARG,     /* likewise of function a (fentry); b "": of what it returns */
	IMAGE_R_PROBE_EXISTS, /* 1 or 0: whether there is a probe a */
	IMAGE_R_PID,          /* the process of -p, 0: any */
	IMAGE_R_KERNEL,       /* 1: the running kernel is the one compiled on */
	IMAGE_R_ARGUMENT,     /* value of argument size (a row of ARGUMENTS); text: its length */
	IMAGE_R_TEXT,         /* eight bytes of it, from byte 8 * value on */
	IMAGE_R_ARGUMENT_IS,  /* 1 or 0: whether the text of argument size is b */
	IMAGE_R_NARGUMENTS,   /* how many positional ones there are */
	IMAGE_NRELOCS
};

enum image_reloc_flags {
	/* what it comes to has to be value, which the code was made for */
	IMAGE_RELOC_EXACT = 1,
	IMAGE_RELOC_AT_LEAST = 2, /* a field may be larger than size, too: text */
};

struct image_reloc {
	uint32_t kind; /* enum image_reloc_kind */
	uint32_t flags;
	uint32_t a, b;  /* strings */
	uint32_t size;  /* fields: bytes (bit-fields: bits) that it must have, 0: any number */
	uint32_t where; /* string: "file:line:col-col" */
	uint64_t value; /* what it was where the image was made */
};

enum image_site_how {
	IMAGE_SITE_VALUE,  /* the constant itself */
	IMAGE_SITE_OFFSET, /* offset of the load instruction that follows */
	IMAGE_NSITES
};

struct image_site {
	uint32_t offset; /* in the object, bytes */
	uint32_t reloc;
	uint32_t how; /* enum image_site_how */
	uint32_t pad;
};

/* Postfix, over rows of RELOCS: whether a program can ever do anything on this kernel. */
enum image_condition_op {
	IMAGE_C_VALUE, /* reloc's value, not 0; what cannot be found is 0 */
	IMAGE_C_TRUE,
	IMAGE_C_NOT,
	IMAGE_C_AND,
	IMAGE_C_OR,
	IMAGE_NCONDITIONS
};
#define IMAGE_MAX_CONDITION 64 /* operands that wait for their operators */

struct image_condition {
	uint32_t op;    /* enum image_condition_op */
	uint32_t reloc; /* VALUE */
};

enum image_point_flags {
	IMAGE_POINT_AGAIN = 1,   /* attachments are made anew of what the parts stand for */
	IMAGE_POINT_COOKIES = 2, /* their cookies are rows of PROBES */
};
#define IMAGE_POINT_PARTS 6

/* An attach point as the script has it: what a program's attachments come from. */
struct image_point {
	uint32_t prog; /* string: as in ATTACHMENTS */
	uint32_t flags;
	uint32_t condition, nconditions; /* rows of CONDITIONS, none: always */
	uint32_t type;                   /* string: the probe type's name */
	uint32_t nparts;
	uint32_t parts[IMAGE_POINT_PARTS]; /* strings */
	uint32_t operands; /* string: where the program looks for usdt arguments; "": nowhere */
	uint32_t where;    /* string: "file:line:col-col" */
};

enum image_need_kind { IMAGE_NEED_FEATURE, IMAGE_NEED_HELPER, IMAGE_NEED_MAP_TYPE, IMAGE_NNEEDS };

/* What the kernel has to have. */
struct image_need {
	uint32_t kind;  /* enum image_need_kind */
	uint32_t id;    /* enum bpf_func_id, bpf_map_type */
	uint32_t name;  /* string; of a feature: as --no-feature has it */
	uint32_t since; /* TARGET_VERSION */
};

#define IMAGE_MAX_TEXT 64 /* bytes of an argument that is text, NUL included */

/* What the script takes on its command line. */
struct image_argument {
	uint32_t kind;     /* IMAGE_K_INT, IMAGE_K_BOOL, IMAGE_K_STRING */
	uint32_t position; /* 1: $1; 0: named */
	uint32_t name;     /* string; "" for positional ones */
	uint32_t describe; /* string */
	uint32_t text;     /* string: of a STRING that is not given */
	uint32_t letter;   /* -x, 0: none; then the next word is the value of what is no BOOL */
	uint32_t pad;
	uint32_t fixed; /* string: "" or why it was fixed to that when it was compiled */
	uint64_t value; /* of others */
};

enum image_missing_probes { IMAGE_MISSING_ERROR, IMAGE_MISSING_WARN, IMAGE_MISSING_IGNORE };

/* Settings that the running half needs. */
struct image_config {
	uint32_t sync_probes;   /* the gate was generated */
	uint32_t global_data;   /* 0: control words are an array map */
	uint32_t ring_buffer;   /* 0: perf buffer */
	uint32_t perf_rb_pages; /* 0: by the machine's memory */
	uint32_t missing_probes;
	uint32_t print_maps_on_exit;
	uint32_t max_cat_bytes;
	uint32_t log_size; /* bytes of verifier log */
	uint32_t stack_mode;
	uint32_t cpp_demangle;
	uint32_t cache_user_symbols;
	uint32_t lazy_symbolication;
	uint32_t str_trunc_trailer; /* string */
	uint32_t script_name;       /* string, for messages */
	uint32_t uses_cpid;
	uint32_t boot_clock; /* 1: nsecs is the boot-time clock; 0: monotonic */
	uint32_t show_debug_info;
	uint32_t portable; /* 0: for one kernel alone, or bound to one */
	uint32_t compiler; /* string: "btrun v1.0" */
	uint32_t kernel;   /* string: what it was compiled on, or for */
	uint32_t machine;  /* string: as uname -m has it */
	uint32_t reserved[3];
};

/* ---- reading ------------------------------------------------------------ */

/* A checked view of a byte string that the caller keeps alive and unchanged. */
struct image {
	const uint8_t *data;
	size_t size;
	const char *strings;
	size_t strings_size;
	const void *object;
	size_t object_size;
	const struct image_type *types;
	const struct image_field *fields;
	const struct image_enumerator *enums;
	const struct image_map *maps;
	const struct image_action *actions;
	const struct image_probe *probes;
	const struct image_attachment *attachments;
	const struct image_table *tables;
	const struct image_column *columns;
	const struct image_op *ops;
	const struct image_config *config;
	uint32_t ntypes, nfields, nenums, nmaps, nactions, nprobes, nattachments;
	const struct image_need *needs;
	const struct image_reloc *relocs;
	const struct image_site *sites;
	const struct image_condition *conditions;
	const struct image_point *points;
	const struct image_argument *arguments;
	uint32_t nneeds, nrelocs, nsites, nconditions, npoints, narguments;
	const void *older; /* an image, checked by whoever opens it; NULL: none */
	size_t older_size;
	uint32_t ntables, ncolumns, nops;
};

/*
 * Checks @size bytes at @data (8-byte aligned) and fills @img. Returns 0, or
 * -EINVAL with the reason in @err (@errlen bytes). After 0 every index, string
 * and type in the tables may be used without further checks; types are not recursive.
 */
int image_open(struct image *img, const void *data, size_t size, char *err, size_t errlen);

/* The string at offset @off (checked on opening). */
static inline const char *image_str(const struct image *img, uint32_t off)
{
	return img->strings + off;
}

/* Buckets of a hist(v, bits): the number of u64 in its value. */
uint32_t image_hist_buckets(unsigned bits);
/* Bucket of @value in hist(v, @bits): 0 holds negatives, 1 holds zero.
 * Bucket layout for bits = 0: 0: v < 0; 1: v == 0; 2 + n: 2^n <= v < 2^(n+1). */
uint32_t image_hist_bucket(int64_t value, unsigned bits);
/* The range [*low, *high) of bucket @i; bucket 0 is (..., 0), with *low = INT64_MIN. */
void image_hist_range(uint32_t i, unsigned bits, int64_t *low, int64_t *high);
/*
 * Buckets of lhist(v, min, max, step): below, (max - min) / step rounded down, above.
 * Where step does not divide the range, the rest of it belongs to the bucket above,
 * as in bpftrace. 0 when the arguments make no histogram (step < 1, max < min).
 */
uint32_t image_lhist_buckets(int64_t min, int64_t max, int64_t step);
/* Bucket of @value: 0 below min, 1 + (value - min) / step, the last one from its start on. */
uint32_t image_lhist_bucket(int64_t value, int64_t min, int64_t max, int64_t step);

/* Bytes of one CPU's tseries(v, @interval_ns, @intervals); 0 when they make none. */
uint32_t image_tseries_size(int64_t interval_ns, int64_t intervals);

/* ---- making ------------------------------------------------------------- */

struct image_builder;

struct image_builder *image_builder_new(void);
void image_builder_free(struct image_builder *b);
/* Returns the offset of @s in the string section; equal strings share one. */
uint32_t image_add_string(struct image_builder *b, const char *s);
/* Each appends a copy of the row and returns its index. Equal types share one row
 * only when the caller says so (sema keeps its own table). */
uint32_t image_add_type(struct image_builder *b, const struct image_type *t);
uint32_t image_add_field(struct image_builder *b, const struct image_field *f);
uint32_t image_add_enumerator(struct image_builder *b, const struct image_enumerator *e);
uint32_t image_add_map(struct image_builder *b, const struct image_map *m);
uint32_t image_add_action(struct image_builder *b, const struct image_action *a);
uint32_t image_add_table(struct image_builder *b, const struct image_table *t);
uint32_t image_add_column(struct image_builder *b, const struct image_column *c);
uint32_t image_add_op(struct image_builder *b, const struct image_op *op);
uint32_t image_add_probe(struct image_builder *b, const struct image_probe *p);
uint32_t image_add_attachment(struct image_builder *b, const struct image_attachment *a);
uint32_t image_add_need(struct image_builder *b, const struct image_need *n);
uint32_t image_add_reloc(struct image_builder *b, const struct image_reloc *r);
uint32_t image_add_site(struct image_builder *b, const struct image_site *s);
uint32_t image_add_condition(struct image_builder *b, const struct image_condition *c);
uint32_t image_add_point(struct image_builder *b, const struct image_point *p);
uint32_t image_add_argument(struct image_builder *b, const struct image_argument *a);
/* Puts an image for older kernels into this one; copies it. */
void image_set_older(struct image_builder *b, const void *data, size_t size);
/* A builder that holds what @img holds, all indices and strings the same, to be added to. */
struct image_builder *image_builder_from(const struct image *img);
/* Leaves out all rows of section @id that were added so far. */
void image_builder_clear(struct image_builder *b, enum image_section_id id);
void image_set_config(struct image_builder *b, const struct image_config *c);
/* Copies the object. */
void image_set_object(struct image_builder *b, const void *data, size_t size);
/* Returns the finished image (malloc; the caller frees), its size in *@size. */
void *image_finish(struct image_builder *b, size_t *size);

/* Prints all tables in words (-d image). */
#include <stdio.h>
void image_print(FILE *out, const struct image *img);
/* The script's options, as btrun prints those of a script for --help behind --. */
void image_print_arguments(FILE *out, const struct image *img);
/* Names, for messages and image_print: "tracepoint", "int64", ... */
const char *image_kind_name(uint32_t kind);
const char *image_attach_name(uint32_t kind);
const char *image_action_name(uint32_t kind);
/* A relocation in words: "the offset of rq_disk in struct request". */
void image_reloc_words(const struct image *img, uint32_t row, char *text, size_t size);
const char *image_op_name(uint32_t code);

#endif
