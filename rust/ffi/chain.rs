// SPDX-License-Identifier: GPL-2.0

//! The two hashes of the table of hooked timers, and the chains of entries in their buckets.
//!
//! A chain is changed with the table's lock held. A lookup takes no lock; it has interrupts off, so that
//! an entry that it has found is not freed under it.

use super::{
    bindings::{
        self,
        rht_entry, //
    },
    timer::Timer,
    word::Word, //
};

use core::ptr::{
    addr_of,
    addr_of_mut,
    with_exposed_provenance_mut,
    without_provenance_mut,
    NonNull, //
};

use kernel::{
    ffi::c_ulong,
    types::NotThreadSafe, //
};

/// Buckets of each of the two hashes, a power of two.
pub(super) const BUCKETS: usize = 4096;

/// The first entry of each chain, or 0. Written with the table's lock held.
pub(super) static BY_TIMER: [Word; BUCKETS] = [const { Word::new(0) }; BUCKETS];
pub(super) static BY_VCPU: [Word; BUCKETS] = [const { Word::new(0) }; BUCKETS];

/// The table's lock, held, with interrupts off.
///
/// # Invariants
///
/// The lock is held; it is released on drop.
pub(super) struct TableLock(c_ulong, NotThreadSafe);

impl TableLock {
    /// Takes the lock. Any context but NMI.
    pub(super) fn lock() -> Self {
        // SAFETY: Any context but NMI; nobody who holds the lock calls this.
        let flags = unsafe { bindings::rht_entries_lock() };
        // INVARIANT: It was just locked.
        Self(flags, NotThreadSafe)
    }
}

impl Drop for TableLock {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant the lock is held.
        unsafe { bindings::rht_entries_unlock(self.0) };
    }
}

/// Returns the chain of an address. As `hash_64()` does; the upper bits are the mixed ones.
#[inline]
pub(super) fn bucket(table: &'static [Word; BUCKETS], address: usize) -> &'static Word {
    // CAST: An address has 64 bits.
    let hash = (address as u64).wrapping_mul(0x61c8_8646_80b5_83eb) >> 32;

    // CAST: The remainder is an index of the array, so there is no bound to check.
    &table[(hash as usize) % BUCKETS]
}

/// Returns the entry whose address is in a word of a chain.
#[inline]
pub(super) fn entry_at(word: u64) -> Option<NonNull<rht_entry>> {
    NonNull::new(link_of(word))
}

/// Returns the pointer that an entry has as a link in place of a word.
#[inline]
pub(super) fn link_of(word: u64) -> *mut rht_entry {
    // CAST: `word_of_link()` has made it of an address.
    with_exposed_provenance_mut(word as usize)
}

/// Returns the word of a link in an entry.
#[inline]
fn word_of_link(link: *mut rht_entry) -> u64 {
    // CAST: An address has 64 bits.
    link.expose_provenance() as u64
}

/// Returns the word of an entry.
#[inline]
pub(super) fn word_of(entry: NonNull<rht_entry>) -> u64 {
    word_of_link(entry.as_ptr())
}

/// Finds the entry of `timer`. With interrupts off, or the table's lock held.
#[inline]
pub(super) fn search(timer: Timer<'_>) -> Option<NonNull<rht_entry>> {
    let mut next = bucket(&BY_TIMER, timer.address()).load_acquire();

    while let Some(entry) = entry_at(next) {
        // SAFETY: An entry in a chain is valid, and its timer does not change while that may be read.
        let key = unsafe { addr_of!((*entry.as_ptr()).node.timer).read() };
        if key.addr() == timer.address() {
            return Some(entry);
        }
        // SAFETY: As above; whoever changes the link meanwhile writes it once.
        next = word_of_link(unsafe { addr_of!((*entry.as_ptr()).next).read_volatile() });
    }
    None
}

/// Returns the word of the next entry in the chain of its timer's bucket.
pub(super) fn next_of_timer(_lock: &TableLock, entry: NonNull<rht_entry>) -> u64 {
    // SAFETY: An entry in a chain is valid, and the lock is held.
    word_of_link(unsafe { addr_of!((*entry.as_ptr()).next).read() })
}

/// Returns the word of the next entry in a chain of [`BY_VCPU`], or in one that is the caller's alone.
pub(super) fn next_of_vcpu(entry: NonNull<rht_entry>) -> u64 {
    // SAFETY: An entry in a chain is valid; the caller alone uses this link now.
    word_of_link(unsafe { addr_of!((*entry.as_ptr()).next_of_vcpu).read() })
}

/// Sets the word that [`next_of_vcpu()`] returns.
pub(super) fn set_next_of_vcpu(entry: NonNull<rht_entry>, next: u64) {
    // SAFETY: As in `next_of_vcpu()`.
    unsafe { addr_of_mut!((*entry.as_ptr()).next_of_vcpu).write(link_of(next)) };
}

/// Removes an entry from the chain of its timer's bucket. A lookup that is at the entry finds what is
/// behind it, because its own link stays.
pub(super) fn unlink(_lock: &TableLock, entry: NonNull<rht_entry>) {
    // SAFETY: The entry is in the table, whose lock is held.
    let timer = unsafe { addr_of!((*entry.as_ptr()).node.timer).read() };
    // SAFETY: As above.
    let after = unsafe { addr_of!((*entry.as_ptr()).next).read() };
    let head = bucket(&BY_TIMER, timer.addr());

    if head.load() == word_of(entry) {
        head.store_release(word_of_link(after));
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
        at = word_of_link(next);
    }
}

/// Returns the address of the vCPU whose timer an entry is for.
pub(super) fn vcpu_of(_lock: &TableLock, entry: NonNull<rht_entry>) -> usize {
    // SAFETY: An entry in a chain is valid, and the table's lock is held.
    unsafe { addr_of!((*entry.as_ptr()).vcpu).read() }.addr()
}

/// Fills an entry of the pool, as the first one of the chains that begin with these words.
pub(super) fn fill_in(
    entry: NonNull<rht_entry>,
    timer: Timer<'_>,
    vcpu: usize,
    by_timer: u64,
    by_vcpu: u64,
) {
    let mut filled = rht_entry::default();

    filled.node.timer = timer.as_raw();
    filled.node.cpu = -1;
    // It is compared, and never followed.
    filled.vcpu = without_provenance_mut(vcpu);
    filled.next = link_of(by_timer);
    filled.next_of_vcpu = link_of(by_vcpu);
    // SAFETY: Nobody else knows of an entry of the pool.
    unsafe { entry.write(filled) };
    // SAFETY: As above; only an address inside it is made.
    let link = unsafe { addr_of_mut!((*entry.as_ptr()).node.node) };
    let (next, prev) = (link, link);
    // SAFETY: As above.
    unsafe { link.write(bindings::list_head { next, prev }) };
}
