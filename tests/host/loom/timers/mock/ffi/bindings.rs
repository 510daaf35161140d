// SPDX-License-Identifier: GPL-2.0

//! Stands in for the shim and for the kernel behind it: per-CPU queues, the hrtimer core, irq_work
//! and calls to other CPUs.
//!
//! Interrupts are threads of the model, so they also meet what in the kernel would have them
//! disabled; only what takes the same lock excludes them.

#![allow(non_camel_case_types, non_upper_case_globals)]

use super::table;
use crate::{
    kvm::hooked,
    timer::pass, //
};

use kernel::{
    ffi::c_ulong,
    object, //
};
use loom::{
    sync::{
        Mutex,
        MutexGuard, //
    },
    thread::{
        spawn,
        yield_now,
        JoinHandle, //
    }, //
};
use std::{
    cell::{
        Cell,
        UnsafeCell, //
    },
    collections::{
        BTreeMap,
        VecDeque, //
    },
    mem::{
        take,
        transmute, //
    },
    ptr::{
        addr_of,
        addr_of_mut,
        null_mut,
        without_provenance,
        without_provenance_mut, //
    },
    sync::{
        atomic::{
            AtomicBool,
            Ordering::Relaxed, //
        },
        Mutex as StdMutex,
        PoisonError, //
    },
    thread::panicking, //
};

pub(crate) use super::queues::{
    self,
    rht_next_cpu,
    rht_queue_add,
    rht_queue_advance,
    rht_queue_begin_pass,
    rht_queue_first_due,
    rht_queue_is_empty,
    rht_queue_postpone,
    rht_queue_remove,
    rht_queue_transfer, //
};

pub(crate) use super::entry::{
    self,
    fill_entry,
    rht_entries_flush_work,
    rht_entries_lock,
    rht_entries_queue_work,
    rht_entries_unlock,
    rht_entry,
    rht_entry_free,
    rht_irq_restore,
    rht_irq_save,
    rht_possible_cpus,
    rht_running_vcpu,
    timer_of_entry, //
};

pub(crate) const CPUS: i32 = 2;

/// How often something was met, in all executions.
static MET: StdMutex<BTreeMap<&str, usize>> = StdMutex::new(BTreeMap::new());

pub(crate) fn met(what: &'static str) {
    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    *met.entry(what).or_default() += 1;
}

pub(crate) fn times(what: &str) -> usize {
    let met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    met.get(what).copied().unwrap_or_default()
}

pub(crate) fn forget_met() -> BTreeMap<&'static str, usize> {
    take(&mut MET.lock().unwrap_or_else(PoisonError::into_inner))
}

// --- words that several threads use without a lock ------------------------------------

/// What `read_volatile()` and `write_volatile()` are in the copies of the sources: accesses that
/// loom knows of.
pub(crate) trait Marked<T> {
    fn read_marked(self) -> T;
    fn write_marked(self, value: T);
}

macro_rules! marked {
    ($($type:ty: $($pointer:ty),*;)*) => {$($(
        impl Marked<$type> for $pointer {
            fn read_marked(self) -> $type {
                entry::assert_there(self.addr());
                // SAFETY: The word's first value, which nobody overwrites.
                let first = unsafe { self.read() };
                object(self.addr(), first).load(Relaxed)
            }

            fn write_marked(self, value: $type) {
                entry::assert_there(self.addr());
                // SAFETY: As above.
                let first = unsafe { self.read() };
                object(self.addr(), first).store(value, Relaxed);
            }
        }
    )*)*};
}

marked! {
    bool: *const bool, *mut bool;
    i32: *const i32, *mut i32;
    i64: *const i64, *mut i64;
    u32: *const u32, *mut u32;
    u64: *const u64, *mut u64;
}

