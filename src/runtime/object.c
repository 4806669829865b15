/* SPDX-License-Identifier: Apache-2.0 */
/* The BPF object: opened from the image, sized, loaded; its failures put into words. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/internal.h"

#define LOG_TAIL_LINES   20
#define VERIFIER_LOG_MAX ((16u << 20) - 1) /* what kernels before 5.19 take at most */
#define RING_CEILING_KB  16544             /* the most, and the least, taken unasked */
#define RING_FLOOR_KB    256

/* ---- what libbpf says ---------------------------------------------------------- */

struct message_log {
	FILE *stream; /* into text */
	char *text;
	size_t size;
	bool echo; /* -d libbpf */
};

/* libbpf's callback takes no argument; loading happens in one thread, start to end. */
static _Thread_local struct message_log *current_log;

static int take_message(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static const char *const names[] = {"WARN", "INFO", "DEBUG"};
	struct message_log *log = current_log;
	va_list again;

	if (!log)
		return 0;
	if (log->echo) {
		va_copy(again, ap);
		printf("[%s] ", level <= LIBBPF_DEBUG ? names[level] : "DEBUG");
		vprintf(fmt, again);
		va_end(again);
	}
	if (level == LIBBPF_WARN && log->stream)
		vfprintf(log->stream, fmt, ap);
	return 0;
}

/* ---- failures in words ----------------------------------------------------------- */

#define LOG_BEGIN "-- BEGIN PROG LOAD LOG --\n"
#define LOG_END   "-- END PROG LOAD LOG --"

/* "prog 'NAME': -- BEGIN ...": the name, in @name. */
static bool refused_program(const char *text, const char *log, char *name, size_t size)
{
	const char *line = log, *quote;

	while (line > text && line[-1] != '\n')
		line--;
	quote = strchr(line, '\'');
	if (!quote || quote > log)
		return false;
	snprintf(name, size, "%.*s", (int)strcspn(quote + 1, "'"), quote + 1);
	return true;
}

static const char *probe_of_program(const struct image *img, const char *name)
{
	for (uint32_t i = 0; i < img->nattachments; i++)
		if (!strcmp(image_str(img, img->attachments[i].prog), name))
			return image_str(img, img->probes[img->attachments[i].probe].name);
	return name;
}

static const char *tail(const char *text, const char *end, unsigned lines)
{
	const char *p = end;

	while (p > text) {
		if (p[-1] == '\n' && p != end && !lines--)
			break;
		p--;
	}
	return p;
}

/* The last line of the log before @end that starts with @mark; NULL when there is none. */
static const char *last_line(const char *log, const char *end, const char *mark)
{
	size_t len = strlen(mark);

	for (const char *p = end; p > log; p--)
		if ((p - 1 == log || p[-2] == '\n') && !strncmp(p - 1, mark, len))
			return p - 1;
	return NULL;
}

/*
 * The kernel shows the script's line before the instructions made from it:
 * "; TEXT @ FILE:LINE" (without the place before Linux 6.9).
 */
static void print_script_line(const char *log, const char *end)
{
	const char *line = last_line(log, end, "; "), *at = NULL;
	int len = line ? (int)strcspn(line, "\n") : 0;

	for (int i = 2; i + 3 < len; i++)
		if (!strncmp(line + i, " @ ", 3))
			at = line + i;
	if (!line)
		return;
	if (!at)
		fprintf(stderr, "The script's line: %.*s\n", len - 2, line + 2);
	else if (at == line + 1 || at == line + 2)
		fprintf(stderr, "The script's line: %.*s\n", (int)(line + len - at) - 3, at + 3);
	else
		fprintf(stderr, "The script's line: %.*s: %.*s\n", (int)(line + len - at) - 3,
			at + 3, (int)(at - line) - 2, line + 2);
}

