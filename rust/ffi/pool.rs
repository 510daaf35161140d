// SPDX-License-Identifier: GPL-2.0

//! The pool: free entries, which a work item allocates ahead of need, so that no start allocates.
//!
//! C file: [`c/kvm/table.c`](../../c/kvm/table.c)

use super::{
    bindings::{
        self,
        rht_entry, //
    },
    chain::{
        entry_at,
        next_of_vcpu,
        set_next_of_vcpu,
        word_of,
        TableLock, //
    },
    word::Word, //
};

use core::ptr::NonNull;

use kernel::alloc::{
    flags::GFP_KERNEL,
    KBox, //
};

/// The pool's size after the work item has run: so many, and so many for each CPU, because on each a
/// new vCPU may start its first timers before the work item runs.
const POOL: u64 = 256;
const POOL_EACH_CPU: u64 = 64;

/// The first free entry, or 0, and how many there are. Written with the table's lock held.
static FREE: Word = Word::new(0);
static FREE_COUNT: Word = Word::new(0);

/// Whether entries are handed out. Not before the first hook is placed, and after the last is removed.
static OPEN: Word = Word::new(0);

/// Returns how many entries the pool is to have. Any context.
#[inline]
fn size() -> u64 {
    // SAFETY: Reads a number that does not change.
    let cpus = unsafe { bindings::rht_possible_cpus() };

    POOL.wrapping_add(POOL_EACH_CPU.wrapping_mul(u64::from(cpus)))
}

/// Takes an entry from the pool; `None` if it is empty or closed.
pub(super) fn take(_lock: &TableLock) -> Option<NonNull<rht_entry>> {
    if OPEN.load() == 0 {
        return None;
    }
    let left = FREE_COUNT.load();
    if left <= size() / 4 * 3 {
        queue_work();
    }
    let entry = entry_at(FREE.load())?;

    FREE_COUNT.store_release(left.wrapping_sub(1));
    FREE.store_release(next_of_vcpu(entry));
    Some(entry)
}

/// Queues the work item. Any context.
pub(super) fn queue_work() {
    // SAFETY: `irq_work_queue()` may be called in any context; `close()` waits for the work.
    unsafe { bindings::rht_entries_queue_work() };
}

/// Fills the pool. May sleep. Context: the work item's, or `open()`.
pub(super) fn fill() {
    while FREE_COUNT.load() < size() {
        // Without memory the next start that finds the pool low queues the work item again.
        let Ok(entry) = KBox::new(rht_entry::default(), GFP_KERNEL) else {
            return;
        };
        let _lock = TableLock::lock();
        if OPEN.load() == 0 {
            return;
        }
        let Some(entry) = NonNull::new(KBox::into_raw(entry)) else {
            return;
        };
        set_next_of_vcpu(entry, FREE.load());
        FREE.store_release(word_of(entry));
        FREE_COUNT.store_release(FREE_COUNT.load().wrapping_add(1));
    }
}

/// Frees the entries of a chain that is in no table, after a grace period.
pub(super) fn free_chain(first: u64) {
    let mut next = first;

    while let Some(entry) = entry_at(next) {
        next = next_of_vcpu(entry);
        // SAFETY: Each entry was made by `KBox::into_raw()` in `fill()`, which leaves it to kfree(), and
        // was unlinked, or never linked: nobody finds it any more.
        unsafe { bindings::rht_entry_free(entry.as_ptr()) };
    }
}

/// Fills the pool, and lets entries be taken from it. Process context.
pub(super) fn open() {
    OPEN.store_release(1);
    fill();
}

/// Lets no entry be taken any more; returns the chain of those that are free.
pub(super) fn close(_lock: &TableLock) -> u64 {
    let free = FREE.load();

    OPEN.store_release(0);
    FREE.store_release(0);
    FREE_COUNT.store_release(0);
    free
}

/// Waits for the work item. Process context, may sleep.
pub(super) fn flush_work() {
    // SAFETY: Process context; nobody who is waited for takes a lock that is held here.
    unsafe { bindings::rht_entries_flush_work() };
}
