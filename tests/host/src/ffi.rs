// SPDX-License-Identifier: GPL-2.0

//! What the latch needs of `rust/ffi`, as loads and stores of user space.

use core::sync::atomic::{
    AtomicU64,
    Ordering::{
        Acquire,
        Relaxed,
        Release, //
    }, //
};

/// `crate::ffi::Word`: on x86 each of these is one move, as in the module.
pub(crate) struct Word(AtomicU64);

impl Word {
    pub(crate) const fn new(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> u64 {
        self.0.load(Relaxed)
    }

    #[inline(always)]
    pub(crate) fn load_acquire(&self) -> u64 {
        self.0.load(Acquire)
    }

    #[inline(always)]
    pub(crate) fn store_release(&self, value: u64) {
        self.0.store(value, Release);
    }
}
