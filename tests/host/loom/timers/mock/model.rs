// SPDX-License-Identifier: GPL-2.0

//! The models: what the first thread and those that it starts do, and what must be so in the end.

use crate::{
    clock::update::{
        self,
        Timekeeper, //
    },
    ffi::{
        self,
        bindings::{
            self,
            hrtimer,
            list_head,
            tsc_timer, //
        },
        Locked,
        State, //
    },
    timer::{
        pass::{
            self,
            Passes, //
        },
        pending, //
    }, //
};

use loom::{
    sync::Mutex,
    thread::spawn, //
};
use std::{
    cell::Cell,
    collections::BTreeMap,
    ptr::{
        addr_of_mut,
        null,
        null_mut, //
    },
    sync::Arc, //
};

/// Rates in ns per cycle.
pub(crate) const SLOWEST: u32 = 8;
pub(crate) const SLOW: u32 = 10;
pub(crate) const FAST: u32 = 12;

/// The deadline of every timer; at a rate it expires at that times 100.
pub(crate) const DEADLINE: u64 = 100;

/// What was met until now, in all executions.
pub fn met() -> BTreeMap<&'static str, usize> {
    bindings::forget_met()
}

/// The listener is called with a rate, the clock being at 0.
pub(crate) fn update(mult: u32) {
    update_of(ffi::CSID_X86_TSC, mult);
}

/// The same, of a clock that follows some clocksource.
pub(crate) fn update_of(clocksource: u32, mult: u32) {
    update::update(
        false,
        || Timekeeper {
            cycle_last: 0,
            xtime_nsec: 0,
            base: 0,
            mono: mult.into(),
            raw: mult.into(),
            id: clocksource,
        },
        pass::rate_published,
    );
}

/// The listener is called with a rate, and all that this asks for is done, with no other thread.
fn update_alone(mult: u32) {
    bindings::alone(|| update(mult));
}

/// Loads the module, at a rate, for so many timers.
///
/// It has to go before these: of what one `let` names the last is dropped first.
fn load<const N: usize>(mult: u32) -> ([Owner; N], Passes) {
    let passes = load_for(mult);

    (std::array::from_fn(|_| Owner::new()), passes)
}

/// The same, for timers of somebody else.
pub(crate) fn load_for(mult: u32) -> Passes {
    // The slots of the latch, and all other words, before there is a second thread.
    let passes = Passes::new().expect("the first");
    bindings::alone(|| {
        update(FAST + 3);
        update(FAST + 6);
        update(mult);
    });
    passes
}

/// An owner's timer. The memory stays until the end of the execution.
struct Owner {
    timer: *mut hrtimer,
    node: *mut tsc_timer,
    /// Where the node's links point once it is freed.
    grave: *mut list_head,
}

#[derive(Clone, Copy)]
struct Shared(*mut hrtimer, *mut tsc_timer, *mut list_head);

// SAFETY: As in the kernel, which is what the models are about.
unsafe impl Send for Shared {}

impl Shared {
    /// The owner arms it.
    fn start(self, cpu: i32) {
        bindings::run_on(cpu);
        assert!(pending::start(ffi::node(self.1), ffi::mode(0)), "armed");
    }

    /// The hrtimer core fires it, if it is queued. Returns whether that was all.
    fn fire(self, cpu: i32) -> bool {
        bindings::run_on(cpu);
        // SAFETY: The timer is there until the end of the execution.
        unsafe { &*self.0 }.fire(|| pending::restart(ffi::node(self.1)))
    }

    /// The same, and a callback that is not early has a later deadline for it.
    fn fire_periodic(self, cpu: i32) {
        bindings::run_on(cpu);
        // SAFETY: The timer is there until the end of the execution.
        unsafe { &*self.0 }.fire(|| {
            if !pending::restart(ffi::node(self.1)) {
                // SAFETY: The node is there until the end of the execution.
                unsafe { bindings::set_deadline(self.1, 2 * DEADLINE) };
                assert!(pending::restart(ffi::node(self.1)), "a later deadline");
            }
            true
        });
    }

