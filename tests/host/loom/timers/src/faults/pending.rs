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
            then(&Published { new, is_another_line: stepped || old.is_tsc() != new.is_tsc(), is_speed_up });
            CURRENT.publish(&new.words());")],
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
        edits: &[edit("timer/pass.rs", "                moving.postpone();
                return if done == 0 { Left::Running } else { Left::More };",
            "let _ = (done, Left::Running);")],
        model: "model::a_callback",
    },
    Fault {
        what: "a timer that was postponed is not due",
        edits: &[edit("ffi/queue.rs", "unsafe { bindings::rht_queue_postpone(queue.queue.as_ptr(), node.as_raw()) };",
            "let _ = (queue, node);")],
        model: "model::a_callback",
    },
    Fault {
        what: "an expired timer whose callback runs is forgotten",
        edits: &[edit("timer/pass.rs", "            if !timer.is_active() {", "            {")],
        model: "model::a_periodic_callback",
    },
    Fault {
        what: "an early callback has done its work",
        edits: &[edit("timer/pending.rs", "node.set_expired(!restarted);", "node.set_expired(true);")],
        model: "model::a_callback",
    },
    Fault {
        what: "what the clock has reached is still to come",
        edits: &[edit("timer/arm.rs", "let armed = armed_expiry(deadline).0?;
    if ffi::may_run_from(armed) > now", "
            let armed = armed_expiry(deadline).0?;
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
        edits: &[edit("timer/arm.rs", "let now = ffi::ktime_get();
    let armed = armed_expiry(deadline).0?;",
            "let now = MonoNs::new(ffi::ktime_get().get() + 1);
    let armed = armed_expiry(deadline).0?;")],
        model: "model::a_lagging_tsc",
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
        what: "a start does not look at the rate again",
        edits: &[edit("timer/pending.rs", "    if snapshot::generation() != generation && !catch_up(node) {
        cancel(node);
    }
    true", "    let _ = generation;
    true")],
        model: "model::a_start_there",
    },
    Fault {
        what: "a start looks at the rate again before it is pending",
        edits: &[
            edit("timer/pending.rs", "    if node.exchange(State::PENDING) != State::IDLE {
        enqueue(node);
    }
    if snapshot::generation() != generation && ", "
            let is_same = snapshot::generation() == generation;
            if node.exchange(State::PENDING) != State::IDLE {
                enqueue(node);
            }
            if !is_same && "),
        ],
        model: "model::a_start_of_an_idle_timer_there",
    },
    Fault {
        what: "a start is pending before its timer has the expiry",
        edits: &[
            edit("timer/pending.rs", "    trace::arm_node(node, expiry, mode);
", ""),
            edit("timer/pending.rs", "    if snapshot::generation() != generation && !catch_up(node) {
        cancel(node);
    }
    true", "    if snapshot::generation() != generation {
        catch_up(node);
    }
    trace::arm_node(node, expiry, mode);
    true"),
        ],
        model: "model::a_start_there",
    },
    Fault {
        what: "a start does not see that a pass has taken its node off",
        edits: &[edit("timer/pending.rs", "    if node.exchange(State::PENDING) != State::IDLE {
        enqueue(node);
    }
    if snapshot", "    let _ = node.exchange(State::PENDING);
    if snapshot")],
        model: "model::a_start_of_an_idle_timer_there",
    },
    Fault {
        what: "a node that was pending when it was put on a queue is idle",
        edits: &[edit("ffi/locked.rs", "        self.node.compare_exchange(State::AWAY, State::IDLE);",
            "        self.node.exchange(State::IDLE);")],
        model: "model::a_start_of_an_idle_timer_there",
    },
    Fault {
        what: "a node stays where its timer is not",
        edits: &[edit("timer/pending.rs", "    if node.base() != node.timer().base() {
        enqueue(node);
    }", "    if node.queue().is_none() {
        enqueue(node);
    }")],
        model: "model::a_cancel_and_a_start_elsewhere",
    },
    Fault {
        what: "a node goes where its timer is once it is pending",
        edits: &[
            edit("timer/pending.rs", "    if node.base() != node.timer().base() {
        enqueue(node);
    }", "    if node.queue().is_none() {
        enqueue(node);
    }"),
            edit("timer/pending.rs", "    if snapshot::generation() != generation && !catch_up(node) {
        cancel(node);
    }
    true", "    if node.base() != node.timer().base() {
        enqueue(node);
    }
    if snapshot::generation() != generation && !catch_up(node) {
        cancel(node);
    }
    true"),
        ],
        model: "model::a_cancel_and_a_start_elsewhere",
    },
    Fault {
        what: "a node that goes to another queue is on both",
        edits: &[edit("timer/pending.rs", "    while let Some(from) = node.queue().filter(|from| *from != to) {",
            "    while let Some(from) = node.queue().filter(|from| *from != to && false) {")],
        model: "model::a_cancel_and_a_start_elsewhere",
    },
    Fault {
        what: "a node is moved while the module goes",
        edits: &[edit("timer/pending.rs", "        if CLOSED.load() != 0 {
            return;
        }
        // Else", "        // Else")],
        model: "model::a_removal_and_a_start_elsewhere",
    },
    Fault {
        what: "a node is put on a queue while the module goes",
        edits: &[edit("timer/pending.rs", "    if CLOSED.load() != 0 {
        locked.remove();
        return;
    }
", "")],
        model: "model::a_removal",
    },
    Fault {
        what: "a start looks whether the module goes before it has the lock",
        edits: &[edit("timer/pending.rs", "    let mut locked = Locked::to_start(node, to);
    if CLOSED.load() != 0 {", "
            let is_closed = CLOSED.load() != 0;
            let mut locked = Locked::to_start(node, to);
            if is_closed {")],
        model: "model::a_removal",
    },
    Fault {
        what: "a callback does not look at the rate again",
        edits: &[edit("timer/pending.rs", "    if restarted && snapshot::generation() != generation {", "    if restarted && false && 0 != generation {")],
        model: "model::a_callback_after_a_speed_up",
    },
    Fault {
        what: "a callback looks at the rate again before its timer has the expiry",
        edits: &[
            edit("timer/pending.rs", "    let restarted = arm::set_next_expiry(", "
            let again = snapshot::generation();
            let restarted = arm::set_next_expiry("),
            edit("timer/pending.rs", "    if restarted && snapshot::generation() != generation {", "    if restarted && again != generation {"),
        ],
        model: "model::a_callback_after_a_speed_up",
    },
    Fault {
        what: "a callback does not wait until all know the expiry",
        edits: &[edit("timer/pending.rs", "    ffi::smp_mb();
    if restarted", "    if restarted")],
        model: "model::a_callback_after_a_speed_up",
    },
    Fault {
        what: "a start does not say that the timer has not expired",
        edits: &[edit("timer/pending.rs", "    node.set_expired(false);", "")],
        model: "model::a_callback_and_a_start_there",
    },
    Fault {
        what: "a cancel does nothing",
        edits: &[edit("timer/pending.rs", "    match node.compare_exchange(State::PENDING, State::IDLE) {
        State::MOVING => wait(node),", "    match node.state() {
        State::MOVING => wait(node),")],
        model: "model::a_cancel",
    },
    Fault {
        what: "a cancel does not wait for a pass",
        edits: &[edit("timer/pending.rs", "        State::MOVING => wait(node),
        found", "        found")],
        model: "model::a_cancel",
    },
    Fault {
        what: "a pass does not say that it has a timer",
        edits: &[edit("ffi/queue.rs", "self.node.compare_exchange(State::PENDING, State::MOVING)",
            "self.node.compare_exchange(State::PENDING, State::PENDING)")],
        model: "model::a_cancel",
    },
    Fault {
        what: "a pass keeps a timer",
        edits: &[edit("ffi/queue.rs", "        self.0.node.exchange(State::PENDING);", "")],
        model: "model::a_start_and_two_changes",
    },
    Fault {
        what: "a pass leaves idle nodes",
        edits: &[edit("ffi/queue.rs", "                found if self.node.compare_exchange(found, State::AWAY) == found => break,",
            "                State::IDLE => return None,
                found if self.node.compare_exchange(found, State::AWAY) == found => break,")],
        model: "model::an_idle_timer",
    },
    Fault {
        what: "a pass takes off what is being started",
        edits: &[edit("ffi/queue.rs", "                found if self.node.compare_exchange(found, State::AWAY) == found => break,
                _ => (),", "                _ => break,")],
        model: "model::a_start_of_an_idle_timer_there",
    },
    Fault {
        what: "a remove leaves the node where it is",
        edits: &[edit("timer/pending.rs", "    if let Some(locked) = Locked::queued(node) {
        locked.remove();
    }", "")],
        model: "model::a_remove",
    },
    Fault {
        what: "a node that is taken off keeps the number of its CPU",
        edits: &[edit("ffi/node.rs", "        unsafe { self.set_queue(NO_CPU, Base::NONE) };", "")],
        model: "model::a_removal",
    },
    Fault {
        what: "a node that is taken off is on no queue before it is off its list",
        edits: &[edit("ffi/node.rs", "        // SAFETY: The caller promises it.
        unsafe { bindings::rht_queue_remove(self.0.as_ptr()) };
        // SAFETY: As above. This is the last access to the node.
        unsafe { self.set_queue(NO_CPU, Base::NONE) };", "
            unsafe { self.set_queue(NO_CPU, Base::NONE) };
            unsafe { bindings::rht_queue_remove(self.0.as_ptr()) };")],
        model: "model::a_remove",
    },
    Fault {
        what: "a CPU is called for what has expired",
        edits: &[edit("timer/pass.rs", "        if node.is_expired() {", "
            if node.is_expired() && place == Place::Elsewhere { moving.postpone(); return Left::Late; }
            if node.is_expired() {")],
        model: "model::an_expired_timer",
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
