// SPDX-License-Identifier: GPL-2.0

//! Every property of the pure arithmetic, on inputs that libFuzzer makes up and drives into corners.

#![no_main]

use libfuzzer_sys::fuzz_target;
use raw_hrtimer_host::{
    exact::Line,
    properties, //
};

/// Takes an input apart. What is missing at its end is 0.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn u64(&mut self) -> u64 {
        let (head, tail) = self.0.split_at(self.0.len().min(8));
        let mut bytes = [0; 8];

        bytes[..head.len()].copy_from_slice(head);
        self.0 = tail;
        u64::from_le_bytes(bytes)
    }

    fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    /// A rate of a clocksource.
    fn rate(&mut self) -> (u32, u32) {
        let bits = self.u64();
        ((bits as u32).max(1), (bits >> 32) as u32 % 33)
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (mult, shift) = input.rate();
    let line = Line {
        mult,
        shift,
        cycle_last: input.u64(),
        xtime_nsec: input.u64(),
        base: input.i64(),
    };
    let (deadline, other, old) = (input.u64(), input.u64(), input.rate());
    let (raw, khz) = (input.rate().0, input.u64());
    // Deadlines that lie a distance away, rather than anywhere.
    let ahead = line.cycle_last.wrapping_add(deadline);

    for deadline in [deadline, ahead] {
        properties::expiry(&line, deadline);
        properties::never_early(&line, deadline, deadline.wrapping_sub(1));
        properties::never_early(&line, deadline, other);
        properties::monotonic(&line, deadline, other);
        properties::monotonic(&line, deadline, deadline.saturating_add(1));
        properties::mono(&line, deadline);
        properties::margin(&line, raw, deadline, other);
        properties::margin(&line, mult, deadline, line.cycle_last);
    }

    let khz = (khz as u32 & 0xff_ffff).max(1);
    properties::frequency_range(khz);
    properties::cycles(khz, deadline);
    properties::nanoseconds(khz, deadline);

    properties::rate_range(deadline as u32, other as u32);
    properties::skew((mult, shift), old);
    properties::skew((mult, shift), (old.0, shift));
    properties::change((mult, shift), old);
    properties::change((mult, shift), (old.0, shift));
    properties::division(u128::from(deadline) << 32 | u128::from(other as u32), mult);
});