    /// The owner cancels it; its callback is over.
    fn cancel(self, cpu: i32) {
        bindings::run_on(cpu);
        pending::cancel(ffi::node(self.1));
        self.cancel_hrtimer();
    }

    /// `hrtimer_cancel()`.
    fn cancel_hrtimer(self) {
        // SAFETY: As above.
        while unsafe { bindings::hrtimer_try_to_cancel(self.0) } < 0 {
            loom::thread::yield_now();
        }
    }

    /// The owner removes it and frees it.
    fn free(self, cpu: i32) {
        bindings::run_on(cpu);
        pending::remove(ffi::node(self.1));
        self.cancel_hrtimer();
        self.bury();
    }

    /// The timer's memory is another's, the node's is not.
    fn bury_hrtimer(self) {
        // SAFETY: As above.
        unsafe { &*self.0 }.lock().is_dead = true;
    }

    /// The memory of both is another's.
    fn bury(self) {
        self.bury_hrtimer();
        let (next, prev) = (self.2, self.2);
        // SAFETY: As above.
        unsafe { bindings::touch(self.1) };
        // SAFETY: As above.
        unsafe { addr_of_mut!((*self.1).node).write(list_head { next, prev }) };
    }
}

impl Owner {
    fn new() -> Self {
        let timer = Box::into_raw(Box::new(hrtimer::new()));
        let (next, prev) = (null_mut(), null_mut());
        let grave = Box::into_raw(Box::new(list_head { next, prev }));
        let node = Box::into_raw(Box::new(tsc_timer {
            timer,
            deadline: DEADLINE,
            node: list_head { next, prev },
            base: null(),
            cpu: -1,
            state: 0,
            mode: 0,
            expired: false,
        }));
        // The words of both that have no lock.
        ffi::node(node).timer().expires();
        // SAFETY: Just made.
        unsafe { bindings::timer_cpu(timer) };
        ffi::node(node).deadline();
        ffi::node(node).is_expired();
        ffi::node(node).base();
        // SAFETY: Just made.
        unsafe { bindings::touch(node) };
        pending::remove(ffi::node(node));
        Self { timer, node, grave }
    }

    fn share(&self) -> Shared {
        Shared(self.timer, self.node, self.grave)
    }

    /// Something is done with it in a thread of its own while the clock takes these rates.
    fn meets<T: 'static>(
        &self,
        rates: &[u32],
        what: impl FnOnce(Shared) -> T + Send + 'static,
    ) -> T {
        let shared = self.share();
        let thread = spawn(move || what(shared));

        for mult in rates {
            update(*mult);
        }
        let found = thread.join().expect("no panic");
        settle();
        found
    }

    /// Its timer was last on this CPU.
    fn was_on(&self, cpu: i32) {
        // SAFETY: The timer is there until the end of the execution.
        unsafe { bindings::set_cpu(self.timer, cpu) };
    }

    fn assert_on(&self, cpu: i32) {
        // SAFETY: The timer is there until the end of the execution.
        let is = unsafe { bindings::timer_cpu(self.timer) };

        assert!(is == cpu, "a timer moves to another CPU");
    }

    fn is_queued(&self) -> bool {
        // SAFETY: As above.
        unsafe { &*self.timer }.lock().is_queued
    }

    /// It is armed, and not for later than `mult` says.
    fn assert_in_time(&self, mult: u32) {
        let expires = ffi::node(self.node).timer().expires().get();
        let deadline = ffi::node(self.node).deadline().get();

        assert!(self.is_queued(), "the timer is lost");
        assert!(
            expires <= deadline as i64 * i64::from(mult),
            "late: expires at {expires}, the deadline is at {deadline} times {mult}"
        );
    }

    /// Nobody has touched it after it was freed.
    fn assert_untouched(&self) {
        // SAFETY: As above.
        let list_head { next, prev } = unsafe { addr_of_mut!((*self.node).node).read() };
        // SAFETY: As above.
        let grave = unsafe { self.grave.read() };

        assert!(
            (next, prev) == (self.grave, self.grave)
                && grave.next.is_null()
                && grave.prev.is_null(),
            "a node is touched after its owner has freed it"
        );
    }

    /// No pass will have its timer.
    fn assert_left_alone(&self) {
        let state = ffi::node(self.node).state();

        assert!(
            state == State::IDLE || state == State::AWAY,
            "a timer is not its owner's alone"
        );
    }

    /// It is on no queue.
    fn assert_forgotten(&self) {
        assert!(
            Locked::queued(ffi::node(self.node)).is_none(),
            "a node is still on a queue"
        );
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: Made from boxes; all threads have ended.
        unsafe { bindings::free(self.node) };
        // SAFETY: As above.
        unsafe { bindings::free(self.timer) };
        // SAFETY: As above.
        unsafe { bindings::free(self.grave) };
    }
}

