// SPDX-License-Identifier: GPL-2.0

//! raw_hrtimer: timers that expire at a TSC value.
//!
//! hrtimers run on `CLOCK_MONOTONIC`, whose rate NTP bends. This module listens to the timekeeper,
//! knows the rate, and arms an hrtimer for a TSC deadline, so that it fires neither early nor late.

use kernel::prelude::*;

mod clock;
mod counters;
mod debugfs;
mod ffi;
mod kvm;
mod timer;
mod units;

module! {
    type: RawHrtimer,
    name: "raw_hrtimer",
    authors: ["raw_hrtimer maintainers"],
    description: "hrtimers that expire at a TSC deadline whatever the rate of CLOCK_MONOTONIC",
    license: "GPL",
}

/// The module while it is loaded.
///
/// Fields are dropped in declaration order: first nobody starts timers through the module any more, then
/// nobody reads its files, then it listens no more, and last the passes end that the listener had asked
/// for.
#[pin_data]
struct RawHrtimer {
    _attachment: kvm::attach::Attachment,
    _files: ffi::DebugfsFiles,
    _listener: clock::update::Listener,
    _passes: timer::pass::Passes,
}

impl kernel::InPlaceModule for RawHrtimer {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        // In the reverse of the order in which they are dropped; but create the debugfs files last: a
        // later failure would free the module under an open file.
        try_pin_init!(Self {
            _passes: timer::pass::Passes::new()?,
            _listener: clock::update::Listener::new()?,
            _attachment: kvm::attach::Attachment::new()?,
            _files: ffi::DebugfsFiles::new(),
        })
    }
}
