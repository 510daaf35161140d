// SPDX-License-Identifier: GPL-2.0

//! The models of hooked timers: a KVM that calls what the hooks call, and what must be so in the end.

use crate::{
    clock::frequency::Frequency,
    ffi::{
        self,
        bindings::{
            self,
            entry,
            hrtimer, //
        },
        entries::IrqOff,
        table::{
            self,
            OpenTable, //
        },
        Cancel,
        State,
        Target,
        Timer, //
    },
    kvm::{
        convert,
        hooked::{
            self,
            Verdict, //
        }, //
    },
    model::{
        load_for,
        settle,
        update,
        update_of,
        DEADLINE,
        FAST,
        SLOW,
        SLOWEST, //
    },
    timer::{
        pass::Passes,
        pending, //
    },
    units::{
        MonoNs,
        RawNs, //
    }, //
};

use kernel::alloc;
use loom::thread::{
    spawn,
    yield_now, //
};
use std::mem::ManuallyDrop;

/// The expiry that KVM asks for. Its nanosecond is a cycle, and the deadline is that rounded up.
const PLAIN: i64 = DEADLINE as i64 - 1;

/// A vCPU's timer. Its memory stays until the end of the execution.
struct Owner {
    timer: *mut hrtimer,
    vcpu: usize,
}

#[derive(Clone, Copy)]
struct Shared(*mut hrtimer, usize);

// SAFETY: As in the kernel, which is what the models are about.
unsafe impl Send for Shared {}

/// What has to be undone when the module goes; not where a model has failed, which may have torn it.
type Module = (ManuallyDrop<OpenTable>, Passes);

/// Loads the module, places the hooks, and makes timers, each of which is of the vCPU given.
fn load<const N: usize>(vcpus: [usize; N]) -> ([Owner; N], Module) {
    let passes = load_for(FAST);
    let unit = 1 << 40;

    convert::set_frequency(Frequency {
        cycles_per_ns: unit,
        ns_per_cycle: unit,
    });
    let table = ManuallyDrop::new(OpenTable::new());
    let owners = vcpus.map(|vcpu| Owner {
        timer: Box::into_raw(Box::new(hrtimer::new())),
        vcpu,
    });

    // All other words, before there is a second thread.
    hooked::vcpu_destroyed(ffi::vcpu(usize::MAX));
    hooked::tsc_restarted();
    table::taken();
    for owner in &owners {
        hooked::plain(owner.share().timer());
        owner.share().timer().expires();
        // SAFETY: Just made.
        unsafe { bindings::timer_cpu(owner.timer) };
    }
    (owners, (table, passes))
}

/// The hooks are gone, and the module goes.
fn unload((table, passes): Module) {
    pending::close();
    drop(ManuallyDrop::into_inner(table));
    assert!(alloc::is_all_freed(), "an entry is lost");
    bindings::remove_module();
    drop(passes);
}

/// The listener is called with a rate, and all that this asks for is done, with no other thread.
fn update_alone(mult: u32) {
    bindings::alone(|| update(mult));
}