/// All that was asked for is done.
pub(crate) fn settle() {
    bindings::flush();
}

/// Does something for which no CPU is to be called.
fn without_call(work: impl FnOnce()) {
    let calls = || bindings::times("call") + bindings::times("call: isolated");
    let before = calls();

    work();
    settle();
    assert!(calls() == before, "a CPU is called for nothing");
}

/// Does something that asks for no pass, with no other thread.
fn without_pass(work: impl FnOnce()) {
    let passes = bindings::times("PASSES");

    bindings::alone(work);
    assert!(
        bindings::times("PASSES") == passes,
        "a pass that is for nothing"
    );
}

/// Does something for which the isolated CPU is not to be called.
fn without_call_to_isolated(work: impl FnOnce()) {
    let before = bindings::times("call: isolated");

    work();
    settle();
    assert!(
        bindings::times("call: isolated") == before,
        "an isolated CPU is interrupted"
    );
}

/// Queues are empty and stay so.
fn assert_empty() {
    for cpu in 0..bindings::CPUS {
        assert!(
            !ffi::Queue::lock(ffi::cpu(cpu)).begin_pass(),
            "a queue is not empty"
        );
    }
}

/// A timer is armed while the clock slows down.
pub fn a_start() {
    let ([owner], _passes) = load(FAST);

    owner.meets(&[SLOW], |timer| timer.start(1));
    owner.assert_in_time(SLOW);
}

/// The same, on the CPU that the timer is on: nobody has to follow it to another queue.
pub fn a_start_there() {
    let ([owner], _passes) = load(FAST);

    owner.meets(&[SLOW], |timer| timer.start(0));
    owner.assert_in_time(SLOW);
}

/// A timer is armed while the clock slows down twice.
pub fn a_start_and_two_changes() {
    let ([owner], _passes) = load(FAST);

    owner.meets(&[SLOW, SLOWEST], |timer| timer.start(1));
    owner.assert_in_time(SLOWEST);
}

/// The same, and another timer is pending already, on the same CPU or not.
fn a_start_beside_another(cpu: i32) {
    let ([one, other], _passes) = load(FAST);

    other.share().start(0);
    one.meets(&[SLOW, SLOWEST], move |timer| timer.start(cpu));
    one.assert_in_time(SLOWEST);
    other.assert_in_time(SLOWEST);
}

pub fn a_start_beside_another_there() {
    a_start_beside_another(0);
}

pub fn a_start_beside_another_elsewhere() {
    a_start_beside_another(1);
}

/// A timer's callback runs early while the clock slows down.
pub fn a_callback() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], |timer| timer.fire(1));
    owner.assert_in_time(SLOW);
}

/// A timer's callback has another deadline for it while the clock slows down, and then it does again.
pub fn a_periodic_callback() {
    let ([owner], _passes) = load(FAST);

    bindings::set_tsc(DEADLINE);
    owner.share().start(0);
    owner.meets(&[SLOW], |timer| timer.fire_periodic(1));
    owner.assert_in_time(SLOW);
    update_alone(SLOWEST);
    owner.assert_in_time(SLOWEST);
    owner.share().free(0);
    owner.assert_untouched();
}

/// The same, while it is cancelled and freed.
pub fn a_cancel_and_a_periodic_callback() {
    let ([owner], _passes) = load(FAST);

    bindings::set_tsc(DEADLINE);
    owner.share().start(0);
    let shared = owner.share();
    let callback = spawn(move || shared.fire_periodic(0));
    owner.meets(&[SLOW], |timer| {
        bindings::run_on(1);
        pending::cancel(ffi::node(timer.1));
    });
    callback.join().expect("no panic");
    owner.assert_left_alone();
    shared.free(0);
    update_alone(SLOWEST);
    owner.assert_untouched();
}

