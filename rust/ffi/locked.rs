// SPDX-License-Identifier: GPL-2.0

//! What an owner's operations do with a node and the queues.
//!
//! C file: [`c/timer/queue.c`](../../c/timer/queue.c)

use super::{
    bindings,
    cpu::Cpu,
    node::{
        Node,
        State, //
    },
    queue::Queue, //
};

/// A node, with the lock of the queue that it is on or may be put on.
///
/// # Invariants
///
/// The node is on this queue if `is_queued`, else on none.
pub(crate) struct Locked<'a> {
    queue: Queue,
    node: Node<'a>,
    is_queued: bool,
}

impl<'a> Locked<'a> {
    /// Takes the lock of the queue that `node` is on; `None` if it is on none. Any context but NMI.
    #[inline]
    pub(crate) fn queued(node: Node<'a>) -> Option<Self> {
        loop {
            let queue = Queue::lock(node.queue()?);
            // A pass may have removed it before the lock was had; its start, if this is its callback,
            // may have moved it.
            if queue.has(node) {
                return Some(Self {
                    queue,
                    node,
                    is_queued: true,
                });
            }
        }
    }

    /// Takes the lock of the queue of `cpu`. Any context but NMI, where the owner starts the node: else it
    /// may be put on another queue meanwhile. It is on none but this.
    pub(crate) fn to_start(node: Node<'a>, cpu: Cpu) -> Self {
        let queue = Queue::lock(cpu);
        let is_queued = queue.has(node);

        Self {
            queue,
            node,
            // INVARIANT: The owner, who alone puts its node on a queue, is here.
            is_queued,
        }
    }

    /// Puts the node on the queue, if it is not there. If it is not pending, it is idle.
    pub(crate) fn add(&mut self) {
        if !self.is_queued {
            // INVARIANT: Now it is.
            self.is_queued = true;
            // SAFETY: By the types' invariants the node is on no list, and the queue's lock is held.
            unsafe { bindings::rht_queue_add(self.queue.as_raw(), self.node.as_raw()) };
        }
        let base = self.node.timer().base();
        // SAFETY: The queue's lock is held.
        unsafe { self.node.set_queue(self.queue.cpu().number(), base) };
        self.node.compare_exchange(State::AWAY, State::IDLE);
    }

    /// Takes the node off the queue, if it is there, and releases the lock.
    pub(crate) fn remove(self) {
        self.node.exchange(State::AWAY);
        if self.is_queued {
            // SAFETY: By the type's invariant the node is on this queue, whose lock is held.
            unsafe { self.node.take_off() };
        }
    }
}

/// Two CPUs' queues, with both locks held.
///
/// Fields are dropped in declaration order: the lock that was taken last is released first, and
/// interrupts come back with the other one.
pub(crate) struct Two {
    second: Queue,
    first: Queue,
    /// The CPU that a node is moved from.
    from: Cpu,
}

impl Two {
    /// Takes the locks of both, which are different CPUs. Any context but NMI.
    pub(crate) fn lock(from: Cpu, to: Cpu) -> Self {
        let first = Queue::lock(from.min(to));
        let second = first.lock_above(from.max(to));

        Self {
            second,
            first,
            from,
        }
    }

    fn ends(&self) -> (&Queue, &Queue) {
        if self.first.cpu() == self.from {
            (&self.first, &self.second)
        } else {
            (&self.second, &self.first)
        }
    }

    /// Moves `node` from the one queue to the other, on whose CPU its timer is; `false` if it is not there.
    /// Context: the owner's, where it starts the node.
    pub(crate) fn transfer(&self, node: Node<'_>) -> bool {
        let (from, to) = self.ends();

        if !from.has(node) {
            return false;
        }
        // SAFETY: `node` is on the queue `from`, and both locks are held.
        unsafe { bindings::rht_queue_transfer(to.as_raw(), node.as_raw()) };
        // SAFETY: As above.
        unsafe { node.set_queue(to.cpu().number(), node.timer().base()) };
        true
    }
}