impl Shared {
    fn timer(self) -> Timer<'static> {
        ffi::timer(self.0)
    }

    /// The vCPU's thread starts it. Returns whether the module has; else KVM does as without it.
    fn start(self, cpu: i32) -> bool {
        bindings::run_on(cpu);
        entry::run_vcpu(self.1);
        let is_started = hooked::start(self.timer(), MonoNs::new(PLAIN), ffi::mode(0));

        if !is_started {
            // SAFETY: The timer is there until the end of the execution.
            unsafe { bindings::hrtimer_start_range_ns(self.0, PLAIN, 0, 0) };
        }
        is_started
    }

    /// The hrtimer core fires it, if it is queued.
    fn fire(self, cpu: i32) {
        bindings::run_on(cpu);
        // SAFETY: As above.
        unsafe { &*self.0 }.fire(|| {
            let verdict = hooked::callback(self.timer(), Target);
            matches!(verdict, Verdict::Early)
        });
    }

    /// `hrtimer_cancel()`, by which KVM cancels it.
    fn cancel(self) {
        hooked::cancel(self.timer());
        // SAFETY: As above.
        while unsafe { bindings::hrtimer_try_to_cancel(self.0) } < 0 {
            yield_now();
        }
    }

    /// The same by `hrtimer_try_to_cancel()`.
    fn try_to_cancel(self) {
        while hooked::try_to_cancel(self.timer()) == Cancel::Running {
            yield_now();
        }
    }

    /// `kvm_arch_vcpu_destroy()`, without the end of the timer's memory.
    fn destroy(self) {
        hooked::vcpu_destroyed(ffi::vcpu(self.1));
        self.try_to_cancel();
    }

    /// Its memory is another's.
    fn bury(self) {
        // SAFETY: As above.
        unsafe { &*self.0 }.lock().is_dead = true;
    }

    /// Its entry is found, and it is armed, not for later than `mult` says.
    fn assert_in_time(self, mult: u32) {
        let irq = IrqOff::new();
        let entry = table::find(&irq, self.timer()).expect("a timer's entry is not found");
        let deadline = entry.node().deadline().get();
        let expires = self.timer().expires().get();

        assert!(self.timer().is_queued(), "the timer is lost");
        assert!(
            expires <= deadline as i64 * i64::from(mult),
            "late: expires at {expires}, the deadline is at {deadline} times {mult}"
        );
    }

    /// Nothing will look at it for the deadline that it has.
    fn assert_idle(self) {
        let irq = IrqOff::new();

        if let Some(entry) = table::find(&irq, self.timer()) {
            let state = entry.node().state();
            assert!(
                state == State::IDLE || state == State::AWAY,
                "a timer is not its owner's alone"
            );
        }
    }

    /// Its deadline is one of another TSC.
    fn assert_unknown(self) {
        let irq = IrqOff::new();

        self.assert_idle();
        assert!(self.timer().is_queued(), "the timer is lost");
        assert!(
            table::find(&irq, self.timer()).is_none_or(|entry| !entry.is_known()),
            "an old deadline is known"
        );
    }

    fn assert_no_entry(self) {
        let irq = IrqOff::new();

        assert!(
            table::find(&irq, self.timer()).is_none(),
            "a timer that is gone has an entry"
        );
    }
}

impl Owner {
    fn share(&self) -> Shared {
        Shared(self.timer, self.vcpu)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: Made from a box; all threads have ended.
        unsafe { bindings::free(self.timer) };
    }
}

/// A timer is started for the first time while another one of its bucket is looked up.
pub fn a_first_start_and_a_lookup() {
    let ([one, other], passes) = load([1, 2]);
    let (first, known) = (one.share(), other.share());

    known.start(0);
    let start = spawn(move || first.start(1));
    let left = hooked::remaining(known.timer());
    assert!(
        left == Some(RawNs::new(DEADLINE as i64)),
        "a timer's entry is not found"
    );
    assert!(start.join().expect("no panic"), "a start is left to KVM");
    update_alone(SLOW);
    first.assert_in_time(SLOW);
    known.assert_in_time(SLOW);
    unload(passes);
}

/// The same, of two timers, each for the first time.
pub fn two_first_starts() {
    let ([one, other], passes) = load([1, 1]);
    let (one_start, other_start) = (one.share(), other.share());

    let start = spawn(move || one_start.start(1));
    let is_started = other_start.start(0);
    assert!(
        start.join().expect("no panic") && is_started,
        "a start is left to KVM"
    );
    other_start.assert_in_time(FAST);
    one_start.assert_in_time(FAST);
    unload(passes);
}

/// A timer is cancelled and freed while the clock slows down; its vCPU is destroyed later.
fn a_cancel_by(cancel: fn(Shared)) {
    let ([owner], passes) = load([1]);
    let timer = owner.share();

    timer.start(0);
    let thread = spawn(move || {
        bindings::run_on(1);
        cancel(timer);
        timer.assert_idle();
        timer.bury();
    });
    update(SLOW);
    thread.join().expect("no panic");
    settle();
    update_alone(SLOWEST);
    hooked::vcpu_destroyed(ffi::vcpu(timer.1));
    timer.assert_no_entry();
    unload(passes);
}

pub fn a_cancel() {
    a_cancel_by(Shared::cancel);
}

pub fn a_try_to_cancel() {
    a_cancel_by(Shared::try_to_cancel);
}

/// A vCPU is destroyed, and its timer freed, while the clock slows down.
pub fn a_destroy() {
    let ([owner], passes) = load([1]);
    let timer = owner.share();

    timer.start(0);
    let thread = spawn(move || {
        bindings::run_on(1);
        timer.destroy();
        timer.bury();
    });
    update(SLOW);
    thread.join().expect("no panic");
    settle();
    update_alone(SLOWEST);
    timer.assert_no_entry();
    unload(passes);
}