/// A timer's callback runs in time while the clock slows down; then it is cancelled and freed.
pub fn a_callback_in_time() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    bindings::set_tsc(DEADLINE);
    let over = owner.meets(&[SLOW], |timer| {
        let over = timer.fire(1);
        if over {
            timer.free(1);
        }
        over
    });
    if over {
        owner.assert_untouched();
    } else {
        owner.assert_in_time(SLOW);
    }
}

/// A timer's callback runs on a CPU whose TSC lags behind: the clock has reached the deadline, or not.
pub fn a_lagging_tsc() {
    let expiry = DEADLINE as i64 * i64::from(FAST);

    for (clock, is_over) in [(expiry - 1, false), (expiry, true), (expiry + 1, true)] {
        let ([owner], _passes) = load(FAST);

        bindings::set_clock(clock);
        owner.share().start(0);
        assert!(
            owner.share().fire(1) == is_over,
            "a callback runs again at once, or too early"
        );
        bindings::set_clock(0);
        owner.share().free(0);
    }
}

/// A timer has expired, and is started again on some CPU while the clock slows down.
fn a_callback_and_a_start(cpu: i32) {
    let ([owner], _passes) = load(FAST);

    bindings::set_tsc(DEADLINE);
    owner.share().start(0);
    owner.meets(&[SLOW], move |timer| {
        if timer.fire(0) {
            timer.start(cpu);
        }
    });
    owner.assert_in_time(SLOW);
    update_alone(SLOWEST);
    owner.assert_in_time(SLOWEST);
    owner.share().free(0);
    owner.assert_untouched();
}

pub fn a_callback_and_a_start_there() {
    a_callback_and_a_start(0);
}

pub fn a_callback_and_a_start_elsewhere() {
    a_callback_and_a_start(1);
}

/// A timer has expired, and the clock slows down after that.
pub fn an_expired_timer() {
    let ([owner], _passes) = load(FAST);

    bindings::set_tsc(DEADLINE);
    owner.share().start(0);
    assert!(owner.share().fire(0), "expired");
    without_call(|| update(SLOW));
    owner.assert_forgotten();
}

/// Two have expired, which are not looked at in one go.
pub fn two_expired_timers() {
    let (owners, _passes) = load::<2>(FAST);

    bindings::set_tsc(DEADLINE);
    for owner in &owners {
        owner.share().start(1);
        assert!(owner.share().fire(1), "expired");
    }
    without_call(|| update(SLOW));
    owners.each_ref().map(Owner::assert_forgotten);
}

/// The clock slows down, and is still faster than when the timer was armed.
pub fn a_timer_in_time() {
    let ([owner], _passes) = load(SLOWEST);

    owner.share().start(1);
    update(FAST);
    without_call(|| update(SLOW));
    owner.assert_in_time(SLOWEST);
}

/// A timer stays on its CPU, which may have been isolated since it was armed there.
pub fn a_timer_that_stays() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(1);
    bindings::set_isolated(1);
    update(SLOW);
    settle();
    owner.assert_in_time(SLOW);
    owner.assert_on(1);
}

/// One that an isolated CPU is about to arm, where its timer was last: the core puts it elsewhere.
fn on_an_isolated_cpu(owner: &Owner) -> Shared {
    bindings::set_isolated(1);
    owner.was_on(1);
    owner.share()
}

/// An isolated CPU arms a timer while the clock slows down, and then it does again.
pub fn a_start_on_an_isolated_cpu() {
    let ([owner], _passes) = load(FAST);

    on_an_isolated_cpu(&owner);
    owner.meets(&[SLOW], |timer| timer.start(1));
    owner.assert_in_time(SLOW);
    owner.assert_on(0);
    without_call_to_isolated(|| update(SLOWEST));
    owner.assert_in_time(SLOWEST);
    // It finds the node there.
    owner.share().start(1);
    without_call_to_isolated(|| {
        update(FAST);
        update(SLOW);
    });
    owner.assert_in_time(SLOW);
    owner.share().free(1);
    owner.assert_untouched();
}

