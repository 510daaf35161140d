// SPDX-License-Identifier: GPL-2.0

//! Stands in for `rust/counters.rs`: what happened in any execution.

use crate::ffi::bindings::met;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter(&'static str);

impl Counter {
    pub(crate) fn count(self) {
        met(self.0);
    }
}

macro_rules! counters {
    ($($name:ident)*) => {
        $(pub(crate) const $name: Counter = Counter(stringify!($name));)*
    };
}

counters! {
    STARTS RESTARTS PAST SATURATED PLAIN WRONG_CLOCK WRONG_MODE PASSES REARMS
    NO_ROOM UNSEEN UPDATES RATE_CHANGES CLOCKSOURCE_CHANGES
}
