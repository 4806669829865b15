/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "symbols/dw_api.h"

#define LIBRARY "libdw.so.1"

static struct {
	struct dw_api api;
	bool usable;
	pthread_once_t once;
} loaded = {.once = PTHREAD_ONCE_INIT};

static bool fill(struct dw_api *api)
{
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = {
#define X(name) {#name, offsetof(struct dw_api, name)},
		DW_FUNCTIONS(X)
#undef X
	};
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return false;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = dlsym(lib, functions[i].name);

		if (!f)
			return false;
		*(void **)((char *)api + functions[i].offset) = f;
	}
	return true;
}

static void load(void)
{
	loaded.usable = fill(&loaded.api);
}

const struct dw_api *dw_api(void)
{
	pthread_once(&loaded.once, load);
	return loaded.usable ? &loaded.api : NULL;
}
