// SPDX-License-Identifier: GPL-2.0

//! One model under loom.

use loom::model::Builder;
use std::sync::{
    atomic::{
        AtomicUsize,
        Ordering::Relaxed, //
    },
    Arc, //
};

/// Runs a model in all interleavings with so many preemptions; returns how many there were.
pub fn explore(model: fn(), preemptions: usize) -> usize {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 100_000;

    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    runs.load(Relaxed)
}