static void explain_refusal(const struct run *r, const char *text, const char *log, int err)
{
	const char *end, *from;
	char name[128];

	if (!refused_program(text, log, name, sizeof(name)))
		return;
	log += strlen(LOG_BEGIN);
	end = strstr(log, LOG_END);
	end = end ? end : log + strlen(log);
	while (end > log && end[-1] != '\n') /* libbpf's own prefix of the closing line */
		end--;
	run_error("Error loading BPF program for %s. Error code: %d (%s).",
		  probe_of_program(r->img, name), err, strerror(-err));
	print_script_line(log, end);
	from = r->opts->verbose ? log : tail(log, end, LOG_TAIL_LINES);
	if (from != log)
		fprintf(stderr, "The end of the kernel's log (use -v for all of it):\n");
	fwrite(from, 1, end - from, stderr);
}

static void explain_load_failure(const struct run *r, const struct message_log *log, int err)
{
	const char *found = log->text ? strstr(log->text, LOG_BEGIN) : NULL;

	if (found) {
		for (; found; found = strstr(found + 1, LOG_BEGIN))
			explain_refusal(r, log->text, found, err);
		return;
	}
	run_error("The kernel refused the BPF object. Error code: %d (%s).", err, strerror(-err));
	if (log->text && *log->text)
		fputs(log->text, stderr);
}

/* ---- the size of the ring ---------------------------------------------------------- */

uint32_t ring_buffer_size(uint32_t pages, uint64_t available_kb, uint32_t page_size)
{
	uint64_t bytes = (uint64_t)pages * page_size, size = page_size;

	if (!pages) {
		uint64_t kb = available_kb < RING_CEILING_KB ? available_kb : RING_CEILING_KB;

		bytes = (kb > RING_FLOOR_KB ? kb : RING_FLOOR_KB) * 1024;
		bytes -= bytes / 4; /* a little above a power of two is not its double */
	}
	/* the part kept free for clear, exit and the like must leave room for the rest */
	if (bytes < 2 * IMAGE_EVENTS_RESERVE)
		bytes = 2 * IMAGE_EVENTS_RESERVE;
	while (size < bytes && size < 1u << 30)
		size *= 2;
	return size;
}

static uint64_t available_memory_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kb = RING_CEILING_KB, v;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &v) == 1)
			kb = v;
	if (f)
		fclose(f);
	return kb;
}

/* Whether events carry data; those that only ask for something are few and small. */
static bool sends_data(const struct image *img)
{
	for (uint32_t i = 0; i < img->nactions; i++)
		if (img->actions[i].kind == IMAGE_A_PRINTF ||
		    (img->actions[i].type != IMAGE_NONE &&
		     img->actions[i].kind != IMAGE_A_REMEMBER))
			return true;
	return false;
}

/* The ring is mapped twice over and counts as our memory: no more of it than there is use for. */
static int size_events(struct run *r)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, IMAGE_EVENTS_MAP);
	uint64_t kb = sends_data(r->img) ? available_memory_kb() : 0;

	if (!map || bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF)
		return 0;
	return bpf_map__set_max_entries(
		map, ring_buffer_size(r->img->config->perf_rb_pages, kb, sysconf(_SC_PAGESIZE)));
}

/* libbpf asks for a mappable section only when BTF describes a variable in it; we always want it.
 */
static int make_control_mappable(struct run *r)
{
	const char *name = r->img->config->global_data ? IMAGE_CONTROL_SECTION : IMAGE_CONTROL_MAP;
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, name);

	if (!map || !target_has(r->target, TARGET_F_MMAPABLE))
		return 0;
	return bpf_map__set_map_flags(map, bpf_map__map_flags(map) | BPF_F_MMAPABLE);
}

/*
 * Different stacks that a map keeps. Where memory must be there from the start, a map of them
 * is as large as it may be without being felt.
 */
#define STACKS_MAX       (128u << 10)
#define STACKS_MAX_BYTES (16u << 20)
#define STACKS_MIN       1024u

