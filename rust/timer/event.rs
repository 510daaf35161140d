// SPDX-License-Identifier: GPL-2.0

//! A clockevent that counts the TSC, after the clock has become faster.
//!
//! The hrtimer core programs the clockevent for the first expiry, with the TSC value at which the
//! clock reaches it. Where the clock becomes faster, it reaches that expiry before that TSC value:
//! the event is late by the speed-up times the time that was left. The core programs it anew only
//! for a timer that is to expire before. A timer that is started for a time between that expiry
//! and the event is late, too.
//!
//! ```text
//!                  speed-up       start
//!    TSC  -----------+--------------+------|----x-------|---->
//!                                          |    |       the event, for another timer's expiry
//!                                          |    the deadline
//!                                          the clock reaches that expiry
//! ```
//!
//! So the first start on a CPU after a speed-up has the core program the event anew, and leaves a
//! mark. A timer that was pending before the speed-up is not late: its expiry was behind the
//! event's, and so was its deadline.
//!
//! On one of `nohz_full`'s CPUs the core queues a timer that is not pinned on another CPU. Where there
//! are such, a speed-up has the events of all others programmed anew, in an interrupt.

use crate::{
    clock::{
        snapshot::{
            self,
            Kind, //
        },
        update::Published, //
    },
    ffi, //
};

/// Has this CPU's clockevent come in time for a timer that is about to be started, by the clock
/// that a snapshot of this kind has.
pub(super) fn renew(kind: Kind) {
    ffi::renew_event(kind.mark());
}

/// Has the events renewed that a start on another CPU may need. Called by the listener.
#[inline]
pub(crate) fn rate_published(published: &Published) {
    if published.is_speed_up {
        ffi::renew_elsewhere();
    }
}

/// Renews this CPU's event, because a start on another CPU may need it. Context: hard interrupt.
pub(crate) fn renew_here() {
    let (_, kind, _) = snapshot::current_line();

    if kind != Kind::NO_TSC {
        renew(kind);
    }
}
