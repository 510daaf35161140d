// SPDX-License-Identifier: GPL-2.0

//! What kernels differ in, told by what the kernel has.

use super::bindings;
use crate::units::MonoNs;

use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// Not among the kernel crate's codes before 7.3. CAST: A small number.
pub(super) const EOPNOTSUPP: c_int = -(bindings::EOPNOTSUPP as c_int);

/// The same as an error.
pub(crate) fn eopnotsupp() -> Error {
    Error::from_errno(EOPNOTSUPP)
}

/// How long before its expiry a timer's callback may run, to wait for the rest.
///
/// Before 7.1 every clockevent is programmed with a distance in nanoseconds of its own, which the
/// monotonic clock does not quite reach where it runs slow; and for the rest, with no less than a
/// microsecond. So that rest is waited for, as it takes less than the interrupt. From 7.1 on the
/// TSC-deadline timer is programmed with the expiry's TSC value, and nothing is left.
pub(crate) const SLACK: MonoNs = MonoNs::new(if cfg!(CONFIG_GENERIC_CLOCKEVENTS_COUPLED) {
    0
} else {
    1000
});

/// Returns the time from which the callback of a timer that is armed for `expiry` may run.
#[inline]
pub(crate) const fn may_run_from(expiry: MonoNs) -> MonoNs {
    MonoNs::new(expiry.get().saturating_sub(SLACK.get()))
}
