/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling for kernels that are not at hand. */
#ifndef BT_CLI_PORTABLE_H
#define BT_CLI_PORTABLE_H

#include "cli/options.h"
#include "codegen/compile.h"

/*
 * As compile_script(), for an image that runs on other kernels, too: out->image holds one for
 * newer kernels and within it, where the script makes use of what older ones lack, one for
 * those. out->sema refers to no target any more.
 */
int cli_compile_portable(const struct cli_options *o, const struct compile_input *in,
			 struct compile_output *out);

#endif
