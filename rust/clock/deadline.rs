// SPDX-License-Identifier: GPL-2.0

//! From a TSC deadline to the `CLOCK_MONOTONIC` expiry that is reached there.
//!
//! Pure arithmetic under the rules of [`units`](super::units). `tests/host` compiles this very file.
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

use super::{
    rate::Rate,
    units::{
        Cycles,
        MonoNs, //
    }, //
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
        let shifted = self.shifted(cycles);
        let ns = if shifted >> 63 == 0 {
            // Most deadlines, because that is some minutes ahead: half of the instructions do.
            // CAST: The upper half was just found to be 0.
            (shifted as u64).wrapping_sub(1) >> self.rate.bits()
        } else {
            let ns = shifted.wrapping_sub(1) >> self.rate.bits();

            if ns >= i64::MAX as u128 {
                return Expiry::Beyond;
            }
            // CAST: Just found to fit.
            ns as u64
        };
        // CAST: Below `i64::MAX`, in either case.
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

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(CONFIG_KUNIT = "y", kernel::prelude::kunit_tests(raw_hrtimer_deadline))]
mod tests {
    use super::*;

    const CYCLE_LAST: u64 = 1000;
    const BASE: i64 = 100;

    /// `mult / 2^shift` ns per cycle, 100 ns at cycle 1000.
    fn timeline(mult: u32, shift: u32, xtime_nsec: u64, base: i64) -> Option<Timeline> {
        Some(Timeline {
            cycle_last: Cycles::new(CYCLE_LAST),
            rate: Rate::new(mult, shift)?,
            xtime_nsec,
            base: MonoNs::new(base),
        })
    }

    /// Half a nanosecond per cycle.
    fn half() -> Option<Timeline> {
        timeline(1, 1, 0, BASE)
    }

    fn at(ns: i64) -> Option<Expiry> {
        Some(Expiry::At(MonoNs::new(ns)))
    }

    fn past(ns: i64) -> Option<Expiry> {
        Some(Expiry::Past(MonoNs::new(ns)))
    }

    fn expiry(timeline: Option<Timeline>, deadline: u64) -> Option<Expiry> {
        Some(timeline?.expiry(Cycles::new(deadline)))
    }

    fn mono(timeline: Option<Timeline>, now: u64) -> Option<i64> {
        Some(timeline?.mono(Cycles::new(now)).get())
    }

    #[test]
    fn expiry_is_rounded_up() {
        assert_eq!(expiry(half(), 1001), at(101));
        assert_eq!(expiry(half(), 1002), at(101));
        assert_eq!(expiry(half(), 1003), at(102));
        // xtime_nsec is worth another half.
        assert_eq!(expiry(timeline(1, 1, 1, BASE), 1001), at(101));
        assert_eq!(expiry(timeline(1, 1, 1, BASE), 1002), at(102));
    }

    #[test]
    fn a_bent_rate_moves_the_expiry_by_as_much() {
        // A second of 3.5e9 cycles at 3.5 GHz, as the kernel has it, and at 500 ppm more.
        let (second, nominal, bent) = (3_500_000_000, 4_793_490, 4_795_887);
        let exact = |mult: u64| BASE + (second * mult).div_ceil(1 << 24) as i64;

        for mult in [nominal, bent] {
            let expiry = expiry(timeline(mult as u32, 24, 0, BASE), CYCLE_LAST + second);
            assert_eq!(expiry, at(exact(mult)));
        }
        assert_eq!((exact(bent) - exact(nominal)) / 1000, 500);
    }

    #[test]
    fn a_past_deadline_has_been_reached() {
        assert_eq!(expiry(half(), 0), past(100));
        assert_eq!(expiry(half(), 999), past(100));
        assert_eq!(expiry(half(), 1000), past(100));
        assert_eq!(expiry(timeline(1, 1, 3, BASE), 1000), past(101));
        assert_eq!(expiry(timeline(1, 0, u64::MAX, BASE), 0), past(i64::MAX));
    }

    #[test]
    fn a_deadline_beyond_ktime_max_saturates() {
        let near = timeline(1, 0, 0, i64::MAX - 10);
        assert_eq!(expiry(near, 1009), at(i64::MAX - 1));
        assert_eq!(expiry(near, 1010), at(i64::MAX));
        assert_eq!(expiry(near, 1011), Some(Expiry::Beyond));
        assert_eq!(expiry(near, u64::MAX), Some(Expiry::Beyond));

        let whole = timeline(1, 0, 0, 0);
        assert_eq!(expiry(whole, 1000 + i64::MAX as u64), at(i64::MAX));
        assert_eq!(expiry(whole, 1001 + i64::MAX as u64), Some(Expiry::Beyond));

        // The product takes all of its 96 bits.
        let fast = timeline(u32::MAX, 0, u64::MAX, 0);
        assert_eq!(expiry(fast, u64::MAX), Some(Expiry::Beyond));
        assert_eq!(Expiry::Beyond.ns(), MonoNs::KTIME_MAX);
    }

    #[test]
    fn mono_reads_as_ktime_get() {
        assert_eq!(mono(half(), 1000), Some(100));
        assert_eq!(mono(half(), 1001), Some(100));
        assert_eq!(mono(half(), 1002), Some(101));
        // A TSC that lags behind does not turn the clock back.
        assert_eq!(mono(half(), 999), Some(100));
        assert_eq!(mono(timeline(2, 0, 0, 0), i64::MAX as u64), Some(i64::MAX));
    }
}
