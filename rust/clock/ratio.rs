// SPDX-License-Identifier: GPL-2.0

//! What two rates are to each other: the skew.
//!
//! Pure arithmetic under the rules of [`units`](super::units). It divides, and so is not for the path
//! that arms a timer.
//!
//! # Vocabulary
//!
//! * **skew**: how much faster the monotonic clock runs than the raw one: [`Skew`].

use core::fmt;

use super::rate::Rate;

/// Nanoseconds per second, and so the parts per billion of a whole.
const NSEC_PER_SEC: u64 = 1_000_000_000;

/// How much faster `CLOCK_MONOTONIC` runs than `CLOCK_MONOTONIC_RAW`, in parts per billion.
///
/// The kernel's limits, stacked, are about +-22 %; any `i64` is held.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Skew(i64);

impl Skew {
    /// Takes a skew in parts per billion.
    #[cfg_attr(not(test), allow(dead_code))]
    #[inline]
    pub(crate) const fn from_ppb(ppb: i64) -> Self {
        Self(ppb)
    }

    /// Returns the parts per billion.
    #[inline]
    pub(crate) const fn ppb(self) -> i64 {
        self.0
    }

    /// Compares two rates of one clocksource, rounding towards zero.
    ///
    /// `(mono - raw) / raw` in parts per billion. With one `shift`, as `tk_setup_internals()` sets
    /// it for both, that is `(mono.mult - raw.mult) * 10^9 / raw.mult`. Saturates, which takes two
    /// rates more than 2^33 apart.
    pub(crate) const fn between(mono: Rate, raw: Rate) -> Self {
        let (ppb, rest) = multiply_by_ratio(NSEC_PER_SEC, mono, raw);
        // `mono / raw` was rounded down. That is towards the skew's zero above 1 only.
        let round_up = ppb < NSEC_PER_SEC as u128 && rest;
        let ppb = if round_up { ppb.wrapping_add(1) } else { ppb };

        if ppb > i64::MAX as u128 {
            return Self(i64::MAX);
        }
        // CAST: Just found to fit.
        Self((ppb as i64).wrapping_sub(NSEC_PER_SEC as i64))
    }
}

/// As parts per million with sign and three decimals: `+500.000 ppm`.
impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let ppb = self.0.unsigned_abs();

        write!(f, "{}{}.{:03} ppm", sign, ppb / 1000, ppb % 1000)
    }
}

/// Multiplies `ns` by `mono / raw`, rounding down; also says whether that dropped anything.
///
/// Exact for any two rates and for `ns` up to 2^64 - 1: `ns * 2^raw.shift` is below 2^96 and its
/// product with `mono.mult` below 2^128. A plain division of that product would be a 128-bit one,
/// so it is taken apart: with `x = q * d + r`, `x * m / d` is `q * m + r * m / d`.
const fn multiply_by_ratio(ns: u64, mono: Rate, raw: Rate) -> (u128, bool) {
    let (q, r) = div_rem((ns as u128) << raw.bits(), raw.mult());
    // `r` is below `raw.mult()`, so the product is below 2^64.
    let rest = (r as u64).wrapping_mul(mono.mult() as u64);
    let (rest_q, rest_r) = div_rem(rest as u128, raw.mult());

    let shifted = q.wrapping_mul(mono.mult() as u128).wrapping_add(rest_q);
    let ratio = shifted >> mono.bits();

    (ratio, rest_r != 0 || ratio << mono.bits() != shifted)
}

/// Divides 96 by 32 bits in two steps of 64 by 32 bits, as one does by hand.
///
/// `dividend` must be below 2^96 and `divisor` not 0; for others the result is of no use, but it is
/// computed without a fault.
pub(crate) const fn div_rem(dividend: u128, divisor: u32) -> (u128, u32) {
    let divisor = divisor as u64;
    // CAST: All of the upper 64 bits of the 96, then the lower 32.
    let upper = (dividend >> 32) as u64;
    let lower = dividend as u32 as u64;

    let (Some(upper_q), Some(upper_r)) = (upper.checked_div(divisor), upper.checked_rem(divisor))
    else {
        return (u128::MAX, 0);
    };
    // A remainder is below the divisor, so this is below 2^64 and its quotient below 2^32.
    let lower = (upper_r << 32) | lower;
    let (Some(lower_q), Some(lower_r)) = (lower.checked_div(divisor), lower.checked_rem(divisor))
    else {
        return (u128::MAX, 0);
    };

    // CAST: A remainder of a division by a `u32`.
    (((upper_q as u128) << 32) | lower_q as u128, lower_r as u32)
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(CONFIG_KUNIT = "y", kernel::prelude::kunit_tests(raw_hrtimer_ratio))]
mod tests {
    use super::*;

    /// Accepts only the text that it holds, in any number of pieces.
    struct Expected(&'static str);

    impl fmt::Write for Expected {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(piece).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    fn prints(ppb: i64, text: &'static str) -> bool {
        let mut rest = Expected(text);
        fmt::write(&mut rest, format_args!("{}", Skew::from_ppb(ppb))).is_ok() && rest.0.is_empty()
    }

    fn skew(mono: (u32, u32), raw: (u32, u32)) -> Option<i64> {
        let mono = Rate::new(mono.0, mono.1)?;
        let raw = Rate::new(raw.0, raw.1)?;
        Some(Skew::between(mono, raw).ppb())
    }

    #[test]
    fn skew_is_rounded_towards_zero() {
        assert_eq!(skew((4_000_000, 24), (4_000_000, 24)), Some(0));
        assert_eq!(skew((4_002_000, 24), (4_000_000, 24)), Some(500_000));
        assert_eq!(skew((3_998_000, 24), (4_000_000, 24)), Some(-500_000));
        assert_eq!(skew((4, 24), (3, 24)), Some(333_333_333));
        assert_eq!(skew((2, 24), (3, 24)), Some(-333_333_333));
        // The same ratio by the shift.
        assert_eq!(skew((1, 25), (1, 24)), Some(-500_000_000));
        assert_eq!(skew((1, 24), (1, 25)), Some(1_000_000_000));
        assert_eq!(skew((u32::MAX, 0), (1, 32)), Some(i64::MAX));
        assert_eq!(skew((1, 32), (u32::MAX, 0)), Some(-999_999_999));
    }

    #[test]
    fn skew_prints_as_ppm() {
        assert!(prints(0, "+0.000 ppm"));
        assert!(prints(500_000, "+500.000 ppm"));
        assert!(prints(-1, "-0.001 ppm"));
        assert!(prints(-100_000_050, "-100000.050 ppm"));
        assert!(prints(i64::MIN, "-9223372036854775.808 ppm"));
        assert!(!prints(500_000, "+500.000 ppm "));
    }

    #[test]
    fn division_is_long_division() {
        assert_eq!(div_rem(7, 2), (3, 1));
        assert_eq!(div_rem((1 << 96) - 1, 1), ((1 << 96) - 1, 0));
        assert_eq!(
            div_rem((1 << 96) - 1, u32::MAX),
            ((1 << 64) + (1 << 32) + 1, 0)
        );
        assert_eq!(div_rem(1 << 95, 3), ((1 << 95) / 3, 2));
    }
}
