// SPDX-License-Identifier: GPL-2.0

//! What a timer does: it is armed for its deadline, and armed anew where the clock slows down.

pub(crate) mod arm;
pub(crate) mod event;
mod occupied;
pub(crate) mod pass;
pub(crate) mod pending;
mod uncoupled;
