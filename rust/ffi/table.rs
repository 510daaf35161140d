// SPDX-License-Identifier: GPL-2.0

//! The table of hooked timers: entries, found by the timer's address.
//!
//! # Vocabulary
//!
//! * **pool**: free entries, allocated ahead of need by a work item, so that no start allocates.
//! * **retire**: to take an entry out of the table for good. Somebody who has found it before may still
//!   read it, so it is freed after a grace period.
//!
//! Whoever changes the table holds its lock; a lookup takes none, but has interrupts off. Lock order:
//! the table's, then a queue's.

use super::{
    bindings::{
        self,
        rht_entry, //
    },
    entries::{
        Entry,
        IrqOff,
        Vcpu, //
    },
    node::Node,
    timer::Timer,
    word::Word, //
};

use core::ptr::{
    addr_of,
    addr_of_mut,
    NonNull, //
};

use kernel::{
    alloc::{
        flags::GFP_KERNEL,
        KBox, //
    },
    ffi::c_ulong,
    types::NotThreadSafe, //
};

/// Buckets of each of the two hashes, a power of two.
const BUCKETS: usize = 4096;

/// The pool's size after the work item has run: so many, and so many for each CPU, because on each a
/// new vCPU may start its first timers before the work item runs.
const POOL: u64 = 256;
const POOL_EACH_CPU: u64 = 64;

/// The first entry of each chain, or 0; and how many the pool has. Written with the table's lock
/// held.
static BY_TIMER: [Word; BUCKETS] = [const { Word::new(0) }; BUCKETS];
static BY_VCPU: [Word; BUCKETS] = [const { Word::new(0) }; BUCKETS];
static FREE: Word = Word::new(0);
static FREE_COUNT: Word = Word::new(0);

/// How many timers have an entry. Written with the table's lock held.
static TAKEN: Word = Word::new(0);

/// Returns how many timers have an entry. Any context.
pub(crate) fn taken() -> u64 {
    TAKEN.load()
}

/// Whether entries are handed out. Off before the first and after the last hook is in place.
static OPEN: Word = Word::new(0);

/// The table, with its lock held and interrupts off.
///
/// # Invariants
///
/// The lock is held; it is released on drop.
struct Table(c_ulong, NotThreadSafe);

impl Table {
    fn lock() -> Self {
        // SAFETY: Any context but NMI; nobody who holds the lock calls this.
        let flags = unsafe { bindings::rht_entries_lock() };
        // INVARIANT: It was just locked.
        Self(flags, NotThreadSafe)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant the lock is held.
        unsafe { bindings::rht_entries_unlock(self.0) };
    }
}

