// SPDX-License-Identifier: GPL-2.0

//! The module's pure arithmetic, the very source files, held against slow and obvious arithmetic.
//!
//! The crate is `no_std`, and forbids in these files what they must do without; so that they need
//! `core` alone is for the compiler to say. Their own tests run here as well as under KUnit.

#![no_std]

#[cfg_attr(
    not(test),
    forbid(
        unsafe_code,
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]
#[path = "../../../rust/clock"]
mod pure {
    #[path = "../units.rs"]
    pub(crate) mod units;

    pub(crate) mod deadline;
    pub(crate) mod frequency;
    pub(crate) mod margin;
    pub(crate) mod rate;
    pub(crate) mod ratio;
}

// Beside the arithmetic's rules, because its words are shared.
#[expect(dead_code, reason = "nothing here updates the words")]
#[path = "../../../rust/clock/latch.rs"]
mod latch;

mod ffi;

pub mod exact;
#[cfg(target_arch = "x86_64")]
pub mod exchange;
pub mod properties;

use pure::{
    deadline,
    frequency,
    margin,
    rate,
    ratio,
    units, //
};
