// SPDX-License-Identifier: GPL-2.0

//! The functions that `prove.py` proves, of plain integers; otherwise the pure files unchanged.
//!
//! Compiled once to LLVM's intermediate code, which is proven, and to a library, which is called.

#[expect(dead_code, reason = "no proof needs all of it")]
#[path = "../../../rust/clock"]
mod pure {
    #[path = "../units.rs"]
    pub(crate) mod units;

    pub(crate) mod deadline;
    pub(crate) mod frequency;
    pub(crate) mod margin;
    pub(crate) mod rate;
}

use pure::{
    deadline,
    frequency,
    margin,
    rate,
    units, //
};

use deadline::{
    Expiry,
    Timeline, //
};
use frequency::Frequency;
use rate::Rate;
use units::{
    Cycles,
    MonoNs, //
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

/// Defines functions of a line, whose five words come before the other arguments.
macro_rules! of_a_line {
    ($(
        $(#[$meta:meta])*
        fn $name:ident($line:ident $(, $arg:ident: $type:ty)*) -> u64 $body:block
    )*) => {$(
        $(#[$meta])*
        #[no_mangle]
        pub extern "C" fn $name(
            cycle_last: u64,
            mult: u32,
            shift: u32,
            xtime_nsec: u64,
            base: i64
            $(, $arg: $type)*
        ) -> u64 {
            match timeline(cycle_last, mult, shift, xtime_nsec, base) {
                Some($line) => $body,
                None => NO_RATE,
            }
        }
    )*};
}

of_a_line! {
    /// 0 for a past deadline, 1 for one that has an expiry, 2 for one beyond.
    fn expiry_kind(line, deadline: u64) -> u64 {
        match line.expiry(Cycles::new(deadline)) {
            Expiry::Past(_) => 0,
            Expiry::At(_) => 1,
            Expiry::Beyond => 2,
        }
    }

    /// What an hrtimer is armed with.
    fn expiry_ns(line, deadline: u64) -> u64 {
        line.expiry(Cycles::new(deadline)).ns().get() as u64
    }

    /// What the clock reads.
    fn mono(line, now: u64) -> u64 {
        line.mono(Cycles::new(now)).get() as u64
    }

    /// For when to arm a timer on a clockevent that counts nominal nanoseconds.
    fn look(line, deadline: u64, raw_mult: u32, now: u64) -> u64 {
        match Rate::new(raw_mult, line.rate.shift()) {
            Some(raw) => margin::expiry(
                &line,
                raw,
                Cycles::new(deadline),
                Cycles::new(now),
            )
            .get() as u64,
            None => NO_RATE,
        }
    }
}

/// The factor from nanoseconds to cycles, or 0 for a frequency that is refused.
#[no_mangle]
pub extern "C" fn cycles_per_ns(khz: u32) -> u64 {
    Frequency::from_khz(khz).map_or(0, |frequency| frequency.cycles_per_ns)
}

/// The factor from cycles to nanoseconds, or 0 for a frequency that is refused.
#[no_mangle]
pub extern "C" fn ns_per_cycle(khz: u32) -> u64 {
    Frequency::from_khz(khz).map_or(0, |frequency| frequency.ns_per_cycle)
}

/// Nanoseconds in cycles.
#[no_mangle]
pub extern "C" fn cycles_in(cycles_per_ns: u64, ns: u64) -> u64 {
    let frequency = Frequency {
        cycles_per_ns,
        ns_per_cycle: 0,
    };
    frequency.cycles(ns).get()
}

/// Cycles in nanoseconds.
#[no_mangle]
pub extern "C" fn ns_in(ns_per_cycle: u64, cycles: u64) -> u64 {
    let frequency = Frequency {
        cycles_per_ns: 0,
        ns_per_cycle,
    };
    frequency.ns(Cycles::new(cycles))
}
