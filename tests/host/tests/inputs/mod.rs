// SPDX-License-Identifier: GPL-2.0

//! Inputs: everywhere in their range, and often where it matters.

use ethnum::I256;
use proptest::prelude::*;
use raw_hrtimer_host::exact::{
    ceil_div,
    saturate,
    Line, //
};

/// Values near 0, near the top, near a power of two, of the size that machines have, and any.
pub(crate) fn cycles() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..8_u64,
        (0..8_u64).prop_map(|below| u64::MAX - below),
        (0..64_u32, -4..4_i64).prop_map(|(bit, near)| (1_u64 << bit).wrapping_add_signed(near)),
        // Up to an hour at 4 GHz.
        0..14_400_000_000_000_u64,
        any::<u64>(),
    ]
}

/// The same of either sign.
pub(crate) fn nanoseconds() -> impl Strategy<Value = i64> {
    (cycles(), any::<bool>()).prop_map(|(ns, negative)| {
        let ns = ns as i64;
        if negative {
            ns.wrapping_neg()
        } else {
            ns
        }
    })
}

fn mult() -> impl Strategy<Value = u32> {
    prop_oneof![
        1..8_u32,
        (0..8_u32).prop_map(|below| u32::MAX - below),
        (0..32_u32, -2..2_i32).prop_map(|(bit, near)| (1_u32 << bit).wrapping_add_signed(near)),
        // 1 to 5 GHz at a shift of 24, bent by up to 25 %.
        2_500_000..21_000_000_u32,
        any::<u32>(),
    ]
    .prop_map(|mult| mult.max(1))
}

/// A multiplier and a shift.
pub(crate) fn rates() -> impl Strategy<Value = (u32, u32)> {
    (mult(), prop_oneof![0..=32_u32, Just(24), Just(32)])
}

/// A timekeeper, as a real one or as none.
fn lines() -> impl Strategy<Value = Line> {
    let base = prop_oneof![
        2 => 0..=i64::MAX,
        1 => nanoseconds(),
        1 => (0..8_i64).prop_map(|below| i64::MAX - below),
        // Up to a year.
        2 => 0..31_536_000_000_000_000_i64,
    ];

    (rates(), cycles(), cycles(), base, any::<bool>()).prop_map(
        |((mult, shift), cycle_last, xtime_nsec, base, real)| Line {
            mult,
            shift,
            cycle_last,
            // The kernel keeps it below two seconds.
            xtime_nsec: if real {
                xtime_nsec % (2_000_000_000 << shift)
            } else {
                xtime_nsec
            },
            base,
        },
    )
}

/// A timekeeper and a deadline: in its past, anywhere after it, next to a whole nanosecond, where
/// the expiry reaches `KTIME_MAX`, or where the distance from the base does.
pub(crate) fn deadlines() -> impl Strategy<Value = (Line, u64)> {
    (lines(), cycles(), -4..4_i64, 0..7_u8).prop_map(|(mut line, cycles, near, kind)| {
        let later = line.cycle_last.saturating_add(cycles);

        let deadline = match kind {
            0 => line.cycle_last.saturating_sub(cycles),
            1 => cycles,
            2 => next_to_whole_ns(&line, later).saturating_add_signed(near),
            3 => {
                // Move the base so that the expiry is near KTIME_MAX.
                let ns = line.ceil_at(later) - I256::from(line.base);
                let base = I256::from(i64::MAX) - ns + I256::from(near);
                line.base = saturate(base);
                later
            }
            4 => {
                let base = I256::from(line.base);
                first_at(&line, base + I256::from(i64::MAX)).saturating_add_signed(near)
            }
            _ => later,
        };
        (line, deadline)
    })
}

/// The first TSC value at or after the whole nanosecond that `tsc` lies in.
fn next_to_whole_ns(line: &Line, tsc: u64) -> u64 {
    first_at(line, line.floor_at(tsc))
}

/// The first TSC value at which the line has reached a whole nanosecond, or the nearest to it.
fn first_at(line: &Line, ns: I256) -> u64 {
    let cycles = ceil_div(
        ns * line.ns() - line.at(line.cycle_last),
        I256::from(line.mult),
    );

    (I256::from(line.cycle_last) + cycles)
        .clamp(I256::ZERO, I256::from(u64::MAX))
        .as_u64()
}
