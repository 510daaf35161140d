// SPDX-License-Identifier: GPL-2.0

//! Nodes, which their owners embed, and the per-CPU queues of them.
//!
//! C header: [`include/linux/tsc_timer.h`](../../include/linux/tsc_timer.h)

use super::{
    barrier,
    bindings,
    list::List,
    timer::{
        Mode,
        Timer, //
    }, //
};
use crate::clock::rate::Cycles;

use core::{
    marker::PhantomData,
    mem::{
        offset_of,
        ManuallyDrop, //
    },
    ptr::{
        addr_of,
        addr_of_mut,
        NonNull, //
    }, //
};

use kernel::{
    ffi::c_ulong,
    types::NotThreadSafe, //
};

/// Not on any queue.
const NO_CPU: i32 = -1;

/// A `struct tsc_timer`.
///
/// # Invariants
///
/// The pointer is to a `struct tsc_timer` that `tsc_timer_setup()` has set up and that, with its
/// hrtimer, stays so for `'a`. Its `cpu` says on whose queue its `node` is, and both are written with
/// that queue's lock held.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(
    NonNull<bindings::tsc_timer>,
    PhantomData<&'a bindings::tsc_timer>,
);

impl<'a> Node<'a> {
    /// # Safety
    ///
    /// `node` is a `tsc_timer` that was set up and, with its hrtimer, stays so for `'a`.
    #[inline]
    pub(super) unsafe fn from_raw(node: NonNull<bindings::tsc_timer>) -> Self {
        // INVARIANT: The caller promises it.
        Self(node, PhantomData)
    }

    /// Returns the hrtimer that it stands beside.
    #[inline]
    pub(crate) fn timer(self) -> Timer<'a> {
        // SAFETY: By the type's invariant the node is valid, and its hrtimer was set before it was
        // first used and does not change.
        let timer = unsafe { addr_of!((*self.0.as_ptr()).timer).read() };

        // SAFETY: By the type's invariant that hrtimer was set up, so it is not null, and stays so
        // for `'a`.
        unsafe { Timer::from_raw(NonNull::new_unchecked(timer)) }
    }

    /// Returns when the timer is to expire.
    #[inline]
    pub(crate) fn deadline(self) -> Cycles {
        // SAFETY: By the type's invariant the node is valid; an aligned word that the owner may
        // write, though not while the timer is pending, is read once, as `READ_ONCE()` does.
        Cycles::new(unsafe { addr_of!((*self.0.as_ptr()).deadline).read_volatile() })
    }

    /// Sets when the timer is to expire. Context: its owner's, while the timer is not pending.
    #[inline]
    pub(crate) fn set_deadline(self, deadline: Cycles) {
        // SAFETY: By the type's invariant the node is valid; nobody else writes the word.
        unsafe { addr_of_mut!((*self.0.as_ptr()).deadline).write_volatile(deadline.get()) };
    }

    /// Whether its callback has done its work since it was armed, as far as can be seen from here.
    #[inline]
    pub(crate) fn is_expired(self) -> bool {
        // SAFETY: By the type's invariant the node is valid; a byte that the callback may write is
        // read once, as `READ_ONCE()` does.
        unsafe { addr_of!((*self.0.as_ptr()).expired).read_volatile() }
    }

    /// Sets whether its callback has done its work. Context: the callback, or with the lock of its
    /// queue and the callback not running.
    #[inline]
    pub(crate) fn set_expired(self, expired: bool) {
        // SAFETY: By the type's invariant the node is valid; nobody else writes the byte meanwhile.
        unsafe { addr_of_mut!((*self.0.as_ptr()).expired).write_volatile(expired) };
    }

    /// Returns how the timer was armed.
    pub(crate) fn mode(self) -> Mode {
        // SAFETY: By the type's invariant the node is valid; the word is written by the one who
        // starts it, with the lock of its queue.
        Mode::from_c(unsafe { addr_of!((*self.0.as_ptr()).mode).read() })
    }

    /// Sets how the timer is armed. With the lock of its queue, if it is on one.
    #[inline]
    pub(crate) fn set_mode(self, mode: Mode) {
        // SAFETY: By the type's invariant the node is valid; its owner calls one operation at a
        // time, and whoever else looks at it has that lock.
        unsafe { addr_of_mut!((*self.0.as_ptr()).mode).write(mode.into_c()) };
    }

    #[inline]
    fn cpu(self) -> i32 {
        // SAFETY: By the type's invariant the node is valid; an aligned word that the holder of the
        // queue's lock may write is read once, as `READ_ONCE()` does.
        unsafe { addr_of!((*self.0.as_ptr()).cpu).read_volatile() }
    }

    /// # Safety
    ///
    /// The caller holds the lock of the queue that the node is put on, or taken from.
    #[inline]
    unsafe fn set_cpu(self, cpu: i32) {
        // An owner that finds it on no queue may free it: what was written of it comes before.
        barrier();
        // SAFETY: By the type's invariant the node is valid; the lock excludes other writers.
        unsafe { addr_of_mut!((*self.0.as_ptr()).cpu).write_volatile(cpu) };
    }

    #[inline]
    fn link(self) -> *mut bindings::list_head {
        // SAFETY: By the type's invariant the node is valid; only an address inside it is made.
        unsafe { addr_of_mut!((*self.0.as_ptr()).node) }
    }
}

