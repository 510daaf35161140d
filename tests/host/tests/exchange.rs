// SPDX-License-Identifier: GPL-2.0

//! How long the arithmetic takes that a provider has in place of KVM's, in one run.

use std::{hint::black_box, time::Instant};

use raw_hrtimer_host::exchange::{clocks, now};

const ROUNDS: usize = 200;
const EXPIRIES: u64 = 10_000;
/// Until the deadline: 10 ms, and a little more each time.
const CYCLES: u64 = 21_000_000;

/// The nanoseconds that one of them takes; each waits for the one before.
fn time(expiry: impl Fn(u64) -> i64) -> f64 {
    let start = Instant::now();
    let mut last = 0;
    for n in 0..EXPIRIES {
        // CAST: Its lowest bits, so that the next cannot begin before this is there.
        last = expiry(black_box(n << 5) + (last as u64 & 31));
    }
    black_box(last);
    start.elapsed().as_nanos() as f64 / EXPIRIES as f64
}

#[test]
#[cfg_attr(miri, ignore = "miri has no TSC")]
fn a_snapshot_takes_no_longer_than_a_clock_read_and_a_division() {
    let (kvm, module) = clocks();
    let first = now() + CYCLES;
    let (mut reading, mut snapshot) = (f64::MAX, f64::MAX);

    // The least of many rounds by turns: whatever else runs makes them longer.
    for _ in 0..ROUNDS {
        reading = reading.min(time(|more| kvm.expiry(CYCLES + more)));
        snapshot = snapshot.min(time(|more| module.expiry(first + more)));
    }
    println!(
        "an expiry takes {reading:.1} ns with a clock read and a division, {snapshot:.1} ns from a \
         snapshot: {:.2} of that",
        snapshot / reading
    );
    assert!(snapshot < reading);
}

#[test]
#[cfg_attr(miri, ignore = "miri has no TSC")]
fn both_have_the_same_result() {
    let (kvm, module) = clocks();
    let before = now();
    let read = kvm.expiry(CYCLES);
    let after = now();

    // KVM's is of some moment between the two, rounded down, and of a rate in kHz.
    let (least, most) = (
        module.expiry(before + CYCLES),
        module.expiry(after + CYCLES),
    );
    assert!(
        least - 1_000 <= read && read <= most + 1_000,
        "{least} {read} {most}"
    );
}