static uint32_t stacks_kept(const struct run *r, const struct bpf_map *map)
{
	uint32_t n = STACKS_MAX_BYTES / bpf_map__value_size(map);

	if (target_has(r->target, TARGET_F_LAZY_HASH))
		return STACKS_MAX;
	return n > STACKS_MIN ? n : STACKS_MIN;
}

static int size_stacks(struct run *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->img->nmaps && !err; i++) {
		const char *name = image_str(r->img, r->img->maps[i].elf_name);
		struct bpf_map *map;

		if (!(r->img->maps[i].flags & IMAGE_MAP_STACKS))
			continue;
		map = bpf_object__find_map_by_name(r->obj, name);
		if (!map || bpf_map__value_size(map) < 16)
			continue; /* left out by the optimiser */
		err = bpf_map__set_max_entries(map, stacks_kept(r, map));
		if (!err && target_has(r->target, TARGET_F_LAZY_HASH))
			err = bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
	}
	return err;
}

/* Large scratch memory lies in plain arrays: an element for each processor there may be. */
static int size_scratch(struct run *r)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, r->obj)
	{
		if (!err && !strncmp(bpf_map__name(map), IMAGE_SCRATCH_PREFIX,
				     strlen(IMAGE_SCRATCH_PREFIX)))
			err = bpf_map__set_max_entries(map, libbpf_num_possible_cpus());
	}
	return err;
}

/* ---- verifier logs on demand --------------------------------------------------------- */

/* Gives every program a buffer of its own for -d verifier. */
static void ask_for_logs(struct run *r)
{
	uint32_t size = r->img->config->log_size;
	struct bpf_program *prog;

	if (size < 1 << 20)
		size = 1 << 20;
	if (size > VERIFIER_LOG_MAX)
		size = VERIFIER_LOG_MAX;
	bpf_object__for_each_program(prog, r->obj)
	{
		char *buf = calloc(1, size);

		if (!buf)
			return;
		bpf_program__set_log_buf(prog, buf, size);
		bpf_program__set_log_level(prog, 1);
	}
}

static void show_logs(struct run *r)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, r->obj)
	{
		size_t size;
		const char *log = bpf_program__log_buf(prog, &size);

		if (!log)
			continue;
		printf("BPF verifier log for %s:\n--------------------------------------\n%s\n",
		       bpf_program__name(prog), log);
		bpf_program__set_log_buf(prog, NULL, 0);
		free((void *)log);
	}
}

/* ---- programs that are attached in bulk ---------------------------------------------- */

uint32_t object_same_program(const struct run *r, const struct image_attachment *at)
{
	const struct image_attachment *end = r->img->attachments + r->img->nattachments;
	uint32_t n = 1;

	while (at + n < end && at[n].prog == at->prog && at[n].kind == at->kind)
		n++;
	return n;
}

bool object_attaches_many(const struct run *r, const struct image_attachment *at, uint32_t n)
{
	const struct attacher *a = attacher_find(at->kind);

	return n > 1 && a && a->can_attach_many &&
	       a->can_attach_many(r->target, traced_pid(r), r->img, at, n);
}

/* What a program may be attached to is settled when it is loaded. */
static int choose_attach_types(struct run *r)
{
	uint32_t n;

	for (uint32_t i = 0; i < r->img->nattachments; i += n) {
		const struct image_attachment *at = &r->img->attachments[i];
		struct bpf_program *prog;
		int err;

		n = object_same_program(r, at);
		if (!object_attaches_many(r, at, n))
			continue;
		prog = object_program(r, at);
		if (!prog)
			return -ENOENT;
		err = bpf_program__set_expected_attach_type(prog,
							    attacher_find(at->kind)->many_type);
		if (err)
			return err;
	}
	return 0;
}

/* ---- loading ---------------------------------------------------------------------------- */

