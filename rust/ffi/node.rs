// SPDX-License-Identifier: GPL-2.0

//! Nodes, which the owners of hrtimers embed beside them.
//!
//! C header: [`include/linux/tsc_timer.h`](../../include/linux/tsc_timer.h)

use super::{
    bindings,
    timer::{
        Mode,
        Timer, //
    },
    word::barrier, //
};
use crate::units::Cycles;

use core::{
    marker::PhantomData,
    mem::offset_of,
    ptr::{
        addr_of,
        addr_of_mut,
        NonNull, //
    }, //
};

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
        // time, and whoever else reads it has that lock.
        unsafe { addr_of_mut!((*self.0.as_ptr()).mode).write(mode.into_c()) };
    }

    /// Returns the CPU on whose queue it is, or a negative number.
    #[inline]
    pub(super) fn cpu(self) -> i32 {
        // SAFETY: By the type's invariant the node is valid; an aligned word that the holder of the
        // queue's lock may write is read once, as `READ_ONCE()` does.
        unsafe { addr_of!((*self.0.as_ptr()).cpu).read_volatile() }
    }

    /// Writes on whose queue the node is, which is the last write to it: an owner that finds it on none may
    /// free it.
    ///
    /// # Safety
    ///
    /// The lock of the queue that the node is put on, or removed from, is held.
    #[inline]
    pub(super) unsafe fn set_cpu(self, cpu: i32) {
        barrier();
        // SAFETY: By the type's invariant the node is valid; the lock excludes other writers.
        unsafe { addr_of_mut!((*self.0.as_ptr()).cpu).write_volatile(cpu) };
    }

    /// Returns its place in a list.
    #[inline]
    pub(super) fn link(self) -> *mut bindings::list_head {
        // SAFETY: By the type's invariant the node is valid; only an address inside it is made.
        unsafe { addr_of_mut!((*self.0.as_ptr()).node) }
    }

    /// Returns the C node, which is valid for `'a`.
    #[inline]
    pub(super) fn as_raw(self) -> *mut bindings::tsc_timer {
        self.0.as_ptr()
    }

    /// Returns the node whose link this is.
    ///
    /// # Safety
    ///
    /// `link` is the `node` of a `tsc_timer` that is as for [`from_raw()`](Self::from_raw).
    pub(super) unsafe fn from_link(link: NonNull<bindings::list_head>) -> Self {
        // SAFETY: The link is that far inside a `tsc_timer`.
        let node = unsafe { link.byte_sub(offset_of!(bindings::tsc_timer, node)) };

        // SAFETY: The caller promises it.
        unsafe { Self::from_raw(node.cast()) }
    }
}
