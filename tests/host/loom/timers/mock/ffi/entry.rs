// SPDX-License-Identifier: GPL-2.0

//! Stands in for `c/entries.c` and for RCU: the table's lock, readers, and what is freed after them.
//!
//! A reader is who has switched interrupts off to look something up, and nobody else. An entry is
//! freed as soon as all that were inside are out, the earliest that RCU may free it.

#![allow(non_camel_case_types)]

use super::bindings::{
    flush,
    free,
    hrtimer,
    list_head,
    met,
    queue_work,
    touch,
    tsc_timer,
    Marked,
    Work,
    CPUS, //
};

use kernel::{
    alloc,
    ffi::{
        c_ulong,
        c_void, //
    },
    object, //
};
use loom::{
    cell::UnsafeCell,
    sync::{
        atomic::{
            AtomicBool,
            Ordering::Relaxed, //
        },
        Mutex,
        MutexGuard, //
    }, //
};
use std::{
    cell::{
        Cell,
        RefCell, //
    },
    collections::{
        BTreeMap,
        BTreeSet, //
    },
    mem::take,
    ptr::{
        addr_of,
        from_mut,
        null,
        null_mut,
        with_exposed_provenance_mut,
        without_provenance_mut, //
    },
    sync::{
        Arc,
        Mutex as StdMutex, //
    }, //
};

/// `struct rht_entry`.
pub(crate) struct rht_entry {
    pub(crate) node: tsc_timer,
    pub(crate) next: *mut rht_entry,
    pub(crate) next_of_vcpu: *mut rht_entry,
    pub(crate) vcpu: *mut c_void,
    pub(crate) target: i64,
    pub(crate) period: i64,
    pub(crate) since: i64,
    pub(crate) origin: u64,
    pub(crate) known: bool,
}

impl Default for rht_entry {
    fn default() -> Self {
        Self {
            node: tsc_timer {
                timer: null_mut(),
                deadline: 0,
                node: list_head {
                    next: null_mut(),
                    prev: null_mut(),
                },
                base: null(),
                cpu: 0,
                state: 0,
                mode: 0,
                expired: false,
            },
            next: null_mut(),
            next_of_vcpu: null_mut(),
            vcpu: null_mut(),
            target: 0,
            period: 0,
            since: 0,
            origin: 0,
            known: false,
        }
    }
}

/// A link is also read by the holder of the lock, who needs no mark: what is written is there too.
impl Marked<*mut rht_entry> for *const *mut rht_entry {
    fn read_marked(self) -> *mut rht_entry {
        assert_there(self.addr());
        // SAFETY: A word of an entry, which is kept until the end of the execution.
        let first = unsafe { self.read() }.expose_provenance() as u64;
        let word = object(self.addr(), first).load(Relaxed);
        with_exposed_provenance_mut(word as usize)
    }

    fn write_marked(self, _value: *mut rht_entry) {
        unreachable!("a const pointer");
    }
}

impl Marked<*mut rht_entry> for *mut *mut rht_entry {
    fn read_marked(self) -> *mut rht_entry {
        self.cast_const().read_marked()
    }

    fn write_marked(self, value: *mut rht_entry) {
        assert_there(self.addr());
        // SAFETY: As above.
        let first = unsafe { self.read() }.expose_provenance() as u64;
        object(self.addr(), first).store(value.expose_provenance() as u64, Relaxed);
        // SAFETY: As above.
        unsafe { self.write(value) };
    }
}

/// An entry that was taken from the pool.
struct Life {
    /// What it has been filled with.
    contents: UnsafeCell<()>,
    is_freed: AtomicBool,
}

#[derive(Default)]
struct Readers {
    /// How many there were.
    count: c_ulong,
    inside: BTreeSet<c_ulong>,
    /// Whom an entry waits for.
    waiting: Vec<(usize, BTreeSet<c_ulong>)>,
}

struct Grave(*mut rht_entry);

// SAFETY: Used once all threads have ended.
unsafe impl Send for Grave {}

impl Drop for Grave {
    fn drop(&mut self) {
        // SAFETY: Made from a box; the execution has ended.
        unsafe { free(self.0) };
    }
}

struct Entries {
    lock: Mutex<()>,
    guard: RefCell<Option<MutexGuard<'static, ()>>>,
    readers: Mutex<Readers>,
    lives: StdMutex<BTreeMap<usize, Arc<Life>>>,
    graves: StdMutex<Vec<Grave>>,
}

// SAFETY: The guard is used by the holder of the lock alone.
unsafe impl Sync for Entries {}

loom::lazy_static! {
    static ref ENTRIES: Entries = Entries {
        lock: Mutex::new(()),
        guard: RefCell::new(None),
        readers: Mutex::new(Readers::default()),
        lives: StdMutex::default(),
        graves: StdMutex::default(),
    };
}

loom::thread_local! {
    static VCPU: Cell<usize> = Cell::new(0);
}