/// A CPU's pending nodes, with the lock of their lists held and interrupts off.
///
/// # Invariants
///
/// The pointer is to the queue of `cpu`, whose lock was taken and is released on drop. All that is
/// on its lists are `node`s of valid nodes with this `cpu`: each one's owner takes it off, with this
/// lock, before the node ends.
pub(crate) struct Queue {
    queue: NonNull<bindings::rht_queue>,
    cpu: i32,
    flags: c_ulong,
    _not_send: NotThreadSafe,
}

impl Queue {
    /// Takes the lock of `cpu`'s queue. `cpu` is a possible one. Any context but NMI.
    #[inline]
    pub(crate) fn lock(cpu: i32) -> Self {
        let mut flags = 0;
        // SAFETY: `cpu` is a possible CPU, so it has a queue; nobody who holds its lock calls this.
        let queue = unsafe { bindings::rht_queue_lock(cpu, &mut flags) };

        Self::locked(queue, cpu, flags)
    }

    /// Takes the lock of the queue of the CPU that `timer` is queued on, or was last. Any context but NMI.
    #[inline]
    pub(crate) fn lock_where(timer: Timer<'_>) -> Self {
        let (mut cpu, mut flags) = (0, 0);
        // SAFETY: The timer is valid and was set up, so it has a base, which is a possible CPU's; nobody
        // who holds a queue's lock calls this.
        let queue =
            unsafe { bindings::rht_queue_lock_timers(timer.as_raw(), &mut cpu, &mut flags) };

        Self::locked(queue, cpu, flags)
    }

    /// Releases the lock; returns the CPU that `timer` was queued on just before that.
    #[inline]
    pub(crate) fn unlock_and_locate(self, timer: Timer<'_>) -> i32 {
        let this = ManuallyDrop::new(self);

        // SAFETY: By the type's invariant the lock is held, with these flags, and is not released again;
        // the timer is valid and was set up.
        unsafe {
            bindings::rht_queue_unlock_timers(this.queue.as_ptr(), this.flags, timer.as_raw())
        }
    }

    /// Takes the lock of the queue of a CPU with a higher number, too.
    fn lock_above(&self, cpu: i32) -> Self {
        let mut flags = 0;
        // SAFETY: `cpu` is a possible CPU, so it has a queue; of two queues the lower CPU's is locked
        // first by everybody.
        let queue = unsafe { bindings::rht_queue_lock_nested(cpu, &mut flags) };

        Self::locked(queue, cpu, flags)
    }

    #[inline]
    fn locked(queue: *mut bindings::rht_queue, cpu: i32, flags: c_ulong) -> Self {
        Self {
            // INVARIANT: The shim has just locked it.
            // SAFETY: A per-CPU variable's address is never null.
            queue: unsafe { NonNull::new_unchecked(queue) },
            cpu,
            flags,
            _not_send: NotThreadSafe,
        }
    }

    /// Takes the lock of the queue that `node` is on; `None` if it is on none.
    #[inline]
    pub(crate) fn lock_of(node: Node<'_>) -> Option<Self> {
        loop {
            let cpu = node.cpu();
            if cpu < 0 {
                return None;
            }
            let queue = Self::lock(cpu);
            // A pass may have taken it off before the lock was had; its start, if this is its callback,
            // may have moved it.
            if queue.has(node) {
                return Some(queue);
            }
        }
    }

    #[inline]
    fn pending(&self) -> List {
        // SAFETY: By the type's invariant the queue is valid; only an address inside it is made.
        List(unsafe { addr_of_mut!((*self.queue.as_ptr()).pending) })
    }

    #[inline]
    fn due(&self) -> List {
        // SAFETY: As in `pending()`.
        List(unsafe { addr_of_mut!((*self.queue.as_ptr()).due) })
    }

    /// Returns the number of its CPU.
    #[inline]
    pub(crate) fn cpu(&self) -> i32 {
        self.cpu
    }

    /// Whether `node` is on this queue, and stays there.
    #[inline]
    pub(crate) fn has(&self, node: Node<'_>) -> bool {
        node.cpu() == self.cpu
    }

    /// Puts `node`, which is on no queue, on this one.
    #[inline]
    pub(crate) fn add(&self, node: Node<'_>) {
        // SAFETY: `node` is on no list, and this queue's lock is held.
        unsafe { self.pending().append(node.link()) };
        // SAFETY: The lock of this queue is held.
        unsafe { node.set_cpu(self.cpu) };
    }

