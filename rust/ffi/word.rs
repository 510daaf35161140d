// SPDX-License-Identifier: GPL-2.0

//! Shared words, read and written where they stand.
//!
//! On a kernel that is built with gcc, each access to the kernel crate's `Atomic`, and its `smp_mb()`, is a
//! call of a helper. An update that is a repeat makes nine accesses, and the reading of a snapshot eight:
//! by helpers, the listener's 40 instructions for a repeat are some 100. So loads, stores and the barrier are
//! done in place. They are the same accesses in the memory model's terms: `READ_ONCE()` and
//! `WRITE_ONCE()`, and, as x86 orders loads among loads and stores after both, a compiler barrier makes
//! them `smp_load_acquire()` and `smp_store_release()`. So are a node's `xchg()` and `cmpxchg()`, of which
//! each start and cancel makes one. What is rare is the kernel crate's.
//!
//! C header: [`arch/x86/include/asm/barrier.h`](srctree/arch/x86/include/asm/barrier.h)

use kernel::sync::atomic::{
    Atomic,
    Full, //
};

#[cfg(not(CONFIG_X86_64))]
compile_error!("the ordering of a Word is x86's");

/// A 64-bit word that any context may read and write.
#[repr(transparent)]
pub(crate) struct Word(Atomic<u64>);

/// Keeps the compiler from moving memory accesses across: `barrier()`.
#[inline(always)]
pub(super) fn barrier() {
    // SAFETY: An empty block.
    unsafe { core::arch::asm!("") };
}

/// `smp_mb()`: what comes before it is done, for all to see, before what comes after it.
#[inline(always)]
pub(crate) fn smp_mb() {
    // SAFETY: Adds nothing to a word below the stack, which is always there.
    unsafe { core::arch::asm!("lock add dword ptr [rsp - 4], 0") };
}

/// `xchg()` of the word that is `OFFSET` bytes into `*base`.
///
/// # Safety
///
/// There is a valid, aligned word, which is only used by functions like this one, or in single volatile
/// accesses.
#[inline(always)]
pub(super) unsafe fn xchg_at<const OFFSET: usize>(base: *mut u8, value: u32) -> u32 {
    let old;

    // SAFETY: The caller promises it. An `xchg` is a full barrier.
    unsafe {
        core::arch::asm!(
            "xchg dword ptr [{base} + {offset}], {value:e}",
            base = in(reg) base,
            offset = const OFFSET,
            value = inout(reg) value => old,
            options(nostack, preserves_flags),
        );
    }
    old
}

/// `cmpxchg()` of the word that is `OFFSET` bytes into `*base`: returns what was there.
///
/// # Safety
///
/// As for [`xchg_at()`].
#[inline(always)]
pub(super) unsafe fn cmpxchg_at<const OFFSET: usize>(base: *mut u8, old: u32, new: u32) -> u32 {
    let found;

    // SAFETY: The caller promises it. A locked instruction is a full barrier.
    unsafe {
        core::arch::asm!(
            "lock cmpxchg dword ptr [{base} + {offset}], {new:e}",
            base = in(reg) base,
            offset = const OFFSET,
            new = in(reg) new,
            inout("eax") old => found,
            options(nostack),
        );
    }
    found
}

/// `cpu_relax()`: another CPU is waited for.
#[inline(always)]
pub(crate) fn cpu_relax() {
    core::hint::spin_loop();
}

impl Word {
    /// Creates it.
    pub(crate) const fn new(value: u64) -> Self {
        Self(Atomic::new(value))
    }

    /// `READ_ONCE()`.
    #[inline(always)]
    pub(crate) fn load(&self) -> u64 {
        // SAFETY: The pointer is to a valid, aligned word, and a single volatile access is a marked one
        // in the memory model: it does not race with others, nor with the atomic ones.
        unsafe { self.0.as_ptr().read_volatile() }
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
        // SAFETY: As in `load()`.
        unsafe { self.0.as_ptr().write_volatile(value) };
    }

    /// `xchg()`, with nothing returned.
    pub(crate) fn xchg(&self, value: u64) {
        self.0.xchg(value, Full);
    }

    /// `cmpxchg()`, with nothing returned: `old` becomes `new`, anything else stays.
    pub(crate) fn cmpxchg(&self, old: u64, new: u64) {
        let _ = self.0.cmpxchg(old, new, Full);
    }
}
