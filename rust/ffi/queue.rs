// SPDX-License-Identifier: GPL-2.0

//! The per-CPU queues of nodes, and what a pass does with them.
//!
//! What may be done with a node is a type: [`Due`] is a node that a pass has found on a queue, [`Moving`]
//! one whose timer it may move; [`Locked`](super::locked::Locked) is the owner's.
//!
//! C file: [`c/timer/queue.c`](../../c/timer/queue.c)

use super::{
    bindings,
    cpu::{
        Call,
        Cpu, //
    },
    node::{
        Node,
        State, //
    }, //
};

use core::{
    mem::ManuallyDrop,
    ptr::{
        addr_of_mut,
        NonNull, //
    }, //
};

use kernel::{
    ffi::c_ulong,
    types::NotThreadSafe, //
};

/// A CPU's queue, with its lock held and interrupts off.
///
/// # Invariants
///
/// The pointer is to the queue of `cpu`, whose lock was taken and is released on drop. Each link on its lists
/// is the `node` of a valid `struct tsc_timer` whose `cpu` is this one, because the owner removes it, with
/// this lock held, before it ends.
pub(crate) struct Queue {
    queue: NonNull<bindings::rht_queue>,
    cpu: Cpu,
    flags: c_ulong,
    _not_send: NotThreadSafe,
}

impl Queue {
    /// Takes the lock of `cpu`'s queue. Any context but NMI.
    #[inline]
    pub(crate) fn lock(cpu: Cpu) -> Self {
        let mut flags = 0;
        // SAFETY: `cpu` is a possible CPU, so it has a queue; nobody who holds its lock calls this.
        let queue = unsafe { bindings::rht_queue_lock(cpu.number(), &mut flags) };

        // SAFETY: Just locked.
        unsafe { Self::locked(queue, cpu, flags) }
    }

    /// Takes the lock of the queue of `cpu` as well, which has a higher number than this queue's CPU.
    pub(super) fn lock_above(&self, cpu: Cpu) -> Self {
        let mut flags = 0;
        // SAFETY: `cpu` is a possible CPU, so it has a queue; of two queues the lower CPU's is locked
        // first by everybody.
        let queue = unsafe { bindings::rht_queue_lock_nested(cpu.number(), &mut flags) };

        // SAFETY: Just locked.
        unsafe { Self::locked(queue, cpu, flags) }
    }

    /// # Safety
    ///
    /// The shim has just locked `cpu`'s `queue`, with these `flags`.
    #[inline]
    unsafe fn locked(queue: *mut bindings::rht_queue, cpu: Cpu, flags: c_ulong) -> Self {
        Self {
            // INVARIANT: The caller promises it.
            // SAFETY: A per-CPU variable's address is never null.
            queue: unsafe { NonNull::new_unchecked(queue) },
            cpu,
            flags,
            _not_send: NotThreadSafe,
        }
    }

    /// Returns its CPU.
    #[inline]
    pub(crate) fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// Whether `node` is on this queue, and stays there while the lock is held.
    pub(super) fn has(&self, node: Node<'_>) -> bool {
        node.cpu() == self.cpu.number()
    }

    /// Returns the C queue, whose lock is held.
    pub(super) fn as_raw(&self) -> *mut bindings::rht_queue {
        self.queue.as_ptr()
    }

    /// Marks the CPU as called to serve its queue; `None` if it was called before, and has not yet begun.
    pub(crate) fn call(&self) -> Option<Call> {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        let called = unsafe { addr_of_mut!((*self.queue.as_ptr()).called).replace(true) };

        // INVARIANT: It was not called.
        (!called).then_some(Call::to(self.cpu))
    }

    /// Marks the CPU as no longer called, because it has begun to serve its queue.
    pub(crate) fn answer(&self) {
        // SAFETY: As in `call()`.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).called).write(false) };
    }

