// SPDX-License-Identifier: GPL-2.0

//! What the listener publishes of the timekeeper.
//!
//! # Vocabulary
//!
//! * **snapshot**: the line that `CLOCK_MONOTONIC` follows against the TSC, its top rate, the raw
//!   rate, and which clocksource it is.
//! * **top rate**: the fastest that the clock runs while NTP's settings stay. The timekeeper dithers
//!   between this rate and the one a unit of `mult` below (`timekeeping_adjust()`).

use super::{
    deadline::Timeline,
    latch::Latch,
    rate::Rate, //
};

use crate::{
    ffi::CSID_X86_TSC,
    units::{
        Cycles,
        MonoNs, //
    }, //
};

/// The timekeeper's state, as far as expiries need it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// `CLOCK_MONOTONIC` against the clocksource's cycles, as clock reads have it.
    pub(crate) timeline: Timeline,
    /// The top rate: that of the timeline, or a unit of `mult` above.
    pub(crate) top: Rate,
    /// `CLOCK_MONOTONIC_RAW` against the clocksource's cycles.
    pub(crate) raw: Rate,
    /// Whether the timeline's rate has the unit that the timekeeper adds to dither, and whose cycles it
    /// counts: [`ntp_word()`].
    pub(crate) ntp: u64,
}

/// A snapshot as it is published: `cycle_last`, `xtime_nsec`, `base`, the top rate, the raw rate and
/// [`ntp_word()`]. Where the clock runs at the top rate, these are the timekeeper's own words.
pub(crate) type Words = [u64; 6];

/// Above the raw rate: the timeline's rate is a unit below the top rate.
const BELOW_TOP: u64 = 1 << 63;

/// Returns `ntp_err_mult`, and above it the clocksource's `id`, in one word.
#[inline(always)]
pub(crate) fn ntp_word(ntp_err_mult: u32, id: u32) -> u64 {
    u64::from(ntp_err_mult) | u64::from(id) << 32
}

/// Whether cycles are the TSC's. If not, a snapshot does not give the time of a deadline.
#[inline(always)]
fn is_tsc(ntp: u64) -> bool {
    // CAST: The upper half, as stored.
    (ntp >> 32) as u32 == CSID_X86_TSC
}

impl Snapshot {
    /// Returns the line by which expiries are computed: at the top rate.
    ///
    /// So dithering makes a timer late, by less than half a millionth of its distance, and not
    /// early, which would cost it a second interrupt.
    #[inline]
    pub(crate) fn expiry_line(&self) -> Timeline {
        Timeline {
            rate: self.top,
            ..self.timeline
        }
    }

    /// Whether the clocksource is the TSC. If not, nothing here gives the time of a deadline.
    #[inline]
    pub(crate) fn is_tsc(&self) -> bool {
        is_tsc(self.ntp)
    }

    /// Returns it as it is published.
    #[inline]
    pub(crate) fn words(&self) -> Words {
        let line = &self.timeline;
        let below_top = if line.rate == self.top { 0 } else { BELOW_TOP };

        [
            line.cycle_last.get(),
            line.xtime_nsec,
            // CAST: Two's complement, there and back.
            line.base.get() as u64,
            self.top.pack(),
            self.raw.pack() | below_top,
            self.ntp,
        ]
    }

    /// Returns the snapshot that [`words()`](Self::words) has made into these; `None` if nothing was
    /// published.
    #[inline]
    pub(crate) fn from_words(words: &Words) -> Option<Self> {
        let [.., raw, ntp] = *words;
        let expiry_line = expiry_line(words);
        let top = expiry_line.rate;
        let mult = top.mult().wrapping_sub((raw & BELOW_TOP != 0).into());

        Some(Self {
            timeline: Timeline {
                rate: Rate::new(mult, top.shift())?,
                ..expiry_line
            },
            top,
            raw: Rate::unpack(raw),
            ntp,
        })
    }
}

/// Returns [`Snapshot::expiry_line()`] of the words that a snapshot was published as.
#[inline(always)]
fn expiry_line(&[cycle_last, xtime_nsec, base, top, ..]: &Words) -> Timeline {
    Timeline {
        cycle_last: Cycles::new(cycle_last),
        rate: Rate::unpack(top),
        xtime_nsec,
        // CAST: As stored.
        base: MonoNs::new(base as i64),
    }
}

/// What the listener has published.
pub(crate) static CURRENT: Latch<6> = Latch::new();

/// Returns the current snapshot and its generation; `None` before the first. Any context.
#[inline]
pub(crate) fn current() -> Option<(Snapshot, u64)> {
    let (words, generation) = CURRENT.read();

    Some((Snapshot::from_words(&words)?, generation))
}

/// Returns the line to compute expiries by, and whether it is faster than the raw clock; `None` if the
/// clocksource is not the TSC. Any context. As much of [`current()`] as the path that starts a timer needs.
#[inline(always)]
pub(crate) fn current_line() -> Option<(Timeline, bool)> {
    let (words, _) = CURRENT.read();
    let line = expiry_line(&words);
    let [.., raw, ntp] = words;

    is_tsc(ntp).then(|| (line, line.rate.mult() > Rate::unpack(raw).mult()))
}
