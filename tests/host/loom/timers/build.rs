// SPDX-License-Identifier: GPL-2.0

//! Puts the module's files and the mocks together, once as they are and, with the feature `faults`,
//! once for each planted fault.
//!
//! A copy differs from its source in where its modules are, in that what is volatile is an access
//! that loom knows of, as are those that `src` names, and in the constants and faults that are in
//! `src`.

use std::{
    env,
    fmt::Write,
    fs,
    path::Path, //
};

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../../plant.rs"]
mod plant;

include!("src/variants.rs");

const MODULE: [&str; 28] = [
    "units.rs",
    "clock/deadline.rs",
    "clock/frequency.rs",
    "clock/latch.rs",
    "clock/margin.rs",
    "clock/rate.rs",
    "clock/ratio.rs",
    "clock/snapshot.rs",
    "clock/update.rs",
    "kvm/convert.rs",
    "kvm/hooked.rs",
    "kvm/periodic.rs",
    "kvm/unseen.rs",
    "timer/arm.rs",
    "timer/event.rs",
    "timer/occupied.rs",
    "timer/pass.rs",
    "timer/pending.rs",
    "timer/uncoupled.rs",
    "ffi/chain.rs",
    "ffi/cpu.rs",
    "ffi/entries.rs",
    "ffi/locked.rs",
    "ffi/node.rs",
    "ffi/pool.rs",
    "ffi/queue.rs",
    "ffi/table.rs",
    "ffi/timer.rs",
];

const MOCKS: [&str; 10] = [
    "counters.rs",
    "ffi/mod.rs",
    "ffi/bindings.rs",
    "ffi/entry.rs",
    "ffi/hooks.rs",
    "ffi/queues.rs",
    "hooks.rs",
    "kvm/cover.rs",
    "listener.rs",
    "model.rs",
];

/// Folders whose file of declarations is not copied, but made.
const ROOMS: [&str; 3] = ["clock", "kvm", "timer"];

fn copy(from: &Path, to: &Path, variant: &str, edits: &[Edit], file: &str) {
    println!("cargo::rerun-if-changed={}", from.display());
    let mut text = fs::read_to_string(from).expect("a source");

    for edit in edits.iter().filter(|edit| edit.file == file) {
        text = plant::plant(&text, edit.before, edit.after)
            .unwrap_or_else(|reason| panic!("{file}: adapt src, {reason}"));
    }
    text = text
        .replace("crate::", &format!("crate::{variant}::"))
        .replace(".read_volatile()", ".read_marked()")
        .replace(".write_volatile(", ".write_marked(");
    if text.contains("_marked(") && !file.ends_with("bindings.rs") {
        text += "\nuse super::bindings::Marked as _;\n";
    }
    if file == "ffi/mod.rs" {
        let inside = |file: &&str| file.starts_with("ffi/") && !file.ends_with("/mod.rs");

        for file in MODULE.iter().chain(&MOCKS).copied().filter(inside) {
            let name = file.trim_start_matches("ffi/").trim_end_matches(".rs");
            writeln!(text, "pub(crate) mod {name};").expect("a string");
        }
    }
    fs::create_dir_all(to.parent().expect("a folder")).expect("can be made");
    fs::write(to, text).expect("can be written");
}

/// Declares the modules in a room, or those outside of all. `ffi/mod.rs` declares its own.
fn modules(folder: &Path, room: &str) -> String {
    let mut text = String::new();

    for file in MODULE.iter().chain(&MOCKS) {
        let path = folder.join(file);
        let (place, name) = file.rsplit_once('/').unwrap_or(("", file));
        let (place, name) = match name {
            "mod.rs" => ("", place),
            _ => (place, name.trim_end_matches(".rs")),
        };
        if place == room {
            writeln!(text, "#[path = {path:?}]\npub mod {name};").expect("a string");
        }
    }
    text
}

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo");
    let out = env::var("OUT_DIR").expect("cargo");
    let (here, out) = (Path::new(&here), Path::new(&out));
    let mut root = String::new();

    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=../../plant.rs");
    let planting = env::var_os("CARGO_FEATURE_FAULTS").is_some();
    let planted: Vec<_> = faults().filter(|_| planting).enumerate().collect();
    let copies = planted.iter().map(|&(n, fault)| {
        (
            format!("fault_{n}"),
            [WATCHED, SCALED, fault.edits].concat(),
        )
    });
    let whole = [
        ("unchanged".to_owned(), WATCHED.to_vec()),
        ("scaled".to_owned(), [WATCHED, SCALED].concat()),
    ];

    for (variant, edits) in whole.into_iter().chain(copies) {
        let folder = out.join(&variant);
        for file in MODULE {
            let source = here.join("../../../../rust").join(file);
            copy(&source, &folder.join(file), &variant, &edits, file);
        }
        for file in MOCKS {
            let source = here.join("mock").join(file);
            copy(&source, &folder.join(file), &variant, &edits, file);
        }
        writeln!(root, "#[allow(unused)]\npub mod {variant} {{").expect("a string");
        root += &modules(&folder, "");
        for room in ROOMS {
            let inside = modules(&folder, room);
            writeln!(root, "pub mod {room} {{\nuse super::units;\n{inside}}}").expect("a string");
        }
        root += "}\n";
    }
    // The model that has to notice each.
    root += "pub const NOTICED: &[fn()] = &[";
    for (n, fault) in planted {
        write!(root, "fault_{n}::{},", fault.model).expect("a string");
    }
    root += "];\n";
    fs::write(out.join("variants.rs"), root).expect("can be written");
}
