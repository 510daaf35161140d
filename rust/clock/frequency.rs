// SPDX-License-Identifier: GPL-2.0

//! The TSC's nominal frequency: between cycles and nanoseconds by kHz.
//!
//! Where cycles were converted to nanoseconds by kHz (`tsc_khz`) and not by a clock's `mult`, the
//! way back is by kHz, too. Pure arithmetic under the rules of
//! [`units`](super::units).

use super::units::Cycles;

const NSEC_PER_MSEC: u64 = 1_000_000;

/// Fractional bits of both factors.
const SHIFT: u32 = 40;

/// A frequency, as factors that make both conversions a multiplication and a shift.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frequency {
    /// Cycles per nanosecond, rounded up.
    pub(crate) cycles_per_ns: u64,
    /// Nanoseconds per cycle, rounded down.
    pub(crate) ns_per_cycle: u64,
}

impl Frequency {
    /// The highest frequency there is room for, in kHz: 16 GHz.
    pub(crate) const KHZ_MAX: u32 = (1 << 24) - 1;

    /// Creates it from kHz, 1 to [`KHZ_MAX`](Self::KHZ_MAX). Divides.
    pub(crate) const fn from_khz(khz: u32) -> Option<Self> {
        if khz > Self::KHZ_MAX {
            return None;
        }
        let khz = khz as u64;
        let (Some(ns_per_cycle), Some(below)) = (
            (NSEC_PER_MSEC << SHIFT).checked_div(khz),
            (khz << SHIFT).checked_div(NSEC_PER_MSEC),
        ) else {
            return None;
        };
        Some(Self {
            cycles_per_ns: below.wrapping_add(1),
            ns_per_cycle,
        })
    }

    /// Returns the cycles in `ns`, at least; more by at most 1 and 2^-40 for each nanosecond.
    #[inline]
    pub(crate) const fn cycles(self, ns: u64) -> Cycles {
        let cycles = (ns as u128).wrapping_mul(self.cycles_per_ns as u128) >> SHIFT;

        if cycles >= u64::MAX as u128 {
            return Cycles::MAX;
        }
        // CAST: Just found to fit, with room for 1 more.
        Cycles::new((cycles as u64).wrapping_add(1))
    }

    /// Returns the nanoseconds in `cycles`, at most; fewer by at most 1 and 2^-40 for each cycle.
    #[inline]
    pub(crate) const fn ns(self, cycles: Cycles) -> u64 {
        let ns = (cycles.get() as u128).wrapping_mul(self.ns_per_cycle as u128) >> SHIFT;

        if ns > i64::MAX as u128 {
            return i64::MAX as u64;
        }
        // CAST: Just found to fit.
        ns as u64
    }
}
