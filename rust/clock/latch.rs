// SPDX-License-Identifier: GPL-2.0

//! Words that one writer publishes and any context reads.
//!
//! # Vocabulary
//!
//! * **latch**: two slots and a generation, which selects the current one. The writer fills the
//!   other slot and then increments the generation, as `seqcount_latch_t` does. So a reader never
//!   waits for the writer, not even for one that it has interrupted; it reads again only if a whole
//!   publication came in between.
//!
//! C header: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h)

use crate::ffi::Word;

/// A latch of `N` words. It fills its cache lines, so that nothing else is written there.
#[repr(align(64))]
pub(crate) struct Latch<const N: usize> {
    generation: Word,
    slots: [[Word; N]; 2],
}

impl<const N: usize> Latch<N> {
    /// Creates a latch whose words are 0 until some are published.
    pub(crate) const fn new() -> Self {
        Self {
            generation: Word::new(0),
            slots: [const { [const { Word::new(0) }; N] }; 2],
        }
    }

    #[inline(always)]
    fn slot(&self, generation: u64) -> &[Word; N] {
        // CAST: The lowest bit, so there is no bound to check.
        &self.slots[(generation & 1) as usize]
    }

    /// Publishes `words`. The caller excludes other writers.
    #[inline]
    pub(crate) fn publish(&self, words: &[u64; N]) {
        let next = self.generation.load().wrapping_add(1);

        // A reader that sees one of these words sees also that the slot is not the current one any
        // more: the publication before has stored that, and the words are released.
        for (word, value) in self.slot(next).iter().zip(words) {
            word.store_release(*value);
        }
        self.generation.store_release(next);
    }

    /// Returns the words that were published last, and their generation. Any context.
    #[inline(always)]
    pub(crate) fn read(&self) -> ([u64; N], u64) {
        self.read_first::<N>()
    }

    /// Returns the first words of those, and the generation. Any context.
    #[inline(always)]
    pub(crate) fn read_first<const K: usize>(&self) -> ([u64; K], u64) {
        const { assert!(K <= N) };
        let mut generation = self.generation.load_acquire();

        loop {
            let slot = self.slot(generation);
            let words = core::array::from_fn(|n| slot[n].load_acquire());

            // The words were acquired, so they were loaded before this.
            let again = self.generation.load_acquire();
            if again == generation {
                return (words, generation);
            }
            generation = again;
        }
    }

    /// Returns the generation of the words that were published last. Any context.
    #[inline(always)]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load_acquire()
    }

    /// Returns the words that the caller, who excludes other writers, was the last to publish.
    #[inline(always)]
    pub(crate) fn own(&self) -> &[Word; N] {
        self.slot(self.generation.load())
    }
}
