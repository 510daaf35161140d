// SPDX-License-Identifier: GPL-2.0

//! The properties under proptest, over the whole range of every input.
//!
//! The same inputs each time: the seed is fixed, and printed (`--nocapture`, or on failure).
//! `PROPTEST_RNG_SEED`, `PROPTEST_CASES` and proptest's other variables change that. A failing
//! input is kept beside this file and tried first the next time.

mod inputs;

use inputs::{
    cycles,
    deadlines,
    nanoseconds,
    rates, //
};
use proptest::{
    prelude::*,
    test_runner::{
        FileFailurePersistence,
        RngSeed, //
    },
};
use raw_hrtimer_host::properties;

/// Of each property; a few seconds on one core.
const CASES: u32 = 300_000;

/// Any number does. One that is fixed makes a failure everybody's.
const SEED: u64 = 7_304;

fn config() -> ProptestConfig {
    // Reads proptest's environment variables.
    let mut config = ProptestConfig::default();

    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    println!("seed {:?}, {} cases", config.rng_seed, config.cases);
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rate_takes_its_range(mult: u32, shift in prop_oneof![0..40_u32, any::<u32>()]) {
        properties::rate_range(mult, shift);
        properties::rate_range(0, shift);
    }

    #[test]
    fn expiry_is_exact((line, deadline) in deadlines()) {
        properties::expiry(&line, deadline);
    }

    #[test]
    fn expiry_is_never_early((line, deadline) in deadlines(), cycles in cycles()) {
        properties::never_early(&line, deadline, deadline.wrapping_sub(1));
        properties::never_early(&line, deadline, deadline.saturating_sub(cycles));
    }

    #[test]
    fn expiry_is_monotonic((line, deadline) in deadlines(), cycles in cycles()) {
        properties::monotonic(&line, deadline, cycles);
        properties::monotonic(&line, deadline, deadline.saturating_add(cycles));
        properties::monotonic(&line, deadline, deadline.saturating_add(1));
    }

    #[test]
    fn margin_is_not_late(
        (line, deadline) in deadlines(),
        raw in rates(),
        before in cycles(),
    ) {
        for raw in [raw.0, line.mult, line.mult.saturating_sub(line.mult >> 11).max(1)] {
            properties::margin(&line, raw, deadline, deadline.saturating_sub(before));
            properties::margin(&line, raw, deadline, line.cycle_last.saturating_add(before));
        }
    }

    #[test]
    fn mono_is_ktime_get((line, now) in deadlines()) {
        properties::mono(&line, now);
    }

    #[test]
    fn skew_is_exact(mono in rates(), raw in rates()) {
        properties::skew(mono, raw);
        properties::skew(mono, (raw.0, mono.1));
    }

    #[test]
    fn skew_is_exact_where_ntp_can_bring_it(raw in 1..u32::MAX / 2, ppm in -250_000..250_000_i64) {
        let mono = i64::from(raw) + i64::from(raw) * ppm / 1_000_000;
        properties::skew((mono.max(1) as u32, 24), (raw, 24));
    }

    #[test]
    fn skew_prints_as_it_is(ppb in nanoseconds()) {
        let mut text = String::new();
        prop_assert!(properties::print_skew(ppb, &mut text).is_ok());

        let number = text.strip_suffix(" ppm").unwrap_or_default();
        let (whole, decimals) = number.split_once('.').unwrap_or_default();
        prop_assert!(whole.starts_with(if ppb < 0 { '-' } else { '+' }), "{text}");
        prop_assert_eq!(decimals.len(), 3);
        prop_assert_eq!(format!("{whole}{decimals}").parse::<i64>().ok(), Some(ppb));
    }

    #[test]
    fn change_has_its_name(new in rates(), old in rates(), near in -3..=3_i64) {
        properties::change(new, old);
        let near = (i64::from(old.0) + near).clamp(1, u32::MAX.into());
        properties::change((near as u32, old.1), old);
    }

    #[test]
    fn division_divides(high in cycles(), low in cycles(), divisor in 1..=u32::MAX) {
        properties::division(u128::from(high) << 32 | u128::from(low), divisor);
        properties::division(u128::from(low), divisor);
    }

    #[test]
    fn nanoseconds_and_cycles_are_each_others(
        khz in prop_oneof![1..1_u32 << 24, 1_000_000..5_000_000_u32],
        number in cycles(),
    ) {
        properties::cycles(khz, number);
        properties::nanoseconds(khz, number);
    }
}

/// All of them.
#[test]
#[cfg_attr(miri, ignore = "too many for an interpreter")]
fn frequencies_have_exact_factors() {
    for khz in 0..=1 << 24 {
        properties::frequency_range(khz);
    }
    properties::frequency_range(u32::MAX);
}
