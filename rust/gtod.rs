// SPDX-License-Identifier: GPL-2.0

//! The listener: what the timekeeper says, on each of its updates.
//!
//! It is called with the timekeeper's lock held, interrupts off, inside the write section that every
//! clock read waits for (`timekeeping_update_from_shadow()` in `kernel/time/timekeeping.c`). So it
//! compares, copies and leaves; what a change of rate asks for happens elsewhere.
//!
//! C header: [`include/linux/pvclock_gtod.h`](srctree/include/linux/pvclock_gtod.h)

use crate::{
    deadline::Timeline,
    ffi,
    rate::Change,
    rearm,
    snapshot::{
        Snapshot,
        CURRENT, //
    },
    stats, //
};

use kernel::prelude::*;

/// The registration. Dropping it waits for a listener that is running.
#[must_use = "dropping it stops listening"]
pub(crate) struct Listener(());

impl Listener {
    /// Starts to listen. The current state is published before this returns.
    pub(crate) fn new() -> Result<Self> {
        if !ffi::timekeeper_layout_matches() {
            pr_err!("struct timekeeper differs between bindgen and the C compiler: not loaded\n");
            return Err(EINVAL);
        }
        ffi::register_gtod_listener()?;
        Ok(Self(()))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        ffi::unregister_gtod_listener();
    }
}

/// Takes an update in; `stepped` if the timekeeper says that the clock was set.
///
/// Context: the timekeeper's lock held, interrupts off, no clock can be read.
#[inline]
pub(crate) fn update(new: &Snapshot, stepped: bool) {
    stats::UPDATES.count();
    rearm::make_up();

    let Some((old, _)) = CURRENT.read() else {
        CURRENT.publish(new);
        return;
    };
    if !stepped && says_nothing_new(&old, new) {
        return;
    }
    CURRENT.publish(new);

    if old.tsc != new.tsc {
        stats::CLOCKSOURCE_CHANGES.count();
    }
    if stepped || new.timeline.rate.change_from(old.timeline.rate) != Change::Steady {
        stats::RATE_CHANGES.count();
    }
    rearm::notice(new, stepped || old.tsc != new.tsc);
}

/// Whether expiries computed from `old` are those computed from `new`: most updates end here.
///
/// Below the top rate they are not even on one line: expiries are computed at the top rate from where
/// the snapshot is, and so the later the older it is.
#[inline]
fn says_nothing_new(old: &Snapshot, new: &Snapshot) -> bool {
    new.top == new.timeline.rate
        && (old.top, old.raw, old.tsc) == (new.top, new.raw, new.tsc)
        && same_line(&old.timeline, &new.timeline)
}

/// Whether `new` lies on the line of `old`: the same rate, and the same monotonic time at `new`'s
/// `cycle_last`, to the last fraction of a nanosecond.
///
/// Modulo 2^64 of those fractions, that is minutes: only a step of exactly that would be missed, and
/// steps are told.
#[inline]
fn same_line(old: &Timeline, new: &Timeline) -> bool {
    let cycles = new.cycle_last.get().wrapping_sub(old.cycle_last.get());
    let ns = new.base.get().wrapping_sub(old.base.get());
    let shift = new.rate.bits();

    // CAST: Differences modulo 2^64, whose sign does not matter.
    old.rate == new.rate
        && cycles
            .wrapping_mul(u64::from(old.rate.mult()))
            .wrapping_add(old.xtime_nsec)
            == new.xtime_nsec.wrapping_add((ns as u64).wrapping_shl(shift))
}