/// A base is a number, of which nothing is read.
macro_rules! marked_bases {
    ($($base:ty: $cast:ident: $($pointer:ty),*;)*) => {$($(
        impl Marked<$base> for $pointer {
            fn read_marked(self) -> $base {
                entry::assert_there(self.addr());
                // SAFETY: As above.
                let first = unsafe { self.read() }.addr() as u64;
                $cast(object(self.addr(), first).load(Relaxed) as usize)
            }

            fn write_marked(self, value: $base) {
                entry::assert_there(self.addr());
                // SAFETY: As above.
                let first = unsafe { self.read() }.addr() as u64;
                object(self.addr(), first).store(value.addr() as u64, Relaxed);
            }
        }
    )*)*};
}

marked_bases! {
    *const hrtimer_clock_base: without_provenance:
        *const *const hrtimer_clock_base, *mut *const hrtimer_clock_base;
    *mut hrtimer_clock_base: without_provenance_mut:
        *const *mut hrtimer_clock_base, *mut *mut hrtimer_clock_base;
}

// --- hrtimers -----------------------------------------------------------------------

pub(crate) type hrtimer_mode = u32;
pub(crate) const hrtimer_mode_HRTIMER_MODE_REL: hrtimer_mode = 1;
pub(crate) const hrtimer_mode_HRTIMER_MODE_PINNED: hrtimer_mode = 2;

pub(crate) struct timerqueue_node {
    pub(crate) expires: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Core {
    pub(crate) is_queued: bool,
    pub(crate) is_running: bool,
    /// It is gone: nobody may use it.
    pub(crate) is_dead: bool,
}

/// A CPU's: its number and 1 more.
pub(crate) struct hrtimer_clock_base;

fn base_of(cpu: i32) -> *mut hrtimer_clock_base {
    without_provenance_mut(usize::try_from(cpu + 1).expect("a CPU"))
}

pub(crate) struct hrtimer {
    pub(crate) node: timerqueue_node,
    pub(crate) _softexpires: i64,
    pub(crate) base: *mut hrtimer_clock_base,
    core: Mutex<Core>,
}

impl hrtimer {
    pub(crate) fn new() -> Self {
        Self {
            node: timerqueue_node { expires: i64::MAX },
            _softexpires: i64::MAX,
            base: base_of(0),
            core: Mutex::new(Core {
                is_queued: false,
                is_running: false,
                is_dead: false,
            }),
        }
    }

    /// Takes the lock of its base.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        let core = self.core.lock().expect("no panic");

        assert!(
            !core.is_dead,
            "a timer is used after its owner has freed it"
        );
        core
    }

    /// `__run_hrtimer()`, if it is queued: fires it, which may be early. Returns whether that was all.
    pub(crate) fn fire(&self, callback: impl FnOnce() -> bool) -> bool {
        let mut core = self.lock();
        if !core.is_queued {
            return false;
        }
        core.is_running = true;
        core.is_queued = false;
        drop(core);
        let restart = callback();
        let mut core = self.lock();
        if restart && !core.is_queued {
            core.is_queued = true;
        }
        core.is_running = false;
        !restart
    }
}

pub(crate) unsafe fn rht_warn_clock() {
    panic!("a timer on another clock");
}

pub(crate) unsafe fn rht_warn_mode() {
    panic!("a relative mode");
}

pub(crate) unsafe fn rht_is_monotonic(_timer: *const hrtimer) -> bool {
    true
}

/// The CPU of its base.
///
/// # Safety
///
/// `timer` is a valid one.
pub(crate) unsafe fn timer_cpu(timer: *const hrtimer) -> i32 {
    // SAFETY: As the caller's.
    unsafe { addr_of!((*timer).base) }.read_marked().addr() as i32 - 1
}

/// # Safety
///
/// `timer` is a valid one.
pub(crate) unsafe fn rht_timer_cpu(timer: *const hrtimer) -> i32 {
    // SAFETY: As the caller's.
    unsafe { timer_cpu(timer) }
}

