// SPDX-License-Identifier: GPL-2.0

//! The model of the listener: after every update, what is published is what a listener that publishes
//! each would have published.

use crate::{
    clock::{
        deadline::Timeline,
        rate::Rate,
        snapshot::{
            self,
            Snapshot, //
        },
        update::{
            self,
            Timekeeper, //
        }, //
    },
    ffi::{
        self,
        bindings, //
    },
    timer::pass::{
        self,
        Passes, //
    },
    units::{
        Cycles,
        MonoNs, //
    }, //
};

/// Odd, so that there is a cycle that begins with each fraction of a nanosecond.
const RAW: u32 = 1001;
const SHIFT: u32 = 4;

/// In nanoseconds.
const SECOND: u64 = 100;

/// The timekeeper.
#[derive(Clone, Copy)]
struct Clock {
    cycle_last: u64,
    xtime_nsec: u64,
    base: i64,
    mult: u32,
    raw: u32,
    cs_id: u32,
}

impl Clock {
    /// At the nominal rate.
    fn new() -> Self {
        Self {
            cycle_last: 70,
            xtime_nsec: 5,
            base: 640,
            mult: RAW,
            raw: RAW,
            cs_id: ffi::CSID_X86_TSC,
        }
    }

    /// Goes on at its rate.
    fn accumulate(mut self, cycles: u64) -> Self {
        self.cycle_last += cycles;
        self.xtime_nsec += cycles * u64::from(self.mult);
        self.base += ((self.xtime_nsec >> SHIFT) / SECOND * SECOND) as i64;
        self.xtime_nsec %= SECOND << SHIFT;
        self
    }

    fn timekeeper(self) -> Timekeeper {
        let pair = |low, high| u64::from(low) | u64::from(high) << 32;

        Timekeeper {
            cycle_last: self.cycle_last,
            xtime_nsec: self.xtime_nsec,
            base: self.base,
            mono: pair(self.mult, SHIFT),
            raw: pair(self.raw, SHIFT),
            id: self.cs_id,
        }
    }

    /// The listener is called, and passes that it asks for find no timer.
    fn update(self, stepped: bool) {
        bindings::alone(|| update::update(stepped, || self.timekeeper(), pass::rate_published));
    }

    /// The listener is called, and has published it.
    fn publish(self, stepped: bool) {
        self.update(stepped);
        self.assert_published();
    }

    /// What is there to be published.
    fn snapshot(self) -> Snapshot {
        let rate = |mult| Rate::new(mult, SHIFT).expect("a rate");

        Snapshot {
            timeline: Timeline {
                cycle_last: Cycles::new(self.cycle_last),
                rate: rate(self.mult),
                xtime_nsec: self.xtime_nsec,
                base: MonoNs::new(self.base),
            },
            raw: rate(self.raw),
            id: self.cs_id,
        }
    }

    fn assert_published(self) {
        let (is, due) = (snapshot::current().expect("published").0, self.snapshot());

        assert!(
            (is.timeline.rate, is.raw, is.id) == (due.timeline.rate, due.raw, due.id),
            "another state is published"
        );
        for cycles in (1..=1 << SHIFT).chain([1_000_003]) {
            let deadline = Cycles::new(self.cycle_last + cycles);

            assert!(
                is.timeline.expiry(deadline) == due.timeline.expiry(deadline),
                "another line is published"
            );
        }
    }
}

/// All that an update can change, one at a time.
const CHANGES: [fn(&mut Clock); 7] = [
    |clock| clock.mult += 1,
    |clock| clock.mult -= 100,
    |clock| clock.raw += 1,
    |clock| clock.cs_id = 0,
    |clock| clock.cycle_last += 1,
    |clock| clock.xtime_nsec ^= 1,
    |clock| clock.base += 1,
];

/// Each change, with the clock where it was and later, from the nominal rate and from another one, and
/// back again; each once more, and later.
pub fn a_change() {
    let _passes = Passes::new().expect("the first");

    for change in CHANGES {
        for mult in [RAW, RAW + 100] {
            for cycles in [0, 7, 12345] {
                let before = Clock {
                    mult,
                    ..Clock::new()
                };
                let mut after = before.accumulate(cycles);
                change(&mut after);

                before.publish(true);
                before.accumulate(cycles).publish(false);
                for clock in [after, before.accumulate(2 * cycles + 1)] {
                    clock.publish(false);
                    clock.publish(false);
                    clock.accumulate(cycles).publish(false);
                    clock.accumulate(1_000_000).publish(false);
                }
            }
        }
    }
}

/// The first update is published, and one with a rate that no clock has is not, whenever it comes.
pub fn a_first_update() {
    let _passes = Passes::new().expect("the first");
    let clock = Clock::new();
    let none = Clock {
        mult: 0,
        raw: 0,
        ..clock
    };

    none.update(false);
    assert!(snapshot::current().is_none(), "another state is published");
    clock.publish(false);
    none.update(true);
    clock.assert_published();
    clock.accumulate(7).publish(false);
}

/// The clock is set, by what a comparison does not see.
pub fn a_step() {
    let _passes = Passes::new().expect("the first");
    let mut clock = Clock::new();

    clock.publish(false);
    clock.base += 1 << (64 - SHIFT);
    clock.publish(true);
}

/// The TSC counts anew, which is no step back of a few cycles; or may, while another clocksource is
/// current, whatever it reads when it is back.
pub fn a_restarted_tsc() {
    let _passes = Passes::new().expect("the first");
    let late = Clock {
        cycle_last: 1 << 40,
        ..Clock::new()
    };
    let back = |cycles| Clock {
        cycle_last: late.cycle_last - cycles,
        ..late
    };
    let hpet = Clock {
        cs_id: 0,
        ..Clock::new()
    };

    for (clock, restarts) in [(back(1), 0), (back(1 << 39), 1), (Clock::new(), 1)] {
        late.publish(true);
        is_another_tsc(&clock, restarts);
    }
    for clock in [late, back(1), late.accumulate(1 << 42), Clock::new()] {
        late.publish(true);
        is_another_tsc(&hpet, 1);
        hpet.publish(true);
        is_another_tsc(&clock, 1);
    }

    // An hour of repeats after the last one that was published, which may lie anywhere.
    for cycles in [0, 1, 1 << 39] {
        late.publish(true);
        late.accumulate(1 << 42).publish(false);
        is_another_tsc(
            &Clock {
                cycle_last: late.cycle_last + cycles,
                ..late.accumulate(1 << 42)
            },
            1,
        );
        late.publish(true);
        late.accumulate(1 << 42).publish(false);
        is_another_tsc(&late.accumulate((1 << 42) + cycles), 0);
    }
}

fn is_another_tsc(clock: &Clock, restarts: usize) {
    let before = bindings::times("TSC restarted");

    clock.publish(true);
    assert!(
        bindings::times("TSC restarted") == before + restarts,
        "it is another TSC"
    );
}

/// The clock goes on as it did, at the nominal rate and at another one.
pub fn a_steady_clock() {
    let _passes = Passes::new().expect("the first");
    let nominal = Clock::new();
    let fast = Clock {
        mult: RAW + 101,
        ..nominal
    };

    for clock in [nominal, fast] {
        clock.publish(false);
        let generation = snapshot::current().map(|(_, generation)| generation);
        for cycles in [0, 1, 1000, 1 << 40] {
            clock.accumulate(cycles).publish(false);
        }
        assert!(
            generation == snapshot::current().map(|(_, generation)| generation),
            "what is known is published again"
        );
    }
}
