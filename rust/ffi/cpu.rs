// SPDX-License-Identifier: GPL-2.0

//! The numbers of possible CPUs, each of which has a queue.
//!
//! C header: [`include/linux/cpumask.h`](srctree/include/linux/cpumask.h)

use super::bindings;

/// A possible CPU.
///
/// # Invariants
///
/// The number is that of a possible CPU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cpu(i32);

impl Cpu {
    /// # Safety
    ///
    /// `cpu` is the number of a possible CPU.
    #[inline]
    pub(super) unsafe fn from_raw(cpu: i32) -> Self {
        // INVARIANT: The caller promises it.
        Self(cpu)
    }

    /// Returns the number.
    #[inline]
    pub(crate) fn number(self) -> i32 {
        self.0
    }
}

/// The right to call a CPU, which one call at a time has: from [`Queue::call()`](super::queue::Queue::call)
/// to [`Queue::answer()`](super::queue::Queue::answer).
pub(crate) struct Call(Cpu);

impl Call {
    /// No other call to `cpu` is under way.
    pub(super) fn to(cpu: Cpu) -> Self {
        Self(cpu)
    }

    /// Returns the CPU.
    pub(crate) fn cpu(&self) -> Cpu {
        self.0
    }
}

/// The possible CPUs, in order.
pub(crate) fn possible_cpus() -> impl Iterator<Item = Cpu> {
    let next = |cpu: &i32| {
        // SAFETY: `cpumask_next()` takes -1 or any CPU number, which is all that comes from here.
        Some(unsafe { bindings::rht_next_cpu(*cpu) })
    };

    core::iter::successors(Some(-1), next)
        .skip(1)
        .take_while(|cpu| *cpu >= 0)
        // INVARIANT: `cpu_possible_mask` has it.
        .map(Cpu)
}
