// SPDX-License-Identifier: GPL-2.0

//! The per-CPU queues of nodes, and what a pass does with them.
//!
//! What may be done with a node is a type: [`Due`] is a node that a pass has found on a queue;
//! [`Locked`](super::locked::Locked) is the owner's.
//!
//! C file: [`c/timer/queue.c`](../../c/timer/queue.c)

use super::{
    bindings,
    cpu::Cpu,
    node::Node, //
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
    pub(super) unsafe fn locked(queue: *mut bindings::rht_queue, cpu: Cpu, flags: c_ulong) -> Self {
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
    #[inline]
    pub(super) fn has(&self, node: Node<'_>) -> bool {
        node.cpu() == self.cpu.number()
    }

    /// Returns the C queue, whose lock is held.
    #[inline]
    pub(super) fn as_raw(&self) -> *mut bindings::rht_queue {
        self.queue.as_ptr()
    }

    /// Returns the head of the list of nodes that are not due.
    #[inline]
    pub(super) fn pending(&self) -> *mut bindings::list_head {
        // SAFETY: By the type's invariant the queue is valid; only an address inside it is made.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).pending) }
    }

    /// Returns the queue and the flags, with which the caller has to release the lock.
    #[inline]
    pub(super) fn into_raw(self) -> (*mut bindings::rht_queue, c_ulong) {
        let this = ManuallyDrop::new(self);

        (this.queue.as_ptr(), this.flags)
    }

    /// Sets whether the CPU is called to serve its queue; returns whether it was.
    fn set_called(&self, called: bool) -> bool {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).called).replace(called) }
    }

    /// Marks the CPU as called to serve its queue; `None` if it was called before, and has not yet begun.
    pub(crate) fn call(&self) -> Option<Call> {
        let called = self.set_called(true);

        // INVARIANT: It was not called.
        (!called).then_some(Call(self.cpu))
    }

    /// Marks the CPU as no longer called, because it has begun to serve its queue.
    pub(crate) fn answer(&self) {
        self.set_called(false);
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

    /// Removes all nodes.
    pub(crate) fn clear(&self) {
        self.begin_pass();
        while let Some(node) = self.first_due() {
            node.remove();
        }
    }

    /// Makes all nodes due for a pass; `false` if there are none.
    pub(crate) fn begin_pass(&self) -> bool {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        unsafe { bindings::rht_queue_begin_pass(self.queue.as_ptr()) };
        self.first_due().is_some()
    }

    /// Returns the next node that is due, and makes it pending.
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
    /// Returns the node.
    pub(crate) fn node(&self) -> Node<'q> {
        self.node
    }

    /// Removes it from the queue.
    pub(crate) fn remove(self) {
        // SAFETY: By the type's invariant the node is on the queue, whose lock is held.
        unsafe { bindings::rht_queue_remove(self.node.as_raw()) };
    }

    /// Makes it due again.
    pub(crate) fn postpone(self) {
        // SAFETY: As in `remove()`; the queue is valid.
        unsafe { bindings::rht_queue_postpone(self.queue.queue.as_ptr(), self.node.as_raw()) };
    }
}

/// The right to call a CPU: one call at a time has it, from [`Queue::call()`] to [`Queue::answer()`].
///
/// # Invariants
///
/// No other call to the CPU is under way.
pub(crate) struct Call(Cpu);

impl Call {
    /// Returns the CPU.
    pub(crate) fn cpu(&self) -> Cpu {
        self.0
    }
}
