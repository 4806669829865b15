/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzzer's target, without the fuzzer, on the files named on the command line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_INPUT (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = malloc(MAX_INPUT);
	size_t size;

	if (!f || !data) {
		fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	size = fread(data, 1, MAX_INPUT, f);
	fclose(f);
	data = realloc(data, size + 1); /* reading beyond it is noticed */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return 0;
}
