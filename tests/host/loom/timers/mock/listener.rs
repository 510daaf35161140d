// SPDX-License-Identifier: GPL-2.0

//! The model of the listener: what it publishes says of every update what one that publishes each
//! would say.

use crate::{
    clock::{
        deadline::Timeline,
        pair::pair,
        rate::{
            Cycles,
            MonoNs,
            Rate, //
        },
        snapshot::{
            Snapshot,
            CURRENT, //
        },
        update::{
            self,
            Said, //
        }, //
    },
    ffi::{
        self,
        bindings, //
    },
    timer::pending::Rearm, //
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
    ntp_err_mult: u32,
    cs_id: u32,
}

impl Clock {
    /// At the nominal rate, so that it does not dither.
    fn new() -> Self {
        Self {
            cycle_last: 70,
            xtime_nsec: 5,
            base: 640,
            mult: RAW,
            raw: RAW,
            ntp_err_mult: 0,
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

    fn say(self) -> Said {
        Said {
            cycle_last: self.cycle_last,
            xtime_nsec: self.xtime_nsec,
            base: self.base as u64,
            mono: pair(self.mult, SHIFT),
            raw: pair(self.raw, SHIFT),
            rest: pair(self.ntp_err_mult, self.cs_id),
        }
    }

    /// The listener is told, and passes that it asks for find no timer.
    fn hear(self, stepped: bool) {
        bindings::alone(|| update::hear(stepped, || self.say()));
    }

    /// It is told, and has published it.
    fn tell(self, stepped: bool) {
        self.hear(stepped);
        self.assert_published();
    }

    /// What is there to be published.
    fn snapshot(self) -> Snapshot {
        let rate = |mult| Rate::new(mult, SHIFT).expect("a rate");
        let dithers = self.mult - self.ntp_err_mult != self.raw;

        Snapshot {
            timeline: Timeline {
                cycle_last: Cycles::new(self.cycle_last),
                rate: rate(self.mult),
                xtime_nsec: self.xtime_nsec,
                base: MonoNs::new(self.base),
            },
            top: rate(self.mult + u32::from(dithers && self.ntp_err_mult == 0)),
            raw: rate(self.raw),
            tsc: self.cs_id == ffi::CSID_X86_TSC,
        }
    }

    fn assert_published(self) {
        let (is, due) = (CURRENT.read().expect("published").0, self.snapshot());

        assert!(
            (is.timeline.rate, is.top, is.raw, is.tsc)
                == (due.timeline.rate, due.top, due.raw, due.tsc),
            "another state is published"
        );
        for cycles in (1..=1 << SHIFT).chain([1_000_003]) {
            let deadline = Cycles::new(self.cycle_last + cycles);

            assert!(
                is.expiry_line().expiry(deadline) == due.expiry_line().expiry(deadline),
                "another line is published"
            );
        }
    }
}

/// All that an update can say anew, one at a time.
const CHANGES: [fn(&mut Clock); 8] = [
    |clock| clock.mult += 1,
    |clock| clock.mult -= 100,
    |clock| clock.raw += 1,
    |clock| clock.cs_id = 0,
    |clock| (clock.mult, clock.ntp_err_mult) = (clock.mult + 1, 1),
    |clock| clock.cycle_last += 1,
    |clock| clock.xtime_nsec ^= 1,
    |clock| clock.base += 1,
];

/// Each change, with the clock where it was and later, from the nominal rate and from another one, and
/// back again; each told once more, and later.
pub fn a_change() {
    let _rearm = Rearm::new();

    for change in CHANGES {
        for mult in [RAW, RAW + 100] {
            for cycles in [0, 7, 12345] {
                let before = Clock {
                    mult,
                    ..Clock::new()
                };
                let mut after = before.accumulate(cycles);
                change(&mut after);

                before.tell(true);
                before.accumulate(cycles).tell(false);
                for clock in [after, before.accumulate(2 * cycles + 1)] {
                    clock.tell(false);
                    clock.tell(false);
                    clock.accumulate(cycles).tell(false);
                    clock.accumulate(1_000_000).tell(false);
                }
            }
        }
    }
}

/// The first update is taken in, and one with a rate that no clock has is not, whenever it comes.
pub fn a_first_update() {
    let _rearm = Rearm::new();
    let clock = Clock::new();
    let none = Clock {
        mult: 0,
        raw: 0,
        ..clock
    };

    none.hear(false);
    assert!(CURRENT.read().is_none(), "another state is published");
    clock.tell(false);
    none.hear(true);
    clock.assert_published();
    clock.accumulate(7).tell(false);
}

/// The clock is set, by what a comparison does not see.
pub fn a_step() {
    let _rearm = Rearm::new();
    let mut clock = Clock::new();

    clock.tell(false);
    clock.base += 1 << (64 - SHIFT);
    clock.tell(true);
}

/// The TSC counts anew, which is no step back of a few cycles; or may, while another clocksource is
/// current, whatever it reads when it is back.
pub fn a_restarted_tsc() {
    let _rearm = Rearm::new();
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
        late.tell(true);
        is_another_tsc(&clock, restarts);
    }
    for clock in [late, back(1), late.accumulate(1 << 42), Clock::new()] {
        late.tell(true);
        is_another_tsc(&hpet, 1);
        hpet.tell(true);
        is_another_tsc(&clock, 1);
    }

    // An hour of repeats after the last one that was published, which may lie anywhere.
    for cycles in [0, 1, 1 << 39] {
        late.tell(true);
        late.accumulate(1 << 42).tell(false);
        is_another_tsc(
            &Clock {
                cycle_last: late.cycle_last + cycles,
                ..late.accumulate(1 << 42)
            },
            1,
        );
        late.tell(true);
        late.accumulate(1 << 42).tell(false);
        is_another_tsc(&late.accumulate((1 << 42) + cycles), 0);
    }
}

fn is_another_tsc(clock: &Clock, restarts: usize) {
    let before = bindings::times("TSC restarted");

    clock.tell(true);
    assert!(
        bindings::times("TSC restarted") == before + restarts,
        "it is another TSC"
    );
}

/// The clock goes on as it did, at the nominal rate and at the upper one of two that it dithers
/// between.
pub fn a_steady_clock() {
    let _rearm = Rearm::new();
    let nominal = Clock::new();
    let top = Clock {
        mult: RAW + 101,
        ntp_err_mult: 1,
        ..nominal
    };

    for clock in [nominal, top] {
        clock.tell(false);
        let generation = CURRENT.read().map(|(_, generation)| generation);
        for cycles in [0, 1, 1000, 1 << 40] {
            clock.accumulate(cycles).tell(false);
        }
        assert!(
            generation == CURRENT.read().map(|(_, generation)| generation),
            "what is known is published again"
        );
    }
}
