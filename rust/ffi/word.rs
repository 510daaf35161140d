// SPDX-License-Identifier: GPL-2.0

//! Shared words, read and written where they stand.
//!
//! On a kernel that is built with gcc each access to the kernel crate's `Atomic` is a call, and a
//! snapshot has seven. These are the same accesses in the memory model's terms: `READ_ONCE()` and
//! `WRITE_ONCE()`, and, as x86 orders loads among loads and stores after both, a compiler barrier
//! makes them `smp_load_acquire()` and `smp_store_release()`.
//!
//! C header: [`arch/x86/include/asm/barrier.h`](srctree/arch/x86/include/asm/barrier.h)

use core::cell::UnsafeCell;

#[cfg(not(CONFIG_X86_64))]
compile_error!("the ordering of a Word is x86's");

/// A 64-bit word that any context may read and write.
///
/// # Invariants
///
/// It is accessed through volatile or atomic accesses of the whole word alone.
#[repr(transparent)]
pub(crate) struct Word(UnsafeCell<u64>);

// SAFETY: By the type's invariant every access is a single one of a whole aligned word, which the memory
// model treats as marked: they do not race.
unsafe impl Sync for Word {}

/// Keeps the compiler from moving memory accesses across: `barrier()`.
#[inline(always)]
fn barrier() {
    // SAFETY: An empty block.
    unsafe { core::arch::asm!("") };
}

/// `smp_mb()`: what comes before it is done, for all to see, before what comes after it.
#[inline(always)]
pub(crate) fn smp_mb() {
    // SAFETY: Adds nothing to a word below the stack, which is always there.
    unsafe { core::arch::asm!("lock add dword ptr [rsp - 4], 0") };
}

impl Word {
    /// Creates it.
    pub(crate) const fn new(value: u64) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// `READ_ONCE()`.
    #[inline(always)]
    pub(crate) fn load(&self) -> u64 {
        // SAFETY: The pointer is to a valid, aligned word; see the type's invariant.
        unsafe { self.0.get().read_volatile() }
    }

    /// `smp_load_acquire()`: what comes after it is done after it.
    #[inline(always)]
    pub(crate) fn load_acquire(&self) -> u64 {
        let value = self.load();
        barrier();
        value
    }

    /// `smp_store_release()`: what came before it is done before it.
    #[inline(always)]
    pub(crate) fn store_release(&self, value: u64) {
        barrier();
        // SAFETY: The pointer is to a valid, aligned word; see the type's invariant.
        unsafe { self.0.get().write_volatile(value) };
    }

    /// `xchg()`, with nothing returned.
    pub(crate) fn xchg(&self, value: u64) {
        // SAFETY: The pointer is to a valid, aligned word; see the type's invariant.
        unsafe {
            core::arch::asm!(
                "xchg [{word}], {value}",
                word = in(reg) self.0.get(),
                value = inout(reg) value => _,
                options(nostack, preserves_flags),
            )
        };
    }

    /// `cmpxchg()`, with nothing returned: `old` becomes `new`, anything else stays.
    pub(crate) fn cmpxchg(&self, old: u64, new: u64) {
        // SAFETY: The pointer is to a valid, aligned word; see the type's invariant.
        unsafe {
            core::arch::asm!(
                "lock cmpxchg [{word}], {new}",
                word = in(reg) self.0.get(),
                new = in(reg) new,
                inout("rax") old => _,
                options(nostack),
            )
        };
    }
}
