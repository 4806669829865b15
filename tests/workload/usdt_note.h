/* SPDX-License-Identifier: Apache-2.0 */
/* Assembly of a USDT probe whose note is written by hand. */
#ifndef BT_USDT_NOTE_H
#define BT_USDT_NOTE_H

/*
 * https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation: the address, that of a
 * section to tell prelinking by (none here), that of the semaphore, provider, name, operands.
 */
#define USDT_NOTE(provider, name, semaphore, operands)                                             \
	"990: nop\n"                                                                               \
	".pushsection .note.stapsdt, \"\", \"note\"\n"                                             \
	".balign 4\n"                                                                              \
	".4byte 992f - 991f, 994f - 993f, 3\n"                                                     \
	"991: .asciz \"stapsdt\"\n"                                                                \
	"992: .balign 4\n"                                                                         \
	"993: .8byte 990b, 0, " semaphore "\n"                                                     \
	".asciz \"" provider "\"\n"                                                                \
	".asciz \"" name "\"\n"                                                                    \
	".asciz \"" operands "\"\n"                                                                \
	"994: .balign 4\n"                                                                         \
	".popsection\n"

#endif
