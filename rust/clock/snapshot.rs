// SPDX-License-Identifier: GPL-2.0

//! What the timekeeper last said, published for readers in any context.
//!
//! # Vocabulary
//!
//! * **snapshot**: the line that `CLOCK_MONOTONIC` follows against the TSC, and the raw rate.
//! * **latch**: two slots and a sequence number that says which of them is current. The writer fills
//!   the other one and then moves the number on, so a reader never waits for a writer, not even one
//!   that it has interrupted; it reads again only if a whole publication came in between. As
//!   `seqcount_latch_t` does.
//!
//! C header: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h)

use crate::{
    clock::{
        deadline::Timeline,
        pair::{
            halves,
            pair, //
        },
        rate::{
            Cycles,
            MonoNs,
            Rate, //
        }, //
    },
    ffi::Word, //
};

/// The timekeeper's state, as far as expiries need it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// `CLOCK_MONOTONIC` against the clocksource's cycles, as clock reads have it.
    pub(crate) timeline: Timeline,
    /// The fastest that the clock runs while NTP's settings stay, but just above the nominal rate: it
    /// dithers between this rate and the one a unit of `mult` below (`timekeeping_adjust()`).
    pub(crate) top: Rate,
    /// `CLOCK_MONOTONIC_RAW` against the clocksource's cycles.
    pub(crate) raw: Rate,
    /// Whether those cycles are the TSC's. If not, nothing here says when a deadline is.
    pub(crate) tsc: bool,
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
}

/// A [`Snapshot`] in words that can be stored one by one.
struct Slot {
    cycle_last: Word,
    xtime_nsec: Word,
    base: Word,
    mults: Word,
    flags: Word,
}

/// In `flags`, above the shift, which is 32 at most.
const TSC: u64 = 1 << 8;

/// The top rate is a unit above the present one.
const BELOW_TOP: u64 = 1 << 9;

/// The top rate is above the raw one.
const FAST: u64 = 1 << 10;

impl Slot {
    const fn new() -> Self {
        Self {
            cycle_last: Word::new(0),
            xtime_nsec: Word::new(0),
            base: Word::new(0),
            mults: Word::new(0),
            flags: Word::new(0),
        }
    }

    /// Whoever sees one of these words sees what was stored before it, too.
    #[inline]
    fn store(&self, snapshot: &Snapshot) {
        let line = &snapshot.timeline;
        let (mult, shift) = (line.rate.mult(), line.rate.shift());
        let flag = |flag, is| if is { flag } else { 0 };

        self.cycle_last.store_release(line.cycle_last.get());
        self.xtime_nsec.store_release(line.xtime_nsec);
        // CAST: Two's complement, there and back.
        self.base.store_release(line.base.get() as u64);
        self.mults.store_release(pair(mult, snapshot.raw.mult()));
        self.flags.store_release(
            u64::from(shift)
                | flag(TSC, snapshot.tsc)
                | flag(BELOW_TOP, line.rate != snapshot.top)
                | flag(FAST, snapshot.top.mult() > snapshot.raw.mult()),
        );
    }

    /// What is loaded next is loaded after these words.
    #[inline(always)]
    fn load(&self) -> Words {
        Words {
            cycle_last: self.cycle_last.load_acquire(),
            xtime_nsec: self.xtime_nsec.load_acquire(),
            base: self.base.load_acquire(),
            mults: self.mults.load_acquire(),
            flags: self.flags.load_acquire(),
        }
    }
}

/// What was in a slot, not yet known to be of one snapshot.
#[derive(Clone, Copy)]
struct Words {
    cycle_last: u64,
    xtime_nsec: u64,
    base: u64,
    mults: u64,
    flags: u64,
}

impl Words {
    #[inline(always)]
    fn mult(&self) -> u32 {
        halves(self.mults).0
    }

    #[inline(always)]
    fn top_mult(&self) -> u32 {
        self.mult()
            .wrapping_add(u32::from(self.flags & BELOW_TOP != 0))
    }

    #[inline(always)]
    fn raw_mult(&self) -> u32 {
        halves(self.mults).1
    }

    #[inline(always)]
    fn rate(&self, mult: u32) -> Option<Rate> {
        // CAST: What is below the flags.
        Rate::new(mult, (self.flags & 0xff) as u32)
    }

    /// Returns the line that the clock follows, at `rate`.
    #[inline(always)]
    fn timeline(&self, rate: Rate) -> Timeline {
        Timeline {
            cycle_last: Cycles::new(self.cycle_last),
            rate,
            xtime_nsec: self.xtime_nsec,
            // CAST: As stored.
            base: MonoNs::new(self.base as i64),
        }
    }

    /// Returns `None` if nothing was stored yet.
    #[inline]
    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot {
            timeline: self.timeline(self.rate(self.mult())?),
            top: self.rate(self.top_mult())?,
            raw: self.rate(self.raw_mult())?,
            tsc: self.flags & TSC != 0,
        })
    }
}

/// As much of a snapshot as an expiry needs.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// As [`Snapshot::expiry_line()`] returns it.
    pub(crate) timeline: Timeline,
    /// Whether it is steeper than the raw clock's.
    pub(crate) fast: bool,
}

/// One writer, any number of readers; in cache lines that nothing else is written to.
#[repr(align(64))]
pub(crate) struct Latch {
    generation: Word,
    slots: [Slot; 2],
}

impl Latch {
    /// Creates a latch in which nothing was published.
    pub(crate) const fn new() -> Self {
        Self {
            generation: Word::new(0),
            slots: [Slot::new(), Slot::new()],
        }
    }

    #[inline(always)]
    fn slot(&self, generation: u64) -> &Slot {
        // CAST: The lowest bit, so there is no bound to check.
        &self.slots[(generation & 1) as usize]
    }

    /// Publishes `snapshot`. Callers exclude one another: the timekeeper's lock does.
    #[inline]
    pub(crate) fn publish(&self, snapshot: &Snapshot) {
        let next = self.generation.load().wrapping_add(1);

        // Whoever sees a word of this slot change sees that it is no longer the current one: that
        // was stored by the publication before, and the words are released.
        self.slot(next).store(snapshot);
        self.generation.store_release(next);
    }

    /// Returns the words of the current snapshot and its generation.
    #[inline(always)]
    fn words(&self) -> (Words, u64) {
        let mut generation = self.generation.load_acquire();

        loop {
            let words = self.slot(generation).load();

            // The words were acquired, so they were loaded before this.
            let again = self.generation.load_acquire();
            if again == generation {
                return (words, generation);
            }
            generation = again;
        }
    }

    /// Returns the current snapshot and its generation. Any context.
    #[inline]
    pub(crate) fn read(&self) -> Option<(Snapshot, u64)> {
        let (words, generation) = self.words();

        Some((words.snapshot()?, generation))
    }

    /// Returns the line to compute expiries by, or `None` if the clocksource is not the TSC. Any
    /// context.
    #[inline(always)]
    pub(crate) fn line(&self) -> Option<Line> {
        let (words, _) = self.words();

        if words.flags & TSC == 0 {
            return None;
        }
        Some(Line {
            timeline: words.timeline(words.rate(words.top_mult())?),
            fast: words.flags & FAST != 0,
        })
    }
}

/// What the listener publishes and everybody else reads.
pub(crate) static CURRENT: Latch = Latch::new();
