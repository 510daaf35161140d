// SPDX-License-Identifier: GPL-2.0

//! What must hold of the pure arithmetic, for any input; each function panics where it does not.
//!
//! proptest and the fuzzer choose the inputs. The functions take plain integers and say which.

use ethnum::I256;

use crate::{
    deadline::{
        Expiry,
        Timeline, //
    },
    exact::{
        ktime_get,
        saturate,
        Line, //
    },
    frequency::Frequency,
    margin,
    rate::{
        Change,
        Rate, //
    },
    ratio::{
        div_rem,
        Skew, //
    },
    units::{
        Cycles,
        MonoNs, //
    },
};

/// Gives the code under test the same line.
fn timeline(line: &Line) -> Timeline {
    Timeline {
        cycle_last: Cycles::new(line.cycle_last),
        rate: rate(line.mult, line.shift),
        xtime_nsec: line.xtime_nsec,
        base: MonoNs::new(line.base),
    }
}

fn rate(mult: u32, shift: u32) -> Rate {
    Rate::new(mult, shift).expect("the inputs are rates of a clocksource")
}

/// A rate is taken if and only if it can be calculated with, and keeps its values, in one word as well.
pub fn rate_range(mult: u32, shift: u32) {
    match Rate::new(mult, shift) {
        Some(rate) => {
            assert!(mult != 0 && shift <= 32, "mult {mult} shift {shift} taken");
            assert_eq!((rate.mult(), rate.shift()), (mult, shift));
            assert_eq!(Rate::unpack(rate.pack()), rate);
            assert_eq!(Rate::from_word(rate.pack()), Some(rate));
        }
        None => assert!(mult == 0 || shift > 32, "mult {mult} shift {shift} refused"),
    }
}

/// An expiry is never early, at most 1 ns late, in the past for a past deadline, and saturates.
pub fn expiry(line: &Line, deadline: u64) {
    let result = timeline(line).expiry(Cycles::new(deadline));
    let exact = line.at(deadline);

    match result {
        Expiry::Past(ns) => {
            assert!(
                deadline <= line.cycle_last,
                "{line:?}: {deadline} is not past"
            );
            let last = line.floor_at(line.cycle_last);
            assert_eq!(ns.get(), saturate(last), "{line:?}, {deadline}");
        }
        Expiry::At(ns) => {
            assert!(deadline > line.cycle_last, "{line:?}: {deadline} is past");
            let expiry = I256::from(ns.get()) * line.ns();
            assert!(expiry >= exact, "{line:?}: {deadline} -> {ns:?} is early");
            assert!(
                expiry < exact + line.ns(),
                "{line:?}: {deadline} -> {ns:?} is late"
            );
        }
        Expiry::Beyond => {
            let limit = I256::from(i64::MAX) + I256::from(line.base.min(0));
            assert!(
                line.ceil_at(deadline) > limit,
                "{line:?}: {deadline} does not need to saturate"
            );
        }
    }

    let beyond = result == Expiry::Beyond;
    assert_eq!(result == Expiry::Beyond, beyond);
    assert!(!beyond || result.ns() == MonoNs::KTIME_MAX);
}

/// No TSC value before the deadline makes `ktime_get()` reach its expiry.
///
/// `before` is any TSC value; it counts if the kernel can still read the clock there.
pub fn never_early(line: &Line, deadline: u64, before: u64) {
    if before >= deadline || before < line.cycle_last {
        return;
    }
    // The clock has come to the end of ktime_t, or beyond it, where the kernel's sum wraps.
    if line.floor_at(before) >= I256::from(i64::MAX) {
        return;
    }
    let expiry = timeline(line).expiry(Cycles::new(deadline)).ns().get();
    let now = ktime_get(line, before);

    assert!(
        now < expiry,
        "{line:?}: at {before} the clock reads {now}, so {deadline} -> {expiry} fires early"
    );
}

/// A timer on a clockevent that counts nominal nanoseconds is armed for its expiry; or at least a
/// microsecond earlier, and then for no more of these than there are until the deadline.
pub fn margin(line: &Line, raw: u32, deadline: u64, now: u64) {
    let timeline = timeline(line);
    let raw_rate = rate(raw, line.shift);
    let exact = timeline.expiry(Cycles::new(deadline)).ns().get();
    let result = margin::expiry(&timeline, raw_rate, Cycles::new(deadline), Cycles::new(now)).get();

    assert!(result <= exact, "{line:?}: {deadline} -> {result} is late");
    if result == exact {
        return;
    }
    let earlier = I256::from(exact) - I256::from(result);
    assert!(earlier >= 1000, "{line:?}: {deadline} -> {result}");
    assert!(now <= deadline, "{line:?}: {deadline} is past at {now}");

    let slow = I256::from(line.mult.min(raw));
    let slowed = (I256::from(timeline.mono(Cycles::new(now)).get()) << line.shift)
        + I256::from(deadline - now) * slow;
    assert!(
        I256::from(result) << line.shift <= slowed,
        "{line:?}, raw {raw}: from {now}, {deadline} -> {result} is late"
    );
}

