// SPDX-License-Identifier: GPL-2.0

//! Entries: what the module keeps of a hooked timer.
//!
//! An entry belongs to its timer from that one's first start until its vCPU is destroyed.
//! [`table`](super::table) finds it.

use super::{
    bindings::{
        self,
        rht_entry, //
    },
    node::Node, //
};
use crate::units::{
    Cycles,
    MonoNs,
    RawNs, //
};

use core::{
    marker::PhantomData,
    ptr::{
        addr_of,
        addr_of_mut,
        NonNull, //
    }, //
};

use kernel::{
    ffi::{
        c_ulong,
        c_void, //
    },
    types::NotThreadSafe, //
};

/// Interrupts are off on this CPU, and so an entry that was found stays readable.
///
/// # Invariants
///
/// Interrupts were switched off by this guard, or before it; dropping it restores what was.
pub(crate) struct IrqOff(c_ulong, NotThreadSafe);

impl IrqOff {
    /// Switches interrupts off. Any context but NMI.
    #[inline]
    pub(crate) fn new() -> Self {
        // SAFETY: Any context; the flags are restored by `drop()`, on this CPU.
        let flags = unsafe { bindings::rht_irq_save() };
        // INVARIANT: Interrupts are off.
        Self(flags, NotThreadSafe)
    }
}

impl Drop for IrqOff {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The flags are those that `new()` has saved.
        unsafe { bindings::rht_irq_restore(self.0) };
    }
}

/// A vCPU, told from others by its address, which is never followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vcpu(usize);

impl Vcpu {
    pub(super) fn from_c(vcpu: *mut c_void) -> Self {
        Self(vcpu.addr())
    }

    /// Returns the address.
    pub(super) fn address(self) -> usize {
        self.0
    }

    /// Returns the vCPU that is loaded on this CPU; `None` if none is. Any context.
    pub(super) fn running() -> Option<Self> {
        // SAFETY: Called from a hook alone, for whose time KVM's function is there.
        let vcpu = unsafe { bindings::rht_running_vcpu() };

        (!vcpu.is_null()).then_some(Self::from_c(vcpu))
    }
}

/// What the module keeps of a hooked timer.
///
/// # Invariants
///
/// The pointer is to an `rht_entry` that was in the table, and that is not freed for `'a`, for which
/// interrupts are off: the work item waits for a grace period. Its hrtimer is valid for `'a`, because
/// its owner lends it for that time, or has not yet cancelled it.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a>(NonNull<rht_entry>, PhantomData<&'a rht_entry>);

impl<'a> Entry<'a> {
    /// # Safety
    ///
    /// `entry` was in the table, is not freed for `'a`, for which interrupts are off, and its hrtimer is
    /// valid for `'a`.
    #[inline]
    pub(super) unsafe fn from_raw(entry: NonNull<rht_entry>) -> Self {
        // INVARIANT: The caller promises it.
        Self(entry, PhantomData)
    }

    /// Returns the node.
    #[inline]
    pub(crate) fn node(self) -> Node<'a> {
        // SAFETY: By the type's invariant this is inside a valid entry; only an address is made.
        let node = unsafe { addr_of_mut!((*self.0.as_ptr()).node) };

        // SAFETY: `take()` has set the node up before the entry was in the table; by the type's
        // invariant it is valid for `'a`, as is its hrtimer.
        unsafe { Node::from_raw(NonNull::new_unchecked(node)) }
    }

    /// Whether the node's deadline is the one that its timer was last started for.
    #[inline]
    pub(crate) fn is_known(self) -> bool {
        // SAFETY: By the type's invariant the entry is valid; a byte is read once.
        unsafe { addr_of!((*self.0.as_ptr()).known).read_volatile() }
    }

    /// Sets whether it is.
    #[inline]
    pub(crate) fn set_known(self, known: bool) {
        // SAFETY: By the type's invariant the entry is valid; a byte is written once.
        unsafe { addr_of_mut!((*self.0.as_ptr()).known).write_volatile(known) };
    }

    /// Returns how KVM counts the periods of its timer. Context: the timer's start or callback.
    #[inline]
    pub(crate) fn schedule(self) -> Schedule {
        let entry = self.0.as_ptr();

        Schedule {
            // SAFETY: By the type's invariant the entry is valid, and the timer's owner calls one
            // operation at a time, which alone writes this.
            target: MonoNs::new(unsafe { addr_of!((*entry).target).read() }),
            // SAFETY: As above.
            period: RawNs::new(unsafe { addr_of!((*entry).period).read() }),
            // SAFETY: As above.
            since: RawNs::new(unsafe { addr_of!((*entry).since).read() }),
            // SAFETY: As above.
            origin: Cycles::new(unsafe { addr_of!((*entry).origin).read() }),
        }
    }

    /// Sets it. Context: as for [`schedule()`](Self::schedule).
    #[inline]
    pub(crate) fn set_schedule(self, schedule: &Schedule) {
        let entry = self.0.as_ptr();

        // SAFETY: As in `schedule()`.
        unsafe { addr_of_mut!((*entry).target).write(schedule.target.get()) };
        // SAFETY: As in `schedule()`.
        unsafe { addr_of_mut!((*entry).period).write(schedule.period.get()) };
        // SAFETY: As in `schedule()`.
        unsafe { addr_of_mut!((*entry).since).write(schedule.since.get()) };
        // SAFETY: As in `schedule()`.
        unsafe { addr_of_mut!((*entry).origin).write(schedule.origin.get()) };
    }
}

/// How KVM counts the periods of a timer, beside how the TSC does.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    /// The expiry that KVM has asked for last.
    pub(crate) target: MonoNs,
    /// The period, 0 while that is not known.
    pub(crate) period: RawNs,
    /// The periods that have passed since `origin`, in KVM's nanoseconds.
    pub(crate) since: RawNs,
    /// The deadline that periods are counted from.
    pub(crate) origin: Cycles,
}
