// SPDX-License-Identifier: GPL-2.0

//! The two list operations on the path of a start and of a cancel, in place.
//!
//! Where `CONFIG_DEBUG_LIST` is set, as in Debian's kernels, C's functions check each node's neighbours: some
//! 30 instructions more for each of these two, of the 170 and 90 that a node adds to a start and to a
//! cancel. A pass walks the same lists, and removes and moves nodes by C's functions, which check them.
//!
//! C header: [`include/linux/list.h`](srctree/include/linux/list.h)

use super::bindings::list_head;

/// `list_add_tail()`.
///
/// # Safety
///
/// `link` is in a valid node that is on no list; `head` is a list's head, whose lock is held, and what is
/// on the list is valid.
#[inline]
pub(super) unsafe fn add_tail(link: *mut list_head, head: *mut list_head) {
    // SAFETY: The caller promises it.
    let last = unsafe { (*head).prev };
    let (next, prev) = (head, last);

    // SAFETY: Nobody else uses a link that is on no list.
    unsafe { link.write(list_head { next, prev }) };
    // SAFETY: The last entry, or the head, is valid.
    unsafe { (*last).next = link };
    // SAFETY: The caller promises it.
    unsafe { (*head).prev = link };
}

/// `list_del_init()`.
///
/// # Safety
///
/// `link` is on a list whose lock is held, and what is on the list is valid.
#[inline]
pub(super) unsafe fn del_init(link: *mut list_head) {
    // SAFETY: The caller promises it.
    let list_head { next, prev } = unsafe { link.read() };

    // SAFETY: So are its neighbours.
    unsafe { (*prev).next = next };
    // SAFETY: As above.
    unsafe { (*next).prev = prev };
    let (next, prev) = (link, link);
    // SAFETY: It is on no list any more.
    unsafe { link.write(list_head { next, prev }) };
}
