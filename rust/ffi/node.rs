// SPDX-License-Identifier: GPL-2.0

//! Nodes, which their owners embed, and the per-CPU lists of them.
//!
//! C header: [`include/linux/tsc_timer.h`](../../include/linux/tsc_timer.h)

use super::{
    bindings,
    timer::{
        Mode,
        Timer, //
    }, //
};
use crate::rate::Cycles;

use core::{
    iter::successors,
    marker::PhantomData,
    mem::offset_of,
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

/// Not on any list.
const NO_CPU: i32 = -1;

/// A `struct tsc_timer`.
///
/// # Invariants
///
/// The pointer is to a `struct tsc_timer` that `tsc_timer_setup()` has set up and that, with its
/// hrtimer, stays so for `'a`. Its `cpu` says on whose list its `node` is, and both are written with
/// that list's lock held.
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
        // SAFETY: By the type's invariant the node is valid; its owner writes the word only while
        // the timer is neither pending nor running, that is, not now.
        Cycles::new(unsafe { addr_of!((*self.0.as_ptr()).deadline).read() })
    }

    /// Returns how the timer was armed.
    pub(crate) fn mode(self) -> Mode {
        // SAFETY: By the type's invariant the node is valid; the word is written before the node is
        // put on a list, by the one who starts it.
        Mode::from_c(unsafe { addr_of!((*self.0.as_ptr()).mode).read() })
    }

    /// Sets how the timer is armed. The node is on no list.
    #[inline]
    pub(crate) fn set_mode(self, mode: Mode) {
        // SAFETY: By the type's invariant the node is valid; its owner calls one operation at a
        // time, and nobody else looks at a node that is on no list.
        unsafe { addr_of_mut!((*self.0.as_ptr()).mode).write(mode.into_c()) };
    }

    #[inline]
    fn cpu(self) -> i32 {
        // SAFETY: By the type's invariant the node is valid; an aligned word that the holder of the
        // list's lock may write is read once, as `READ_ONCE()` does.
        unsafe { addr_of!((*self.0.as_ptr()).cpu).read_volatile() }
    }

    /// # Safety
    ///
    /// The caller holds the lock of the list that the node is put on, or taken from.
    #[inline]
    unsafe fn set_cpu(self, cpu: i32) {
        // SAFETY: By the type's invariant the node is valid; the lock excludes other writers.
        unsafe { addr_of_mut!((*self.0.as_ptr()).cpu).write_volatile(cpu) };
    }

    #[inline]
    fn link(self) -> *mut bindings::list_head {
        // SAFETY: By the type's invariant the node is valid; only an address inside it is made.
        unsafe { addr_of_mut!((*self.0.as_ptr()).node) }
    }
}

/// A CPU's list of pending nodes, with its lock held and interrupts off.
///
/// # Invariants
///
/// The pointer is to the queue of `cpu`, whose lock was taken and is released on drop. All that is
/// on its list are `node`s of valid nodes with this `cpu`: each one's owner takes it off, with this
/// lock, before the node ends.
pub(crate) struct Queue {
    queue: NonNull<bindings::rht_queue>,
    cpu: i32,
    flags: c_ulong,
    _not_send: NotThreadSafe,
}

impl Queue {
    /// Takes the lock of `cpu`'s list. `cpu` is a possible one. Any context but NMI.
    pub(crate) fn lock(cpu: i32) -> Self {
        let mut flags = 0;
        // SAFETY: `cpu` is a possible CPU, so it has a queue; nobody who holds its lock calls this.
        let queue = unsafe { bindings::rht_queue_lock(cpu, &mut flags) };

        Self::locked(queue, cpu, flags)
    }

    /// Takes the lock of this CPU's list, and so stays on this CPU. Any context but NMI.
    #[inline]
    pub(crate) fn lock_local() -> Self {
        let (mut cpu, mut flags) = (0, 0);
        // SAFETY: Nobody who holds a queue's lock calls this, and it works in any context but NMI.
        let queue = unsafe { bindings::rht_queue_lock_local(&mut cpu, &mut flags) };

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

    /// Takes the lock of the list that `node` is on; `None` if it is on none.
    #[inline]
    pub(crate) fn lock_of(node: Node<'_>) -> Option<Self> {
        loop {
            let cpu = node.cpu();
            if cpu < 0 {
                return None;
            }
            let queue = Self::lock(cpu);
            // It may have been taken off before the lock was had, never moved: its owner, who alone
            // puts it on a list, is here.
            if node.cpu() == cpu {
                return Some(queue);
            }
        }
    }

    #[inline]
    fn head(&self) -> *mut bindings::list_head {
        // SAFETY: By the type's invariant the queue is valid; only an address inside it is made.
        unsafe { addr_of_mut!((*self.queue.as_ptr()).pending) }
    }

    /// Puts `node`, which is on no list, on this one.
    #[inline]
    pub(crate) fn add(&self, node: Node<'_>) {
        let (head, link) = (self.head(), node.link());

        // SAFETY: `head` is the head of a list whose lock is held, so its last entry is valid.
        let last = unsafe { (*head).prev };
        // SAFETY: `link` is in a valid node that is on no list: nobody else looks at it.
        unsafe {
            link.write(bindings::list_head {
                next: head,
                prev: last,
            })
        };
        // SAFETY: `last` is a valid entry of this list, or its head.
        unsafe { (*last).next = link };
        // SAFETY: As for `last`.
        unsafe { (*head).prev = link };
        // SAFETY: The lock of this list is held.
        unsafe { node.set_cpu(self.cpu) };
    }

    /// Takes `node`, which is on this list, off it.
    #[inline]
    pub(crate) fn remove(&self, node: Node<'_>) {
        let link = node.link();

        // SAFETY: `link` is on this list, whose lock is held, so its neighbours are valid.
        let bindings::list_head { next, prev } = unsafe { link.read() };
        // SAFETY: As above.
        unsafe { (*prev).next = next };
        // SAFETY: As above.
        unsafe { (*next).prev = prev };
        // SAFETY: `link` is in a valid node; it is on no list any more.
        unsafe {
            link.write(bindings::list_head {
                next: link,
                prev: link,
            })
        };
        // SAFETY: The lock of this list is held.
        unsafe { node.set_cpu(NO_CPU) };
    }

    /// Whether no node is on the list.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Takes all nodes off the list.
    pub(crate) fn clear(&self) {
        while let Some(node) = self.iter().next() {
            self.remove(node);
        }
    }

    /// The nodes on the list; none is to be added or removed meanwhile.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Node<'_>> {
        let head = self.head();
        let after = move |link: *mut bindings::list_head| {
            // SAFETY: `link` is the head or an entry of the list, whose lock is held.
            let next = unsafe { (*link).next };
            (next != head).then_some(next)
        };

        successors(after(head), move |link| after(*link)).map(|link| {
            let node = link.wrapping_byte_sub(offset_of!(bindings::tsc_timer, node));
            // SAFETY: By the type's invariant every entry is the `node` of a valid node, which stays
            // so while the lock is held.
            unsafe { Node::from_raw(NonNull::new_unchecked(node.cast())) }
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