/// The same, and all queues are looked at meanwhile; then the clock slows down.
pub fn a_pass_and_a_start_on_an_isolated_cpu() {
    let ([owner], _passes) = load(FAST);
    let shared = on_an_isolated_cpu(&owner);

    let start = spawn(move || shared.start(1));
    pass::run(ffi::cpu(0));
    start.join().expect("no panic");
    update(SLOW);
    settle();
    owner.assert_in_time(SLOW);
}

/// The same, and its callback runs meanwhile, early, at the rate that it was armed at or at another.
pub fn a_callback_and_a_start_on_an_isolated_cpu() {
    let ([owner], _passes) = load(SLOWEST);
    let shared = on_an_isolated_cpu(&owner);
    // Whoever comes first has the clock speed up, with the timekeeper's lock.
    let is_fast = Arc::new(Mutex::new(false));
    let speed_up = move |then: fn()| {
        let mut is_fast = is_fast.lock().expect("no panic");

        if !*is_fast {
            update(FAST);
            *is_fast = true;
        }
        then();
    };
    let speed_up_first = speed_up.clone();
    let callback = spawn(move || {
        speed_up_first(|| ());
        shared.fire(0)
    });

    shared.start(1);
    speed_up(|| update(SLOW));
    callback.join().expect("no panic");
    settle();
    owner.assert_in_time(SLOW);
}

/// The same, and its callback runs meanwhile, in time; then it is cancelled and freed.
pub fn a_callback_in_time_on_an_isolated_cpu() {
    let ([owner], _passes) = load(FAST);
    let shared = on_an_isolated_cpu(&owner);

    bindings::set_tsc(DEADLINE);
    let start = spawn(move || shared.start(1));
    let callback = spawn(move || shared.fire(0));
    update(SLOW);
    start.join().expect("no panic");
    callback.join().expect("no panic");
    settle();
    shared.free(1);
    owner.assert_forgotten();
    update_alone(SLOWEST);
    owner.assert_untouched();
}

/// A callback is preempted while the clock slows down, and goes on much later.
pub fn a_long_callback() {
    let ([owner], _passes) = load(FAST);
    let looks = |mult, times| {
        bindings::by_hand(|| {
            update(mult);
            pass::run(ffi::cpu(0));
            pass::called(ffi::cpu(0));
            for _ in 0..times {
                pass::more(ffi::cpu(0), ffi::cpu(0));
            }
        });
        bindings::pauses()
    };

    owner.share().start(0);
    for (mult, times, us) in [
        (SLOW, 8, &[20, 40, 80, 160, 320, 640, 1000, 1000, 1000][..]),
        (SLOWEST, 1, &[20, 40]),
    ] {
        let timer = owner.share();
        let pauses = Cell::new(vec![]);

        bindings::run_on(0);
        // SAFETY: The timer is there until the end of the execution.
        unsafe { &*timer.0 }.fire(|| {
            pauses.set(looks(mult, times));
            pending::restart(ffi::node(timer.1))
        });
        let ns = us.iter().map(|us| us * 1000).collect::<Vec<u32>>();
        assert!(pauses.take() == ns, "a look comes too soon or too late");
        // The next look is at the timer, and the last one at none.
        bindings::by_hand(|| {
            pass::more(ffi::cpu(0), ffi::cpu(0));
            bindings::pauses();
            pass::more(ffi::cpu(0), ffi::cpu(0));
        });
        assert!(
            bindings::pauses().is_empty(),
            "a look comes too soon or too late"
        );
        owner.assert_in_time(mult);
    }
}

/// The clock slows down by one unit, which is as good as none, and by another one.
pub fn a_drift() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    update(FAST - 1);
    update(FAST - 2);
    settle();
    owner.assert_in_time(FAST - 2);
}

/// The clock speeds up by one unit, a timer is armed, and it slows down by two, one by one.
pub fn a_drift_from_above() {
    let ([owner], _passes) = load(FAST);

    update(FAST + 1);
    owner.share().start(0);
    update(FAST);
    update(FAST - 1);
    settle();
    owner.assert_in_time(FAST - 1);
}

