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
    deadline::Timeline,
    ffi::Word,
    rate::{
        Cycles,
        MonoNs,
        Rate, //
    },
};

/// The timekeeper's state, as far as expiries need it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// `CLOCK_MONOTONIC` against the clocksource's cycles, as clock reads have it.
    pub(crate) timeline: Timeline,
    /// The fastest that the clock runs while NTP's settings stay: it dithers between this rate and
    /// the one a unit of `mult` below (`timekeeping_adjust()`).
    pub(crate) top: Rate,
    /// `CLOCK_MONOTONIC_RAW` against the clocksource's cycles.
    pub(crate) raw: Rate,
    /// Whether those cycles are the TSC's. If not, nothing here says when a deadline is.
    pub(crate) tsc: bool,
}

impl Snapshot {
    /// Returns the line by which expiries are computed: at the top rate.
    ///
    /// So dithering makes a timer late, by less than half a millionth of its distance, and never
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
        let mults = u64::from(line.rate.mult()) | u64::from(snapshot.raw.mult()) << 32;
        let tsc = if snapshot.tsc { TSC } else { 0 };
        let below_top = if line.rate == snapshot.top {
            0
        } else {
            BELOW_TOP
        };

        self.cycle_last.store_release(line.cycle_last.get());
        self.xtime_nsec.store_release(line.xtime_nsec);
        // CAST: Two's complement, there and back.
        self.base.store_release(line.base.get() as u64);
        self.mults.store_release(mults);
        self.flags
            .store_release(u64::from(line.rate.shift()) | tsc | below_top);
    }

    /// Returns `None` if nothing was stored yet. What is loaded next is loaded after these words.
    #[inline]
    fn load(&self) -> Option<Snapshot> {
        let mults = self.mults.load_acquire();
        let flags = self.flags.load_acquire();
        // CAST: The lower half, the upper half, and what is below the flag; below, as stored.
        let (mult, raw_mult, shift) = (mults as u32, (mults >> 32) as u32, (flags & 0xff) as u32);

        let top_mult = mult.wrapping_add(u32::from(flags & BELOW_TOP != 0));

        Some(Snapshot {
            top: Rate::new(top_mult, shift)?,
            timeline: Timeline {
                cycle_last: Cycles::new(self.cycle_last.load_acquire()),
                rate: Rate::new(mult, shift)?,
                xtime_nsec: self.xtime_nsec.load_acquire(),
                base: MonoNs::new(self.base.load_acquire() as i64),
            },
            raw: Rate::new(raw_mult, shift)?,
            tsc: flags & TSC != 0,
        })
    }
}

/// One writer, any number of readers.
pub(crate) struct Latch {
    generation: Word,
    even: Slot,
    odd: Slot,
}

impl Latch {
    /// Creates a latch in which nothing was published.
    pub(crate) const fn new() -> Self {
        Self {
            generation: Word::new(0),
            even: Slot::new(),
            odd: Slot::new(),
        }
    }

    #[inline]
    fn slot(&self, generation: u64) -> &Slot {
        if generation & 1 == 0 {
            &self.even
        } else {
            &self.odd
        }
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

    /// Returns the current snapshot and its generation. Any context.
    #[inline(always)]
    pub(crate) fn read(&self) -> Option<(Snapshot, u64)> {
        let mut generation = self.generation.load_acquire();

        loop {
            let snapshot = self.slot(generation).load();

            // The words were acquired, so they were loaded before this.
            let again = self.generation.load_acquire();
            if again == generation {
                return Some((snapshot?, generation));
            }
            generation = again;
        }
    }
}

/// What the listener publishes and everybody else reads.
pub(crate) static CURRENT: Latch = Latch::new();
