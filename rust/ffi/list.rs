// SPDX-License-Identifier: GPL-2.0

//! The kernel's intrusive lists, whose entries belong to C.
//!
//! C header: [`include/linux/list.h`](srctree/include/linux/list.h)

use super::bindings::list_head;

/// The head of a list.
///
/// Each function's caller holds the lock of the lists concerned; the entries on them are valid.
#[derive(Clone, Copy)]
pub(super) struct List(pub(super) *mut list_head);

impl List {
    /// # Safety
    ///
    /// The lock is held.
    #[inline]
    pub(super) unsafe fn first(self) -> Option<*mut list_head> {
        // SAFETY: The head is valid, and the lock is held.
        let first = unsafe { (*self.0).next };

        (first != self.0).then_some(first)
    }

    /// # Safety
    ///
    /// The lock is held, and `link` is in a valid node that is on no list.
    #[inline]
    pub(super) unsafe fn append(self, link: *mut list_head) {
        // SAFETY: The head is valid, and the lock is held.
        let last = unsafe { (*self.0).prev };
        let (next, prev) = (self.0, last);

        // SAFETY: Nobody else looks at a link that is on no list.
        unsafe { link.write(list_head { next, prev }) };
        // SAFETY: The last entry, or the head, is valid.
        unsafe { (*last).next = link };
        // SAFETY: The head is valid.
        unsafe { (*self.0).prev = link };
    }

    /// # Safety
    ///
    /// The lock is held, and `link` is on a list.
    #[inline]
    pub(super) unsafe fn unlink(link: *mut list_head) {
        // SAFETY: An entry is valid.
        let list_head { next, prev } = unsafe { link.read() };

        // SAFETY: So are its neighbours.
        unsafe { (*prev).next = next };
        // SAFETY: As above.
        unsafe { (*next).prev = prev };
        let (next, prev) = (link, link);
        // SAFETY: It is on no list any more.
        unsafe { link.write(list_head { next, prev }) };
    }

    /// Moves all entries of `from` to the end of this list.
    ///
    /// # Safety
    ///
    /// The lock of both is held.
    pub(super) unsafe fn splice(self, from: Self) {
        // SAFETY: The lock is held.
        if unsafe { from.first() }.is_none() {
            return;
        }
        // SAFETY: Both heads are valid.
        let (
            list_head {
                next: first,
                prev: end,
            },
            last,
        ) = unsafe { (from.0.read(), (*self.0).prev) };

        // SAFETY: The last entry of this list, or its head, is valid.
        unsafe { (*last).next = first };
        // SAFETY: The first entry that moves is valid.
        unsafe { (*first).prev = last };
        // SAFETY: The last entry that moves is valid.
        unsafe { (*end).next = self.0 };
        // SAFETY: The head is valid.
        unsafe { (*self.0).prev = end };
        let (next, prev) = (from.0, from.0);
        // SAFETY: All its entries are on this list now.
        unsafe { from.0.write(list_head { next, prev }) };
    }
}
