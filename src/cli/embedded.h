/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executable of its own (--aot): btrun-run with an image behind it, which it finds by the
 * file's last bytes.
 */
#ifndef BT_CLI_EMBEDDED_H
#define BT_CLI_EMBEDDED_H

#include <stddef.h>

/*
 * The image behind the program that is running (malloc, 8-byte aligned), its size in *@size; NULL
 * where there is none.
 */
void *embedded_image(size_t *size);
/*
 * The @runner_size bytes of btrun-run at @runner with the image behind it (malloc), the size in
 * *@size. NULL without memory.
 */
void *embedded_program(const void *runner, size_t runner_size, const void *image, size_t image_size,
		       size_t *size);

#endif
