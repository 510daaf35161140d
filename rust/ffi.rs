// SPDX-License-Identifier: GPL-2.0

//! The only user of the generated bindings, and the only unsafe code.
//!
//! Each part turns what C gives into a type that upholds its own invariants; what the rest of the
//! crate sees is safe. Only [`entry`], which C calls, imports the rest of the crate, and nothing
//! imports that.

mod bindings;
mod chain;
mod clock;
mod compat;
pub(crate) mod counter;
mod cpu;
mod debugfs;
pub(crate) mod entries;
mod entry;
mod hooks;
mod locked;
mod node;
mod params;
mod pass;
mod pool;
mod provider;
mod queue;
pub(crate) mod table;
mod timer;
pub(crate) mod trace;
mod word;

pub(crate) use clock::{
    clockevent_counts_tsc,
    event_expiry,
    ktime_get,
    mark,
    rdtsc,
    renew_elsewhere,
    renew_event,
    set_mark,
    tsc_khz,
    tsc_restarted,
    uncoupled,
    GtodListener,
    CSID_X86_TSC,
    UNCOUPLED, //
};
use compat::EOPNOTSUPP;
pub(crate) use compat::{
    eopnotsupp,
    may_run_from,
    SLACK, //
};
pub(crate) use cpu::{
    possible_cpus,
    Call,
    Cpu, //
};
pub(crate) use debugfs::DebugfsFiles;
pub(crate) use hooks::{
    hooks_possible,
    hooks_stay_if_stuck,
    HrtimerHooks,
    Module,
    Target, //
};
pub(crate) use locked::{
    Locked,
    Two, //
};
pub(crate) use node::{
    Node,
    State, //
};
pub(crate) use params::{
    param_attach,
    param_rearm,
    Attach, //
};
pub(crate) use pass::{
    pass_queue,
    rearm_more,
    rearm_on,
    Queues, //
};
pub(crate) use provider::{
    KvmNotifier,
    Registration, //
};
pub(crate) use queue::Queue;
pub(crate) use timer::{
    warn_clock,
    warn_mode,
    Cancel,
    Mode,
    Timer, //
};
pub(crate) use word::{
    cpu_relax,
    smp_mb,
    Word, //
};
