// SPDX-License-Identifier: GPL-2.0

//! From a TSC deadline to the `CLOCK_MONOTONIC` expiry that is reached there, and back.
//!
//! Pure arithmetic under the rules of [`rate`](super::rate). `tests/host` compiles this very file.
//!
//! The timekeeper reads the clock (`timekeeping_cycles_to_ns()`, `ktime_get()` in
//! `kernel/time/timekeeping.c`) as
//!
//! ```text
//! mono(T) = base + (((T - cycle_last) * mult + xtime_nsec) >> shift)
//! ```
//!
//! so with the values that it will go on using, the expiry of a deadline needs neither a clock read
//! nor a division: the same formula, rounded up instead of down.
//!
//! # Vocabulary
//!
//! * **deadline**: the TSC value before which a timer must not fire.
//! * **expiry**: what the hrtimer core is given for it: it fires once `ktime_get()` has reached it.
//! * **exact**: the formula above without its rounding.

use super::rate::{
    div_rem,
    Cycles,
    MonoNs,
    Rate, //
};

/// What the timekeeper reads `CLOCK_MONOTONIC` from: `tkr_mono`, a `struct tk_read_base`.
///
/// Every value of every field is served; the kernel keeps `xtime_nsec` below two seconds and `base`
/// positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Timeline {
    /// The TSC at the last update.
    pub(crate) cycle_last: Cycles,
    /// Monotonic nanoseconds per cycle since then.
    pub(crate) rate: Rate,
    /// Monotonic nanoseconds at `cycle_last`, less `base`, times 2^`shift`.
    pub(crate) xtime_nsec: u64,
    /// Monotonic nanoseconds that the above count from.
    pub(crate) base: MonoNs,
}

/// When a timer with some deadline expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expiry {
    /// The deadline is at or before the last update: a time that has been reached, so the timer
    /// fires at once.
    Past(MonoNs),
    /// The deadline is reached at this time, and not before.
    At(MonoNs),
    /// The deadline lies beyond [`MonoNs::KTIME_MAX`], or more than that, 292 years, after the
    /// timeline's base.
    Beyond,
}

impl Expiry {
    /// Returns the expiry to arm an hrtimer with: [`MonoNs::KTIME_MAX`] where it is beyond that.
    #[inline]
    pub(crate) const fn ns(self) -> MonoNs {
        match self {
            Self::Past(ns) | Self::At(ns) => ns,
            Self::Beyond => MonoNs::KTIME_MAX,
        }
    }

    /// Tells whether the deadline lies beyond what an expiry can hold.
    #[inline]
    pub(crate) const fn is_saturated(self) -> bool {
        matches!(self, Self::Beyond)
    }
}

impl Timeline {
    /// Returns when `CLOCK_MONOTONIC` reaches `deadline`: the exact time, rounded up.
    ///
    /// Never early: whenever `ktime_get()` has reached the result, the TSC has reached `deadline`.
    /// At most 1 ns late, and never earlier for a later deadline.
    #[inline]
    pub(crate) const fn expiry(&self, deadline: Cycles) -> Expiry {
        let (cycles, past) = deadline.get().overflowing_sub(self.cycle_last.get());
        if past || cycles == 0 {
            return Expiry::Past(self.mono_last());
        }

        // At least 1, because neither factor is 0, and below 2^97. So it is rounded up as
        // `((x - 1) >> shift) + 1`; the usual `(x + (1 << shift) - 1) >> shift` would have to make
        // a mask first.
        let shifted = self.shifted(cycles).wrapping_sub(1);
        let ns = shifted >> self.rate.bits();

        if ns >= i64::MAX as u128 {
            return Expiry::Beyond;
        }
        // CAST: Just found to fit, with room for 1 more.
        match self.base.get().checked_add((ns as i64).wrapping_add(1)) {
            Some(ns) => Expiry::At(MonoNs::new(ns)),
            None => Expiry::Beyond,
        }
    }

    /// Returns what `ktime_get()` reads when the TSC is `now`, saturating.
    ///
    /// As in `timekeeping_cycles_to_ns()` a `now` up to 2^63 cycles before `cycle_last`, seen when
    /// the TSCs of two CPUs differ a little, counts as `cycle_last`.
    #[inline]
    pub(crate) const fn mono(&self, now: Cycles) -> MonoNs {
        let cycles = now.get().wrapping_sub(self.cycle_last.get());
        if cycles > i64::MAX as u64 {
            return self.mono_last();
        }

        let ns = self.shifted(cycles) >> self.rate.bits();
        if ns >> 64 != 0 {
            return MonoNs::KTIME_MAX;
        }
        // CAST: The upper half was just found to be 0.
        MonoNs::new(self.base.get().saturating_add_unsigned(ns as u64))
    }

    /// Returns the first TSC value at which `ktime_get()` has reached `expiry`.
    ///
    /// No value before `cycle_last` is given, because the rate of before is not known, and
    /// [`Cycles::MAX`] where it would lie beyond. Divides: not for hot paths.
    pub(crate) const fn deadline(&self, expiry: MonoNs) -> Cycles {
        // At most 2^64 - 1, and so below 2^96 when shifted.
        let ns = (expiry.get() as i128).wrapping_sub(self.base.get() as i128);
        let shifted = (ns << self.rate.bits()).wrapping_sub(self.xtime_nsec as i128);
        if shifted <= 0 {
            return self.cycle_last;
        }

        // CAST: Just found to be positive.
        let (cycles, rest) = div_rem(shifted as u128, self.rate.mult());
        let cycles = if rest != 0 {
            cycles.wrapping_add(1)
        } else {
            cycles
        };
        let deadline = cycles.wrapping_add(self.cycle_last.get() as u128);
        if deadline > u64::MAX as u128 {
            return Cycles::MAX;
        }
        // CAST: Just found to fit.
        Cycles::new(deadline as u64)
    }

    /// Returns what `ktime_get()` reads at `cycle_last`.
    #[inline]
    const fn mono_last(&self) -> MonoNs {
        let ns = self.xtime_nsec >> self.rate.bits();
        MonoNs::new(self.base.get().saturating_add_unsigned(ns))
    }

    /// Returns the nanoseconds from `base` to `cycles` after `cycle_last`, times 2^`shift`.
    ///
    /// At most (2^64 - 1) * (2^32 - 1) + 2^64 - 1, which is below 2^96.
    #[inline]
    const fn shifted(&self, cycles: u64) -> u128 {
        (cycles as u128)
            .wrapping_mul(self.rate.mult() as u128)
            .wrapping_add(self.xtime_nsec as u128)
    }
}
