// SPDX-License-Identifier: GPL-2.0

//! raw_hrtimer_test_fault_rust.ko: as raw_hrtimer_test_fault.ko, for what is checked in Rust.
//!
//! `insmod` fails with `ENODEV` on a kernel without the checker, and nothing was done. A failed
//! assertion ends the task that runs it.

use core::{
    hint::black_box,
    ptr, //
};

use kernel::prelude::*;

module! {
    type: Fault,
    name: "raw_hrtimer_test_fault_rust",
    authors: ["raw_hrtimer maintainers"],
    description: "Deliberate faults in Rust, for a kernel's checkers to find",
    license: "GPL",
    params: {
        kind: i64 {
            default: 0,
            description: "1: an assertion, 2: an overflow, 3: a use after free",
        },
    },
}

struct Fault;

fn assertion() -> Result {
    if !cfg!(debug_assertions) {
        pr_info!("this kernel has no CONFIG_RUST_DEBUG_ASSERTIONS\n");
        return Err(ENODEV);
    }
    debug_assert!(black_box(false), "a deliberate one");
    Ok(())
}

fn overflow() -> Result {
    if !cfg!(CONFIG_RUST_OVERFLOW_CHECKS) {
        pr_info!("this kernel has no CONFIG_RUST_OVERFLOW_CHECKS\n");
        return Err(ENODEV);
    }
    black_box(black_box(u64::MAX) + black_box(1));
    Ok(())
}

fn use_after_free() -> Result {
    if !cfg!(CONFIG_KASAN) {
        pr_info!("this kernel has no CONFIG_KASAN\n");
        return Err(ENODEV);
    }
    let boxed = KBox::new(0u64, GFP_KERNEL)?;
    let word: *const u64 = black_box(&*boxed);

    drop(boxed);
    // SAFETY: None: this is the fault. The memory stays mapped, and nothing is done with the value.
    black_box(unsafe { ptr::read_volatile(word) });
    Ok(())
}

impl kernel::Module for Fault {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        match module_parameters::kind.value() {
            1 => assertion(),
            2 => overflow(),
            3 => use_after_free(),
            _ => Err(EINVAL),
        }?;
        Ok(Self)
    }
}
