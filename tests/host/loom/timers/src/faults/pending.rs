// SPDX-License-Identifier: GPL-2.0

/// In what is done with pending timers.
#[rustfmt::skip]
pub const PENDING: &[Fault] = &[
    Fault {
        what: "a slow-down asks for no pass",
        edits: &[edit("timer/pass.rs", "_ if ffi::param_rearm() && ", "_ if false && ")],
        model: "model::a_start",
    },
    Fault {
        what: "the pass is asked for before the new rate is published",
        edits: &[edit("clock/update.rs", "    CURRENT.publish(&new.words());\n    let Some((old, _)) = old else {
        return;
    };", "
            let Some((old, _)) = old else {
                CURRENT.publish(&new.words());
                return;
            };
            then(&Published { new, is_another_line: stepped || old.is_tsc() != new.is_tsc() });
            CURRENT.publish(&new.words());")],
        model: "model::a_start",
    },
    Fault {
        what: "a start reads the rate before it has the lock",
        edits: &[
            edit("timer/pending.rs", "let Some(expiry) = arm::armed_expiry(node.deadline()) else {
        locked", "let Some(expiry) = expiry else {
        locked"),
            edit("timer/pending.rs", "let mut locked = Locked::to_start(node);", "
                occupied::set();
                let expiry = arm::armed_expiry(node.deadline());
                let mut locked = Locked::to_start(node);"),
        ],
        model: "model::a_start_there",
    },
    Fault {
        what: "a start gives the lock up before the timer is queued",
        edits: &[
            edit("timer/pending.rs", "if CLOSED.load() == 0 {
        locked.add();
    }
", "
            if CLOSED.load() == 0 {
                locked.add();
            }
            drop(locked);"),
            edit("timer/pending.rs", "    let from = locked.cpu();
    let to = locked.unlock_and_locate();
    if to != from {
        migrate(node, from, to);
    }
", ""),
        ],
        model: "model::a_start",
    },
    Fault {
        what: "a pass finds no node due",
        edits: &[edit("ffi/queue.rs", "unsafe { bindings::rht_queue_begin_pass(self.queue.as_ptr()) };", "")],
        model: "model::a_start",
    },
    Fault {
        what: "a pass moves the timers that would be early",
        edits: &[edit("timer/pass.rs", "expiry >= timer.expires()", "expiry <= timer.expires()")],
        model: "model::a_start",
    },
    Fault {
        what: "a node is lost once it was looked at",
        edits: &[edit("ffi/queue.rs", "unsafe { bindings::rht_queue_advance(self.queue.as_ptr(), due.node.as_raw()) };",
            "unsafe { bindings::rht_queue_remove(due.node.as_raw()) };")],
        model: "model::two_timers_and_two_changes",
    },
    Fault {
        what: "one batch is all",
        edits: &[edit("timer/pass.rs", "        ffi::rearm_more(cpu, pause);", "")],
        model: "model::two_on_a_cpu",
    },
    Fault {
        what: "an offline CPU's queue is left alone",
        edits: &[edit("timer/pass.rs", "        called(call.cpu());", "")],
        model: "model::an_offline_cpu",
    },
    Fault {
        what: "two passes call a CPU at the same time",
        edits: &[edit("ffi/queue.rs", "(!called).then_some(", "(called || true).then_some(")],
        model: "model::two_passes_and_a_timer",
    },
    Fault {
        what: "who is called does not say so",
        edits: &[edit("timer/pass.rs", "queue.answer();
    serve(queue, Place::Here);", "serve(queue, Place::Here);")],
        model: "model::a_start_and_two_changes",
    },
    Fault {
        what: "a drift in single units is never a change",
        edits: &[edit("timer/pass.rs", "if !is_another_line && rate.mult() <= fastest => return,",
            "if !is_another_line && rate.mult() <= fastest => (),")],
        model: "model::a_drift",
    },
    Fault {
        what: "a drift counts from a rate that is not the fastest",
        edits: &[edit("timer/pass.rs", "if !is_another_line && rate.mult() <= fastest => return,",
            "if !is_another_line => { let _ = fastest; return }")],
        model: "model::a_drift_from_above",
    },
    Fault {
        what: "a running callback is not waited for",
        edits: &[edit("timer/pass.rs", "                due.postpone();
                return if done == 0 { Left::Running } else { Left::More };",
            "let _ = (done, Left::Running);")],
        model: "model::a_callback",
    },
    Fault {
        what: "a timer that was postponed is not due",
        edits: &[edit("ffi/queue.rs", "unsafe { bindings::rht_queue_postpone(self.queue.queue.as_ptr(), self.node.as_raw()) };",
            "")],
        model: "model::a_callback",
    },
    Fault {
        what: "an expired timer whose callback runs is forgotten",
        edits: &[edit("timer/pass.rs", "            if !timer.is_active() {", "            {")],
        model: "model::a_periodic_callback",
    },
    Fault {
        what: "a callback reads the rate without the lock",
        edits: &[
            edit("timer/pending.rs", "let locked = Locked::queued(node);
    if node.timer().is_queued() {", "if node.timer().is_queued() {"),
            edit("timer/pending.rs", "    node.set_expired(!restarted);", "
                let locked = Locked::queued(node);
                node.set_expired(!restarted);"),
        ],
        model: "model::a_callback_after_a_speed_up",
    },
    Fault {
        what: "an early callback has done its work",
        edits: &[edit("timer/pending.rs", "node.set_expired(!restarted);", "node.set_expired(true);")],
        model: "model::a_callback",
    },
    Fault {
        what: "what the clock has reached is still to come",
        edits: &[edit("timer/arm.rs", "let armed = armed_expiry(deadline)?;
    if ffi::may_run_from(armed) > now", "
            let armed = armed_expiry(deadline)?;
            if ffi::may_run_from(armed) >= now")],
        model: "model::a_lagging_tsc",
    },
    Fault {
        what: "what the clock has reached exactly is still to come",
        edits: &[edit("timer/arm.rs", "let exact = expiry(deadline)?;
    if ffi::may_run_from(exact) > now", "
            let exact = expiry(deadline)?;
            if ffi::may_run_from(exact) >= now")],
        model: "model::a_lagging_tsc",
    },
    Fault {
        what: "what the clock reaches next is over",
        edits: &[edit("timer/arm.rs", "let now = ffi::ktime_get();",
            "let now = MonoNs::new(ffi::ktime_get().get() + 1);")],
        model: "model::a_lagging_tsc",
    },
    Fault {
        what: "a start does not say that the timer is pending again",
        edits: &[edit("timer/pending.rs", "    node.set_expired(false);", "")],
        model: "model::a_callback_and_a_start_there",
    },
    Fault {
        what: "a start puts the node on a second queue",
        edits: &[edit("ffi/locked.rs", "if let Some(locked) = Self::queued(node) {
            return locked;", "
        if let Some(locked) = Self::queued(node) {
            drop(locked);")],
        model: "model::a_callback_and_a_start_there",
    },
    Fault {
        what: "a node stays where its timer is not",
        edits: &[edit("timer/pending.rs", "    if to != from {", "    if false {")],
        model: "model::a_start_on_an_isolated_cpu",
    },
    Fault {
        what: "a start does not look at the rate again after its node was on two queues",
        edits: &[edit("timer/pending.rs", "Some(expiry) if expiry < node.timer().expires() => ffi::pass_queue(),", "")],
        model: "model::a_start_on_an_isolated_cpu",
    },
    Fault {
        what: "a node that is on another queue is not said to be there",
        edits: &[edit("timer/pending.rs", "    occupied::set();
    match", "    match")],
        model: "model::a_pass_and_a_start_on_an_isolated_cpu",
    },
    Fault {
        what: "a node is on no queue while it is moved to another",
        edits: &[edit("timer/pending.rs", "    let queues = Two::lock(from, to);
", "
            cancel(node);
            let queues = Two::lock(from, to);
            queues.put_back(node);
"), edit("ffi/locked.rs", "fn ends(&self) -> (&Queue, &Queue) {", "
            pub(crate) fn put_back(&self, node: Node<'_>) {
                let from = self.ends().0;
                unsafe { list::add_tail(node.link(), from.pending()) };
                unsafe { node.set_cpu(from.cpu().number()) };
            }
            fn ends(&self) -> (&Queue, &Queue) {")],
        model: "model::a_callback_and_a_start_on_an_isolated_cpu",
    },
    Fault {
        what: "a node is moved while the module goes",
        edits: &[edit("timer/pending.rs", "if CLOSED.load() != 0 || !queues.transfer(node) {", "if !queues.transfer(node) {")],
        model: "model::a_removal_and_an_isolated_cpu",
    },
    Fault {
        what: "a CPU is called for what has expired",
        edits: &[edit("timer/pass.rs", "        if node.is_expired() {", "
            if node.is_expired() && place == Place::Elsewhere { due.postpone(); return Left::Late; }
            if node.is_expired() {")],
        model: "model::an_expired_timer",
    },
    Fault {
        what: "what has expired is left after one go",
        edits: &[edit("timer/pass.rs", "Left::More => Some(PAUSE),", "Left::More => None,")],
        model: "model::two_expired_timers",
    },
    Fault {
        what: "a CPU is called for a timer that is in time",
        edits: &[edit("timer/pass.rs", "        if expiry >= timer.expires() {", "
            if expiry >= timer.expires() && place == Place::Here {")],
        model: "model::a_timer_in_time",
    },
    Fault {
        what: "a pass takes a timer to its own CPU",
        edits: &[edit("timer/pass.rs", "        if place == Place::Elsewhere {", "        if false {")],
        model: "model::a_timer_that_stays",
    },
    Fault {
        what: "a pass lets a timer go where the core wants it",
        edits: &[edit("timer/pass.rs", "node.mode().pinned()", "node.mode()")],
        model: "model::a_timer_that_stays",
    },
    Fault {
        what: "a preempted callback is asked for as often as ever",
        edits: &[edit("timer/pass.rs", "queue.pause().saturating_mul(2)", "queue.pause().saturating_mul(1)")],
        model: "model::a_long_callback",
    },
    Fault {
        what: "a preempted callback is asked for less and less",
        edits: &[edit("timer/pass.rs", "const LONGEST_PAUSE: u32 = 1_000_000;", "const LONGEST_PAUSE: u32 = 2_000_000;")],
        model: "model::a_long_callback",
    },
    Fault {
        what: "once a callback was preempted all are asked for less often",
        edits: &[edit("timer/pass.rs", "queue.set_pause(pause.unwrap_or(0));",
            "if let Some(pause) = pause { queue.set_pause(pause) }")],
        model: "model::a_long_callback",
    },
    Fault {
        what: "a pass leaves what has expired",
        edits: &[edit("timer/pass.rs", "        if node.is_expired() {", "        if false {")],
        model: "model::an_expired_timer",
    },
    Fault {
        what: "a cancel leaves the node where it is",
        edits: &[edit("timer/pending.rs", "    if let Some(locked) = Locked::queued(node) {
        locked.remove();
    }", "")],
        model: "model::a_cancel",
    },
    Fault {
        what: "a cancel leaves the number of the queue's CPU",
        edits: &[edit("ffi/locked.rs", "unsafe { self.node.set_cpu(NO_CPU) };", "")],
        model: "model::a_cancel_and_an_early_callback",
    },
    Fault {
        what: "a pass leaves the number of the queue's CPU",
        edits: &[edit("ffi/queues.rs", "unsafe { list_del_init(addr_of_mut!((*tt).node)) };
    unsafe { set_cpu(tt, NO_CPU) };", "
            unsafe { list_del_init(addr_of_mut!((*tt).node)) };")],
        model: "model::a_removal",
    },
    Fault {
        what: "a start looks whether the module goes before it has the lock",
        edits: &[
            edit("timer/pending.rs", "    if CLOSED.load() == 0 {
        locked", "    if open {
        locked"),
            edit("timer/pending.rs", "let mut locked = Locked::to_start(node);", "
                let open = CLOSED.load() == 0;
                let mut locked = Locked::to_start(node);"),
        ],
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not say so",
        edits: &[edit("timer/pending.rs", "    CLOSED.store_release(1);", "")],
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not empty the queues",
        edits: &[edit("timer/pending.rs", "        Queue::lock(cpu).clear();", "        Queue::lock(cpu);")],
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not wait for interrupts",
        edits: &[
            edit("timer/pass.rs", "    _queues: ffi::Queues,", "    _queues: std::mem::ManuallyDrop<ffi::Queues>,"),
            edit("timer/pass.rs", "ffi::Queues::new()?,", "std::mem::ManuallyDrop::new(ffi::Queues::new()?),"),
        ],
        model: "model::a_removal",
    },
];
