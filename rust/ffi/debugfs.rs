// SPDX-License-Identifier: GPL-2.0

//! The files in debugfs. The kernel crate's have no owner: the shim's hold the module while they are open.
//!
//! C file: [`c/debugfs.c`](../../c/debugfs.c)

use super::bindings;

/// The files. Dropping it removes them; while one is open the module cannot be removed.
#[must_use = "dropping it removes the files"]
pub(crate) struct DebugfsFiles(());

impl DebugfsFiles {
    /// Creates the files. Process context. What they show is ready to be shown.
    pub(crate) fn new() -> Self {
        // SAFETY: Process context. Another time, debugfs refuses to create the same folder.
        unsafe { bindings::rht_debugfs_create() };
        Self(())
    }
}

impl Drop for DebugfsFiles {
    fn drop(&mut self) {
        // SAFETY: Process context, after `rht_debugfs_create()`.
        unsafe { bindings::rht_debugfs_remove() };
    }
}