/// A later deadline never has an earlier expiry.
pub fn monotonic(line: &Line, one: u64, other: u64) {
    let timeline = timeline(line);
    let (first, second) = (one.min(other), one.max(other));
    let early = timeline.expiry(Cycles::new(first)).ns();
    let late = timeline.expiry(Cycles::new(second)).ns();

    assert!(
        early <= late,
        "{line:?}: {first} -> {early:?}, {second} -> {late:?}"
    );
}

/// The clock reads as the kernel's, and saturates where that drops bits.
pub fn mono(line: &Line, now: u64) {
    let result = timeline(line).mono(Cycles::new(now)).get();
    let ahead = now.wrapping_sub(line.cycle_last);
    // The line goes on where the TSC wraps, as in the kernel.
    let cycles = if ahead >> 63 == 0 { ahead } else { 0 };
    let from_0 = Line {
        cycle_last: 0,
        ..*line
    };
    let exact = from_0.floor_at(cycles);

    assert_eq!(result, saturate(exact), "{line:?}, {now}");
    if exact <= I256::from(i64::MAX) {
        assert_eq!(result, ktime_get(line, now), "{line:?}, {now}");
    }
}

/// A frequency's factors are the exact ones, one rounded up or more by one unit, one down.
pub fn frequency_range(khz: u32) {
    let result = Frequency::from_khz(khz);

    if khz == 0 || khz >= 1 << 24 {
        assert_eq!(result, None, "{khz} kHz is taken");
        return;
    }
    let one = 1_000_000_u128 << 40;
    let result = result.expect("a frequency that is taken");
    let cycles = u128::from(result.cycles_per_ns);
    let ns = u128::from(result.ns_per_cycle);
    let (exact, khz) = (u128::from(khz) << 40, u128::from(khz));
    let below = |factor: u128| (factor - 1) * 1_000_000;

    assert!(
        exact < cycles * 1_000_000 && below(cycles) <= exact,
        "{khz}"
    );
    assert!(ns * khz <= one && one < (ns + 1) * khz, "{khz}");
}

/// Nanoseconds become at least as many cycles, and not many more; and saturate.
pub fn cycles(khz: u32, ns: u64) {
    let frequency = Frequency::from_khz(khz).expect("a frequency");
    let result = frequency.cycles(ns);
    let million = I256::from(1_000_000);
    let exact = I256::from(ns) * I256::from(khz);
    let more = million + ((I256::from(ns) * million) >> 40) + I256::ONE;

    if result == Cycles::MAX {
        assert!(
            exact + more >= I256::from(u64::MAX) * million,
            "{ns} at {khz} kHz"
        );
        return;
    }
    let result = I256::from(result.get()) * million;
    assert!(result >= exact, "{ns} at {khz} kHz -> {result} / 10^6");
    assert!(
        result <= exact + more,
        "{ns} at {khz} kHz -> {result} / 10^6"
    );
}

/// Cycles become at most as many nanoseconds, and not many fewer; and saturate.
pub fn nanoseconds(khz: u32, cycles: u64) {
    let frequency = Frequency::from_khz(khz).expect("a frequency");
    let result = frequency.ns(Cycles::new(cycles));
    let (result, khz) = (I256::from(result), I256::from(khz));
    let exact = I256::from(cycles) * I256::from(1_000_000);
    let fewer = khz + ((I256::from(cycles) * khz) >> 40) + I256::ONE;

    assert!(result * khz <= exact, "{cycles} at {khz} kHz -> {result}");
    assert!(
        result == I256::from(i64::MAX) || result * khz + fewer >= exact,
        "{cycles} at {khz} kHz -> {result}"
    );
}

/// The skew is the exact one, rounded towards zero, and saturates.
pub fn skew(mono: (u32, u32), raw: (u32, u32)) {
    let result = Skew::between(rate(mono.0, mono.1), rate(raw.0, raw.1)).ppb();
    let (m, r) = common(mono, raw);
    let exact = (m - r) * I256::from(1_000_000_000) / r;

    assert_eq!(result, saturate(exact), "{mono:?} against {raw:?}");
}

/// Two rates over a common denominator.
fn common(mono: (u32, u32), raw: (u32, u32)) -> (I256, I256) {
    (
        I256::from(mono.0) << raw.1,
        I256::from(raw.0) << mono.1, //
    )
}

/// A change is named for its direction, once it is more than one unit.
pub fn change(new: (u32, u32), old: (u32, u32)) {
    let result = rate(new.0, new.1).change_from(rate(old.0, old.1));
    let expected = match i64::from(new.0) - i64::from(old.0) {
        _ if new.1 != old.1 => Change::Other,
        -1..=1 => Change::Steady,
        2.. => Change::Faster,
        _ => Change::Slower,
    };

    assert_eq!(result, expected, "{old:?} to {new:?}");
}

/// The long division is a division.
pub fn division(dividend: u128, divisor: u32) {
    let dividend = dividend & ((1 << 96) - 1);
    let (q, r) = div_rem(dividend, divisor);
    let d = u128::from(divisor);

    assert_eq!(
        (q, u128::from(r)),
        (dividend / d, dividend % d),
        "{dividend} / {divisor}"
    );
}

/// Writes a skew in parts per million.
pub fn print_skew(ppb: i64, to: &mut dyn core::fmt::Write) -> core::fmt::Result {
    write!(to, "{}", Skew::from_ppb(ppb))
}
