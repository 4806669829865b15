/* SPDX-License-Identifier: Apache-2.0 */
/* Finds libclang: the version that btrun was built with first, then any other. */
#include "types/clang_api.h"

#include <dlfcn.h>
#include <stdio.h>

#define OLDEST_VERSION 13
#define NEWEST_VERSION 24
#define BUILT_VERSION  19

/* Debian names the library by LLVM's version, others by that of the interface. */
static void *open_version(int version)
{
	char names[4][64];
	void *handle = NULL;

	snprintf(names[0], sizeof(names[0]), "libclang-%d.so.%d", version, version);
	snprintf(names[1], sizeof(names[1]), "libclang-%d.so.1", version);
	snprintf(names[2], sizeof(names[2]), "libclang.so.%d", version);
	snprintf(names[3], sizeof(names[3]), "/usr/lib/llvm-%d/lib/libclang.so.1", version);
	for (int i = 0; i < 4 && !handle; i++)
		handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return handle;
}

static void *open_any(void)
{
	void *handle = open_version(BUILT_VERSION);

	for (int v = NEWEST_VERSION; !handle && v >= OLDEST_VERSION; v--)
		handle = open_version(v);
	return handle ? handle : dlopen("libclang.so", RTLD_NOW | RTLD_LOCAL);
}

bool clang_api_load(struct clang_api *c, char *err, size_t errlen)
{
	void *lib = open_any();

	if (!lib) {
		snprintf(err, errlen, "C definitions need libclang, and libclang-%d.so is not here",
			 BUILT_VERSION);
		return false;
	}
#define X(name)                                                                                    \
	c->name = (__typeof__(c->name))dlsym(lib, "clang_" #name);                                 \
	if (!c->name) {                                                                            \
		snprintf(err, errlen, "libclang has no clang_" #name "(): it is too old");         \
		return false;                                                                      \
	}
	CLANG_FUNCTIONS(X)
#undef X
	return true;
}
