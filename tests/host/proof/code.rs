// SPDX-License-Identifier: GPL-2.0

//! The functions that `prove.py` proves, of plain integers; otherwise the pure files unchanged.
//!
//! Compiled once to LLVM's intermediate code, which is proven, and to a library, which is called.

#[expect(dead_code, reason = "no proof needs all of it")]
#[path = "../../../rust"]
mod pure {
    pub(crate) mod deadline;
    pub(crate) mod rate;
}

use pure::{
    deadline,
    rate, //
};

use deadline::{
    Expiry,
    Timeline, //
};
use rate::{
    Cycles,
    MonoNs,
    Rate, //
};

/// What the functions return for a rate that [`Rate::new`] refuses.
const NO_RATE: u64 = 99;

#[inline(always)]
fn timeline(
    cycle_last: u64,
    mult: u32,
    shift: u32,
    xtime_nsec: u64,
    base: i64,
) -> Option<Timeline> {
    Some(Timeline {
        cycle_last: Cycles::new(cycle_last),
        rate: Rate::new(mult, shift)?,
        xtime_nsec,
        base: MonoNs::new(base),
    })
}

/// 0 for a past deadline, 1 for one that has an expiry, 2 for one beyond.
#[no_mangle]
pub extern "C" fn expiry_kind(
    cycle_last: u64,
    mult: u32,
    shift: u32,
    xtime_nsec: u64,
    base: i64,
    deadline: u64,
) -> u64 {
    match timeline(cycle_last, mult, shift, xtime_nsec, base) {
        Some(line) => match line.expiry(Cycles::new(deadline)) {
            Expiry::Past(_) => 0,
            Expiry::At(_) => 1,
            Expiry::Beyond => 2,
        },
        None => NO_RATE,
    }
}

/// What an hrtimer is armed with.
#[no_mangle]
pub extern "C" fn expiry_ns(
    cycle_last: u64,
    mult: u32,
    shift: u32,
    xtime_nsec: u64,
    base: i64,
    deadline: u64,
) -> u64 {
    match timeline(cycle_last, mult, shift, xtime_nsec, base) {
        Some(line) => line.expiry(Cycles::new(deadline)).ns().get() as u64,
        None => NO_RATE,
    }
}

/// What the clock reads.
#[no_mangle]
pub extern "C" fn mono(
    cycle_last: u64,
    mult: u32,
    shift: u32,
    xtime_nsec: u64,
    base: i64,
    now: u64,
) -> u64 {
    match timeline(cycle_last, mult, shift, xtime_nsec, base) {
        Some(line) => line.mono(Cycles::new(now)).get() as u64,
        None => NO_RATE,
    }
}
