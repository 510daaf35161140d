// SPDX-License-Identifier: GPL-2.0

//! Nodes, which the owners of hrtimers embed beside them.
//!
//! C header: [`include/linux/tsc_timer.h`](../../include/linux/tsc_timer.h)

use super::{
    bindings,
    cpu::Cpu,
    timer::{
        Base,
        Mode,
        Timer, //
    },
    word::{
        barrier,
        cmpxchg_at,
        xchg_at, //
    }, //
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

/// Not on any queue.
const NO_CPU: i32 = -1;

/// Where a node is between its owner, who starts and cancels it, and a pass, which moves its timer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(u32);

impl State {
    /// On no queue, or about to be on none.
    pub(crate) const AWAY: Self = Self(0);
    /// On a queue. Nobody but its owner touches its timer.
    pub(crate) const IDLE: Self = Self(1);
    /// Started, and not cancelled since.
    pub(crate) const PENDING: Self = Self(2);
    /// As before, and a pass has its timer. That has the lock of the node's queue.
    pub(crate) const MOVING: Self = Self(3);
}

/// A `struct tsc_timer`.
///
/// # Invariants
///
/// The pointer is to a `struct tsc_timer` that `tsc_timer_setup()` has set up and that, with its
/// hrtimer, stays so for `'a`. Its `cpu` says on whose queue its `node` is, and both are written with
/// that queue's lock held. Its owner writes `deadline`, `mode` and
/// `expired` while its `state` is neither `PENDING` nor `MOVING`, and its callback the first and the last.
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

    /// Returns its state.
    #[inline]
    pub(crate) fn state(self) -> State {
        // SAFETY: By the type's invariant the node is valid; an aligned word that others may write is
        // read once, as `READ_ONCE()` does.
        State(unsafe { addr_of!((*self.0.as_ptr()).state).read_volatile() })
    }

    /// `xchg()` of its state: returns the one before.
    #[inline]
    pub(crate) fn exchange(self, new: State) -> State {
        const STATE: usize = offset_of!(bindings::tsc_timer, state);

        // SAFETY: By the type's invariant the node is valid; its state is written here and below alone.
        State(unsafe { xchg_at::<STATE>(self.0.as_ptr().cast(), new.0) })
    }

    /// `cmpxchg()` of its state: returns the one before.
    #[inline]
    pub(crate) fn compare_exchange(self, old: State, new: State) -> State {
        const STATE: usize = offset_of!(bindings::tsc_timer, state);

        // SAFETY: As in `exchange()`.
        State(unsafe { cmpxchg_at::<STATE>(self.0.as_ptr().cast(), old.0, new.0) })
    }

    /// Returns the base that its timer had when it was put on its queue; none if it is on no queue, or
    /// about to be on none.
    #[inline]
    pub(crate) fn base(self) -> Base {
        // SAFETY: As in `state()`.
        Base::from_c(unsafe { addr_of!((*self.0.as_ptr()).base).read_volatile() })
    }

    /// Whether its callback has done its work since it was armed, as far as can be seen from here.
    #[inline]
    pub(crate) fn is_expired(self) -> bool {
        // SAFETY: By the type's invariant the node is valid; a byte that the callback may write is
        // read once, as `READ_ONCE()` does.
        unsafe { addr_of!((*self.0.as_ptr()).expired).read_volatile() }
    }

    /// Sets whether its callback has done its work. Context: the callback, or its owner's, while it is
    /// neither pending nor running.
    #[inline]
    pub(crate) fn set_expired(self, expired: bool) {
        // SAFETY: By the type's invariant the node is valid; nobody else writes the byte meanwhile.
        unsafe { addr_of_mut!((*self.0.as_ptr()).expired).write_volatile(expired) };
    }

    /// Returns how the timer was armed.
    pub(crate) fn mode(self) -> Mode {
        // SAFETY: By the type's invariant the node is valid; the word is written by the one who starts
        // it, before it is pending.
        Mode::from_c(unsafe { addr_of!((*self.0.as_ptr()).mode).read() })
    }

    /// Sets how the timer is armed. Context: its owner's, while it is not pending.
    #[inline]
    pub(crate) fn set_mode(self, mode: Mode) {
        // SAFETY: By the type's invariant the node is valid; its owner calls one operation at a
        // time, and whoever else reads it found it pending.
        unsafe { addr_of_mut!((*self.0.as_ptr()).mode).write(mode.into_c()) };
    }

    /// Returns the CPU on whose queue it is, or a negative number.
    #[inline]
    pub(super) fn cpu(self) -> i32 {
        // SAFETY: By the type's invariant the node is valid; an aligned word that the holder of the
        // queue's lock may write is read once, as `READ_ONCE()` does.
        unsafe { addr_of!((*self.0.as_ptr()).cpu).read_volatile() }
    }

    /// Returns the CPU on whose queue it is; `None` if it is on none.
    #[inline]
    pub(crate) fn queue(self) -> Option<Cpu> {
        let cpu = self.cpu();

        // SAFETY: A node that is on a queue has that CPU's number.
        (cpu >= 0).then(|| unsafe { Cpu::from_raw(cpu) })
    }

    /// Writes on whose queue the node is, and the base of its timer. The CPU is the last write to a node
    /// that is taken off: an owner that finds it on no queue may free it.
    ///
    /// # Safety
    ///
    /// The lock of the queue that the node is put on, or removed from, is held.
    pub(super) unsafe fn set_queue(self, cpu: i32, base: Base) {
        // SAFETY: By the type's invariant the node is valid; the lock excludes other writers.
        unsafe { addr_of_mut!((*self.0.as_ptr()).base).write_volatile(base.into_c()) };
        barrier();
        // SAFETY: As above.
        unsafe { addr_of_mut!((*self.0.as_ptr()).cpu).write_volatile(cpu) };
    }

    /// Takes it off its queue. It is away.
    ///
    /// # Safety
    ///
    /// It is on a queue whose lock is held.
    pub(super) unsafe fn take_off(self) {
        // SAFETY: The caller promises it.
        unsafe { bindings::rht_queue_remove(self.0.as_ptr()) };
        // SAFETY: As above. This is the last access to the node.
        unsafe { self.set_queue(NO_CPU, Base::NONE) };
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
