// SPDX-License-Identifier: GPL-2.0

//! What the module's sources use of the kernel crate, and the words of `rust/ffi/word.rs`, over
//! loom's model of the C11 memory.
//!
//! The Linux kernel memory model orders at least as much as C11 does with the same names.
//!
//! A [`Fault`] can be planted, to see that a model notices it.

pub mod alloc;
mod object;

pub use object::{
    object,
    Atomic, //
};

use std::sync::atomic::{
    AtomicU8,
    Ordering, //
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

fn unless_planted(fault: Fault, ordering: Ordering) -> Ordering {
    if PLANTED.load(Ordering::SeqCst) == fault as u8 {
        Ordering::Relaxed
    } else {
        ordering
    }
}

/// `crate::ffi::Word`.
pub struct Word(Atomic<u64>);

impl Word {
    pub const fn new(first: u64) -> Self {
        Self(Atomic::new(first))
    }

    pub fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn load_acquire(&self) -> u64 {
        self.0
            .load(unless_planted(Fault::Acquire, Ordering::Acquire))
    }

    pub fn store_release(&self, value: u64) {
        self.0
            .store(value, unless_planted(Fault::Release, Ordering::Release));
    }

    pub fn xchg(&self, value: u64) {
        self.0.xchg(value, Ordering::AcqRel);
    }

    pub fn cmpxchg(&self, old: u64, new: u64) {
        let _ = self.0.cmpxchg(old, new, Ordering::AcqRel);
    }
}

/// `crate::ffi::smp_mb`.
pub fn smp_mb() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// `crate::ffi::cpu_relax`.
pub fn cpu_relax() {
    loom::thread::yield_now();
}

/// A locked instruction of x86: a full barrier. `what` is done to the word at `address`, whose first value
/// is `first`.
fn locked<T>(
    address: usize,
    first: u32,
    what: impl FnOnce(&loom::sync::atomic::AtomicU32) -> T,
) -> T {
    smp_mb();
    let found = what(&object(address, first));
    smp_mb();
    found
}

/// `crate::ffi::word::xchg_at`, of the word at `address`.
pub fn xchg(address: usize, first: u32, value: u32) -> u32 {
    locked(address, first, |word| word.swap(value, Ordering::AcqRel))
}

/// `crate::ffi::word::cmpxchg_at`, of the word at `address`.
pub fn cmpxchg(address: usize, first: u32, old: u32, new: u32) -> u32 {
    locked(address, first, |word| {
        word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)
    })
    .unwrap_or_else(|found| found)
}

/// `kernel::sync`.
pub mod sync {
    /// `kernel::sync::atomic`.
    pub mod atomic {
        pub use crate::Atomic;
        pub use std::sync::atomic::Ordering::{
            Acquire,
            Relaxed,
            Release, //
        };
    }
}

/// `kernel::ffi`.
pub mod ffi {
    pub use std::ffi::{
        c_ulong,
        c_void, //
    };
}

/// `kernel::types`.
pub mod types {
    use std::marker::PhantomData;

    /// A type and its one value.
    pub type NotThreadSafe = PhantomData<*mut ()>;
    #[allow(non_upper_case_globals)]
    pub const NotThreadSafe: NotThreadSafe = PhantomData;
}

/// `kernel::prelude`.
pub mod prelude {
    pub use std::eprint as pr_err;

    /// An error code.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Error(i32);

    pub const EINVAL: Error = Error(-22);

    pub type Result<T = (), E = Error> = std::result::Result<T, E>;
}
