// SPDX-License-Identifier: GPL-2.0

// What is changed in copies of the sources. Part of the crate and of its build script.

/// A piece of a file, which `../../plant.rs` finds, and what it is made.
#[derive(Clone, Copy)]
pub struct Edit {
    pub file: &'static str,
    pub before: &'static str,
    pub after: &'static str,
}

const fn edit(file: &'static str, before: &'static str, after: &'static str) -> Edit {
    Edit {
        file,
        before,
        after,
    }
}

/// Edits that are wrong, and the model that notices it.
pub struct Fault {
    pub what: &'static str,
    pub edits: &'static [Edit],
    pub model: &'static str,
}

/// Sizes that a model can exhaust, in all copies.
#[rustfmt::skip]
pub const SCALED: &[Edit] = &[
    edit("timer/pass.rs", "const BATCH: usize = 32;", "const BATCH: usize = 1;"),
    // All timers and all vCPUs meet in one bucket.
    edit("ffi/chain.rs", "pub(super) const BUCKETS: usize = 4096;", "pub(super) const BUCKETS: usize = 1;"),
    edit("ffi/pool.rs", "const POOL: u64 = 256;", "const POOL: u64 = 2;"),
    edit("ffi/pool.rs", "const POOL_EACH_CPU: u64 = 64;", "const POOL_EACH_CPU: u64 = 0;"),
    edit("kvm/unseen.rs", "static UNSEEN: [Word; 64] = [const { Word::new(0) }; 64];",
        "static UNSEEN: [Word; 1] = [const { Word::new(0) }; 1];"),
];

/// Accesses to an entry that are not volatile, and that loom is to know of: the one that fills it, and
/// a lookup's.
#[rustfmt::skip]
pub const WATCHED: &[Edit] = &[
    edit("ffi/chain.rs", "entry.write(filled)", "bindings::fill_entry(entry.as_ptr(), filled)"),
    edit("ffi/chain.rs", "let key = unsafe { addr_of!((*entry.as_ptr()).node.timer).read() };",
        "let key = unsafe { bindings::timer_of_entry(entry.as_ptr()) };"),
];

include!("faults/pending.rs");
include!("faults/listener.rs");
include!("faults/occupied.rs");
include!("faults/hooks.rs");

/// What is planted, one by one.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    [PENDING, LISTENER, OCCUPIED, HOOKS].into_iter().flatten()
}
