// SPDX-License-Identifier: GPL-2.0

//! raw_hrtimer: timers that expire when the TSC says so.
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

module! {
    type: RawHrtimer,
    name: "raw_hrtimer",
    authors: ["raw_hrtimer maintainers"],
    description: "hrtimers that expire at a TSC deadline whatever the rate of CLOCK_MONOTONIC",
    license: "GPL",
}

/// The module while it is loaded.
///
/// Fields are dropped in declaration order: first nobody arms through the module any more, then
/// nobody reads it, then it stops listening, and last what the listener had queued is waited for.
#[pin_data]
struct RawHrtimer {
    _kvm: kvm::attach::Attachment,
    _files: debugfs::Files,
    _listener: clock::update::Listener,
    _queues: timer::pending::Rearm,
}

impl kernel::InPlaceModule for RawHrtimer {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        // In the reverse of the order in which they are dropped; but nothing may fail once the files are
        // there, because what is open then would be of a module that never was.
        try_pin_init!(Self {
            _queues: timer::pending::Rearm::new(),
            _listener: clock::update::Listener::new()?,
            _kvm: kvm::attach::Attachment::new()?,
            _files: debugfs::Files::new(),
        })
    }
}
