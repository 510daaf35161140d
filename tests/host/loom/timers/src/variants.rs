// SPDX-License-Identifier: GPL-2.0

// What is changed in copies of the sources. Part of the crate and of its build script.

/// A text that is in a file once, and what it is made.
#[derive(Clone, Copy)]
pub struct Edit {
    pub file: &'static str,
    pub before: &'static str,
    pub after: &'static str,
}

const fn edit(file: &'static str, before: &'static str, after: &'static str) -> Edit {
    Edit {
        file,
        before,
        after,
    }
}

/// An edit that is wrong, and the model that notices it.
pub struct Fault {
    pub what: &'static str,
    pub edit: Edit,
    pub model: &'static str,
}

/// Sizes that a model can exhaust, in all copies.
#[rustfmt::skip]
pub const SCALED: &[Edit] = &[
    edit("rearm.rs", "const BATCH: usize = 32;", "const BATCH: usize = 1;"),
    edit("records.rs", "const WAYS: usize = 4;", "const WAYS: usize = 2;"),
    edit("records.rs", "const SETS: usize = 1024;", "const SETS: usize = 1;"),
];

/// What is planted.
#[rustfmt::skip]
pub const FAULTS: &[Fault] = &[
    Fault {
        what: "a slow-down asks for no pass",
        edit: edit("rearm.rs", "_ if ffi::param_rearm() => ffi::pass_queue(),", "_ if false => (),"),
        model: "model::a_start",
    },
    Fault {
        what: "the pass is asked for before the new rate is published",
        edit: edit("gtod.rs", "    CURRENT.publish(new);\n\n    if old.tsc", "
            rearm::notice(new, stepped || old.tsc != new.tsc);
            CURRENT.publish(new);
            if old.tsc"),
        model: "model::a_start",
    },
    Fault {
        what: "a start reads the rate before it has the lock",
        edit: edit("rearm.rs", "    let queue = Queue::lock_local();
    let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
        return false;
    };", "
            let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
                return false;
            };
            let queue = Queue::lock_local();"),
        model: "model::a_start",
    },
    Fault {
        what: "a start gives the lock up before the timer is queued",
        edit: edit("rearm.rs", "        queue.add(node);
    }
", "
                queue.add(node);
            }
            drop(queue);"),
        model: "model::a_start",
    },
    Fault {
        what: "a pass finds no node due",
        edit: edit("ffi/node.rs", "unsafe { self.due().splice(self.pending()) };", ""),
        model: "model::a_start",
    },
    Fault {
        what: "a pass moves the timers that would be early",
        edit: edit("rearm.rs", "expiry >= timer.expires()", "expiry <= timer.expires()"),
        model: "model::a_start",
    },
    Fault {
        what: "a node is lost once it was looked at",
        edit: edit("ffi/node.rs", "        // SAFETY: It was just taken off its list, and the lock is held.
        unsafe { self.pending().append(node.link()) };", ""),
        model: "model::two_timers_and_two_changes",
    },
    Fault {
        what: "one batch is all",
        edit: edit("rearm.rs", "        ffi::rearm_more(cpu);", ""),
        model: "model::two_timers",
    },
    Fault {
        what: "an offline CPU's queue is left alone",
        edit: edit("rearm.rs", "            rearm(cpu);", ""),
        model: "model::an_offline_cpu",
    },
    Fault {
        what: "a drift in single units is never a change",
        edit: edit("rearm.rs", "Some(Change::Steady) if !stepped => return,",
            "Some(Change::Steady) if !stepped => (),"),
        model: "model::a_drift",
    },
    Fault {
        what: "a running callback is not made up for",
        edit: edit("rearm.rs", "Cancel::Running => AGAIN.store_release(1)", "Cancel::Running => ()"),
        model: "model::a_callback",
    },
    Fault {
        what: "nothing is made up for",
        edit: edit("rearm.rs", "if AGAIN.load() != 0", "if false"),
        model: "model::a_callback",
    },
    Fault {
        what: "what a pass that was asked for finds is cleared",
        edit: edit("rearm.rs", "        AGAIN.store_release(0);
        ffi::pass_queue();", "
            ffi::pass_queue();
            AGAIN.store_release(0);"),
        model: "model::a_callback_and_an_update",
    },
    Fault {
        what: "a callback reads the rate without the lock",
        edit: edit("rearm.rs", "    let queue = Queue::lock_of(node);

    if !hrtimer::finish(node.timer(), node.deadline()) {
        return true;
    }", "
            if !hrtimer::finish(node.timer(), node.deadline()) {
                return true;
            }
            let queue = Queue::lock_of(node);"),
        model: "model::a_callback_after_a_speed_up",
    },
    Fault {
        what: "a callback in time leaves the node where it is",
        edit: edit("rearm.rs", "    if let Some(queue) = queue {
        queue.remove(node);
    }", ""),
        model: "model::a_callback_in_time",
    },
    Fault {
        what: "a cancel leaves the node where it is",
        edit: edit("rearm.rs", "    if let Some(queue) = Queue::lock_of(node) {
        queue.remove(node);
    }", ""),
        model: "model::a_cancel",
    },
    Fault {
        what: "a node that was taken off a queue does not say so",
        edit: edit("ffi/node.rs", "unsafe { node.set_cpu(NO_CPU) };", ""),
        model: "model::a_removal",
    },
    Fault {
        what: "a start looks whether the module goes before it has the lock",
        edit: edit("rearm.rs", "    let queue = Queue::lock_local();
    let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
        return false;
    };
    if CLOSED.load() == 0 {", "
            let open = CLOSED.load() == 0;
            let queue = Queue::lock_local();
            let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
                return false;
            };
            if open {"),
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not say so",
        edit: edit("rearm.rs", "    CLOSED.store_release(1);", ""),
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not empty the queues",
        edit: edit("rearm.rs", "        Queue::lock(cpu).clear();", "        Queue::lock(cpu);"),
        model: "model::a_removal",
    },
    Fault {
        what: "a removal does not wait for interrupts",
        edit: edit("rearm.rs", "        ffi::pass_flush();", ""),
        model: "model::a_removal",
    },
    Fault {
        what: "a record is claimed that is not stale any more",
        edit: edit("records.rs", "self.deadline.cmpxchg(deadline, CLAIMED, Acquire).is_ok()",
            "{ let _ = deadline; self.deadline.store(CLAIMED, Relaxed); true }"),
        model: "table::a_new_arming_and_another",
    },
    Fault {
        what: "the deadline is stored before it is whose",
        edit: edit("records.rs", "        self.key.store(key.0, Relaxed);", "
            self.deadline.store(record.deadline.get(), Release);
            self.key.store(key.0, Relaxed);"),
        model: "table::a_find",
    },
    Fault {
        what: "a record is found without what was stored before its deadline",
        edit: edit("records.rs", "let deadline = self.deadline.load(Acquire);",
            "let deadline = self.deadline.load(Relaxed);"),
        model: "table::a_find",
    },
    Fault {
        what: "a deadline is stored without what comes before it",
        edit: edit("records.rs", "self.deadline.store(deadline, Release);",
            "self.deadline.store(deadline, Relaxed);"),
        model: "table::a_find",
    },
    Fault {
        what: "a find does not see that the record was taken meanwhile",
        edit: edit("records.rs",
            "if entry.deadline.cmpxchg(deadline, deadline, Release).is_ok() {", "if true {"),
        model: "table::a_find",
    },
    Fault {
        what: "a pending timer's record is taken",
        edit: edit("records.rs", "Cycles::new(deadline) < now && entry.claim(deadline)",
            "(Cycles::new(deadline) < now || now.get() == 100) && entry.claim(deadline)"),
        model: "table::a_pending_timer",
    },
    Fault {
        what: "a timer does not use its own record again",
        edit: edit("records.rs", "            if let Some(deadline) = entry.deadline_of(key) {
                if entry.claim(deadline) {", "
            if let Some(deadline) = entry.deadline_of(key) {
                if false {"),
        model: "table::a_pending_timer",
    },
    Fault {
        what: "a record that is being filled does not count as pending",
        edit: edit("records.rs", "entries.any(|entry| Cycles::new(entry.deadline.load(Relaxed)) >= now)",
            "entries.any(|entry| (now.get()..CLAIMED).contains(&entry.deadline.load(Relaxed)))"),
        model: "table::a_pending_timer",
    },
    Fault {
        what: "a removal leaves the record",
        edit: edit("records.rs", "let _ = entry.deadline.cmpxchg(deadline, FREE, Release);", ""),
        model: "table::a_removal",
    },
    Fault {
        what: "a removal takes the record of whoever has taken it",
        edit: edit("records.rs", "let _ = entry.deadline.cmpxchg(deadline, FREE, Release);",
            "entry.deadline.store(FREE, Release);"),
        model: "table::a_removal",
    },
];
