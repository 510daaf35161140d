// SPDX-License-Identifier: GPL-2.0

//! Whether any queue may have a node on it, in one word for all CPUs. The listener, which cannot visit
//! each queue, asks for no pass where none may.
//!
//! A start that puts a node on a queue sets it before it compares the rate's generation, and the listener
//! reads it after it has published a rate, both with a full barrier in between. So the start finds the new
//! generation, or the listener finds the queues occupied. A pass that leaves every queue empty clears it,
//! unless a start has set it, or another pass has begun, since that pass began.
//!
//! A pass over empty queues would take 260 instructions with one CPU, beside its interrupt, and 200 to 400
//! more for each further CPU.

use crate::ffi::{
    smp_mb,
    Cpu,
    Word, //
};

/// No queue has a node on it, and no pass is under way.
const EMPTY: u64 = 0;

/// A queue may have a node.
const OCCUPIED: u64 = 1;

/// The token of a pass on CPU 0. Those of the other CPUs follow.
const FIRST_TOKEN: u64 = 2;

static STATE: Word = Word::new(EMPTY);

/// Marks the queues as occupied, because a node was put on one, whose lock is held. The rate's generation is
/// compared after this.
#[inline]
pub(crate) fn set() {
    // The lock is held. A pass that has not yet visited this queue finds the node. If a pass has already
    // visited it, its token is in STATE and is overwritten here, unless another start did so before.
    if STATE.load() != OCCUPIED {
        occupy();
    }
    smp_mb();
}

/// Apart, because at most starts the queues are occupied already.
#[cold]
#[inline(never)]
fn occupy() {
    STATE.xchg(OCCUPIED);
}

/// Whether a pass is needed for a rate that was published before this.
#[inline]
pub(crate) fn is_set() -> bool {
    smp_mb();
    STATE.load() != EMPTY
}

/// A pass over all queues, which takes the lock of each.
pub(crate) struct Visit(u64);

impl Visit {
    /// Begins a pass on `cpu`, which no other pass interrupts.
    pub(crate) fn begin(cpu: Cpu) -> Self {
        // CAST: A number of 0 or more.
        let token = FIRST_TOKEN + cpu.number() as u64;

        STATE.xchg(token);
        Self(token)
    }

    /// Ends a pass that left every queue empty.
    pub(crate) fn end_empty(self) {
        STATE.cmpxchg(self.0, EMPTY);
    }
}
