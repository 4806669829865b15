/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/message.h"

int cli_check_privileges(void)
{
	if (!geteuid())
		return 0;
	cli_error("%s currently only supports running as the root user.", cli_name());
	return -EPERM;
}

static int check_pid(const struct cli_options *o)
{
	int fd;

	if (!o->pid_text)
		return 0;
	fd = syscall(SYS_pidfd_open, o->run.pid, 0);
	if (fd < 0 && errno == ENOSYS) /* before Linux 5.3 */
		return 0;
	if (fd < 0) {
		cli_error("Failed to attach to pid: Unable to open pidfd (%s)", strerror(errno));
		return -EINVAL;
	}
	close(fd);
	return 0;
}

static int disable_features(const struct cli_options *o, struct target *t)
{
	char err[128] = "";

	if (!o->no_feature || !target_disable(t, o->no_feature, err, sizeof(err)))
		return 0;
	fflush(stdout);
	cli_error("USAGE: --no-feature: unknown feature '%s'; the features are:", err);
	for (unsigned f = 0; f < TARGET_NFEATURES; f++)
		fprintf(stderr, "%s%s", f ? "," : "", target_feature_name(f));
	fputc('\n', stderr);
	return -EINVAL;
}

struct target *cli_open_target(const struct cli_options *o)
{
	struct target *t;

	if (cli_check_privileges() || check_pid(o))
		return NULL;
	t = target_open_running();
	if (o->target_kernel)
		target_set_version(t, o->target_kernel);
	target_hide_probes(t, o->no_probe);
	target_set_pid(t, o->run.pid);
	target_set_debug_dirs(t, o->debug_dirs);
	if (!disable_features(o, t))
		return t;
	target_close(t);
	return NULL;
}

int cli_flush_stdout(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (status == EXIT_SUCCESS)
		cli_error("Failed to write output: %s", strerror(errno));
	return EXIT_FAILURE;
}
