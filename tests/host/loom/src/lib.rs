// SPDX-License-Identifier: GPL-2.0

//! The latch that the listener publishes through, `rust/clock/latch.rs` itself with the snapshots that go
//! through it, for loom to run.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "the snapshots need the types alone")]
#[path = "../../../../rust/units.rs"]
mod units;

#[expect(dead_code, reason = "the latch needs the snapshots alone")]
#[path = "../../../../rust/clock"]
mod clock {
    use crate::units;

    pub(crate) mod deadline;
    pub(crate) mod latch;
    pub(crate) mod rate;
    pub(crate) mod snapshot;
}

mod ffi {
    pub(crate) use kernel::Word;

    /// As in 7.3, which does not matter.
    pub(crate) const CSID_X86_TSC: u32 = 4;
}

use clock::{
    deadline::Timeline,
    latch::Latch,
    rate::Rate,
    snapshot::Snapshot, //
};
use units::{
    Cycles,
    MonoNs, //
};

/// A latch whose n-th snapshot can be told from all others by each of its words.
pub struct Numbered(Latch<7>);

impl Numbered {
    /// Nothing published yet.
    pub fn new() -> Self {
        Self(Latch::new())
    }

    /// Publishes the n-th snapshot, from 1.
    pub fn publish(&self, n: u32) {
        self.0.publish(&numbered(n).words());
    }

    /// Reads; returns the number of what was read. Panics if it is not all of one snapshot, or if
    /// its generation is another's.
    pub fn read(&self) -> Option<u32> {
        let (words, generation) = self.0.read();
        let snapshot = Snapshot::from_words(&words)?;
        let n = snapshot.timeline.rate.mult();

        assert!(snapshot == numbered(n), "torn: parts of {n} and others");
        assert_eq!(u64::from(n), generation, "another's generation");
        Some(n)
    }
}

impl Default for Numbered {
    fn default() -> Self {
        Self::new()
    }
}

fn numbered(n: u32) -> Snapshot {
    let rate = |mult| Rate::new(mult, n).expect("n is 1 to 32");

    Snapshot {
        timeline: Timeline {
            cycle_last: Cycles::new(n.into()),
            rate: rate(n),
            xtime_nsec: n.into(),
            base: MonoNs::new(n.into()),
        },
        raw: rate(n),
        id: n,
    }
}
