/* SPDX-License-Identifier: Apache-2.0 */
/* btrun-run: runs a compiled script. Linked without the compiling half. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/embedded.h"
#include "image/unwind.h"
#include "runtime/runtime.h"

static void usage(FILE *out)
{
	fputs("USAGE:\n"
	      "    btrun-run [options] IMAGE\n"
	      "    PROGRAM [options]    where btrun --aot PROGRAM has made one\n"
	      "\n"
	      "OPTIONS:\n"
	      "    -B MODE        output buffering mode ('full', 'none')\n"
	      "    -f FORMAT      output format ('text', 'json', 'folded', 'flamegraph')\n"
	      "    -o FILE        redirect program output to FILE\n"
	      "    -p PID         filter actions and enable USDT probes on PID\n"
	      "    -c 'CMD'       run CMD and enable USDT probes on resulting process\n"
	      "    --dwarf-pid PID\n"
	      "                   let dw_ustack() walk stacks of process PID, too\n"
	      "    -d STAGE       debug info for 'image', 'libbpf' or 'verifier'\n"
	      "    -q             keep messages quiet\n"
	      "    -v             verbose messages\n"
	      "    --test         run the script's test probes\n"
	      "    --bench        run and time the script's bench probes\n"
	      "    --dry-run      terminate after attaching\n"
	      "    --no-sync      let each probe record from the moment it is attached\n"
	      "    --unsafe       allow unsafe builtins\n"
	      "    -h             show this help message\n"
	      "    -V             btrun version\n",
	      out);
}

static int bad(const char *what, const char *value)
{
	fprintf(stderr, "ERROR: %s: %s\n", what, value);
	return 1;
}

/* The whole file, 8-byte aligned (malloc), or NULL with errno set. */
static void *read_image(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data = NULL;
	size_t done = 0;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		data = malloc(st.st_size + 1);
	while (data && done < (size_t)st.st_size) {
		ssize_t n = read(fd, data + done, st.st_size - done);

		if (n <= 0)
			break;
		done += n;
	}
	close(fd);
	*size = done;
	return data;
}

static bool parse_buffering(const char *arg, enum output_buffering *mode)
{
	static const struct {
		const char *name;
		enum output_buffering mode;
	} modes[] = {{"line", OUTPUT_LINE}, {"full", OUTPUT_FULL}, {"none", OUTPUT_NONE}};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, arg))
			continue;
		*mode = modes[i].mode;
		return true;
	}
	return false;
}

static bool parse_pid(const char *arg, int *pid)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	*pid = n;
	return !errno && *arg && !*end && n > 0 && n <= 0x400000;
}

static bool parse_debug(const char *arg, struct runtime_options *o, bool *image)
{
	if (!strcmp(arg, "image"))
		*image = true;
	else if (!strcmp(arg, "libbpf"))
		o->debug |= RUNTIME_DEBUG_LIBBPF;
	else if (!strcmp(arg, "verifier"))
		o->debug |= RUNTIME_DEBUG_VERIFIER;
	else
		return false;
	return true;
}

/* Runs the image and frees it. */
static int run_image(const char *path, void *data, size_t size, const struct runtime_options *o,
		     bool show)
{
	struct target *target;
	struct image img;
	char err[256];
	int status = 1;

	if (image_open(&img, data, size, err, sizeof(err))) {
		fprintf(stderr, "ERROR: %s: %s\n", path, err);
	} else if (show) {
		image_print(stdout, &img);
		status = 0;
	} else {
		target = target_open_running();
		status = runtime_run(&img, target, o);
		target_close(target);
	}
	free(data);
	return status;
}

static int run_file(const char *path, const struct runtime_options *o, bool show)
{
	size_t size;
	void *data = read_image(path, &size);

	if (data)
		return run_image(path, data, size, o, show);
	fprintf(stderr, "ERROR: failed to open file '%s': %s\n", path, strerror(errno));
	return 1;
}

enum { OPT_DRY_RUN = 256, OPT_DWARF_PID, OPT_UNSAFE, OPT_NO_SYNC, OPT_TEST, OPT_BENCH };

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"dry-run", no_argument, NULL, OPT_DRY_RUN},
		{"dwarf-pid", required_argument, NULL, OPT_DWARF_PID},
		{"unsafe", no_argument, NULL, OPT_UNSAFE},
		{"test", no_argument, NULL, OPT_TEST},
		{"bench", no_argument, NULL, OPT_BENCH},
		{"no-sync", no_argument, NULL, OPT_NO_SYNC},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"quiet", no_argument, NULL, 'q'},
		{0},
	};
	int dwarf_pids[IMAGE_UNWIND_MAX_PROCESSES + 1] = {0};
	size_t ndwarf = 0;
	struct runtime_options o = {0};
	bool show = false;
	size_t size;
	void *own = embedded_image(&size);
	int c;

	while ((c = getopt_long(argc, argv, "+p:c:o:f:B:d:qvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (!parse_pid(optarg, &o.pid))
				return bad("Failed to parse pid", optarg);
			break;
		case 'c':
			o.command = optarg;
			break;
		case 'o':
			o.output = optarg;
			break;
		case 'f':
			o.format = optarg;
			break;
		case 'B':
			if (!parse_buffering(optarg, &o.buffering))
				return bad("-B must be either 'full' or 'none'", optarg);
			break;
		case 'd':
			if (!parse_debug(optarg, &o, &show))
				return bad("unknown debug stage", optarg);
			break;
		case 'q':
			o.quiet = true;
			break;
		case 'v':
			o.verbose = true;
			break;
		case OPT_DWARF_PID:
			if (ndwarf + 1 >= sizeof(dwarf_pids) / sizeof(dwarf_pids[0]) ||
			    !parse_pid(optarg, &dwarf_pids[ndwarf]))
				return bad("Failed to parse pid", optarg);
			ndwarf++;
			o.dwarf_pids = dwarf_pids;
			break;
		case OPT_DRY_RUN:
			o.dry_run = true;
			break;
		case OPT_UNSAFE:
			o.unsafe = true;
			break;
		case OPT_TEST:
			o.mode = RUNTIME_TEST;
			break;
		case OPT_BENCH:
			o.mode = RUNTIME_BENCH;
			break;
		case OPT_NO_SYNC:
			o.no_sync = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("btrun v" BTRUN_VERSION);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (argc - optind != !own) {
		usage(stderr);
		if (own)
			fputs("\nThe script in it was compiled with its parameters.\n", stderr);
		return 1;
	}
	if (geteuid()) {
		fprintf(stderr, "ERROR: %s must run as root.\n", program_invocation_short_name);
		return 1;
	}
	return own ? run_image(argv[0], own, size, &o, show) : run_file(argv[optind], &o, show);
}
