// SPDX-License-Identifier: GPL-2.0

//! The bookkeeping of pending and of hooked timers under loom: no re-arm is lost, nothing is touched
//! after its removal, in every interleaving with as many preemptions as stated.

mod explore;

use explore::explore;
use raw_hrtimer_loom_timers::scaled::{
    hooks,
    listener,
    model, //
};
use std::env;

/// Of a model that is to hold; the environment variable `PREEMPTIONS` asks for more.
const PREEMPTIONS: usize = 2;

/// How many interleavings there are at least; so that a model which loom does not take apart, or
/// which does not meet what it is about, cannot pass.
const MODELS: &[(&str, fn(), usize)] = &[
    ("a_start", model::a_start, 10),
    ("a_start_there", model::a_start_there, 10),
    ("two_on_a_cpu", model::two_on_a_cpu, 1),
    (
        "a_start_and_two_changes",
        model::a_start_and_two_changes,
        10,
    ),
    (
        "a_start_beside_another_there",
        model::a_start_beside_another_there,
        500,
    ),
    (
        "a_start_beside_another_elsewhere",
        model::a_start_beside_another_elsewhere,
        500,
    ),
    ("a_callback", model::a_callback, 100),
    ("a_periodic_callback", model::a_periodic_callback, 100),
    (
        "a_cancel_and_a_periodic_callback",
        model::a_cancel_and_a_periodic_callback,
        1000,
    ),
    (
        "a_callback_after_a_speed_up",
        model::a_callback_after_a_speed_up,
        100,
    ),
    ("a_callback_in_time", model::a_callback_in_time, 100),
    ("a_lagging_tsc", model::a_lagging_tsc, 1),
    (
        "a_callback_and_a_start_there",
        model::a_callback_and_a_start_there,
        100,
    ),
    (
        "a_callback_and_a_start_elsewhere",
        model::a_callback_and_a_start_elsewhere,
        100,
    ),
    ("an_expired_timer", model::an_expired_timer, 1),
    ("two_expired_timers", model::two_expired_timers, 1),
    ("a_timer_in_time", model::a_timer_in_time, 1),
    ("a_timer_that_stays", model::a_timer_that_stays, 1),
    (
        "a_start_on_an_isolated_cpu",
        model::a_start_on_an_isolated_cpu,
        10,
    ),
    (
        "a_pass_and_a_start_on_an_isolated_cpu",
        model::a_pass_and_a_start_on_an_isolated_cpu,
        40,
    ),
    (
        "a_callback_and_a_start_on_an_isolated_cpu",
        model::a_callback_and_a_start_on_an_isolated_cpu,
        100,
    ),
    (
        "a_callback_in_time_on_an_isolated_cpu",
        model::a_callback_in_time_on_an_isolated_cpu,
        50,
    ),
    ("a_long_callback", model::a_long_callback, 1),
    ("a_remove", model::a_remove, 50),
    ("a_cancel", model::a_cancel, 50),
    (
        "a_cancel_and_a_start_there",
        model::a_cancel_and_a_start_there,
        50,
    ),
    (
        "a_cancel_and_a_start_elsewhere",
        model::a_cancel_and_a_start_elsewhere,
        50,
    ),
    (
        "a_start_of_a_pending_timer",
        model::a_start_of_a_pending_timer,
        50,
    ),
    (
        "a_start_of_a_pending_timer_and_a_remove",
        model::a_start_of_a_pending_timer_and_a_remove,
        50,
    ),
    (
        "a_start_of_an_idle_timer_there",
        model::a_start_of_an_idle_timer_there,
        50,
    ),
    (
        "a_start_of_an_idle_timer_elsewhere",
        model::a_start_of_an_idle_timer_elsewhere,
        50,
    ),
    (
        "a_pass_and_a_start_elsewhere",
        model::a_pass_and_a_start_elsewhere,
        50,
    ),
    ("an_idle_timer", model::an_idle_timer, 1),
    (
        "a_cancel_and_an_early_callback",
        model::a_cancel_and_an_early_callback,
        1000,
    ),
    (
        "a_cancel_and_a_callback_in_time",
        model::a_cancel_and_a_callback_in_time,
        1000,
    ),
    ("two_timers", model::two_timers, 100),
    (
        "two_timers_and_two_changes",
        model::two_timers_and_two_changes,
        50,
    ),
    ("a_drift", model::a_drift, 1),
    ("a_drift_from_above", model::a_drift_from_above, 1),
    ("two_passes", model::two_passes, 500),
    ("two_passes_and_a_timer", model::two_passes_and_a_timer, 400),
    ("nothing_pending", model::nothing_pending, 50),
    ("an_offline_cpu", model::an_offline_cpu, 2),
    ("a_removal", model::a_removal, 100),
    (
        "a_removal_and_a_start_elsewhere",
        model::a_removal_and_a_start_elsewhere,
        100,
    ),
    (
        "a_removal_and_an_isolated_cpu",
        model::a_removal_and_an_isolated_cpu,
        100,
    ),
    ("listener: a_change", listener::a_change, 1),
    ("listener: a_first_update", listener::a_first_update, 1),
    ("listener: a_step", listener::a_step, 1),
    ("listener: a_restarted_tsc", listener::a_restarted_tsc, 1),
    ("listener: a_steady_clock", listener::a_steady_clock, 1),
    (
        "hooks: a_first_start_and_a_lookup",
        hooks::a_first_start_and_a_lookup,
        10,
    ),
    ("hooks: two_first_starts", hooks::two_first_starts, 10),
    ("hooks: a_cancel", hooks::a_cancel, 50),
    ("hooks: a_try_to_cancel", hooks::a_try_to_cancel, 50),
    ("hooks: a_destroy", hooks::a_destroy, 50),
    (
        "hooks: a_destroy_and_a_lookup",
        hooks::a_destroy_and_a_lookup,
        10,
    ),
    (
        "hooks: a_destroy_and_an_early_callback",
        hooks::a_destroy_and_an_early_callback,
        10,
    ),
    (
        "hooks: a_destroy_and_a_callback_in_time",
        hooks::a_destroy_and_a_callback_in_time,
        10,
    ),
    (
        "hooks: a_destroy_and_a_first_start",
        hooks::a_destroy_and_a_first_start,
        10,
    ),
    (
        "hooks: another_clocksource_and_a_first_start",
        hooks::another_clocksource_and_a_first_start,
        100,
    ),
    (
        "hooks: another_clocksource_and_a_destroy",
        hooks::another_clocksource_and_a_destroy,
        2,
    ),
    ("hooks: an_empty_pool", hooks::an_empty_pool, 10),
    ("hooks: a_removal", hooks::a_removal, 10),
];

#[test]
fn all_models_hold_and_meet_what_they_are_about() {
    let preemptions = env::var("PREEMPTIONS").map(|more| more.parse().expect("a number"));
    let preemptions = preemptions.unwrap_or(PREEMPTIONS);

    for (name, model, least) in MODELS {
        let runs = explore(*model, preemptions);

        println!("{name}: {runs} interleavings");
        assert!(runs >= *least, "{name}: {runs} interleavings explored");
    }
    let met = model::met();
    for what in [
        "STARTS",
        "RESTARTS",
        "PASSES",
        "REARMS",
        "RATE_CHANGES",
        "cancel: dequeued",
        "cancel: not queued",
        "cancel: running",
        "asked for already",
        "more",
        "two queues",
        "NO_ROOM",
        "an entry waits for a reader",
    ] {
        assert!(met.contains_key(what), "{what} is not met: {met:?}");
    }
}
