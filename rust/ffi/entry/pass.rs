// SPDX-License-Identifier: GPL-2.0

//! The interrupts in which pending timers are re-armed.

use super::super::{
    bindings,
    cpu::Cpu, //
};
use crate::timer::pass;

use kernel::ffi::c_int;

entries! {
    /// # Safety
    ///
    /// For the shim's irq_work alone: hard interrupt, on `cpu`.
    fn rust_raw_hrtimer_pass(cpu: c_int) {
        // SAFETY: This code runs on it.
        pass::run(unsafe { Cpu::from_raw(cpu) });
    }

    /// # Safety
    ///
    /// For the shim's call to a CPU alone: hard interrupt, on `cpu`.
    fn rust_raw_hrtimer_called(cpu: c_int) {
        // SAFETY: This code runs on it.
        pass::called(unsafe { Cpu::from_raw(cpu) });
    }

    /// # Safety
    ///
    /// For the shim's timers alone: hard interrupt, on `this_cpu`; `cpu` is a possible one.
    fn rust_raw_hrtimer_more(cpu: c_int, this_cpu: c_int) {
        // SAFETY: The caller promises it.
        let cpu = unsafe { Cpu::from_raw(cpu) };
        // SAFETY: This code runs on it.
        pass::more(cpu, unsafe { Cpu::from_raw(this_cpu) });
    }
}