/// The vCPU that is loaded on this CPU from now on.
pub(crate) fn run_vcpu(vcpu: usize) {
    VCPU.with(|this| this.set(vcpu));
}

pub(crate) unsafe fn rht_running_vcpu() -> *mut c_void {
    without_provenance_mut(VCPU.with(Cell::get))
}

/// Returns that of the entry which `address` is in.
fn life_at(address: usize) -> Option<Arc<Life>> {
    let lives = ENTRIES.lives.lock().expect("no panic");
    let (start, life) = lives.range(..=address).next_back()?;

    (address < start + size_of::<rht_entry>()).then(|| life.clone())
}

/// If `address` is in an entry, that is not freed.
pub(crate) fn assert_there(address: usize) {
    if let Some(life) = life_at(address) {
        let is_freed = life.is_freed.load(Relaxed);
        assert!(!is_freed, "an entry is used after it was freed");
    }
}

/// # Safety
///
/// `entry` is one of the pool.
pub(crate) unsafe fn fill_entry(entry: *mut rht_entry, filled: rht_entry) {
    let life = Arc::new(Life {
        contents: UnsafeCell::new(()),
        is_freed: AtomicBool::new(false),
    });
    // SAFETY: As the caller's; nobody else knows of it.
    let entry = unsafe {
        entry.write(filled);
        &mut *entry
    };

    // Whoever uses its words has to know that they were filled.
    for flag in [&raw const entry.known, &raw const entry.node.expired] {
        flag.read_marked();
    }
    (&raw const entry.node.deadline).read_marked();
    (&raw const entry.node.cpu).read_marked();
    (&raw const entry.node.state).read_marked();
    (&raw const entry.node.base).read_marked();
    // SAFETY: Just filled.
    unsafe { touch(&raw mut entry.node) };
    (&raw const entry.next).read_marked();
    let mut lives = ENTRIES.lives.lock().expect("no panic");
    lives.insert(from_mut(entry).addr(), life);
}

/// # Safety
///
/// `entry` was found in the table.
pub(crate) unsafe fn timer_of_entry(entry: *mut rht_entry) -> *mut hrtimer {
    let life = life_at(entry.addr()).expect("an entry is found before it is filled");

    assert_there(entry.addr());
    // That it was filled has to be known here.
    life.contents.with(|_| ());
    // SAFETY: The model keeps its entries until the end of an execution.
    unsafe { addr_of!((*entry).node.timer).read() }
}

pub(crate) unsafe fn rht_irq_save() -> c_ulong {
    let mut readers = ENTRIES.readers.lock().expect("no panic");

    readers.count += 1;
    let reader = readers.count;
    readers.inside.insert(reader);
    reader
}

pub(crate) unsafe fn rht_irq_restore(reader: c_ulong) {
    let mut readers = ENTRIES.readers.lock().expect("no panic");

    readers.inside.remove(&reader);
    for (_, inside) in &mut readers.waiting {
        inside.remove(&reader);
    }
    let waiting = take(&mut readers.waiting);
    let (over, waiting): (Vec<_>, _) = waiting
        .into_iter()
        .partition(|(_, inside)| inside.is_empty());
    readers.waiting = waiting;
    drop(readers);
    for (entry, _) in over {
        end(entry);
    }
}

/// Its memory is another's.
fn end(entry: usize) {
    if let Some(life) = life_at(entry) {
        life.is_freed.store(true, Relaxed);
    }
}

pub(crate) unsafe fn rht_entry_free(entry: *mut rht_entry) {
    let mut readers = ENTRIES.readers.lock().expect("no panic");

    assert!(alloc::free(entry.addr()), "an entry is freed twice");
    ENTRIES.graves.lock().expect("no panic").push(Grave(entry));
    if readers.inside.is_empty() {
        drop(readers);
        end(entry.addr());
    } else {
        met("an entry waits for a reader");
        let inside = readers.inside.clone();
        readers.waiting.push((entry.addr(), inside));
    }
}

/// What is planted: one that waits for nobody.
pub(crate) unsafe fn rht_entry_free_at_once(entry: *mut rht_entry) {
    assert!(alloc::free(entry.addr()), "an entry is freed twice");
    ENTRIES.graves.lock().expect("no panic").push(Grave(entry));
    end(entry.addr());
}

pub(crate) unsafe fn rht_entries_lock() -> c_ulong {
    let guard = ENTRIES.lock.lock().expect("no panic");

    *ENTRIES.guard.borrow_mut() = Some(guard);
    0
}

pub(crate) unsafe fn rht_entries_unlock(_flags: c_ulong) {
    let guard = ENTRIES.guard.borrow_mut().take();

    drop(guard);
}

pub(crate) unsafe fn rht_entries_queue_work() {
    queue_work(Work::Fill);
}

pub(crate) unsafe fn rht_entries_flush_work() {
    flush();
}

pub(crate) unsafe fn rht_possible_cpus() -> u32 {
    CPUS as u32
}