/// Two vCPUs are destroyed while the timer of a third is looked up, behind theirs in the bucket.
pub fn a_destroy_and_a_lookup() {
    let ([first, second, third], passes) = load([2, 1, 3]);
    let (last, middle, head) = (first.share(), second.share(), third.share());

    last.start(0);
    middle.start(0);
    table::fill();
    head.start(0);
    let thread = spawn(move || {
        middle.destroy();
        middle.bury();
        head.destroy();
        head.bury();
    });
    let left = hooked::remaining(last.timer());
    assert!(
        left == Some(RawNs::new(DEADLINE as i64)),
        "a timer's entry is not found"
    );
    thread.join().expect("no panic");
    middle.assert_no_entry();
    head.assert_no_entry();
    last.assert_in_time(FAST);
    unload(passes);
}

/// A vCPU is destroyed while its timer's callback looks that up, early or in time.
fn a_destroy_and_a_callback(tsc: u64) {
    let ([owner], passes) = load([1]);
    let timer = owner.share();

    bindings::set_tsc(tsc);
    timer.start(0);
    let callback = spawn(move || timer.fire(0));
    bindings::run_on(1);
    timer.destroy();
    callback.join().expect("no panic");
    timer.try_to_cancel();
    timer.bury();
    update_alone(SLOW);
    timer.assert_no_entry();
    unload(passes);
}

pub fn a_destroy_and_an_early_callback() {
    a_destroy_and_a_callback(0);
}

pub fn a_destroy_and_a_callback_in_time() {
    a_destroy_and_a_callback(DEADLINE);
}

/// A vCPU is destroyed while another one, which has a timer already, starts one for the first time, all
/// in one bucket.
pub fn a_destroy_and_a_first_start() {
    let ([old, one, new], passes) = load([2, 1, 2]);
    let (old, one, new) = (old.share(), one.share(), new.share());

    old.start(0);
    one.start(0);
    table::fill();
    let start = spawn(move || new.start(1));
    one.destroy();
    one.bury();
    assert!(start.join().expect("no panic"), "a start is left to KVM");
    one.assert_no_entry();
    old.assert_in_time(FAST);
    new.assert_in_time(FAST);
    assert!(table::taken() == 2, "another number of timers has an entry");
    old.destroy();
    new.destroy();
    old.assert_no_entry();
    new.assert_no_entry();
    unload(passes);
}

/// The clock leaves the TSC while a timer is started for the first time, and comes back to one that counts
/// otherwise; then it slows down.
pub fn another_clocksource_and_a_first_start() {
    let ([one, other], passes) = load([1, 2]);
    let (new, old) = (one.share(), other.share());

    old.start(0);
    let start = spawn(move || new.start(1));
    update_of(0, FAST);
    start.join().expect("no panic");
    settle();
    old.assert_unknown();
    update_alone(FAST);
    let timers = [old, new];
    let expiries = timers.map(|timer| timer.timer().expires());
    timers.map(Shared::assert_unknown);
    update_alone(SLOW);
    assert!(
        expiries == timers.map(|timer| timer.timer().expires()),
        "a timer is moved for an old deadline"
    );
    unload(passes);
}

/// The clock leaves the TSC while a vCPU is destroyed.
pub fn another_clocksource_and_a_destroy() {
    let ([owner], passes) = load([1]);
    let timer = owner.share();

    timer.start(0);
    let thread = spawn(move || {
        bindings::run_on(1);
        timer.destroy();
        timer.bury();
    });
    hooked::tsc_restarted();
    thread.join().expect("no panic");
    timer.assert_no_entry();
    unload(passes);
}

/// Two timers are started for the first time, with one entry left.
pub fn an_empty_pool() {
    let ([one, other, third], passes) = load([1, 2, 3]);
    let (one, other, third) = (one.share(), other.share(), third.share());

    one.start(0);
    let start = spawn(move || other.start(1));
    let is_started = third.start(0);
    assert!(
        start.join().expect("no panic") != is_started,
        "one entry is not for one timer"
    );
    settle();
    bindings::alone(|| {
        assert!(other.start(1) && third.start(0), "a start is left to KVM");
    });
    update_alone(SLOW);
    [one, other, third].map(|timer| timer.assert_in_time(SLOW));
    unload(passes);
}

/// The module goes while its pool is filled.
pub fn a_removal() {
    let ([one, other, third], passes) = load([1, 2, 3]);

    one.share().start(0);
    other.share().start(0);
    assert!(!third.share().start(0), "one entry is not for one timer");
    unload(passes);
}
