// SPDX-License-Identifier: GPL-2.0

//! The bookkeeping of timers, the module's own files on a kernel of loom's, for loom to run.

#[expect(dead_code, reason = "the build script uses the rest")]
mod variants {
    include!("variants.rs");
}

pub use variants::faults;

include!(concat!(env!("OUT_DIR"), "/variants.rs"));
