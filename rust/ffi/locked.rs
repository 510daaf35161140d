// SPDX-License-Identifier: GPL-2.0

//! What an owner's operations do with a node and the queues.
//!
//! C file: [`c/timer/queue.c`](../../c/timer/queue.c)

use super::{
    bindings,
    cpu::Cpu,
    list,
    node::Node,
    queue::Queue, //
};

/// Not on any queue.
const NO_CPU: i32 = -1;

/// A node, with the lock of the queue that it is on or is to be put on.
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
            let cpu = node.cpu();
            if cpu < 0 {
                return None;
            }
            // SAFETY: A node that is on a queue has that CPU's number.
            let queue = Queue::lock(unsafe { Cpu::from_raw(cpu) });
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

    /// Takes the lock of the queue that `node` is on, or else of the CPU that its timer is queued on, or
    /// was last. Any context but NMI, where the owner starts the node: else it may be put on another
    /// queue meanwhile.
    #[inline]
    pub(crate) fn to_start(node: Node<'a>) -> Self {
        if let Some(locked) = Self::queued(node) {
            return locked;
        }
        let (mut cpu, mut flags) = (0, 0);
        // SAFETY: The timer is valid and was set up, so it has a base, which is a possible CPU's; nobody
        // who holds a queue's lock calls this.
        let queue =
            unsafe { bindings::rht_queue_lock_timers(node.timer().as_raw(), &mut cpu, &mut flags) };

        Self {
            // INVARIANT: The owner, who alone puts its node on a queue, is here.
            // SAFETY: Just locked; a timer's base is a possible CPU's.
            queue: unsafe { Queue::locked(queue, Cpu::from_raw(cpu), flags) },
            node,
            is_queued: false,
        }
    }

    /// Whether the node is on the queue.
    #[inline]
    pub(crate) fn is_queued(&self) -> bool {
        self.is_queued
    }

    /// Returns the queue's CPU.
    #[inline]
    pub(crate) fn cpu(&self) -> Cpu {
        self.queue.cpu()
    }

    /// Puts the node on the queue, if it is not there.
    #[inline]
    pub(crate) fn add(&mut self) {
        if !self.is_queued {
            // INVARIANT: Now it is.
            self.is_queued = true;
            // SAFETY: By the types' invariants the node is on no list, and the queue's lock is held.
            unsafe { list::add_tail(self.node.link(), self.queue.pending()) };
            // SAFETY: As above.
            unsafe { self.node.set_cpu(self.queue.cpu().number()) };
        }
    }

    /// Removes the node from the queue, if it is there, and releases the lock.
    #[inline]
    pub(crate) fn remove(self) {
        if self.is_queued {
            // SAFETY: By the type's invariant the node is on a list of this queue, whose lock is held.
            unsafe { list::del_init(self.node.link()) };
            // SAFETY: As above.
            unsafe { self.node.set_cpu(NO_CPU) };
        }
    }

    /// Releases the lock; returns the CPU that the node's timer was queued on just before that.
    #[inline]
    pub(crate) fn unlock_and_locate(self) -> Cpu {
        let timer = self.node.timer();
        let (queue, flags) = self.queue.into_raw();

        // SAFETY: By the type's invariant the lock is held, with these flags, and is not released again;
        // the timer is valid and was set up.
        let cpu = unsafe { bindings::rht_queue_unlock_timers(queue, flags, timer.as_raw()) };
        // SAFETY: A timer's base is a possible CPU's.
        unsafe { Cpu::from_raw(cpu) }
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

    /// Moves `node` from the one queue to the other; `false` if it is not there.
    pub(crate) fn transfer(&self, node: Node<'_>) -> bool {
        let (from, to) = self.ends();

        if !from.has(node) {
            return false;
        }
        // SAFETY: `node` is on the queue `from`, and both locks are held.
        unsafe { bindings::rht_queue_transfer(to.as_raw(), node.as_raw(), to.cpu().number()) };
        true
    }
}
