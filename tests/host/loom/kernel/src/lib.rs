// SPDX-License-Identifier: GPL-2.0

//! As much of the kernel crate as `rust/snapshot.rs` uses, over loom's model of the C11 memory.
//!
//! The Linux kernel memory model orders at least as much as C11 does with the same names.
//!
//! A [`Fault`] can be planted, to see that a model notices it.

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
    /// Stores with `Release` are relaxed.
    Release,
    /// Loads with `Acquire` are relaxed.
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

pub mod sync {
    pub mod atomic {
        use crate::{
            planted,
            Fault, //
        };
        use std::sync::{
            atomic::Ordering,
            OnceLock, //
        };

        pub struct Relaxed;
        pub struct Acquire;
        pub struct Release;

        pub trait Load {
            fn ordering() -> Ordering;
        }

        pub trait Store {
            fn ordering() -> Ordering;
        }

        impl Load for Relaxed {
            fn ordering() -> Ordering {
                Ordering::Relaxed
            }
        }

        impl Store for Relaxed {
            fn ordering() -> Ordering {
                Ordering::Relaxed
            }
        }

        impl Load for Acquire {
            fn ordering() -> Ordering {
                if planted(Fault::Acquire) {
                    Ordering::Relaxed
                } else {
                    Ordering::Acquire
                }
            }
        }

        impl Store for Release {
            fn ordering() -> Ordering {
                if planted(Fault::Release) {
                    Ordering::Relaxed
                } else {
                    Ordering::Release
                }
            }
        }

        pub trait Value: Copy {
            fn to_bits(self) -> u64;
            fn from_bits(bits: u64) -> Self;
        }

        impl Value for u64 {
            fn to_bits(self) -> u64 {
                self
            }
            fn from_bits(bits: u64) -> Self {
                bits
            }
        }

        impl Value for i64 {
            fn to_bits(self) -> u64 {
                self as u64
            }
            fn from_bits(bits: u64) -> Self {
                bits as i64
            }
        }

        /// Made by loom on its first use, because `new()` is const in the kernel and cannot be in
        /// loom. The model has to use each one before it starts a second thread.
        pub struct Atomic<T> {
            first: T,
            inner: OnceLock<loom::sync::atomic::AtomicU64>,
        }

        impl<T: Value> Atomic<T> {
            pub const fn new(first: T) -> Self {
                Self {
                    first,
                    inner: OnceLock::new(),
                }
            }

            fn inner(&self) -> &loom::sync::atomic::AtomicU64 {
                self.inner
                    .get_or_init(|| loom::sync::atomic::AtomicU64::new(self.first.to_bits()))
            }

            pub fn load<O: Load>(&self, _: O) -> T {
                T::from_bits(self.inner().load(O::ordering()))
            }

            pub fn store<O: Store>(&self, value: T, _: O) {
                self.inner().store(value.to_bits(), O::ordering());
            }
        }
    }
}
