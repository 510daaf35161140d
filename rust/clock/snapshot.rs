// SPDX-License-Identifier: GPL-2.0

//! What the listener publishes of the timekeeper.
//!
//! # Vocabulary
//!
//! * **snapshot**: the line that `CLOCK_MONOTONIC` follows against the TSC, the raw rate, and which
//!   clocksource it is.
//! * **speed-up**: an update since which the clock is faster, by more than dither.
//! * **mark**: by which a CPU knows whether its clockevent was programmed before the last speed-up.
//!   See `rust/timer/event.rs`.

use super::{
    deadline::Timeline,
    latch::Latch,
    rate::Rate, //
};

use crate::{
    ffi::{
        self,
        Word,
        CSID_X86_TSC, //
    },
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
    /// `CLOCK_MONOTONIC_RAW` against the clocksource's cycles.
    pub(crate) raw: Rate,
    /// Whose cycles it counts: the clocksource's `id`.
    pub(crate) id: u32,
}

/// A snapshot as it is published, which is as the timekeeper has it: `cycle_last`, `xtime_nsec`, `base` and
/// the rate; then its [`Kind`]; then the raw rate and the clocksource's `id`.
pub(crate) type Words = [u64; 7];

/// How many of them, from the first on, a start needs.
const TO_START: usize = 5;

/// How often the clock has become faster, by more than dither. Written by the listener alone.
static SPEED_UPS: Word = Word::new(0);

/// Counts a speed-up, before the snapshot that has it is published. Called by the listener.
pub(crate) fn count_speed_up() {
    SPEED_UPS.store_release(SPEED_UPS.load().wrapping_add(1));
}

/// What a start has to know of a snapshot beside the timeline, in one word, which a mark is
/// compared with.
///
/// With each speed-up the number is one less. So a CPU that has the mark of a snapshot has none of
/// those after the next speed-up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u64);

impl Kind {
    /// The clocksource is not the TSC, or nothing was published. Below all marks.
    pub(crate) const NO_TSC: Self = Self(0);
    /// The clockevent does not count the TSC, and the clock is not faster than the raw clock. Above
    /// all marks but that of a CPU that has started no timer yet.
    const SLOW: Self = Self(u64::MAX);
    /// Before the first speed-up. Below [`UNCOUPLED`](ffi::UNCOUPLED).
    const FIRST: u64 = 1 << 62;

    /// Whether a timer is started for its exact expiry, with nothing else to do: of any clock that
    /// counts the TSC, unless it is fast and the clockevent does not count the TSC, or the
    /// clockevent was programmed before a speed-up. One comparison.
    #[inline(always)]
    pub(crate) fn is_above(self, mark: u64) -> bool {
        self.0 > mark
    }

    /// Returns the mark of a CPU whose clockevent is programmed for this snapshot.
    #[inline]
    pub(crate) fn mark(self) -> u64 {
        self.0.saturating_sub(1)
    }
}

/// Whether cycles are the TSC's. If not, a snapshot does not give the time of a deadline.
#[inline(always)]
fn is_tsc(id: u64) -> bool {
    id == u64::from(CSID_X86_TSC)
}

impl Snapshot {
    /// Whether the clocksource is the TSC. If not, nothing here gives the time of a deadline.
    #[inline]
    pub(crate) fn is_tsc(&self) -> bool {
        is_tsc(self.id.into())
    }

    #[inline]
    fn kind(&self) -> Kind {
        if !self.is_tsc() {
            Kind::NO_TSC
        } else if !ffi::clockevent_counts_tsc() && self.timeline.rate.mult() <= self.raw.mult() {
            Kind::SLOW
        } else {
            Kind(Kind::FIRST.wrapping_sub(SPEED_UPS.load()))
        }
    }

    /// Returns it as it is published.
    #[inline]
    pub(crate) fn words(&self) -> Words {
        let line = &self.timeline;

        [
            line.cycle_last.get(),
            line.xtime_nsec,
            // CAST: Two's complement, there and back.
            line.base.get() as u64,
            line.rate.pack(),
            self.kind().0,
            self.raw.pack(),
            self.id.into(),
        ]
    }

    /// Returns the snapshot that [`words()`](Self::words) has made into these; `None` if nothing was
    /// published.
    #[inline]
    pub(crate) fn from_words(words: &Words) -> Option<Self> {
        let [first @ .., raw, id] = words;
        let timeline = timeline(first);

        Some(Self {
            timeline: Timeline {
                rate: Rate::from_word(timeline.rate.pack())?,
                ..timeline
            },
            raw: Rate::unpack(*raw),
            // CAST: As stored.
            id: *id as u32,
        })
    }
}

/// Returns the timeline of the words that a snapshot was published as.
#[inline(always)]
fn timeline(&[cycle_last, xtime_nsec, base, rate, _]: &[u64; TO_START]) -> Timeline {
    Timeline {
        cycle_last: Cycles::new(cycle_last),
        rate: Rate::unpack(rate),
        xtime_nsec,
        // CAST: As stored.
        base: MonoNs::new(base as i64),
    }
}

/// What the listener has published.
pub(crate) static CURRENT: Latch<7> = Latch::new();

/// Returns the current snapshot and its generation; `None` before the first. Any context.
#[inline]
pub(crate) fn current() -> Option<(Snapshot, u64)> {
    let (words, generation) = CURRENT.read();

    Some((Snapshot::from_words(&words)?, generation))
}

/// Returns the timeline, its kind, and the generation. Any context. As much of [`current()`] as the path that
/// starts a timer needs.
#[inline(always)]
pub(crate) fn current_line() -> (Timeline, Kind, u64) {
    let (words, generation) = CURRENT.read_first::<TO_START>();
    let [.., kind] = words;

    (timeline(&words), Kind(kind), generation)
}

/// Returns the generation of the current snapshot. Any context.
#[inline(always)]
pub(crate) fn generation() -> u64 {
    CURRENT.generation()
}
