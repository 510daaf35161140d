// SPDX-License-Identifier: GPL-2.0

//! Each planted fault is noticed by the model that is about it.

mod explore;

use explore::explore;
use raw_hrtimer_loom_timers::{
    faults,
    NOTICED, //
};
use std::panic::catch_unwind;

/// Of one that is to notice a fault.
const TO_NOTICE: usize = 3;

/// How the models say that something is wrong.
const VERDICTS: &[&str] = &[
    "late: ",
    "the timer is lost",
    "a timer is used after its owner has freed it",
    "a node is touched after its owner has freed it",
    "a node is still on a queue",
    "a timer is not its owner's alone",
    "a timer is back",
    "a queue is not empty",
    "an interrupt is not over",
    "it is another TSC",
    "a CPU is called twice at once",
    "another state is published",
    "another line is published",
    "what is known is published again",
    "a pass that is for nothing",
    "a callback runs again at once, or too early",
    "an isolated CPU is interrupted",
    "a CPU is called for nothing",
    "a timer moves to another CPU",
    "a look comes too soon or too late",
    // Loom's own: a list that is torn has no end.
    "Model exceeded maximum number of branches",
    "a record is lost",
    "a record is another's",
    "a pending timer's is taken",
    "none is pending",
    "one of two has room",
    "it is still there",
    "an entry is lost",
    "an entry is used after it was freed",
    "an entry is freed twice",
    "an entry is found before it is filled",
    "a timer's entry is not found",
    "a timer that is gone has an entry",
    "another number of timers has an entry",
    "an old deadline is known",
    "a timer is moved for an old deadline",
    "a start is left to KVM",
    "one entry is not for one timer",
    // Loom's own: what an entry is filled with is read without knowing that it was filled.
    "Causality violation",
];

#[test]
fn each_planted_fault_is_found() {
    let mut unnoticed = Vec::new();

    for (fault, model) in faults().zip(NOTICED) {
        let found = catch_unwind(|| explore(*model, TO_NOTICE));

        let Err(said) = found else {
            unnoticed.push(fault.what);
            continue;
        };
        let said = match said.downcast_ref::<String>() {
            Some(said) => said,
            None => *said.downcast_ref::<&str>().expect("a text"),
        };
        assert!(
            VERDICTS.iter().any(|verdict| said.starts_with(verdict)),
            "{}: {said}",
            fault.what
        );
        println!("{}: noticed by {}", fault.what, fault.model);
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}
