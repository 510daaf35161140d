// SPDX-License-Identifier: GPL-2.0

//! `plant FILE BEFORE AFTER` prints the file with a fault in it, which a renaming in that file would
//! leave there.

#[path = "../plant.rs"]
mod plant;

use std::{
    env,
    fs,
    process::ExitCode, //
};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [file, before, after] = &arguments[..] else {
        eprintln!("usage: plant FILE BEFORE AFTER");
        return ExitCode::from(2);
    };
    let source = fs::read_to_string(file).expect("a source");

    match plant::plant_for_good(&source, before, after) {
        Ok(planted) => print!("{planted}"),
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
