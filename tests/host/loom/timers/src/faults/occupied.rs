// SPDX-License-Identifier: GPL-2.0

/// In what says whether any timer is pending.
#[rustfmt::skip]
pub const OCCUPIED: &[Fault] = &[
    Fault {
        what: "a start does not say that it puts a node on a queue",
        edits: &[edit("timer/pending.rs", "    locked.add();
    occupied::set();", "    locked.add();")],
        model: "model::a_start_there",
    },
    Fault {
        what: "a node that is on another queue is not said to be there",
        edits: &[edit("timer/pending.rs", "            occupied::set();
            return;", "            return;")],
        model: "model::a_pass_and_a_start_elsewhere",
    },
    Fault {
        what: "a pass that has taken all nodes off has found some",
        edits: &[edit("timer/pass.rs", "            found |= serve(queue, Place::Elsewhere);", "            found = true;
            serve(queue, Place::Elsewhere);")],
        model: "model::an_idle_timer",
    },
    Fault {
        what: "the listener asks before all know of the rate",
        edits: &[edit("timer/occupied.rs", "    smp_mb();
    STATE.load() != EMPTY", "    STATE.load() != EMPTY")],
        model: "model::a_start_there",
    },
    Fault {
        what: "a look that has found a node takes back what was said",
        edits: &[edit("timer/pass.rs", "    if !found {
        visit", "    {
        visit")],
        model: "model::two_timers_and_two_changes",
    },
    Fault {
        what: "a look takes back what was said while it looked",
        edits: &[edit("timer/occupied.rs", "STATE.cmpxchg(self.0, EMPTY);", "STATE.xchg(EMPTY);")],
        model: "model::two_passes",
    },
    Fault {
        what: "a look takes back what was said before another one",
        edits: &[edit("timer/occupied.rs", "FIRST_TOKEN + cpu.number() as u64", "FIRST_TOKEN + 0 * cpu.number() as u64")],
        model: "model::two_passes",
    },
    Fault {
        what: "a look takes nothing back",
        edits: &[edit("timer/occupied.rs", "STATE.cmpxchg(self.0, EMPTY);", "")],
        model: "model::nothing_pending",
    },
];
