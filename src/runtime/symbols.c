/* SPDX-License-Identifier: Apache-2.0 */
/* Names of addresses: what the image asks for, and whose names must be known early. */
#include <string.h>

#include "runtime/stages.h"

bool shows_user_addresses(const struct image *img)
{
	for (uint32_t i = 0; i < img->ntypes; i++)
		if (img->types[i].kind == IMAGE_K_USTACK || img->types[i].kind == IMAGE_K_USYM)
			return true;
	return false;
}

static bool is_first(const struct image *img, uint32_t row)
{
	for (uint32_t i = 0; i < row; i++)
		if (img->attachments[i].target == img->attachments[row].target)
			return false;
	return true;
}

/* Addresses are the same in each process, or there is one that counts. */
static bool addresses_are_fixed(const struct run *r)
{
	char *text = r->opts->command ? NULL : "";
	FILE *f;
	int c;

	if (!text)
		return true;
	f = fopen("/proc/sys/kernel/randomize_va_space", "re");
	c = f ? getc(f) : '2';
	if (f)
		fclose(f);
	return c == '0';
}

int open_symbols(struct run *r)
{
	const struct image_config *c = r->img->config;
	struct symbols_options o = {
		.demangle = c->cpp_demangle,
		.debug_info = c->show_debug_info,
		.cache = c->cache_user_symbols,
		.debug_dirs = r->opts->debug_dirs,
	};

	if (o.cache == SYMBOLS_CACHE_PER_PID && addresses_are_fixed(r))
		o.cache = SYMBOLS_CACHE_PER_PROGRAM;
	r->sym = symbols_new(&o);
	return r->sym ? 0 : -1;
}

/* First its program; then what that is linked with, if it comes so far. */
void remember_child(struct run *r)
{
	symbols_remember(r->sym, r->child.pid);
	unwind_add_process(r, r->child.pid);
	if (child_run_to_entry(&r->child))
		return;
	symbols_remember(r->sym, r->child.pid);
	unwind_add_process(r, r->child.pid);
}

void remember_programs(struct run *r)
{
	const struct image *img = r->img;

	if (!shows_user_addresses(img))
		return;
	for (uint32_t i = 0; i < img->nattachments; i++) {
		const char *target = image_str(img, img->attachments[i].target);

		if (*target == '/' && is_first(img, i))
			symbols_remember_program(r->sym, target);
	}
	if (r->opts->pid)
		symbols_remember(r->sym, r->opts->pid);
}
