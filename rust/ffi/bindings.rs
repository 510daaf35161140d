// SPDX-License-Identifier: GPL-2.0

//! Generated from `c/shim.h`. What the kernel crate has already is that crate's.

#![allow(
    clippy::all,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn
)]

use kernel::ffi;

include!(env!("RAW_HRTIMER_BINDINGS"));
