// SPDX-License-Identifier: GPL-2.0

//! Cycles and nanoseconds, which never mix.
//!
//! Pure arithmetic: `core` alone, nothing of the kernel, no floats, no 128-bit division (a panic in
//! the kernel), nothing that can overflow or panic. `tests/host` compiles this very file, as it does
//! the others that say so.
//!
//! # Vocabulary
//!
//! * **cycle**: one tick of the TSC, the clocksource's counter: [`Cycles`].
//! * **raw ns**: `CLOCK_MONOTONIC_RAW`, nanoseconds at the clocksource's nominal rate: [`RawNs`].
//! * **mono ns**: `CLOCK_MONOTONIC`, nanoseconds at the rate that NTP sets: [`MonoNs`].
//!
//! C header: [`include/vdso/ktime.h`](srctree/include/vdso/ktime.h)

/// A TSC value or a distance in TSC cycles, 0 to 2^64 - 1.
///
/// As a value it is what `rdtsc` reads on the host. It is taken not to wrap: at 4 GHz that takes
/// 146 years.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Cycles(u64);

impl Cycles {
    /// The last value there is; where a conversion to cycles saturates.
    pub(crate) const MAX: Self = Self(u64::MAX);

    /// Takes a TSC value, or a number of cycles.
    #[inline]
    pub(crate) const fn new(cycles: u64) -> Self {
        Self(cycles)
    }

    /// Returns the bare number of cycles.
    #[inline]
    pub(crate) const fn get(self) -> u64 {
        self.0
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC_RAW`, the whole range of `ktime_t`.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct RawNs(i64);

impl RawNs {
    /// Takes raw nanoseconds.
    #[inline]
    pub(crate) const fn new(ns: i64) -> Self {
        Self(ns)
    }

    /// Returns the bare nanoseconds, a `ktime_t`.
    #[inline]
    pub(crate) const fn get(self) -> i64 {
        self.0
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`, the whole range of `ktime_t`.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct MonoNs(i64);

impl MonoNs {
    /// `KTIME_MAX`: where an expiry saturates. The hrtimer core takes it for "never".
    pub(crate) const KTIME_MAX: Self = Self(i64::MAX);

    /// Takes monotonic nanoseconds.
    #[inline]
    pub(crate) const fn new(ns: i64) -> Self {
        Self(ns)
    }

    /// Returns the bare nanoseconds, a `ktime_t`.
    #[inline]
    pub(crate) const fn get(self) -> i64 {
        self.0
    }
}
