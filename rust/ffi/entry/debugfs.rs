// SPDX-License-Identifier: GPL-2.0

//! The files in debugfs.

use super::super::bindings;
use crate::debugfs;

use kernel::seq_file::SeqFile;

entries! {
    /// # Safety
    ///
    /// For the shim's file alone: `seq` is one that is being shown. Process context.
    fn rust_raw_hrtimer_show_rate(seq: *mut bindings::seq_file) {
        // SAFETY: The caller promises it, for the length of this call.
        debugfs::show_rate(unsafe { SeqFile::from_raw(seq) });
    }

    /// # Safety
    ///
    /// For the shim's file alone: `seq` is one that is being shown. Process context.
    fn rust_raw_hrtimer_show_counters(seq: *mut bindings::seq_file) {
        // SAFETY: The caller promises it, for the length of this call.
        debugfs::show_counters(unsafe { SeqFile::from_raw(seq) });
    }

    /// # Safety
    ///
    /// For the shim's file alone: `seq` is one that is being shown. Process context.
    fn rust_raw_hrtimer_show_attach(seq: *mut bindings::seq_file) {
        // SAFETY: The caller promises it, for the length of this call.
        debugfs::show_attach(unsafe { SeqFile::from_raw(seq) });
    }
}
