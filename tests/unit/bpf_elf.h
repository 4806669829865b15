/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BPF object put together by hand: programs of section raw_tp, maps described by BTF,
 * the control words. Stands in for the compiler in tests of the running half.
 */
#ifndef BT_TESTS_BPF_ELF_H
#define BT_TESTS_BPF_ELF_H

#include <bpf/btf.h>
#include <elf.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum bpf_elf_symbol { SYM_EVENTS = 1, SYM_COUNT, SYM_CONTROL, SYM_FIRST_PROGRAM };

struct bpf_elf {
	struct bpf_insn insns[512];
	size_t ninsns;
	Elf64_Rel rels[64];
	size_t nrels;
	Elf64_Sym syms[32];
	size_t nsyms;
	char strings[1024];
	size_t strings_size;
};

#define BPF_INSN(c, d, s, o, i)                                                                    \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define MOV_REG(d, s)          BPF_INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)          BPF_INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)          BPF_INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(sz, d, s, o)      BPF_INSN(BPF_LDX | BPF_MEM | (sz), d, s, o, 0)
#define STORE(sz, d, o, s)     BPF_INSN(BPF_STX | BPF_MEM | (sz), d, s, o, 0)
#define STORE_IMM(sz, d, o, i) BPF_INSN(BPF_ST | BPF_MEM | (sz), d, 0, o, i)
#define CALL(f)                BPF_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define JUMP_EQ(d, i, o)       BPF_INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define JUMP_NE(d, i, o)       BPF_INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define EXIT                   BPF_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static inline uint32_t bpf_elf_string(struct bpf_elf *e, const char *s)
{
	uint32_t at = e->strings_size;

	strcpy(e->strings + at, s);
	e->strings_size += strlen(s) + 1;
	return at;
}

static inline void bpf_elf_emit(struct bpf_elf *e, struct bpf_insn insn)
{
	e->insns[e->ninsns++] = insn;
}

/* r@dst = the map or the words behind @sym; two instructions. */
static inline void bpf_elf_load(struct bpf_elf *e, int dst, enum bpf_elf_symbol sym)
{
	e->rels[e->nrels++] = (Elf64_Rel){.r_offset = e->ninsns * sizeof(struct bpf_insn),
					  .r_info = ELF64_R_INFO(sym, 1 /* R_BPF_64_64 */)};
	bpf_elf_emit(e, BPF_INSN(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, 0));
	bpf_elf_emit(e, (struct bpf_insn){0});
}

enum {
	SEC_NULL,
	SEC_STRTAB,
	SEC_SYMTAB,
	SEC_TEXT,
	SEC_REL,
	SEC_MAPS,
	SEC_CONTROL,
	SEC_LICENSE,
	SEC_BTF,
	NSECS
};
enum { MAP_VAR_SIZE = 32 };

static inline void bpf_elf_symbol(struct bpf_elf *e, const char *name, int type, int sec,
				  uint64_t value, uint64_t size)
{
	e->syms[e->nsyms++] = (Elf64_Sym){.st_name = bpf_elf_string(e, name),
					  .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
					  .st_shndx = sec,
					  .st_value = value,
					  .st_size = size};
}

static inline void bpf_elf_begin(struct bpf_elf *e, size_t control_size)
{
	memset(e, 0, sizeof(*e));
	e->strings_size = 1;
	e->nsyms = 1;
	bpf_elf_symbol(e, "events", STT_OBJECT, SEC_MAPS, 0, MAP_VAR_SIZE);
	bpf_elf_symbol(e, "AT_c", STT_OBJECT, SEC_MAPS, MAP_VAR_SIZE, MAP_VAR_SIZE);
	bpf_elf_symbol(e, "gate", STT_OBJECT, SEC_CONTROL, 0, control_size);
}

/* What was emitted since the last program becomes program @name. */
static inline void bpf_elf_program(struct bpf_elf *e, const char *name)
{
	uint64_t start = 0, end = e->ninsns * sizeof(struct bpf_insn);

	if (e->nsyms > SYM_FIRST_PROGRAM)
		start = e->syms[e->nsyms - 1].st_value + e->syms[e->nsyms - 1].st_size;
	bpf_elf_symbol(e, name, STT_FUNC, SEC_TEXT, start, end - start);
}

/* struct { int (*type)[TYPE]; int (*max_entries)[N]; u32 *key; u64 *value; } */
static inline int bpf_elf_map_type(struct btf *btf, int i32, int key, int value, int type, int n)
{
	int t = btf__add_ptr(btf, btf__add_array(btf, i32, i32, type));
	int m = btf__add_ptr(btf, btf__add_array(btf, i32, i32, n));
	int s = btf__add_struct(btf, NULL, key ? 32 : 16);

	btf__add_field(btf, "type", t, 0, 0);
	btf__add_field(btf, "max_entries", m, 64, 0);
	if (key) {
		btf__add_field(btf, "key", key, 128, 0);
		btf__add_field(btf, "value", value, 192, 0);
	}
	return s;
}

