/* SPDX-License-Identifier: Apache-2.0 */
/* What the object holds beside programs: maps, control words, license. */
#include <stddef.h>
#include <string.h>

#include <linux/bpf.h>

#include "codegen/cg.h"

#define SCRATCH_MAP    "scratch"
#define ZEROS_MAP      "zeros"
#define REMEMBERED_MAP "processes"
#define REMEMBERED_MAX 8192
/* The runtime sets the real size of the ring buffer before it loads the object. */
#define EVENTS_SIZE_DEFAULT (256 * 1024)

struct cg_map *cg_map_new(struct codegen *cg, const char *elf_name, uint32_t type)
{
	struct cg_map *m = arena_new_of(cg->arena, struct cg_map);
	/* four pointers: libbpf only looks at the type that the debug metadata gives */
	LLVMTypeRef def = LLVMArrayType2(cg->i64, 4);

	m->elf_name = elf_name;
	m->type = type;
	m->max_entries = 1;
	m->var = LLVMAddGlobal(cg->mod, def, elf_name);
	LLVMSetInitializer(m->var, LLVMConstNull(def));
	LLVMSetSection(m->var, ".maps");
	LLVMSetAlignment(m->var, 8);
	vec_push(cg->arena, &cg->maps, m);
	return m;
}

static void add_script_map(struct codegen *cg, const struct sema_map *sm)
{
	struct cg_map *m = cg_map_new(cg, sm->elf_name, sm->bpf_type);

	cg_check_map_type(cg, sm->first, sm->bpf_type);
	if (sm->key && sm->key->size > TARGET_MAX_KEY)
		cg_needs(cg, TARGET_F_LARGE_KEYS,
			 arena_printf(cg->arena, "a map key of %u bytes", sm->key->size));
	m->key_size = sm->key ? sm->key->size : 4;
	m->value_size = ((cg_map_value_off(sm) + sm->value->size) + 7) & ~7u;
	m->max_entries = sm->key ? sm->max_entries : 1;
}

uint32_t cg_stack_frame_size(const struct type *t)
{
	return t->arg[1] == IMAGE_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id) : 8;
}

/* How many stacks it holds is settled when it is loaded. */
static void add_stack_map(struct codegen *cg, const struct sema_stack_map *ss)
{
	struct cg_map *m = cg_map_new(cg, ss->elf_name, BPF_MAP_TYPE_HASH);

	m->key_size = 8;
	m->value_size =
		8 + ss->depth * (ss->build_ids ? (uint32_t)sizeof(struct bpf_stack_build_id) : 8);
}

static struct cg_map *find_map(struct codegen *cg, const char *elf_name)
{
	for (size_t i = 0; i < cg->maps.len; i++)
		if (!strcmp(cg->maps.items[i]->elf_name, elf_name))
			return cg->maps.items[i];
	return NULL;
}

struct cg_map *cg_script_map(struct codegen *cg, const struct sema_map *m)
{
	return find_map(cg, m->elf_name);
}

struct cg_map *cg_stack_map(struct codegen *cg, const struct type *t)
{
	bool build_ids = t->arg[1] == IMAGE_STACK_BUILD_ID;

	for (size_t i = 0; i < cg->r->stacks.len; i++) {
		const struct sema_stack_map *ss = cg->r->stacks.items[i];

		if (ss->depth == t->arg[0] && ss->build_ids == build_ids)
			return find_map(cg, ss->elf_name);
	}
	return NULL;
}

static void add_control(struct codegen *cg)
{
	uint32_t size = sizeof(struct image_control);

	if (!target_has(cg->r->target, TARGET_F_GLOBAL_DATA)) {
		cg->control_map = cg_map_new(cg, IMAGE_CONTROL_MAP, BPF_MAP_TYPE_ARRAY);
		cg->control_map->key_size = 4;
		cg->control_map->value_size = size;
		return;
	}
	LLVMTypeRef t = LLVMArrayType2(cg->i64, size / 8);

	cg->control = LLVMAddGlobal(cg->mod, t, IMAGE_CONTROL_MAP);
	LLVMSetInitializer(cg->control, LLVMConstNull(t));
	LLVMSetSection(cg->control, IMAGE_CONTROL_SECTION);
	LLVMSetAlignment(cg->control, 64);
	cg_debug_var(cg, cg->control, IMAGE_CONTROL_MAP, size);
}

static void add_license(struct codegen *cg)
{
	const char *text = cg->r->config.license ? cg->r->config.license : "GPL";
	LLVMValueRef s = LLVMConstStringInContext2(cg->ctx, text, strlen(text), 0);
	LLVMValueRef var = LLVMAddGlobal(cg->mod, LLVMTypeOf(s), "LICENSE");

	LLVMSetInitializer(var, s);
	LLVMSetSection(var, "license");
}

