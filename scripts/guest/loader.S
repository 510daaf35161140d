/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot sector of the vmx machine.  The kernel, its parameters and its initramfs
 * are in memory already when the machine is turned on (scripts/bench/machines/bochs.py puts
 * them there); what is left is to ask the BIOS for the memory map and to enter the
 * kernel as its own decompressor would: in long mode, memory mapped one to one,
 * %rsi pointing to the boot_params.  Decompressing and reading a CD take half the
 * instructions of a boot.
 */

#define E820_COUNT	0x1e8		/* in struct boot_params */
#define E820_TABLE	0x2d0
#define E820_MAX	128
#define SMAP		0x534d4150
#define BUFFER		0x8000		/* the map, while in real mode */

#define CR0_PE		0x00000001
#define CR0_PG		0x80000000
#define CR4_PAE		0x00000020
#define MSR_EFER	0xc0000080
#define EFER_LME	0x00000100

	.code16
	.globl	_start
_start:
	cli
	cld
	xorl	%ebx, %ebx
	movw	%bx, %ds
	movw	%bx, %es
	movw	%bx, %ss
	movw	$_start, %sp

	movw	$BUFFER, %di
	xorl	%ebp, %ebp			/* number of entries */
1:	movl	$0xe820, %eax
	movl	$SMAP, %edx
	movl	$20, %ecx
	int	$0x15
	jc	2f
	cmpl	$SMAP, %eax
	jne	2f
	addw	$20, %di
	incl	%ebp
	cmpl	$E820_MAX, %ebp
	je	2f
	testl	%ebx, %ebx
	jnz	1b

2:	inb	$0x92, %al			/* the A20 gate */
	orb	$2, %al
	andb	$0xfe, %al			/* not the reset */
	outb	%al, $0x92

	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $protected

	.code32
protected:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss

	movl	$PARAMS, %edx
	movl	%ebp, %eax
	movb	%al, E820_COUNT(%edx)
	movl	$BUFFER, %esi
	leal	E820_TABLE(%edx), %edi
	leal	(%ebp, %ebp, 4), %ecx		/* 20 bytes are 5 words */
	rep movsl

	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PAGE_TABLE, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	$0x10, $long_mode

	.code64
long_mode:
	movl	$PARAMS, %esi
	movl	$ENTRY, %eax
	jmp	*%rax

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff		/* 08: code, 32 bits */
	.quad	0x00af9a000000ffff		/* 10: code, 64 bits: __BOOT_CS */
	.quad	0x00cf92000000ffff		/* 18: data: __BOOT_DS */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
