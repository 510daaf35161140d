// SPDX-License-Identifier: GPL-2.0

//! The arithmetic that a provider has in place of KVM's, to be timed side by side on any x86.
//!
//! KVM reads the clock, divides the cycles until a deadline for nanoseconds, and adds the two:
//! `vmx_start_preemption_timer()`. The module reads a snapshot, and computes the expiry of the
//! deadline. Counted in instructions the two are alike, but KVM's include an ordered read of the TSC
//! and a division, which take as long as many others.

use core::{
    arch::x86_64::{
        _mm_lfence,
        _rdtsc, //
    },
    hint::spin_loop,
    sync::atomic::{
        AtomicU64,
        Ordering::{
            Acquire,
            Relaxed, //
        }, //
    },
};

use super::{
    deadline::Timeline,
    latch::Latch,
    rate::Rate,
    units::{
        Cycles,
        MonoNs, //
    }, //
};

/// The timekeeper's, at 2.1 GHz.
const MULT: u32 = 7_989_150;
const SHIFT: u32 = 24;
const KHZ: u64 = 2_100_000;
const XTIME_NSEC: u64 = 1_234_567 << SHIFT;
const BASE: i64 = 1_000_000_000_000;

fn rdtsc_ordered() -> u64 {
    // SAFETY: Each x86-64 has both instructions.
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}

/// What `ktime_get()` reads: `tk_core.seq`, and of `struct tk_read_base` what it needs.
#[repr(align(64))]
pub struct Kvm {
    sequence: AtomicU64,
    cycle_last: AtomicU64,
    mult: AtomicU64,
    shift: AtomicU64,
    xtime_nsec: AtomicU64,
    base: AtomicU64,
    khz: AtomicU64,
}

/// What the module reads.
pub struct Module(Latch<7>);

/// Both, at the same state of the clock.
pub fn clocks() -> (Kvm, Module) {
    let cycle_last = rdtsc_ordered();
    let rate = Rate::new(MULT, SHIFT).map_or(0, Rate::pack);
    let module = Module(Latch::new());

    module
        .0
        .publish(&[cycle_last, XTIME_NSEC, BASE as u64, rate, 1, rate, 1]);
    let kvm = Kvm {
        sequence: AtomicU64::new(0),
        cycle_last: AtomicU64::new(cycle_last),
        mult: AtomicU64::new(MULT.into()),
        shift: AtomicU64::new(SHIFT.into()),
        xtime_nsec: AtomicU64::new(XTIME_NSEC),
        base: AtomicU64::new(BASE as u64),
        khz: AtomicU64::new(KHZ),
    };
    (kvm, module)
}

impl Kvm {
    /// `ktime_get()`: `timekeeping_get_ns()` in a section of the seqcount.
    #[inline]
    fn ktime_get(&self) -> u64 {
        loop {
            let sequence = self.sequence.load(Acquire);
            if sequence & 1 != 0 {
                spin_loop();
                continue;
            }
            let base = self.base.load(Relaxed);
            let cycles = rdtsc_ordered().wrapping_sub(self.cycle_last.load(Relaxed));
            let ns = cycles
                .wrapping_mul(self.mult.load(Relaxed))
                .wrapping_add(self.xtime_nsec.load(Relaxed))
                >> self.shift.load(Relaxed);
            if self.sequence.load(Acquire) == sequence {
                return base.wrapping_add(ns);
            }
        }
    }

    /// The expiry of a timer with so many cycles left.
    #[inline(never)]
    pub fn expiry(&self, left: u64) -> i64 {
        let ns = left.wrapping_mul(1_000_000) / self.khz.load(Relaxed);

        self.ktime_get().wrapping_add(ns) as i64
    }
}

impl Module {
    /// The expiry of a deadline.
    #[inline(never)]
    pub fn expiry(&self, deadline: u64) -> i64 {
        let ([cycle_last, xtime_nsec, base, rate, _], _) = self.0.read_first::<5>();
        let line = Timeline {
            cycle_last: Cycles::new(cycle_last),
            rate: Rate::unpack(rate),
            xtime_nsec,
            base: MonoNs::new(base as i64),
        };

        line.expiry(Cycles::new(deadline)).ns().get()
    }
}

/// The TSC.
pub fn now() -> u64 {
    rdtsc_ordered()
}
