// SPDX-License-Identifier: GPL-2.0

//! The words that `rust/snapshot.rs` is made of, over loom's model of the C11 memory, in the place of
//! those of `rust/ffi/word.rs`.
//!
//! The Linux kernel memory model orders at least as much as C11 does with the same names.
//!
//! A [`Fault`] can be planted, to see that a model notices it.

use loom::sync::atomic::AtomicU64;
use std::sync::{
    atomic::{
        AtomicU8,
        Ordering, //
    },
    OnceLock, //
};

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Fault {
    /// Nothing.
    None,
    /// `store_release()` is relaxed.
    Release,
    /// `load_acquire()` is relaxed.
    Acquire,
}

static PLANTED: AtomicU8 = AtomicU8::new(Fault::None as u8);

/// Plants a fault, for the whole process.
pub fn plant(fault: Fault) {
    PLANTED.store(fault as u8, Ordering::SeqCst);
}

fn planted(fault: Fault) -> bool {
    PLANTED.load(Ordering::SeqCst) == fault as u8
}

/// Made by loom on its first use, because `new()` is const in the kernel and cannot be in loom. The
/// model has to use each one before it starts a second thread.
pub struct Word {
    first: u64,
    inner: OnceLock<AtomicU64>,
}

impl Word {
    pub const fn new(first: u64) -> Self {
        Self {
            first,
            inner: OnceLock::new(),
        }
    }

    fn inner(&self) -> &AtomicU64 {
        self.inner.get_or_init(|| AtomicU64::new(self.first))
    }

    pub fn load(&self) -> u64 {
        self.inner().load(Ordering::Relaxed)
    }

    pub fn load_acquire(&self) -> u64 {
        self.inner().load(if planted(Fault::Acquire) {
            Ordering::Relaxed
        } else {
            Ordering::Acquire
        })
    }

    pub fn store_release(&self, value: u64) {
        let ordering = if planted(Fault::Release) {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        self.inner().store(value, ordering);
    }
}
