// SPDX-License-Identifier: GPL-2.0

//! Stands in for `rust/ffi/hooks.rs`: one kind of timer, which is not periodic.

use super::Timer;

#[derive(Clone, Copy)]
pub(crate) struct Target;

impl Target {
    pub(crate) fn of(_timer: Timer<'_>) -> Option<Self> {
        Some(Self)
    }

    pub(crate) fn may_be_periodic(self) -> bool {
        false
    }
}
