// SPDX-License-Identifier: GPL-2.0

//! `kernel::alloc`, which knows what was left to C and not freed there.

use std::{
    collections::BTreeSet,
    sync::Mutex, //
};

/// `kernel::alloc::flags`.
pub mod flags {
    pub struct Flags;
    pub const GFP_KERNEL: Flags = Flags;
}

loom::lazy_static! {
    static ref LEFT: Mutex<BTreeSet<usize>> = Mutex::default();
}

/// C frees what is at `address`; `false` if there is nothing to free.
pub fn free(address: usize) -> bool {
    LEFT.lock().expect("no panic").remove(&address)
}

/// Whether C has freed all that was left to it.
pub fn is_all_freed() -> bool {
    LEFT.lock().expect("no panic").is_empty()
}

/// `kernel::alloc::KBox`.
pub struct KBox<T>(Box<T>);

impl<T> KBox<T> {
    pub fn new(value: T, _flags: flags::Flags) -> crate::prelude::Result<Self> {
        Ok(Self(Box::new(value)))
    }

    pub fn into_raw(this: Self) -> *mut T {
        let raw = Box::into_raw(this.0);

        LEFT.lock().expect("no panic").insert(raw.addr());
        raw
    }
}
