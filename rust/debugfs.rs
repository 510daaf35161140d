// SPDX-License-Identifier: GPL-2.0

//! The files under `/sys/kernel/debug/raw_hrtimer`.

use crate::{
    clock::{
        rate::Skew,
        snapshot::CURRENT, //
    },
    counters::*,
    ffi::{
        self,
        File,
        Target, //
    },
    kvm::{
        attach::{
            self,
            Way, //
        },
        cover::Cover, //
    }, //
};

use kernel::{
    fmt,
    seq_file::SeqFile,
    seq_print, //
};

/// The files. Dropping it removes them; while one is open the module cannot be removed.
#[must_use = "dropping it removes the files"]
pub(crate) struct Files(());

impl Files {
    /// Creates the files.
    pub(crate) fn new() -> Self {
        ffi::debugfs_create();
        Self(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        ffi::debugfs_remove();
    }
}

/// Writes what is read from `file`. Process context.
pub(crate) fn show(seq: &SeqFile, file: File) {
    match file {
        File::Rate => rate(seq),
        File::Counters => counters(seq),
        File::Attach => attach(seq),
    }
}

// The pure files know of `core`'s traits alone.
impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// How fast the monotonic clock runs.
fn rate(seq: &SeqFile) {
    let Some((snapshot, generation)) = CURRENT.read() else {
        return;
    };
    let (mono, raw) = (snapshot.timeline.rate, snapshot.raw);
    let clocksource = if snapshot.tsc { "tsc" } else { "other" };

    seq_print!(seq, "mono/raw: {}\n", Skew::between(mono, raw));
    seq_print!(seq, "mono_mult: {}\n", mono.mult());
    seq_print!(seq, "raw_mult: {}\n", raw.mult());
    seq_print!(seq, "shift: {}\n", mono.shift());
    seq_print!(seq, "clocksource: {clocksource}\n");
    seq_print!(seq, "generation: {generation}\n");
    for (name, tally) in [
        ("updates", &UPDATES),
        ("rate_changes", &RATE_CHANGES),
        ("clocksource_changes", &CLOCKSOURCE_CHANGES),
    ] {
        seq_print!(seq, "{name}: {}\n", tally.get());
    }
}

/// What was done for timers.
fn counters(seq: &SeqFile) {
    for (name, counter) in [
        ("starts", STARTS),
        ("restarts", RESTARTS),
        ("past", PAST),
        ("saturated", SATURATED),
        ("plain", PLAIN),
        ("no_room", NO_ROOM),
        ("unseen", UNSEEN),
        ("wrong_clock", WRONG_CLOCK),
        ("wrong_mode", WRONG_MODE),
        ("passes", PASSES),
        ("rearms", REARMS),
    ] {
        seq_print!(seq, "{name}: {}\n", counter.sum());
    }
    seq_print!(seq, "entries: {}\n", ffi::table::taken());
}

/// In which way KVM's timers are armed; which of them, where that is the module's to say.
fn attach(seq: &SeqFile) {
    let way = attach::way();

    seq_print!(seq, "kvm: {}\n", way.name());
    if way != Way::Registered {
        for target in Target::ALL {
            seq_print!(seq, "{}: {}\n", target.name, Cover::of(target));
        }
    }
}