/// A timer that was armed when the clock was slower still; its callback as in [`a_callback`].
pub fn a_callback_after_a_speed_up() {
    let ([owner], _passes) = load(SLOWEST);

    owner.share().start(0);
    update(FAST);
    owner.meets(&[SLOW], |timer| timer.fire(1));
    owner.assert_in_time(SLOW);
}

/// A timer is removed and freed while the clock slows down.
pub fn a_remove() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], |timer| timer.free(1));
    owner.assert_untouched();
}

/// A timer is cancelled while the clock slows down, and does not run again; its node is freed later.
pub fn a_cancel() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], |timer| {
        timer.cancel(1);
        // SAFETY: The timer is there until the end of the execution.
        assert!(!unsafe { &*timer.0 }.lock().is_queued, "a timer is back");
        timer.bury_hrtimer();
    });
    owner.assert_left_alone();
    update_alone(SLOWEST);
    pending::remove(ffi::node(owner.node));
    owner.assert_forgotten();
}

/// A timer is cancelled and started again while the clock slows down.
fn a_cancel_and_a_start(cpu: i32) {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], move |timer| {
        timer.cancel(cpu);
        timer.start(cpu);
    });
    owner.assert_in_time(SLOW);
    owner.assert_on(cpu);
    update_alone(SLOWEST);
    owner.assert_in_time(SLOWEST);
    owner.assert_on(cpu);
    owner.share().free(0);
    owner.assert_untouched();
}

pub fn a_cancel_and_a_start_there() {
    a_cancel_and_a_start(0);
}

pub fn a_cancel_and_a_start_elsewhere() {
    a_cancel_and_a_start(1);
}

/// A timer that is pending is started again, where it is, while the clock slows down.
pub fn a_start_of_a_pending_timer() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], |timer| timer.start(0));
    owner.assert_in_time(SLOW);
    owner.share().free(0);
    owner.assert_untouched();
}

/// The same, and then it is freed.
pub fn a_start_of_a_pending_timer_and_a_remove() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], |timer| {
        timer.start(0);
        timer.free(0);
    });
    owner.assert_untouched();
}

/// A timer that was cancelled is started while the clock slows down: passes may just take its node off.
fn a_start_of_an_idle_timer(cpu: i32) {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.share().cancel(0);
    owner.meets(&[SLOW], move |timer| timer.start(cpu));
    owner.assert_in_time(SLOW);
    update_alone(SLOWEST);
    owner.assert_in_time(SLOWEST);
    owner.share().free(0);
    owner.assert_untouched();
}

pub fn a_start_of_an_idle_timer_there() {
    a_start_of_an_idle_timer(0);
}

pub fn a_start_of_an_idle_timer_elsewhere() {
    a_start_of_an_idle_timer(1);
}

/// A timer that was cancelled is started on another CPU while all queues are looked at; then the clock
/// slows down.
pub fn a_pass_and_a_start_elsewhere() {
    let ([owner], _passes) = load(FAST);
    let shared = owner.share();

    shared.start(1);
    shared.cancel(1);
    let start = spawn(move || shared.start(0));
    pass::run(ffi::cpu(0));
    start.join().expect("no panic");
    update(SLOW);
    settle();
    owner.assert_in_time(SLOW);
}

/// A timer was cancelled: no CPU is called for it, and it is on no queue after the next pass.
pub fn an_idle_timer() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(1);
    owner.share().cancel(0);
    without_call(|| update(SLOW));
    owner.assert_forgotten();
    // Nor is there anything for another pass to look at.
    without_pass(|| {
        update(FAST);
        update(SLOW);
    });
}

/// The same, while its callback runs: for a deadline that has passed, or not.
fn a_cancel_and_a_callback(tsc: u64) {
    let ([owner], _passes) = load(FAST);
    let shared = owner.share();

    bindings::set_tsc(tsc);
    shared.start(0);
    // That it is freed in the end is for its owner alone; not while it fires.
    let cancel = spawn(move || {
        bindings::run_on(1);
        pending::cancel(ffi::node(shared.1));
    });
    let callback = spawn(move || shared.fire(0));
    update(SLOW);
    cancel.join().expect("no panic");
    callback.join().expect("no panic");
    owner.assert_left_alone();
    shared.free(0);
    settle();
    owner.assert_untouched();
}

