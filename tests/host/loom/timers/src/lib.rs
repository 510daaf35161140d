// SPDX-License-Identifier: GPL-2.0

//! The bookkeeping of timers, the module's own files on a kernel of loom's, for loom to run.

mod variants {
    include!("variants.rs");
}

pub use variants::{
    faults,
    Edit,
    SCALED,
    WATCHED, //
};

include!(concat!(env!("OUT_DIR"), "/variants.rs"));
