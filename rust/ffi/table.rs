// SPDX-License-Identifier: GPL-2.0

//! The table of hooked timers: entries, found by the timer's address.
//!
//! # Vocabulary
//!
//! * **retire**: take an entry out of the table for good. A lookup that has found the entry before may
//!   still read it, so it is freed after a grace period.
//!
//! Lock order: the table's, then a queue's.

use super::{
    chain::{
        bucket,
        entry_at,
        fill_in,
        next_of_timer,
        next_of_vcpu,
        search,
        set_next_of_vcpu,
        unlink,
        vcpu_of,
        word_of,
        TableLock,
        BY_TIMER,
        BY_VCPU, //
    },
    entries::{
        Entry,
        IrqOff,
        Vcpu, //
    },
    node::Node,
    pool,
    timer::Timer,
    word::Word, //
};

/// How many timers have an entry. Written with the table's lock held.
static TAKEN: Word = Word::new(0);

/// Returns how many timers have an entry. Any context.
pub(crate) fn taken() -> u64 {
    TAKEN.load()
}

/// Finds the entry of `timer`.
#[inline]
pub(crate) fn find<'a>(_irq: &'a IrqOff, timer: Timer<'a>) -> Option<Entry<'a>> {
    // SAFETY: Interrupts are off for `'a`, so an entry that is in the table now stays readable; its
    // timer is lent for `'a`.
    search(timer).map(|entry| unsafe { Entry::from_raw(entry) })
}

/// Finds the entry of `timer`, or takes one from the pool for it; `None` if the pool is empty. Context: the
/// timer's start, which takes the table's lock the first time.
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
    let vcpu = Vcpu::running().map_or(0, Vcpu::address);
    let lock = TableLock::lock();
    let entry = pool::take(&lock)?;
    let (by_timer, by_vcpu) = (bucket(&BY_TIMER, timer.address()), bucket(&BY_VCPU, vcpu));

    fill_in(entry, timer, vcpu, by_timer.load(), by_vcpu.load());
    TAKEN.store_release(TAKEN.load().wrapping_add(1));
    by_vcpu.store_release(word_of(entry));
    // Last, because a lookup reads the entry once it has read this word.
    by_timer.store_release(word_of(entry));
    drop(lock);
    // SAFETY: The entry is in the table now; interrupts are off, and the timer is lent, for `'a`.
    Some(unsafe { Entry::from_raw(entry) })
}

/// Retires the entries of `vcpu`, whose timers are about to be freed. Calls `remove` for the node of each,
/// after which nothing touches the node or the timer. Any context but NMI.
pub(crate) fn retire(vcpu: Vcpu, remove: impl Fn(Node<'_>)) {
    let lock = TableLock::lock();
    let chain = bucket(&BY_VCPU, vcpu.address());
    let (mut kept, mut retired) = (0, 0);
    let mut next = chain.load();

    while let Some(entry) = entry_at(next) {
        next = next_of_vcpu(entry);
        if vcpu_of(&lock, entry) == vcpu.address() {
            // SAFETY: The entry is in the table, whose lock is held, and so interrupts are off. Its
            // timer is valid: the vCPU is about to be destroyed.
            remove(unsafe { Entry::from_raw(entry) }.node());
            unlink(&lock, entry);
            TAKEN.store_release(TAKEN.load().wrapping_sub(1));
            set_next_of_vcpu(entry, retired);
            retired = word_of(entry);
        } else {
            set_next_of_vcpu(entry, kept);
            kept = word_of(entry);
        }
    }
    chain.store_release(kept);
    drop(lock);
    pool::free_chain(retired);
}

/// Calls `f` for each entry. Any context but NMI.
pub(crate) fn for_each(f: impl Fn(Entry<'_>)) {
    let lock = TableLock::lock();

    for chain in &BY_TIMER {
        let mut next = chain.load();
        while let Some(entry) = entry_at(next) {
            // SAFETY: The entry is in the table, whose lock is held, and so interrupts are off; its
            // vCPU, whose timer it is, cannot be destroyed before it is out of the table.
            f(unsafe { Entry::from_raw(entry) });
            next = next_of_timer(&lock, entry);
        }
    }
}

/// Queues the work item, which fills the pool. Any context.
pub(crate) fn queue_work() {
    pool::queue_work();
}

/// Fills the pool. Context: the work item's.
pub(crate) fn fill() {
    pool::fill();
}

/// The table, while entries can be taken from its pool. Dropping it frees all entries: by then no hook is in
/// place, and no node is queued. Process context, may sleep.
#[must_use = "dropping it closes the table"]
pub(crate) struct OpenTable(());

impl OpenTable {
    /// Fills the pool, and lets entries be taken. Process context, may sleep.
    pub(crate) fn new() -> Self {
        pool::open();
        Self(())
    }
}

impl Drop for OpenTable {
    fn drop(&mut self) {
        let lock = TableLock::lock();
        let free = pool::close(&lock);

        TAKEN.store_release(0);
        for chain in &BY_TIMER {
            chain.store_release(0);
        }
        drop(lock);

        pool::flush_work();
        pool::free_chain(free);
        for chain in &BY_VCPU {
            let first = chain.load();
            chain.store_release(0);
            pool::free_chain(first);
        }
    }
}
