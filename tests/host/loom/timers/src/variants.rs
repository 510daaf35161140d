// SPDX-License-Identifier: GPL-2.0

// What is changed in copies of the sources. Part of the crate and of its build script.

/// A text that is in a file once, and what it is made.
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
    edit("rearm.rs", "const BATCH: usize = 32;", "const BATCH: usize = 1;"),
];

include!("faults/pending.rs");
include!("faults/listener.rs");
include!("faults/occupied.rs");

/// What is planted, one by one.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    [PENDING, LISTENER, OCCUPIED].into_iter().flatten()
}