/// One that is running stays where it is; an isolated CPU keeps those alone that are pinned to it.
pub(crate) unsafe fn hrtimer_start_range_ns(
    timer: *mut hrtimer,
    expiry: i64,
    _delta: u64,
    mode: hrtimer_mode,
) {
    // SAFETY: The model keeps its timers until the end of an execution.
    let mut core = unsafe { &*timer }.lock();
    let is_isolated = KERNEL.isolated.get() == Some(this_cpu());

    // SAFETY: As above.
    unsafe { addr_of_mut!((*timer).node.expires) }.write_marked(expiry);
    if !core.is_running {
        let stays = !is_isolated || mode & hrtimer_mode_HRTIMER_MODE_PINNED != 0;
        let cpu = if stays { this_cpu() } else { 0 };

        // SAFETY: As above.
        unsafe { addr_of_mut!((*timer).base) }.write_marked(base_of(cpu));
    }
    core.is_queued = true;
}

pub(crate) unsafe fn hrtimer_try_to_cancel(timer: *mut hrtimer) -> i32 {
    // SAFETY: As above.
    let mut core = unsafe { &*timer }.lock();

    if core.is_running {
        met("cancel: running");
        -1
    } else if core.is_queued {
        met("cancel: dequeued");
        core.is_queued = false;
        1
    } else {
        met("cancel: not queued");
        0
    }
}

pub(crate) unsafe fn hrtimer_active(timer: *const hrtimer) -> bool {
    // SAFETY: As above.
    let core = unsafe { &*timer }.lock();

    core.is_queued || core.is_running
}

pub(crate) unsafe fn rht_is_queued(timer: *mut hrtimer) -> bool {
    // SAFETY: As above.
    let core = unsafe { &*timer }.lock();

    core.is_queued
}

// --- nodes and queues ---------------------------------------------------------------

pub(crate) struct list_head {
    pub(crate) next: *mut list_head,
    pub(crate) prev: *mut list_head,
}

/// `struct tsc_timer`.
pub(crate) struct tsc_timer {
    pub(crate) timer: *mut hrtimer,
    pub(crate) deadline: u64,
    pub(crate) node: list_head,
    pub(crate) base: *const hrtimer_clock_base,
    pub(crate) cpu: i32,
    pub(crate) state: u32,
    pub(crate) mode: hrtimer_mode,
    pub(crate) expired: bool,
}

/// A timer that was last on this CPU.
///
/// # Safety
///
/// `timer` is a valid one.
pub(crate) unsafe fn set_cpu(timer: *mut hrtimer, cpu: i32) {
    // SAFETY: As the caller's.
    unsafe { addr_of_mut!((*timer).base) }.write_marked(base_of(cpu));
}

/// A use of a node's links, which loom knows of.
///
/// # Safety
///
/// `node` is a valid one.
pub(crate) unsafe fn touch(node: *mut tsc_timer) {
    // SAFETY: As the caller's; only an address is made.
    let links = unsafe { addr_of!((*node).node) };

    object(links.addr(), 0u64).store(0, Relaxed);
}

/// As the owner does.
///
/// # Safety
///
/// `node` is a valid one.
pub(crate) unsafe fn set_deadline(node: *mut tsc_timer, deadline: u64) {
    // SAFETY: As the caller's.
    unsafe { addr_of_mut!((*node).deadline) }.write_marked(deadline);
}

pub(crate) struct rht_queue {
    lock: Mutex<()>,
    guard: UnsafeCell<Option<MutexGuard<'static, ()>>>,
    pub(crate) pending: list_head,
    pub(crate) due: list_head,
    pub(crate) called: bool,
    pub(crate) pause: u32,
}

loom::thread_local! {
    static THIS_CPU: Cell<i32> = Cell::new(0);
}

pub(crate) fn this_cpu() -> i32 {
    THIS_CPU.with(Cell::get)
}

pub(crate) fn run_on(cpu: i32) {
    THIS_CPU.with(|this| this.set(cpu));
}

fn queue(cpu: i32) -> *mut rht_queue {
    KERNEL.queues[usize::try_from(cpu).expect("a CPU")].0
}

pub(crate) fn queues_init() {
    for cpu in 0..CPUS {
        // SAFETY: Nobody else knows of the queues yet.
        let queue = unsafe { &mut *queue(cpu) };
        for head in [addr_of_mut!(queue.pending), addr_of_mut!(queue.due)] {
            // SAFETY: As above.
            unsafe { queues::init_list_head(head) };
        }
    }
}

