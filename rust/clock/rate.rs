// SPDX-License-Identifier: GPL-2.0

//! Nanoseconds per cycle.
//!
//! Pure arithmetic under the rules of [`units`](super::units).
//!
//! # Vocabulary
//!
//! * **rate**: nanoseconds per cycle, `mult / 2^shift`: [`Rate`].
//! * **dither**: the single unit of `mult` that the timekeeper adds and removes from tick to tick
//!   to work off `ntp_error`; see `timekeeping_adjust()`.
//!
//! C header: [`include/linux/timekeeper_internal.h`](srctree/include/linux/timekeeper_internal.h)

/// Nanoseconds per cycle, `mult / 2^shift`: one of `tkr_mono`, `tkr_raw`.
///
/// # Invariants
///
/// - `mult` is not 0, so that it can divide.
/// - `shift` is at most [`Rate::SHIFT_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rate {
    mult: u32,
    shift: u32,
}

impl Rate {
    /// The largest `shift` that `clocks_calc_mult_shift()` gives a clocksource.
    pub(crate) const SHIFT_MAX: u32 = 32;

    /// Takes the `mult` and `shift` of a `struct tk_read_base`.
    ///
    /// Returns [`None`] for a `mult` of 0 or a `shift` above [`Rate::SHIFT_MAX`], which no
    /// clocksource has.
    #[inline]
    pub(crate) const fn new(mult: u32, shift: u32) -> Option<Self> {
        if mult == 0 || shift > Self::SHIFT_MAX {
            return None;
        }
        // INVARIANT: Both were checked just above.
        Some(Self { mult, shift })
    }

    /// Returns the multiplier, 1 to 2^32 - 1, in ns per cycle times 2^[`shift`](Self::shift).
    #[inline]
    pub(crate) const fn mult(self) -> u32 {
        self.mult
    }

    /// Returns the shift, 0 to [`Rate::SHIFT_MAX`].
    #[inline]
    pub(crate) const fn shift(self) -> u32 {
        self.shift
    }

    /// Returns the shift for use in a 128-bit shift.
    ///
    /// It is 32 at most; the mask says so to the compiler, which then leaves out the overflow check
    /// and the half of the shift that is for 64 and more.
    #[inline]
    pub(crate) const fn bits(self) -> u32 {
        self.shift & 63
    }

    /// Returns the rate in one word, so that it is stored, loaded and compared at once: `mult`, and
    /// above it `shift`. The upper 26 bits are 0.
    #[inline(always)]
    pub(crate) const fn pack(self) -> u64 {
        self.mult as u64 | (self.shift as u64) << 32
    }

    /// Returns the rate that [`pack()`](Self::pack) has made this word of, whatever its upper 26 bits
    /// are now.
    #[inline(always)]
    pub(crate) const fn unpack(word: u64) -> Self {
        // INVARIANT: By that, both are a rate's.
        // CAST: The lower half, and 6 bits.
        Self {
            mult: word as u32,
            shift: (word >> 32) as u32 & 63,
        }
    }

    /// Takes `mult`, and above it `shift`, as [`new()`](Self::new) does.
    #[inline]
    pub(crate) const fn from_word(word: u64) -> Option<Self> {
        // CAST: The lower half, and the upper one.
        Self::new(word as u32, (word >> 32) as u32)
    }

    /// Says what a change from `reference` to this rate means to a pending timer.
    ///
    /// Give as `reference` the rate that the pending timers were armed with, not the previous one:
    /// else a slow drift of one unit at a time is never seen.
    #[inline]
    pub(crate) const fn change_from(self, reference: Self) -> Change {
        if self.shift != reference.shift {
            Change::Other
        } else if self.mult.abs_diff(reference.mult) <= 1 {
            Change::Steady
        } else if self.mult > reference.mult {
            Change::Faster
        } else {
            Change::Slower
        }
    }
}

/// What a new rate is to an old one; see [`Rate::change_from`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// The same, or one unit of `mult` away: dither, which re-arms nothing.
    Steady,
    /// The clock runs faster now: an expiry computed before is reached too early.
    Faster,
    /// The clock runs slower now: an expiry computed before is reached too late.
    Slower,
    /// The `shift` differs, so it is another clocksource: nothing computed before holds.
    Other,
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(CONFIG_KUNIT = "y", kernel::prelude::kunit_tests(raw_hrtimer_rate))]
mod tests {
    use super::*;

    fn change(mult: u32, shift: u32) -> Option<Change> {
        Some(Rate::new(mult, shift)?.change_from(Rate::new(1000, 24)?))
    }

    #[test]
    fn rates_that_no_clocksource_has_are_refused() {
        assert_eq!(Rate::new(0, 24), None);
        assert_eq!(Rate::new(1, 33), None);
        assert_eq!(Rate::new(1, u32::MAX), None);
        assert_eq!(Rate::new(1, 0).map(Rate::mult), Some(1));
        assert_eq!(Rate::new(u32::MAX, 32).map(Rate::mult), Some(u32::MAX));
        assert_eq!(Rate::new(u32::MAX, 32).map(Rate::shift), Some(32));
    }

    #[test]
    fn one_unit_is_dither_and_two_are_a_change() {
        assert_eq!(change(1000, 24), Some(Change::Steady));
        assert_eq!(change(1001, 24), Some(Change::Steady));
        assert_eq!(change(999, 24), Some(Change::Steady));
        assert_eq!(change(1002, 24), Some(Change::Faster));
        assert_eq!(change(998, 24), Some(Change::Slower));
        assert_eq!(change(u32::MAX, 24), Some(Change::Faster));
        assert_eq!(change(1, 24), Some(Change::Slower));
        assert_eq!(change(1000, 23), Some(Change::Other));
    }

    #[test]
    fn a_rate_fits_into_a_word() {
        for (mult, shift) in [(1, 0), (u32::MAX, 32), (4_793_490, 24)] {
            let rate = Rate::new(mult, shift);
            let word = rate.map_or(0, Rate::pack);

            assert_eq!(word >> 38, 0);
            assert_eq!(Some(Rate::unpack(word)), rate);
            assert_eq!(Some(Rate::unpack(word | u64::MAX << 38)), rate);
        }
    }
}
