// SPDX-License-Identifier: GPL-2.0

//! The planted faults are where they were after a renaming in the sources.

#[path = "../../../plant.rs"]
mod plant;

use raw_hrtimer_loom_timers::{
    faults,
    Edit,
    SCALED,
    WATCHED, //
};
use std::{
    fs,
    path::Path, //
};

/// The module's file, or the mock of it.
fn source(file: &str) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours = here.join("../../../../rust").join(file);

    fs::read_to_string(ours)
        .or_else(|_| fs::read_to_string(here.join("mock").join(file)))
        .expect("a source")
}

#[test]
fn each_edit_survives_a_renaming() {
    let lost = |edits: &[Edit]| -> Vec<String> {
        edits
            .iter()
            .filter_map(|edit| {
                let text = source(edit.file);
                let planted = plant::plant_for_good(&text, edit.before, edit.after);
                Some(format!("{}: {}", edit.file, planted.err()?))
            })
            .collect()
    };
    let lost: Vec<_> = [SCALED, WATCHED]
        .into_iter()
        .chain(faults().map(|fault| fault.edits))
        .flat_map(lost)
        .collect();

    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
