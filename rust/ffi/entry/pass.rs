// SPDX-License-Identifier: GPL-2.0

//! The interrupts in which pending timers are re-armed.

use super::super::bindings;
use crate::timer::pass;

use kernel::ffi::{
    c_int,
    c_uint, //
};

entries! {
    /// # Safety
    ///
    /// For the shim's irq_work alone: hard interrupt, on `cpu`.
    fn rust_raw_hrtimer_pass(cpu: c_uint) {
        pass::run(cpu);
    }

    /// # Safety
    ///
    /// For the shim's call to a CPU alone: hard interrupt, on `cpu`.
    fn rust_raw_hrtimer_called(cpu: c_int) {
        pass::called(cpu);
    }

    /// # Safety
    ///
    /// For the shim's timers alone: hard interrupt, `cpu` is a possible one.
    fn rust_raw_hrtimer_more(cpu: c_int, this_cpu: c_int) {
        pass::more(cpu, this_cpu);
    }
}
