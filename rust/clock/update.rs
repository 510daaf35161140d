// SPDX-License-Identifier: GPL-2.0

//! The listener: what the timekeeper says, on each of its updates.
//!
//! It is called with the timekeeper's lock held, interrupts off, inside the write section that every
//! clock read waits for (`timekeeping_update_from_shadow()` in `kernel/time/timekeeping.c`). So it
//! compares, copies and leaves; what a change of rate asks for happens elsewhere.
//!
//! # Vocabulary
//!
//! * **said**: a timekeeper's state in its own words, with nothing computed.
//! * **repeat**: an update after which all expiries are what they were: the rates are those that were
//!   published last, and the clock is where it would have been by them.
//!
//! C header: [`include/linux/pvclock_gtod.h`](srctree/include/linux/pvclock_gtod.h)

use crate::{
    clock::{
        deadline::Timeline,
        pair::{
            halves,
            rate_of, //
        },
        rate::{
            Change,
            Cycles,
            MonoNs,
            Rate, //
        },
        snapshot::{
            Snapshot,
            CURRENT, //
        }, //
    },
    counters,
    ffi::{
        self,
        Word, //
    },
    timer::pending, //
};

use kernel::prelude::*;

/// The registration. Dropping it waits for a listener that is running.
#[must_use = "dropping it stops listening"]
pub(crate) struct Listener(());

impl Listener {
    /// Starts to listen. The current state is published before this returns.
    pub(crate) fn new() -> Result<Self> {
        if !ffi::timekeeper_layout_matches() {
            pr_err!("struct timekeeper differs between bindgen and the C compiler: not loaded\n");
            return Err(EINVAL);
        }
        ffi::register_gtod_listener()?;
        Ok(Self(()))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        ffi::unregister_gtod_listener();
        ffi::tsc_restarted_flush();
    }
}

/// What an update says.
pub(crate) struct Said {
    /// `tkr_mono`: where the clock stood at the update.
    pub(crate) cycle_last: u64,
    pub(crate) xtime_nsec: u64,
    pub(crate) base: u64,
    /// `tkr_mono`, `tkr_raw`: `mult`, and above it `shift`; a pair takes one comparison.
    pub(crate) mono: u64,
    pub(crate) raw: u64,
    /// `ntp_err_mult`, and above it `cs_id`.
    pub(crate) rest: u64,
}

impl Said {
    /// Returns what is published of it; `None` if no clocksource can have such a rate.
    #[inline]
    fn snapshot(&self) -> Option<Snapshot> {
        let (rate, raw) = (rate_of(self.mono)?, rate_of(self.raw)?);
        let (ntp_err_mult, cs_id) = halves(self.rest);
        // It dithers unless the nominal rate is what is asked for, which `mult` can express; or less
        // than one unit above, which cannot be told from that, and may cost a second callback.
        let base = rate.mult().wrapping_sub(ntp_err_mult);
        let below_top = ntp_err_mult == 0 && base != raw.mult();

        Some(Snapshot {
            top: Rate::new(rate.mult().saturating_add(below_top.into()), rate.shift())?,
            timeline: Timeline {
                cycle_last: Cycles::new(self.cycle_last),
                rate,
                xtime_nsec: self.xtime_nsec,
                // CAST: Two's complement, there and back.
                base: MonoNs::new(self.base as i64),
            },
            raw,
            tsc: cs_id == ffi::CSID_X86_TSC,
        })
    }
}

/// What the last update said that others may repeat. Used by the listener alone, so the
/// timekeeper's lock orders it; words only because Rust has no other static that changes. In a cache
/// line that no other CPU reads.
#[repr(align(64))]
struct Memory {
    cycle_last: Word,
    xtime_nsec: Word,
    base: Word,
    mono: Word,
    raw: Word,
    rest: Word,
}

/// Not repeated by any update at first, as no clock has a rate of 0.
static MEMORY: Memory = Memory {
    cycle_last: Word::new(0),
    xtime_nsec: Word::new(0),
    base: Word::new(0),
    mono: Word::new(0),
    raw: Word::new(0),
    rest: Word::new(0),
};

