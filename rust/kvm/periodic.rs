// SPDX-License-Identifier: GPL-2.0

//! The next deadline of a hooked timer whose callback restarts it.

use super::convert::{
    after,
    deadline_of, //
};

use crate::{
    clock::snapshot::Snapshot,
    ffi::{
        self,
        entries::Entry,
        Timer, //
    },
    timer::pending,
    units::RawNs, //
};

/// Gives `timer`, for which KVM has set the expiry of its next period, the expiry of the next deadline.
///
/// KVM counts periods by the monotonic clock, from the target before. Where the clock is fast that falls
/// behind, and KVM takes the present for its next target: then the step is not the period.
pub(super) fn next_period(entry: Entry<'_>, timer: Timer<'_>, snapshot: &Snapshot) {
    let node = entry.node();
    let now = ffi::rdtsc();
    let target = timer.expires();
    let mut schedule = entry.schedule();
    let step = target.get().saturating_sub(schedule.target.get());

    if entry.is_known() && target > snapshot.timeline.mono(now) {
        schedule.period = RawNs::new(step);
    }
    let since = RawNs::new(schedule.since.get().saturating_add(schedule.period.get()));
    let deadline = if entry.is_known() {
        after(schedule.origin, since)
    } else {
        // Started before the hooks were placed.
        deadline_of(snapshot, target, now)
    };
    schedule.target = target;
    if entry.is_known() && deadline > now {
        schedule.since = since;
        node.set_deadline(deadline);
    } else {
        // Late by a whole period: the next one is due now, as KVM has it, and the others count from it.
        schedule.since = RawNs::new(0);
        schedule.origin = deadline.max(now);
        node.set_deadline(schedule.origin);
    }
    entry.set_schedule(&schedule);
    entry.set_known(true);

    // The node stays where it is queued, unless KVM has cancelled the timer meanwhile.
    if !pending::restart(node) {
        timer.set_expires(snapshot.timeline.mono(now));
    }
}