static int open_object(struct run *r)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "btrun");

	r->obj = bpf_object__open_mem(r->img->object, r->img->object_size, &opts);
	if (r->obj)
		return 0;
	return errno ? -errno : -EINVAL;
}

static int load_object(struct run *r, struct message_log *log)
{
	int err = open_object(r);

	if (!err)
		err = size_events(r);
	if (!err)
		err = make_control_mappable(r);
	if (!err)
		err = size_stacks(r);
	if (!err)
		err = choose_attach_types(r);
	if (!err)
		err = size_scratch(r);
	if (!err)
		err = unwind_prepare(r);
	if (!err)
		err = prepare_programs(r);
	if (err)
		return err;
	if (r->opts->debug & RUNTIME_DEBUG_VERIFIER)
		ask_for_logs(r);
	err = bpf_object__load(r->obj);
	fflush(log->stream);
	if (err)
		explain_load_failure(r, log, err);
	if (r->opts->debug & RUNTIME_DEBUG_VERIFIER)
		show_logs(r);
	return err;
}

static int find_maps(struct run *r)
{
	r->map_fds = calloc(r->img->nmaps + 1, sizeof(*r->map_fds));
	r->map_value_sizes = calloc(r->img->nmaps + 1, sizeof(*r->map_value_sizes));
	r->was_zeroed = calloc(r->img->nmaps + 1, sizeof(*r->was_zeroed));
	if (!r->map_fds || !r->map_value_sizes || !r->was_zeroed)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->img->nmaps; i++) {
		const char *name = image_str(r->img, r->img->maps[i].elf_name);
		struct bpf_map *map = bpf_object__find_map_by_name(r->obj, name);

		/* internal ones may have been left out by the optimiser */
		r->map_fds[i] = map ? bpf_map__fd(map) : -1;
		r->map_value_sizes[i] = map ? bpf_map__value_size(map) : 0;
		if (map || r->img->maps[i].flags & IMAGE_MAP_INTERNAL)
			continue;
		run_error("The object has no map '%s'", name);
		return -ENOENT;
	}
	return 0;
}

int object_load(struct run *r)
{
	struct message_log log = {.echo = r->opts->debug & RUNTIME_DEBUG_LIBBPF};
	libbpf_print_fn_t old;
	int err;

	log.stream = open_memstream(&log.text, &log.size);
	if (!log.stream)
		return -ENOMEM;
	old = libbpf_set_print(take_message);
	current_log = &log;
	err = load_object(r, &log);
	if (err && !r->obj) {
		fflush(log.stream);
		run_error("The image holds no BPF object that can be read: %s\n%s", strerror(-err),
			  log.text);
	}
	current_log = NULL;
	libbpf_set_print(old);
	fclose(log.stream);
	free(log.text);
	return err ? err : find_maps(r);
}

/* ---- programs ------------------------------------------------------------------------------ */

struct bpf_program *object_program(const struct run *r, const struct image_attachment *at)
{
	const char *name = image_str(r->img, at->prog);
	struct bpf_program *prog = bpf_object__find_program_by_name(r->obj, name);

	if (!prog)
		run_error("The object has no program '%s'", name);
	return prog;
}

int object_run_programs(struct run *r, uint32_t kind)
{
	for (uint32_t i = 0; i < r->img->nattachments; i++) {
		const struct image_attachment *at = &r->img->attachments[i];
		struct bpf_program *prog;
		int err;

		if (at->kind != kind)
			continue;
		/* exit() keeps what would come after it from starting. */
		if (kind == IMAGE_AT_BEGIN && control_read(&r->control)->exiting)
			break;
		prog = object_program(r, at);
		if (!prog)
			return -ENOENT;
		err = run_program(r, prog);
		if (err) {
			run_error("Unable to run probe: %s (%s)",
				  image_str(r->img, r->img->probes[at->probe].name),
				  strerror(-err));
			return err;
		}
	}
	return 0;
}