pub fn a_cancel_and_an_early_callback() {
    a_cancel_and_a_callback(0);
}

pub fn a_cancel_and_a_callback_in_time() {
    a_cancel_and_a_callback(DEADLINE);
}

/// Two timers of one CPU, looked at one by one.
pub fn two_on_a_cpu() {
    let ([one, other], _passes) = load(FAST);

    one.share().start(0);
    other.share().start(0);
    update(SLOW);
    settle();
    one.assert_in_time(SLOW);
    other.assert_in_time(SLOW);
}

/// The same, and one of them is freed meanwhile.
pub fn two_timers() {
    let ([one, other], _passes) = load(FAST);

    other.share().start(0);
    one.share().start(0);
    other.meets(&[SLOW], |timer| timer.free(1));
    one.assert_in_time(SLOW);
    other.assert_untouched();
}

/// The clock slows down again while timers are looked at one by one.
pub fn two_timers_and_two_changes() {
    let ([one, other], _passes) = load(FAST);

    one.share().start(0);
    other.share().start(1);
    update(SLOW);
    update(SLOWEST);
    settle();
    one.assert_in_time(SLOWEST);
    other.assert_in_time(SLOWEST);
}

/// Two CPUs look at all queues while a timer is armed; then the clock slows down.
pub fn two_passes() {
    let ([owner], _passes) = load(FAST);
    let shared = owner.share();

    owner.was_on(1);

    let start = spawn(move || shared.start(1));
    let pass = spawn(|| pass::run(ffi::cpu(1)));
    pass::run(ffi::cpu(0));
    start.join().expect("no panic");
    pass.join().expect("no panic");
    update(SLOW);
    settle();
    owner.assert_in_time(SLOW);
}

/// The same, with one that is pending; both want to have it looked at.
pub fn two_passes_and_a_timer() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(1);
    let pass = spawn(|| pass::run(ffi::cpu(1)));
    update(SLOW);
    pass.join().expect("no panic");
    update(SLOWEST);
    settle();
    owner.assert_in_time(SLOWEST);
}

/// A timer is cancelled while the clock slows down; from then on changes ask for nothing.
pub fn nothing_pending() {
    let ([owner], _passes) = load(FAST);

    owner.share().start(0);
    owner.meets(&[SLOW], |timer| timer.free(1));
    update_alone(SLOWEST);
    without_pass(|| {
        update(FAST);
        update(SLOWEST);
    });
}

/// A timer that was armed on a CPU which is offline now.
pub fn an_offline_cpu() {
    let ([one, other], _passes) = load(FAST);

    bindings::set_offline(1);
    one.share().start(1);
    other.share().start(1);
    update(SLOW);
    settle();
    one.assert_in_time(SLOW);
    other.assert_in_time(SLOW);
}

/// The module goes while a timer is armed and the clock slows down.
pub fn a_removal() {
    a_removal_while(1, Owner::share);
}

/// The same, and the timer's node is on the queue of a CPU with a higher number.
pub fn a_removal_and_a_start_elsewhere() {
    a_removal_while(0, |owner| {
        owner.share().start(1);
        owner.share().cancel(1);
        owner.share()
    });
}

/// The same, and the timer goes to another CPU.
pub fn a_removal_and_an_isolated_cpu() {
    a_removal_while(1, on_an_isolated_cpu);
}

fn a_removal_while(cpu: i32, prepare: fn(&Owner) -> Shared) {
    let ([one, other], passes) = load(FAST);
    let shared = prepare(&other);

    one.share().start(0);
    let thread = spawn(move || shared.start(cpu));
    update(SLOW);
    pending::close();
    one.assert_forgotten();
    assert_empty();
    // Nobody calls the module, the listener neither; what it has asked for is waited for.
    thread.join().expect("no panic");
    other.assert_forgotten();
    drop(passes);
    bindings::remove_module();
    assert!(one.is_queued() && other.is_queued(), "a timer is lost");
}