static inline struct btf *bpf_elf_btf(void)
{
	struct btf *btf = btf__new_empty();
	int i32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int key = btf__add_ptr(btf, i32);
	int value = btf__add_ptr(btf, btf__add_int(btf, "long", 8, 0));
	int ring = bpf_elf_map_type(btf, i32, 0, 0, BPF_MAP_TYPE_RINGBUF, 4096);
	int count = bpf_elf_map_type(btf, i32, key, value, BPF_MAP_TYPE_ARRAY, 1);
	int events_var = btf__add_var(btf, "events", BTF_VAR_GLOBAL_ALLOCATED, ring);
	int count_var = btf__add_var(btf, "AT_c", BTF_VAR_GLOBAL_ALLOCATED, count);

	btf__add_datasec(btf, ".maps", 2 * MAP_VAR_SIZE);
	btf__add_datasec_var_info(btf, events_var, 0, 16);
	btf__add_datasec_var_info(btf, count_var, MAP_VAR_SIZE, MAP_VAR_SIZE);
	return btf;
}

/* The object (malloc), its size in *@size. */
static inline void *bpf_elf_finish(struct bpf_elf *e, size_t *size)
{
	static const char license[] = "GPL";
	struct btf *btf = bpf_elf_btf();
	uint32_t btf_size;
	const void *btf_data = btf__raw_data(btf, &btf_size);
	uint64_t control_size = e->syms[SYM_CONTROL].st_size;
	uint8_t *zero = calloc(1, control_size + 2 * MAP_VAR_SIZE);
	const uint64_t w = SHF_ALLOC | SHF_WRITE, x = SHF_ALLOC | SHF_EXECINSTR;
	struct {
		const char *name;
		uint32_t type;
		uint64_t flags, size, entsize;
		const void *data;
		uint32_t link, info;
	} secs[NSECS] = {
		[SEC_STRTAB] = {".strtab", SHT_STRTAB, 0, 0, 0, e->strings},
		[SEC_SYMTAB] = {".symtab", SHT_SYMTAB, 0, e->nsyms * sizeof(Elf64_Sym),
				sizeof(Elf64_Sym), e->syms, SEC_STRTAB, 1},
		[SEC_TEXT] = {"raw_tp", SHT_PROGBITS, x, e->ninsns * sizeof(struct bpf_insn), 0,
			      e->insns},
		[SEC_REL] = {".relraw_tp", SHT_REL, 0, e->nrels * sizeof(Elf64_Rel),
			     sizeof(Elf64_Rel), e->rels, SEC_SYMTAB, SEC_TEXT},
		[SEC_MAPS] = {".maps", SHT_PROGBITS, w, 2 * MAP_VAR_SIZE, 0, zero},
		[SEC_CONTROL] = {".data.control", SHT_PROGBITS, w, control_size, 0, zero},
		[SEC_LICENSE] = {"license", SHT_PROGBITS, w, sizeof(license), 0, license},
		[SEC_BTF] = {".BTF", SHT_PROGBITS, 0, btf_size, 0, btf_data},
	};
	Elf64_Shdr sh[NSECS] = {0};
	Elf64_Ehdr eh = {.e_type = ET_REL,
			 .e_machine = EM_BPF,
			 .e_version = EV_CURRENT,
			 .e_ehsize = sizeof(eh),
			 .e_shentsize = sizeof(sh[0]),
			 .e_shnum = NSECS,
			 .e_shstrndx = SEC_STRTAB,
			 .e_shoff = sizeof(eh)};
	uint64_t at = sizeof(eh) + sizeof(sh);
	uint8_t *out;

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	for (int i = 1; i < NSECS; i++)
		sh[i].sh_name = bpf_elf_string(e, secs[i].name);
	secs[SEC_STRTAB].size = e->strings_size;
	for (int i = 1; i < NSECS; i++) {
		sh[i].sh_type = secs[i].type;
		sh[i].sh_flags = secs[i].flags;
		sh[i].sh_size = secs[i].size;
		sh[i].sh_entsize = secs[i].entsize;
		sh[i].sh_link = secs[i].link;
		sh[i].sh_info = secs[i].info;
		sh[i].sh_addralign = 8;
		sh[i].sh_offset = at;
		at = (at + secs[i].size + 7) & ~7ull;
	}
	out = calloc(1, at);
	memcpy(out, &eh, sizeof(eh));
	memcpy(out + sizeof(eh), sh, sizeof(sh));
	for (int i = 1; i < NSECS; i++)
		memcpy(out + sh[i].sh_offset, secs[i].data, secs[i].size);
	free(zero);
	btf__free(btf);
	*size = at;
	return out;
}

#endif