pub(crate) unsafe fn rht_queue_lock(cpu: i32, _flags: *mut c_ulong) -> *mut rht_queue {
    let queue = queue(cpu);
    // SAFETY: The queues live as long as the execution.
    let guard = unsafe { &(*queue).lock }.lock().expect("no panic");

    // SAFETY: As above, and the guard is dropped before that.
    let guard = unsafe { transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
    // SAFETY: The lock was just taken.
    unsafe { *(*queue).guard.get() = Some(guard) };
    queue
}

pub(crate) unsafe fn rht_queue_lock_nested(cpu: i32, flags: *mut c_ulong) -> *mut rht_queue {
    met("two queues");
    // SAFETY: As the caller's.
    unsafe { rht_queue_lock(cpu, flags) }
}

pub(crate) unsafe fn rht_queue_unlock(queue: *mut rht_queue, _flags: c_ulong) {
    // SAFETY: The caller holds the lock.
    drop(unsafe { (*(*queue).guard.get()).take() });
}

// --- interrupts ---------------------------------------------------------------------

/// What an interrupt has been asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    /// The listener's irq_work.
    Pass,
    /// A CPU's `call_single_data_t`.
    Call(i32),
    /// A CPU's timer, some time later, on some CPU.
    More(i32, i32),
    /// The listener's other irq_work.
    Restarted,
    /// The work item that fills the pool.
    Fill,
}

#[derive(Default)]
struct Interrupts {
    waiting: VecDeque<Work>,
    is_served: bool,
    threads: Vec<JoinHandle<()>>,
    /// There is no thread but the model's first, which serves them itself.
    is_quiet: bool,
    /// The module's code is gone.
    is_removed: bool,
}

