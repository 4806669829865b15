/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols of a program or library, functions or data: where they are from where a probe is. */
#include "probes/probes.h"

#include <errno.h>
#include <string.h>

#include "probes/elf_file.h"

struct search {
	const char *name;
	struct elf_function found;
};

static int is_wanted(const struct elf_function *fn, void *arg)
{
	struct search *s = arg;

	if (strcmp(fn->name, s->name))
		return 0;
	s->found = *fn;
	return 1;
}

int probe_user_symbol(const char *path, uint64_t offset, const char *name,
		      struct probe_user_symbol *sym)
{
	struct search s = {.name = name};
	struct elf_file f;
	uint64_t at;
	int err = elf_file_open(&f, path);

	if (err)
		return err;
	if (elf_file_each_symbol(&f, is_wanted, &s) != 1)
		err = -ENOENT;
	else if (f.relocatable && !elf_file_address(&f, offset, &at))
		err = -EINVAL;
	if (!err)
		*sym = (struct probe_user_symbol){
			.address = f.relocatable ? s.found.addr - at : s.found.addr,
			.size = s.found.size,
			.relative = f.relocatable,
		};
	elf_file_close(&f);
	return err;
}
