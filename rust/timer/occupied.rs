// SPDX-License-Identifier: GPL-2.0

//! Whether any queue may have a node on it: for the listener, which cannot look at them all, so that a
//! change of rate costs nothing more where no timer is pending.
//!
//! A start says so before it reads the rate, the listener asks after it has published one, both with a
//! full barrier in between: so the start reads the new rate, or the listener sees that it may have read
//! the old one. A pass that finds nothing on any queue takes it back, unless anybody has said it, or
//! has begun to look, since that pass began.

use crate::ffi::{
    smp_mb,
    Word, //
};

/// No queue has a node on it, nor does anybody look.
const EMPTY: u64 = 0;

/// A queue may have one.
const OCCUPIED: u64 = 1;

/// CPU 0 looks; those of the others follow.
const FIRST_LOOK: u64 = 2;

static STATE: Word = Word::new(EMPTY);

/// Says that a node is to be put on a queue, whose lock is held. The rate is read after this.
#[inline]
pub(crate) fn announce() {
    // With the lock: a look that has yet to begin, or has not come to this queue, finds the node, and
    // one that has been here is seen, or was announced over by somebody else.
    if STATE.load() != OCCUPIED {
        occupy();
    }
    smp_mb();
}

/// Apart, because it is so already at most starts.
#[cold]
#[inline(never)]
fn occupy() {
    STATE.xchg(OCCUPIED);
}

/// Whether anybody has to be told of a rate that was published before this.
#[inline]
pub(crate) fn is_occupied() -> bool {
    smp_mb();
    STATE.load() != EMPTY
}

/// A look at all queues, each with its lock.
pub(crate) struct Look(u64);

impl Look {
    /// Begins one on `cpu`, which no other interrupts.
    pub(crate) fn begin(cpu: u32) -> Self {
        let look = Self(FIRST_LOOK + u64::from(cpu));

        STATE.xchg(look.0);
        look
    }

    /// Ends one that found no node.
    pub(crate) fn ended_empty(self) {
        STATE.cmpxchg(self.0, EMPTY);
    }
}