/// Frees what the threads of an execution have shared; not if a model has failed, after which they
/// may still run.
///
/// # Safety
///
/// As `Box::from_raw()`, once the execution has ended.
pub(crate) unsafe fn free<T>(pointer: *mut T) {
    if panicking() {
        FAILED.store(true, Relaxed);
    }
    if !FAILED.load(Relaxed) {
        // SAFETY: As the caller's.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

static FAILED: AtomicBool = AtomicBool::new(false);

struct QueuePointer(*mut rht_queue);

// SAFETY: What it points to is used as the kernel's is, which is what the models are about.
unsafe impl Send for QueuePointer {}
// SAFETY: As above.
unsafe impl Sync for QueuePointer {}

impl Drop for QueuePointer {
    fn drop(&mut self) {
        // SAFETY: Made from a box; the execution has ended.
        unsafe { free(self.0) };
    }
}

struct Kernel {
    queues: [QueuePointer; CPUS as usize],
    interrupts: Mutex<Interrupts>,
    tsc: Cell<u64>,
    clock: Cell<i64>,
    offline: Cell<Option<i32>>,
    isolated: Cell<Option<i32>>,
    /// For how long the queues were left alone, one after another.
    pauses: StdMutex<Vec<u32>>,
}

// SAFETY: The cells are set before there is a second thread.
unsafe impl Sync for Kernel {}

loom::lazy_static! {
    static ref KERNEL: Kernel = Kernel {
        queues: [(); CPUS as usize].map(|()| {
            let (next, prev) = (null_mut(), null_mut());
            QueuePointer(Box::into_raw(Box::new(rht_queue {
                lock: Mutex::new(()),
                guard: UnsafeCell::new(None),
                pending: list_head { next, prev },
                due: list_head { next, prev },
                called: false,
                pause: 0,
            })))
        }),
        interrupts: Mutex::new(Interrupts::default()),
        tsc: Cell::new(0),
        clock: Cell::new(0),
        offline: Cell::new(None),
        isolated: Cell::new(None),
        pauses: StdMutex::default(),
    };
}

pub(crate) fn tsc() -> u64 {
    KERNEL.tsc.get()
}

/// Before there is a second thread.
pub(crate) fn set_tsc(tsc: u64) {
    KERNEL.tsc.set(tsc);
}

/// What the monotonic clock reads, which need not follow the TSC of the CPU that reads it.
pub(crate) fn clock() -> i64 {
    KERNEL.clock.get()
}

/// Before there is a second thread.
pub(crate) fn set_clock(clock: i64) {
    KERNEL.clock.set(clock);
}

/// Before there is a second thread.
pub(crate) fn set_offline(cpu: i32) {
    KERNEL.offline.set(Some(cpu));
}

/// Before there is a second thread.
pub(crate) fn set_isolated(cpu: i32) {
    KERNEL.isolated.set(Some(cpu));
}

/// Has some CPU look at `cpu`'s timers after a pause.
pub(crate) fn rearm_more(cpu: i32, pause: u32) {
    KERNEL.pauses.lock().expect("no panic").push(pause);
    queue_work(Work::More(cpu, this_cpu()));
}

/// The pauses since this was last asked.
pub(crate) fn pauses() -> Vec<u32> {
    take(&mut KERNEL.pauses.lock().expect("no panic"))
}

fn interrupts() -> MutexGuard<'static, Interrupts> {
    KERNEL.interrupts.lock().expect("no panic")
}

/// Asks for work, once until it has begun. Interrupts are served by one thread after another.
pub(crate) fn queue_work(work: Work) {
    let mut guard = interrupts();
    if guard.waiting.contains(&work) {
        met("asked for already");
        return;
    }
    guard.waiting.push_back(work);
    if guard.is_served || guard.is_quiet {
        return;
    }
    guard.is_served = true;
    let thread = spawn(serve);
    guard.threads.push(thread);
}

/// `smp_call_function_single_async()`, which does not look whether the call is in use in a way that
/// would keep two callers apart.
pub(crate) fn rearm_on(cpu: i32) -> bool {
    if KERNEL.offline.get() == Some(cpu) {
        return false;
    }
    assert!(
        !interrupts().waiting.contains(&Work::Call(cpu)),
        "a CPU is called twice at once"
    );
    met(if KERNEL.isolated.get() == Some(cpu) {
        "call: isolated"
    } else {
        "call"
    });
    queue_work(Work::Call(cpu));
    true
}

fn serve() {
    loop {
        let mut guard = interrupts();
        let Some(work) = guard.waiting.pop_front() else {
            guard.is_served = false;
            return;
        };
        assert!(
            !guard.is_removed,
            "an interrupt is not over, and the module is gone: {work:?}"
        );
        drop(guard);
        match work {
            Work::Pass => {
                run_on(0);
                pass::run(super::cpu(0));
            }
            Work::Call(cpu) => {
                run_on(cpu);
                pass::called(super::cpu(cpu));
            }
            Work::Restarted => hooked::tsc_restarted(),
            Work::Fill => table::fill(),
            Work::More(cpu, on) => {
                met("more");
                // Others get on meanwhile, a callback that runs for one.
                yield_now();
                // An offline CPU's timers have moved to another.
                let on = if KERNEL.offline.get() == Some(on) {
                    0
                } else {
                    on
                };
                run_on(on);
                pass::more(super::cpu(cpu), super::cpu(on));
            }
        }
    }
}

/// Waits for what was asked for.
pub(crate) fn flush() {
    loop {
        let Some(thread) = interrupts().threads.pop() else {
            return;
        };
        thread.join().expect("no panic");
    }
}

/// Does something that asks for interrupts, and serves them, with no other thread.
pub(crate) fn alone(work: impl FnOnce()) {
    flush();
    interrupts().is_quiet = true;
    work();
    let cpu = this_cpu();
    serve();
    run_on(cpu);
    interrupts().is_quiet = false;
}

/// Does something that asks for interrupts, none of which comes, with no other thread.
pub(crate) fn by_hand(work: impl FnOnce()) {
    interrupts().is_quiet = true;
    work();
    let mut guard = interrupts();
    guard.waiting.clear();
    guard.is_quiet = false;
}

/// The module's code goes.
pub(crate) fn remove_module() {
    let mut guard = interrupts();
    let is_served = guard.is_served;
    guard.is_removed = true;
    drop(guard);
    assert!(!is_served, "an interrupt is not over");
}
