// SPDX-License-Identifier: GPL-2.0

//! What the module counts, and the files under `/sys/kernel/debug/raw_hrtimer`.

use crate::{
    ffi::{
        self,
        Target, //
    },
    kvm::{
        self,
        Way, //
    },
    rate::Skew,
    snapshot::CURRENT, //
};

use kernel::{
    debugfs::{
        Dir,
        File,
        Writer, //
    },
    fmt,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub(crate) use ffi::Counter;

pub(crate) const STARTS: Counter = Counter::STARTS;
pub(crate) const RESTARTS: Counter = Counter::RESTARTS;
pub(crate) const PAST: Counter = Counter::PAST;
pub(crate) const SATURATED: Counter = Counter::SATURATED;
pub(crate) const PLAIN: Counter = Counter::PLAIN;
pub(crate) const NO_ROOM: Counter = Counter::NO_ROOM;
pub(crate) const WRONG_CLOCK: Counter = Counter::WRONG_CLOCK;
pub(crate) const WRONG_MODE: Counter = Counter::WRONG_MODE;
pub(crate) const PASSES: Counter = Counter::PASSES;
pub(crate) const REARMS: Counter = Counter::REARMS;

/// A count with one writer at a time: the listener, under the timekeeper's lock.
pub(crate) struct Tally(Atomic<u64>);

impl Tally {
    /// Counts one event.
    #[inline]
    pub(crate) fn count(&self) {
        self.0.store(self.0.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

pub(crate) static UPDATES: Tally = Tally(Atomic::new(0));
pub(crate) static RATE_CHANGES: Tally = Tally(Atomic::new(0));
pub(crate) static CLOCKSOURCE_CHANGES: Tally = Tally(Atomic::new(0));

/// `rate`: how fast the monotonic clock runs.
struct RateFile;

impl Writer for RateFile {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((snapshot, generation)) = CURRENT.read() else {
            return writeln!(f, "clocksource: none");
        };
        let (mono, raw) = (snapshot.timeline.rate, snapshot.raw);
        let clocksource = if snapshot.tsc { "tsc" } else { "other" };

        writeln!(f, "mono/raw: {}", Skew::between(mono, raw))?;
        writeln!(f, "mono_mult: {}", mono.mult())?;
        writeln!(f, "raw_mult: {}", raw.mult())?;
        writeln!(f, "shift: {}", mono.shift())?;
        writeln!(f, "clocksource: {clocksource}")?;
        writeln!(f, "generation: {generation}")?;
        writeln!(f, "updates: {}", UPDATES.0.load(Relaxed))?;
        writeln!(f, "rate_changes: {}", RATE_CHANGES.0.load(Relaxed))?;
        writeln!(
            f,
            "clocksource_changes: {}",
            CLOCKSOURCE_CHANGES.0.load(Relaxed)
        )
    }
}

/// `counters`: what was done for timers.
struct CountersFile;

impl Writer for CountersFile {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, counter) in [
            ("starts", STARTS),
            ("restarts", RESTARTS),
            ("past", PAST),
            ("saturated", SATURATED),
            ("plain", PLAIN),
            ("no_room", NO_ROOM),
            ("wrong_clock", WRONG_CLOCK),
            ("wrong_mode", WRONG_MODE),
            ("passes", PASSES),
            ("rearms", REARMS),
        ] {
            writeln!(f, "{name}: {}", counter.sum())?;
        }
        Ok(())
    }
}

/// `attach`: which of KVM's timers are covered, and in which way.
struct AttachFile;

impl Writer for AttachFile {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = kvm::way();

        writeln!(f, "kvm: {}", way.name())?;
        for target in Target::ALL {
            let covered = match way {
                Way::Registered => "yes",
                Way::Stock if target.is_active() => "yes",
                _ => "no",
            };
            writeln!(f, "{}: {covered}", target.name)?;
        }
        Ok(())
    }
}

/// The directory. Dropping it removes the files and waits for whoever reads one.
#[pin_data]
pub(crate) struct Files {
    #[pin]
    rate: File<RateFile>,
    #[pin]
    counters: File<CountersFile>,
    #[pin]
    attach: File<AttachFile>,
    root: Dir,
}

impl Files {
    /// Creates the files. Without debugfs there are none, and that is no error.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        let root = Dir::new(c"raw_hrtimer");

        try_pin_init!(Self {
            rate <- root.read_only_file(c"rate", RateFile),
            counters <- root.read_only_file(c"counters", CountersFile),
            attach <- root.read_only_file(c"attach", AttachFile),
            root,
        })
    }
}
