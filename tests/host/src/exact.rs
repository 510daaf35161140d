// SPDX-License-Identifier: GPL-2.0

//! The slow and obvious arithmetic: 256-bit integers, so that nothing is ever too large, and plain
//! division, rounded only where it is said.

use ethnum::I256;

/// `CLOCK_MONOTONIC` as a straight line through all 2^64 values of the TSC.
///
/// The fields are those of a `struct tk_read_base`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Multiplier, not 0.
    pub mult: u32,
    /// Shift, at most 32.
    pub shift: u32,
    /// TSC at the last update.
    pub cycle_last: u64,
    /// Nanoseconds at `cycle_last`, less `base`, times 2^`shift`.
    pub xtime_nsec: u64,
    /// Nanoseconds.
    pub base: i64,
}

impl Line {
    /// What one nanosecond is worth in the results of [`Line::at`].
    pub fn ns(&self) -> I256 {
        I256::ONE << self.shift
    }

    /// The exact time at a TSC value, in units of 1 / 2^`shift` ns.
    pub fn at(&self, tsc: u64) -> I256 {
        let cycles = I256::from(tsc) - I256::from(self.cycle_last);

        I256::from(self.base) * self.ns()
            + I256::from(self.xtime_nsec)
            + cycles * I256::from(self.mult)
    }

    /// The time at a TSC value in whole nanoseconds, rounded down.
    pub fn floor_at(&self, tsc: u64) -> I256 {
        floor_div(self.at(tsc), self.ns())
    }

    /// The time at a TSC value in whole nanoseconds, rounded up.
    pub fn ceil_at(&self, tsc: u64) -> I256 {
        ceil_div(self.at(tsc), self.ns())
    }
}

/// `ktime_get()`, line by line from `kernel/time/timekeeping.c`, with its mask all ones.
///
/// Also in what it does where the result does not fit: it drops the upper bits.
pub fn ktime_get(line: &Line, tsc: u64) -> i64 {
    let delta = tsc.wrapping_sub(line.cycle_last);
    let mask = u64::MAX;

    let ns = if delta & !(mask >> 1) != 0 {
        line.xtime_nsec >> line.shift
    } else {
        // mul_u64_u32_add_u64_shr()
        ((u128::from(delta) * u128::from(line.mult) + u128::from(line.xtime_nsec)) >> line.shift)
            as u64
    };
    line.base.wrapping_add(ns as i64)
}

/// Divides, rounding towards minus infinity; `d` is positive.
pub fn floor_div(n: I256, d: I256) -> I256 {
    n.div_euclid(d)
}

/// Divides, rounding towards plus infinity; `d` is positive.
pub fn ceil_div(n: I256, d: I256) -> I256 {
    -(-n).div_euclid(d)
}

/// The nearest value that an `i64` can hold.
pub fn saturate(n: I256) -> i64 {
    if n > I256::from(i64::MAX) {
        i64::MAX
    } else if n < I256::from(i64::MIN) {
        i64::MIN
    } else {
        n.as_i64()
    }
}
