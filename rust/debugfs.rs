// SPDX-License-Identifier: GPL-2.0

//! What the files under `/sys/kernel/debug/raw_hrtimer` show.

use crate::{
    clock::{
        ratio::Skew,
        snapshot, //
    },
    counters::*,
    ffi::{
        self,
        Target, //
    },
    kvm::{
        attach,
        cover::Cover, //
    }, //
};

use kernel::{
    fmt,
    seq_file::SeqFile,
    seq_print, //
};

/// A skew as `seq_print!` takes it. The pure files know of `core`'s traits alone; the kernel crate has
/// its own of the same names, but not in every kernel.
struct Printed(Skew);

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}

/// File `rate`: how fast the monotonic clock runs.
pub(crate) fn show_rate(seq: &SeqFile) {
    let Some((snapshot, generation)) = snapshot::current() else {
        return;
    };
    let (mono, raw) = (snapshot.timeline.rate, snapshot.raw);
    let clocksource = if snapshot.is_tsc() { "tsc" } else { "other" };

    seq_print!(seq, "mono/raw: {}\n", Printed(Skew::between(mono, raw)));
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

/// File `counters`: what was done for timers.
pub(crate) fn show_counters(seq: &SeqFile) {
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

/// File `attach`: how KVM's timers come to be started for their deadlines, and which are covered. Process
/// context.
pub(crate) fn show_attach(seq: &SeqFile) {
    let status = attach::status();

    seq_print!(seq, "kvm: {}\n", status.name);
    if let Some(missed) = status.missed {
        for target in Target::ALL {
            seq_print!(seq, "{}: {}\n", target.name, Cover::of(target, &missed));
        }
    }
}
