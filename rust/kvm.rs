// SPDX-License-Identifier: GPL-2.0

//! Who the timers are: those of a KVM that calls the module, or of one that is hooked.

pub(crate) mod attach;
mod convert;
pub(crate) mod cover;
pub(crate) mod hooked;
mod hooks;
mod periodic;
mod unseen;