    /// Returns the pause before this batch, in nanoseconds; 0 if there was none.
    pub(crate) fn pause(&self) -> u32 {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).pause).read() }
    }

    /// Sets the pause before the next batch.
    pub(crate) fn set_pause(&self, pause: u32) {
        // SAFETY: As in `pause()`.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).pause).write(pause) };
    }

    /// Takes all nodes off, whatever their owners do with them.
    pub(crate) fn clear(&self) {
        self.begin_pass();
        while let Some(due) = self.first_due() {
            due.node.exchange(State::AWAY);
            // SAFETY: By the type's invariant the node is on this queue, whose lock is held.
            unsafe { due.node.take_off() };
        }
    }

    /// Whether no node is on it.
    pub(crate) fn is_empty(&self) -> bool {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        unsafe { bindings::rht_queue_is_empty(self.queue.as_ptr()) }
    }

    /// Makes all nodes due for a pass; `false` if there are none.
    pub(crate) fn begin_pass(&self) -> bool {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        unsafe { bindings::rht_queue_begin_pass(self.queue.as_ptr()) };
        self.first_due().is_some()
    }

    /// Returns the next node that is due, which it is no more.
    pub(crate) fn advance(&self) -> Option<Due<'_>> {
        let due = self.first_due()?;

        // SAFETY: By the types' invariants both are valid, the node is on this queue, and the lock is
        // held.
        unsafe { bindings::rht_queue_advance(self.queue.as_ptr(), due.node.as_raw()) };
        Some(due)
    }

    fn first_due(&self) -> Option<Due<'_>> {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        let link = NonNull::new(unsafe { bindings::rht_queue_first_due(self.queue.as_ptr()) })?;

        Some(Due {
            // INVARIANT: It is on this queue.
            // SAFETY: By the type's invariant it is the `node` of a valid node, which stays so while the
            // lock is held.
            node: unsafe { Node::from_link(link) },
            queue: self,
        })
    }
}

impl Drop for Queue {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariant the lock is held, and `flags` are those of taking it.
        unsafe { bindings::rht_queue_unlock(self.queue.as_ptr(), self.flags) };
    }
}

/// A node that a pass has found.
///
/// # Invariants
///
/// The node is on the queue, whose lock is held.
pub(crate) struct Due<'q> {
    node: Node<'q>,
    queue: &'q Queue,
}

impl<'q> Due<'q> {
    /// Makes the node moving if it is pending. Takes it off the queue if it is idle.
    pub(crate) fn claim(self) -> Option<Moving<'q>> {
        loop {
            match self.node.compare_exchange(State::PENDING, State::MOVING) {
                // INVARIANT: Now it is moving.
                State::PENDING => return Some(Moving(self)),
                // Its owner may start it just now: then it is pending, and is looked at again.
                found if self.node.compare_exchange(found, State::AWAY) == found => break,
                _ => (),
            }
        }
        // SAFETY: By the type's invariant the node is on the queue, whose lock is held.
        unsafe { self.node.take_off() };
        None
    }
}

/// A node whose timer a pass may move. Dropping it makes the node pending again.
///
/// # Invariants
///
/// The node is moving.
pub(crate) struct Moving<'q>(Due<'q>);

impl<'q> Moving<'q> {
    /// Returns the node.
    pub(crate) fn node(&self) -> Node<'q> {
        self.0.node
    }

    /// Takes it off the queue.
    pub(crate) fn remove(self) {
        let due = ManuallyDrop::new(self);

        due.0.node.exchange(State::AWAY);
        // SAFETY: By `Due`'s invariant the node is on the queue, whose lock is held.
        unsafe { due.0.node.take_off() };
    }

    /// Makes it due again.
    pub(crate) fn postpone(self) {
        let Due { node, queue } = &self.0;

        // SAFETY: By `Due`'s invariant the node is on the queue, whose lock is held.
        unsafe { bindings::rht_queue_postpone(queue.queue.as_ptr(), node.as_raw()) };
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.0.node.exchange(State::PENDING);
    }
}