/// Takes an update in; `stepped` if the timekeeper says that the clock was set.
///
/// `say` returns the same each time. It is called anew where an update is no repeat, so that one that
/// is, as most are, up to HZ times a second, is compared where it stands and needs no stack.
///
/// Context: the timekeeper's lock held, interrupts off, no clock can be read.
#[inline(always)]
pub(crate) fn hear(stepped: bool, say: impl Fn() -> Said) {
    if stepped || !is_repeat(&say()) {
        take_in(stepped, say);
        return;
    }
    counters::UPDATES.count();
}

/// Whether an update says the rates that were remembered, and the same monotonic time at its
/// `cycle_last`, to the last fraction of a nanosecond.
///
/// Modulo 2^64 of those fractions, that is minutes: only a step of exactly that would be missed, and
/// steps are told.
#[inline(always)]
fn is_repeat(new: &Said) -> bool {
    let old = &MEMORY;

    if new.mono != old.mono.load() || new.raw != old.raw.load() || new.rest != old.rest.load() {
        return false;
    }
    let cycles = new.cycle_last.wrapping_sub(old.cycle_last.load());
    let ns = new.base.wrapping_sub(old.base.load());
    let (mult, shift) = halves(new.mono);

    cycles
        .wrapping_mul(u64::from(mult))
        .wrapping_add(old.xtime_nsec.load())
        == new.xtime_nsec.wrapping_add(ns.wrapping_shl(shift))
}

/// Takes in an update that is no repeat. Apart from [`hear()`], whose way is then without its stack.
#[cold]
#[inline(never)]
fn take_in(stepped: bool, say: impl Fn() -> Said) {
    let said = say();
    // What was published stands, and so does the memory of it.
    let Some(new) = said.snapshot() else {
        return;
    };

    counters::UPDATES.count();
    publish(&new, stepped);
    remember(&said, &new);
}

/// Publishes a snapshot, and counts and reports what it changes.
#[inline]
fn publish(new: &Snapshot, stepped: bool) {
    let old = CURRENT.read();

    CURRENT.publish(new);
    let Some((old, _)) = old else {
        return;
    };
    let other_clocksource = old.tsc != new.tsc;

    if other_clocksource {
        counters::CLOCKSOURCE_CHANGES.count();
    }
    // While another clocksource is current, no update says whether the TSC has restarted.
    if other_clocksource || stepped && new.tsc && has_restarted(&old.timeline, &new.timeline) {
        ffi::tsc_restarted();
    }
    if stepped || new.timeline.rate.change_from(old.timeline.rate) != Change::Steady {
        counters::RATE_CHANGES.count();
    }
    pending::notice(new, stepped || other_clocksource);
}

/// By how many cycles the TSC may seem to have gone back, from one CPU to another.
const BACK: u64 = 1 << 32;

/// By how many nanoseconds a clock that the TSC has not left may be ahead of the line it was on.
const AHEAD: i64 = 1_000_000_000;

/// Whether the TSC counts anew, as some do when the machine was suspended to RAM or hibernated
/// (`timekeeping_resume()`; KVM's `kvm_arch_enable_virtualization_cpu()` looks for it, too).
///
/// What was published may be as old as the last suspend, and the TSC have come as far again as it was
/// then. But the clock has gone on along that line meanwhile, and by it was not there yet.
#[inline]
fn has_restarted(old: &Timeline, new: &Timeline) -> bool {
    let (was, is) = (old.cycle_last, new.cycle_last);

    is < was && was.get().wrapping_sub(is.get()) > BACK
        || old.mono(is).get().saturating_add(AHEAD) < new.mono(is).get()
}

/// Remembers what `new` was made of.
///
/// Below the top rate nothing is a repeat, even of the very same line: expiries are computed at the
/// top rate from where the snapshot is, and so the later the older it is.
#[inline]
fn remember(said: &Said, new: &Snapshot) {
    let at_top = new.timeline.rate == new.top;
    let memory = &MEMORY;

    memory.cycle_last.store_release(said.cycle_last);
    memory.xtime_nsec.store_release(said.xtime_nsec);
    memory.base.store_release(said.base);
    memory
        .mono
        .store_release(if at_top { said.mono } else { 0 });
    memory.raw.store_release(said.raw);
    memory.rest.store_release(said.rest);
}