static void add_events(struct codegen *cg)
{
	if (target_has(cg->r->target, TARGET_F_RING_BUFFER)) {
		cg->events = cg_map_new(cg, IMAGE_EVENTS_MAP, BPF_MAP_TYPE_RINGBUF);
		cg->events->max_entries = EVENTS_SIZE_DEFAULT;
		return;
	}
	cg->events = cg_map_new(cg, IMAGE_EVENTS_MAP, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	cg->events->key_size = cg->events->value_size = 4;
	cg->events->max_entries = 0; /* libbpf: one for each CPU */
}

static void add_packets(struct codegen *cg)
{
	for (size_t i = 0; i < cg->r->actions.len && !cg->packets; i++) {
		if (cg->r->actions.items[i]->kind != IMAGE_A_SKBOUTPUT)
			continue;
		cg->packets = cg_map_new(cg, IMAGE_PACKETS_MAP, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
		cg->packets->key_size = cg->packets->value_size = 4;
		cg->packets->max_entries = 0;
	}
}

/* Processes that user space was told of; those of long ago are forgotten. */
static struct cg_map *add_remembered(struct codegen *cg)
{
	struct cg_map *m = cg_map_new(cg, REMEMBERED_MAP, BPF_MAP_TYPE_LRU_HASH);

	m->key_size = CG_PROCESS_KEY;
	m->value_size = 8;
	m->max_entries = REMEMBERED_MAX;
	return m;
}

void cg_object_open(struct codegen *cg)
{
	add_license(cg);
	add_control(cg);
	for (size_t i = 0; i < cg->r->maps.len; i++)
		add_script_map(cg, cg->r->maps.items[i]);
	for (size_t i = 0; i < cg->r->stacks.len; i++)
		add_stack_map(cg, cg->r->stacks.items[i]);
	for (size_t i = 0; i < cg->r->actions.len; i++)
		if (cg_action_is_control(cg->r->actions.items[i]->kind))
			cg->has_control_actions = true;
	if (cg->r->actions.len)
		add_events(cg);
	add_packets(cg);
	if (cg->r->unwind_depth)
		cg_unwind_open(cg);
	if (cg->r->remember)
		cg->remembered = add_remembered(cg);
}

/* Once all programs are there, the sizes of the internal maps are known. */
void cg_object_close(struct codegen *cg)
{
	if (cg->scratch) {
		cg->scratch->value_size = cg->scratch_max;
		cg->scratch->max_entries = cg->scratch_users;
	}
	for (size_t i = 0; i < cg->maps.len; i++)
		cg_debug_map(cg, cg->maps.items[i]);
}

LLVMValueRef cg_control_word(struct codegen *cg, uint32_t offset)
{
	LLVMValueRef base = cg->control;

	if (!base)
		base = LLVMBuildLoad2(cg->b, cg->ptr, cg->control_ptr, "");
	return cg_offset(cg, base, offset);
}

LLVMValueRef cg_control_load(struct codegen *cg, LLVMTypeRef type, uint32_t offset)
{
	return cg_load_volatile(cg, type, cg_control_word(cg, offset));
}

void cg_control_store(struct codegen *cg, uint32_t offset, LLVMValueRef v)
{
	LLVMValueRef st = LLVMBuildStore(cg->b, v, cg_control_word(cg, offset));

	LLVMSetVolatile(st, 1);
}

void cg_control_count(struct codegen *cg, uint32_t offset)
{
	cg_atomic_add(cg, cg_control_word(cg, offset), cg_const(cg, cg->i64, 1));
}

/*
 * A fresh element of an aggregation is made from zeros. Small ones come from the stack, the
 * histogram's half kilobyte from an array that nobody writes.
 */
LLVMValueRef cg_zeros(struct codegen *cg, uint32_t size)
{
	if (size <= 32) {
		LLVMValueRef p = cg_alloca_bytes(cg, size, "zeros");

		cg_zero(cg, p, (size + 7) & ~7u);
		return p;
	}
	if (!cg->zeros) {
		cg->zeros = cg_map_new(cg, ZEROS_MAP, BPF_MAP_TYPE_ARRAY);
		cg->zeros->key_size = 4;
	}
	if (size > cg->zeros->value_size)
		cg->zeros->value_size = size;

	LLVMValueRef key = cg_alloca(cg, cg->i32, "zero_key");
	cg_store(cg, cg_const(cg, cg->i32, 0), key);
	LLVMValueRef args[] = {cg->zeros->var, key};
	LLVMValueRef p = cg_to_ptr(cg, cg_helper(cg, BPF_FUNC_map_lookup_elem, args, 2));
	LLVMBasicBlockRef found = cg_block(cg, "zeros");

	/* element 0 of an array is always there; the verifier wants to see the check */
	LLVMBuildCondBr(cg->b, LLVMBuildIsNull(cg->b, p, ""), cg->leave, found);
	cg_at(cg, found);
	return p;
}
