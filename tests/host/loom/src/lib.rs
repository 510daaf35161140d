// SPDX-License-Identifier: GPL-2.0

//! The latch that the listener publishes through, `rust/clock/latch.rs` itself, for loom to run.

#![forbid(unsafe_code)]

#[expect(
    dead_code,
    reason = "the models neither start a timer nor publish a change"
)]
#[path = "../../../../rust/clock/latch.rs"]
mod latch;

mod ffi {
    pub(crate) use kernel::Word;
}

use latch::Latch;

/// Two words of different snapshots are torn, whatever is between them. With the seven that a snapshot
/// has there are a hundred times as many interleavings.
const WORDS: usize = 3;

/// A latch each of whose words tells which snapshot it is of.
pub struct Numbered(Latch<WORDS>);

impl Numbered {
    /// Nothing published yet.
    pub fn new() -> Self {
        Self(Latch::new())
    }

    /// Publishes the n-th snapshot, from 1.
    pub fn publish(&self, n: u32) {
        self.0.publish(&[n.into(); WORDS]);
    }

    /// Reads; returns the number of what was read. Panics if it is not all of one snapshot, or if
    /// its generation is another's.
    pub fn read(&self) -> Option<u32> {
        let (words, generation) = self.0.read();
        let n = u32::try_from(words[0]).expect("a number");

        assert_eq!(words, [n.into(); WORDS], "torn: parts of {n} and others");
        assert_eq!(u64::from(n), generation, "another's generation");
        (n != 0).then_some(n)
    }
}

impl Default for Numbered {
    fn default() -> Self {
        Self::new()
    }
}