    /// Takes `node`, which is on this queue, off it.
    #[inline]
    pub(crate) fn remove(&self, node: Node<'_>) {
        // SAFETY: `node` is on one of this queue's lists, and its lock is held.
        unsafe { List::unlink(node.link()) };
        // SAFETY: The lock of this queue is held.
        unsafe { node.set_cpu(NO_CPU) };
    }

    /// Says that the CPU has been called to look at its timers; `None` if it was, and has not begun.
    pub(crate) fn call(&self) -> Option<Call> {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        let called = unsafe { addr_of_mut!((*self.queue.as_ptr()).called).replace(true) };

        // INVARIANT: A queue's CPU is a possible one, and it was not called.
        (!called).then_some(Call(self.cpu))
    }

    /// Says that the CPU has begun to look.
    pub(crate) fn answer(&self) {
        // SAFETY: As in `call()`.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).called).write(false) };
    }

    /// Returns how long the queue was left alone before this look, in nanoseconds; 0 where it was not.
    pub(crate) fn pause(&self) -> u32 {
        // SAFETY: By the type's invariant the queue is valid, and its lock is held.
        unsafe { addr_of!((*self.queue.as_ptr()).pause).read() }
    }

    /// Sets that.
    pub(crate) fn set_pause(&self, pause: u32) {
        // SAFETY: As in `pause()`.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).pause).write(pause) };
    }

    /// Takes all nodes off the queue.
    pub(crate) fn clear(&self) {
        self.begin_pass();
        while let Some(node) = self.first_due() {
            self.remove(node);
        }
    }

    /// Makes all nodes due for a pass; `false` if there are none.
    pub(crate) fn begin_pass(&self) -> bool {
        // SAFETY: Both lists are this queue's, whose lock is held.
        unsafe { self.due().splice(self.pending()) };
        self.first_due().is_some()
    }

    /// Returns the next node of the pass, which is due no more.
    pub(crate) fn advance(&self) -> Option<Node<'_>> {
        let node = self.first_due()?;

        // SAFETY: `node` is on one of this queue's lists, whose lock is held.
        unsafe { List::unlink(node.link()) };
        // SAFETY: It was just taken off its list, and the lock is held.
        unsafe { self.pending().append(node.link()) };
        Some(node)
    }

    /// Makes a node due again that [`advance()`](Self::advance) has returned.
    pub(crate) fn postpone(&self, node: Node<'_>) {
        // SAFETY: `node` is on one of this queue's lists, whose lock is held.
        unsafe { List::unlink(node.link()) };
        // SAFETY: It was just taken off its list, and the lock is held.
        unsafe { self.due().append(node.link()) };
    }

    fn first_due(&self) -> Option<Node<'_>> {
        // SAFETY: The list is this queue's, whose lock is held.
        let link = unsafe { self.due().first() }?;
        let node = link.wrapping_byte_sub(offset_of!(bindings::tsc_timer, node));

        // SAFETY: By the type's invariant every entry is the `node` of a valid node, which stays so
        // while the lock is held.
        Some(unsafe { Node::from_raw(NonNull::new_unchecked(node.cast())) })
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
    from: i32,
}

impl Two {
    /// Takes the locks of both. They are different, possible CPUs. Any context but NMI.
    pub(crate) fn lock(from: i32, to: i32) -> Self {
        let first = Queue::lock(from.min(to));
        let second = first.lock_above(from.max(to));

        Self {
            second,
            first,
            from,
        }
    }

    #[inline]
    fn ends(&self) -> (&Queue, &Queue) {
        if self.first.cpu == self.from {
            (&self.first, &self.second)
        } else {
            (&self.second, &self.first)
        }
    }

    /// Whether `node` is on the queue that it is moved from.
    pub(crate) fn has(&self, node: Node<'_>) -> bool {
        self.ends().0.has(node)
    }

    /// Moves `node` from that queue to the other.
    pub(crate) fn transfer(&self, node: Node<'_>) {
        let (_, to) = self.ends();

        // SAFETY: `node` is on one of that queue's lists, and its lock is held.
        unsafe { List::unlink(node.link()) };
        to.add(node);
    }
}

/// The right to call a CPU: one call at a time has it, from [`Queue::call()`] to [`Queue::answer()`].
///
/// # Invariants
///
/// The CPU is a possible one, and no other call to it is under way.
pub(crate) struct Call(i32);

impl Call {
    /// Returns the CPU's number.
    pub(crate) fn cpu(&self) -> i32 {
        self.0
    }
}

impl Drop for Queue {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariant the lock is held, and `flags` are those of taking it.
        unsafe { bindings::rht_queue_unlock(self.queue.as_ptr(), self.flags) };
    }
}
