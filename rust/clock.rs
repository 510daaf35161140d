// SPDX-License-Identifier: GPL-2.0

//! What the monotonic clock does: the line that it follows against the TSC, from the timekeeper's
//! updates to whoever needs an expiry.

pub(crate) mod deadline;
pub(crate) mod frequency;
mod latch;
pub(crate) mod margin;
pub(crate) mod rate;
pub(crate) mod ratio;
pub(crate) mod snapshot;
pub(crate) mod update;

// For the pure files, which name nothing of the crate.
use crate::units;
