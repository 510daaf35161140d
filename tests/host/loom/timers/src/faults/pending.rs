// SPDX-License-Identifier: GPL-2.0

/// In what is done with pending timers.
#[rustfmt::skip]
pub const PENDING: &[Fault] = &[
    Fault {
        what: "a slow-down asks for no pass",
        edits: &[edit("rearm.rs", "_ if ffi::param_rearm() && ", "_ if false && ")],
        model: "model::a_start",
    },
    Fault {
        what: "the pass is asked for before the new rate is published",
        edits: &[edit("gtod.rs", "    CURRENT.publish(new);\n    let Some((old, _)) = old else {
        return;
    };", "
            let Some((old, _)) = old else {
                CURRENT.publish(new);
                return;
            };
            rearm::notice(new, stepped || old.tsc != new.tsc);
            CURRENT.publish(new);")],
        model: "model::a_start",
    },
    Fault {
        what: "a start reads the rate before it has the lock",
        edits: &[
            edit("rearm.rs", "let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
        if is_there", "let Some(expiry) = expiry else {
        if is_there"),
            edit("rearm.rs", "let (queue, is_there) = lock_to_start(node);", "
                occupied::announce();
                let expiry = hrtimer::armed_expiry(node.deadline());
                let (queue, is_there) = lock_to_start(node);"),
        ],
        model: "model::a_start",
    },
    Fault {
        what: "a start gives the lock up before the timer is queued",
        edits: &[edit("rearm.rs", "        queue.add(node);
    }
", "
                queue.add(node);
            }
            drop(queue);")],
        model: "model::a_start",
    },
    Fault {
        what: "a pass finds no node due",
        edits: &[edit("ffi/node.rs", "unsafe { self.due().splice(self.pending()) };", "")],
        model: "model::a_start",
    },
    Fault {
        what: "a pass moves the timers that would be early",
        edits: &[edit("rearm.rs", "expiry >= timer.expires()", "expiry <= timer.expires()")],
        model: "model::a_start",
    },
    Fault {
        what: "a node is lost once it was looked at",
        edits: &[edit("ffi/node.rs", "        // SAFETY: It was just taken off its list, and the lock is held.
        unsafe { self.pending().append(node.link()) };", "")],
        model: "model::two_timers_and_two_changes",
    },
    Fault {
        what: "one batch is all",
        edits: &[edit("rearm.rs", "        ffi::rearm_more(cpu);", "")],
        model: "model::two_timers",
    },
    Fault {
        what: "an offline CPU's queue is left alone",
        edits: &[edit("rearm.rs", "        called(call.cpu());", "")],
        model: "model::an_offline_cpu",
    },
    Fault {
        what: "two passes call a CPU at the same time",
        edits: &[edit("ffi/node.rs", "(!called).then_some(", "(called || true).then_some(")],
        model: "model::two_passes_and_a_timer",
    },
    Fault {
        what: "who is called does not say so",
        edits: &[edit("rearm.rs", "    queue.answer();\n", "")],
        model: "model::a_start_and_two_changes",
    },
    Fault {
        what: "a drift in single units is never a change",
        edits: &[edit("rearm.rs", "if !stepped && rate.mult() <= fastest => return,",
            "if !stepped && rate.mult() <= fastest => (),")],
        model: "model::a_drift",
    },
    Fault {
        what: "a drift counts from a rate that is not the fastest",
        edits: &[edit("rearm.rs", "if !stepped && rate.mult() <= fastest => return,",
            "if !stepped => { let _ = fastest; return }")],
        model: "model::a_drift_from_above",
    },
    Fault {
        what: "a running callback is not waited for",
        edits: &[edit("rearm.rs", "                queue.postpone(node);
                return true;", "")],
        model: "model::a_callback",
    },
    Fault {
        what: "a timer that was postponed is not due",
        edits: &[edit("ffi/node.rs", "unsafe { self.due().append(node.link()) };",
            "unsafe { self.pending().append(node.link()) };")],
        model: "model::a_callback",
    },
    Fault {
        what: "an expired timer whose callback runs is forgotten",
        edits: &[edit("rearm.rs", "            if !timer.is_active() {", "            {")],
        model: "model::a_periodic_callback",
    },
    Fault {
        what: "a callback reads the rate without the lock",
        edits: &[
            edit("rearm.rs", "    let queue = Queue::lock_of(node);
    // One", "    // One"),
            edit("rearm.rs", "    node.set_expired(!moved);", "
                let queue = Queue::lock_of(node);
                node.set_expired(!moved);"),
        ],
        model: "model::a_callback_after_a_speed_up",
    },
    Fault {
        what: "an early callback has done its work",
        edits: &[edit("rearm.rs", "node.set_expired(!moved);", "node.set_expired(true);")],
        model: "model::a_callback",
    },
    Fault {
        what: "what the clock has reached is still to come",
        edits: &[edit("hrtimer.rs", "    if armed > now {", "    if armed >= now {")],
        model: "model::a_lagging_tsc",
    },
    Fault {
        what: "what the clock has reached exactly is still to come",
        edits: &[edit("hrtimer.rs", "*exact > now)", "*exact >= now)")],
        model: "model::a_lagging_tsc",
    },
    Fault {
        what: "what the clock reaches next is over",
        edits: &[edit("hrtimer.rs", "let now = ffi::ktime_get();",
            "let now = MonoNs::new(ffi::ktime_get().get() + 1);")],
        model: "model::a_lagging_tsc",
    },
    Fault {
        what: "a start does not say that the timer is pending again",
        edits: &[edit("rearm.rs", "    node.set_expired(false);", "")],
        model: "model::a_callback_and_a_start_there",
    },
    Fault {
        what: "a start leaves the node on another CPU's queue",
        edits: &[edit("rearm.rs", "(fetch(queue, node), false)", "(queue, false)")],
        model: "model::a_callback_and_a_start_elsewhere",
    },
    Fault {
        what: "a pass leaves what has expired",
        edits: &[edit("rearm.rs", "        if node.is_expired() {", "        if false {")],
        model: "model::an_expired_timer",
    },
    Fault {
        what: "a cancel leaves the node where it is",
        edits: &[edit("rearm.rs", "    if let Some(queue) = Queue::lock_of(node) {
        queue.remove(node);
    }", "")],
        model: "model::a_cancel",
    },
    Fault {
        what: "a node that was taken off a queue does not say so",
        edits: &[edit("ffi/node.rs", "unsafe { node.set_cpu(NO_CPU) };", "")],
        model: "model::a_removal",
    },
    Fault {
        what: "a start looks whether the module goes before it has the lock",
        edits: &[
            edit("rearm.rs", "!is_there && CLOSED.load() == 0", "!is_there && open"),
            edit("rearm.rs", "let (queue, is_there) = lock_to_start(node);", "
                let open = CLOSED.load() == 0;
                let (queue, is_there) = lock_to_start(node);"),
        ],
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not say so",
        edits: &[edit("rearm.rs", "    CLOSED.store_release(1);", "")],
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not empty the queues",
        edits: &[edit("rearm.rs", "        Queue::lock(cpu).clear();", "        Queue::lock(cpu);")],
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not wait for interrupts",
        edits: &[edit("rearm.rs", "        ffi::pass_flush();", "")],
        model: "model::a_removal",
    },
];