/// As `hash_64()` does; the upper bits are the mixed ones.
#[inline]
fn bucket(table: &'static [Word; BUCKETS], address: usize) -> &'static Word {
    // CAST: An address has 64 bits.
    let hash = (address as u64).wrapping_mul(0x61c8_8646_80b5_83eb) >> 32;

    // CAST: The remainder is an index of the array, so there is no bound to check.
    &table[(hash as usize) % BUCKETS]
}

/// CAST: From a word of a chain, in which `put()` has stored such an address.
#[inline]
fn entry_at(word: u64) -> Option<NonNull<rht_entry>> {
    NonNull::new(core::ptr::with_exposed_provenance_mut(word as usize))
}

/// CAST: To such a word.
#[inline]
fn word_of(entry: Option<NonNull<rht_entry>>) -> u64 {
    entry.map_or(0, |entry| entry.as_ptr().expose_provenance() as u64)
}

/// Finds the entry of `timer`.
#[inline]
pub(crate) fn find<'a>(_irq: &'a IrqOff, timer: Timer<'a>) -> Option<Entry<'a>> {
    // SAFETY: Interrupts are off for `'a`, so an entry that is in the table now stays readable; its
    // timer is lent for `'a`.
    search(timer).map(|entry| unsafe { Entry::from_raw(entry) })
}

#[inline]
fn search(timer: Timer<'_>) -> Option<NonNull<rht_entry>> {
    let mut next = bucket(&BY_TIMER, timer.address()).load_acquire();

    while let Some(entry) = entry_at(next) {
        // SAFETY: Interrupts are off, or the table's lock is held: an entry in a chain is valid, and its
        // timer does not change while that may be read.
        let key = unsafe { addr_of!((*entry.as_ptr()).node.timer).read() };
        if key.addr() == timer.address() {
            return Some(entry);
        }
        // SAFETY: As above; whoever changes the link meanwhile writes it once.
        next = word_of(NonNull::new(unsafe {
            addr_of!((*entry.as_ptr()).next).read_volatile()
        }));
    }
    None
}

/// Finds the entry of `timer`, which is being started, or takes one from the pool for it; `None` if the
/// pool is empty. Once in a timer's life this takes the table's lock.
#[inline]
pub(crate) fn find_or_take<'a>(irq: &'a IrqOff, timer: Timer<'a>) -> Option<Entry<'a>> {
    match find(irq, timer) {
        Some(entry) => Some(entry),
        None => take(irq, timer),
    }
}

#[cold]
#[inline(never)]
fn take<'a>(_irq: &'a IrqOff, timer: Timer<'a>) -> Option<Entry<'a>> {
    let vcpu = Vcpu::running();
    let table = Table::lock();

    if OPEN.load() == 0 {
        return None;
    }
    let left = FREE_COUNT.load();
    if left <= pool() / 4 * 3 {
        queue_work();
    }
    let entry = entry_at(FREE.load())?;
    FREE_COUNT.store_release(left.wrapping_sub(1));

    let (by_timer, by_vcpu) = (
        bucket(&BY_TIMER, timer.address()),
        bucket(&BY_VCPU, vcpu.map_or(0, Vcpu::address)),
    );
    FREE.store_release(next_of_vcpu(entry));

    let mut filled = rht_entry::default();
    filled.node.timer = timer.as_raw();
    filled.node.cpu = -1;
    filled.vcpu = vcpu.map_or(core::ptr::null_mut(), |vcpu| {
        core::ptr::with_exposed_provenance_mut(vcpu.address())
    });
    filled.next = entry_at(by_timer.load()).map_or(core::ptr::null_mut(), NonNull::as_ptr);
    filled.next_of_vcpu = entry_at(by_vcpu.load()).map_or(core::ptr::null_mut(), NonNull::as_ptr);
    // SAFETY: Nobody else knows of an entry of the pool.
    unsafe { entry.write(filled) };
    // SAFETY: As above; only an address inside it is made.
    let link = unsafe { addr_of_mut!((*entry.as_ptr()).node.node) };
    let (next, prev) = (link, link);
    // SAFETY: As above.
    unsafe { link.write(bindings::list_head { next, prev }) };

    TAKEN.store_release(TAKEN.load().wrapping_add(1));
    by_vcpu.store_release(word_of(Some(entry)));
    // A lookup that sees this sees the whole entry.
    by_timer.store_release(word_of(Some(entry)));
    drop(table);
    // SAFETY: It was just put into the table; interrupts are off, and the timer is lent, for `'a`.
    Some(unsafe { Entry::from_raw(entry) })
}

/// Returns how many entries the pool is to have. Any context.
#[inline]
fn pool() -> u64 {
    // SAFETY: Reads a number that does not change.
    let cpus = unsafe { bindings::rht_possible_cpus() };

    POOL.wrapping_add(POOL_EACH_CPU.wrapping_mul(u64::from(cpus)))
}

/// Retires the entries of `vcpu`, whose timers go; `forget` is called for the node of each, so that
/// nothing looks at its timer after this. Any context but NMI.
pub(crate) fn retire(vcpu: Vcpu, forget: impl Fn(Node<'_>)) {
    let table = Table::lock();
    let chain = bucket(&BY_VCPU, vcpu.address());
    let (mut kept, mut retired) = (0, 0);
    let mut next = chain.load();

    while let Some(entry) = entry_at(next) {
        next = next_of_vcpu(entry);
        // SAFETY: An entry in a chain is valid, and the table's lock is held.
        let owner = unsafe { addr_of!((*entry.as_ptr()).vcpu).read() };

        if owner.addr() == vcpu.address() {
            // SAFETY: The entry is in the table, whose lock is held, and so interrupts are off. Its
            // timer is valid: the vCPU is about to be destroyed.
            forget(unsafe { Entry::from_raw(entry) }.node());
            unlink(&table, entry);
            TAKEN.store_release(TAKEN.load().wrapping_sub(1));
            set_next_of_vcpu(entry, retired);
            retired = word_of(Some(entry));
        } else {
            set_next_of_vcpu(entry, kept);
            kept = word_of(Some(entry));
        }
    }
    chain.store_release(kept);
    drop(table);
    free_chain(retired);
}

/// The link of an entry in a chain that is this caller's: by the table's lock, or because nobody else
/// knows of it.
fn next_of_vcpu(entry: NonNull<rht_entry>) -> u64 {
    // SAFETY: An entry in a chain is valid; the caller alone uses this link now.
    word_of(NonNull::new(unsafe {
        addr_of!((*entry.as_ptr()).next_of_vcpu).read()
    }))
}

fn set_next_of_vcpu(entry: NonNull<rht_entry>, next: u64) {
    let next = entry_at(next).map_or(core::ptr::null_mut(), NonNull::as_ptr);

    // SAFETY: As in `next_of_vcpu()`.
    unsafe { addr_of_mut!((*entry.as_ptr()).next_of_vcpu).write(next) };
}

/// Takes an entry out of the chain of its timer's bucket.
fn unlink(_table: &Table, entry: NonNull<rht_entry>) {
    // SAFETY: The entry is in the table, whose lock is held.
    let (timer, after) = unsafe {
        (
            addr_of!((*entry.as_ptr()).node.timer).read(),
            addr_of!((*entry.as_ptr()).next).read(),
        )
    };
    let head = bucket(&BY_TIMER, timer.addr());

    if head.load() == word_of(Some(entry)) {
        head.store_release(word_of(NonNull::new(after)));
        return;
    }
    let mut at = head.load();
    while let Some(before) = entry_at(at) {
        // SAFETY: As above.
        let link = unsafe { addr_of_mut!((*before.as_ptr()).next) };
        // SAFETY: As above.
        let next = unsafe { link.read() };
        if next == entry.as_ptr() {
            // SAFETY: As above; lookups read the link once.
            unsafe { link.write_volatile(after) };
            return;
        }
        at = word_of(NonNull::new(next));
    }
}

/// Calls `f` for each entry whose timer may be pending. Any context but NMI.
pub(crate) fn for_each(f: impl Fn(Entry<'_>)) {
    let _table = Table::lock();

    for chain in &BY_TIMER {
        let mut next = chain.load();
        while let Some(entry) = entry_at(next) {
            // SAFETY: The entry is in the table, whose lock is held, and so interrupts are off; its
            // vCPU, whose timer it is, cannot be destroyed before it is out of the table.
            f(unsafe { Entry::from_raw(entry) });
            // SAFETY: An entry in a chain is valid, and the lock is held.
            next = word_of(NonNull::new(unsafe {
                addr_of!((*entry.as_ptr()).next).read()
            }));
        }
    }
}

/// Asks for the work item. Any context.
pub(crate) fn queue_work() {
    // SAFETY: `irq_work_queue()` may be called in any context; `close()` waits for the work.
    unsafe { bindings::rht_entries_queue_work() };
}

/// Fills the pool. May sleep. Context: the work item's, or `open()`.
pub(crate) fn fill() {
    while FREE_COUNT.load() < pool() {
        // Without memory the next start that finds the pool low asks again.
        let Ok(entry) = KBox::new(rht_entry::default(), GFP_KERNEL) else {
            return;
        };
        let _table = Table::lock();
        if OPEN.load() == 0 {
            return;
        }
        let Some(entry) = NonNull::new(KBox::into_raw(entry)) else {
            return;
        };
        set_next_of_vcpu(entry, FREE.load());
        FREE.store_release(word_of(Some(entry)));
        FREE_COUNT.store_release(FREE_COUNT.load().wrapping_add(1));
    }
}

/// Frees the entries of a chain that is in no table.
fn free_chain(first: u64) {
    let mut next = first;

    while let Some(entry) = entry_at(next) {
        next = next_of_vcpu(entry);
        // SAFETY: Each entry was made by `KBox::into_raw()` in `fill()`, which leaves it to kfree(), and
        // was unlinked, or never linked: nobody finds it any more.
        unsafe { bindings::rht_entry_free(entry.as_ptr()) };
    }
}

/// Fills the pool, and lets entries be taken from it. Process context.
pub(crate) fn open() {
    OPEN.store_release(1);
    fill();
}

/// Frees all entries. Process context; no hook is in place any more, and no node is on a queue.
pub(crate) fn close() {
    let table = Table::lock();
    let free = FREE.load();

    OPEN.store_release(0);
    TAKEN.store_release(0);
    FREE.store_release(0);
    FREE_COUNT.store_release(0);
    for chain in &BY_TIMER {
        chain.store_release(0);
    }
    drop(table);

    // SAFETY: Process context; nobody who is waited for takes a lock that is held here.
    unsafe { bindings::rht_entries_flush_work() };
    free_chain(free);
    for chain in &BY_VCPU {
        let first = chain.load();
        chain.store_release(0);
        free_chain(first);
    }
}
