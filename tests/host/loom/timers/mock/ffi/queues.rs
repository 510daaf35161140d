// SPDX-License-Identifier: GPL-2.0

//! Stands in for what `c/timer/queue.c` does with lists. All of it is called with the lock held.

use super::bindings::{
    list_head,
    rht_queue,
    touch,
    tsc_timer, //
};

use std::ptr::{
    addr_of_mut,
    null_mut, //
};

/// `INIT_LIST_HEAD()`.
///
/// # Safety
///
/// As of all functions here: what the arguments point to is valid, and the locks are held.
pub(crate) unsafe fn init_list_head(head: *mut list_head) {
    let (next, prev) = (head, head);

    // SAFETY: As the caller's.
    unsafe { head.write(list_head { next, prev }) };
}

unsafe fn list_add_tail(link: *mut list_head, head: *mut list_head) {
    // SAFETY: As the caller's.
    let last = unsafe { (*head).prev };
    let (next, prev) = (head, last);

    // SAFETY: As the caller's.
    unsafe { link.write(list_head { next, prev }) };
    // SAFETY: The last entry, or the head, is valid.
    unsafe { (*last).next = link };
    // SAFETY: As the caller's.
    unsafe { (*head).prev = link };
}

unsafe fn list_del_init(link: *mut list_head) {
    // SAFETY: As the caller's.
    let list_head { next, prev } = unsafe { link.read() };

    // SAFETY: The neighbours are valid.
    unsafe { (*prev).next = next };
    // SAFETY: As above.
    unsafe { (*next).prev = prev };
    // SAFETY: As the caller's.
    unsafe { init_list_head(link) };
}

unsafe fn list_move_tail(link: *mut list_head, head: *mut list_head) {
    // SAFETY: As the caller's.
    unsafe { list_del_init(link) };
    // SAFETY: As the caller's.
    unsafe { list_add_tail(link, head) };
}

unsafe fn first(head: *mut list_head) -> *mut list_head {
    // SAFETY: As the caller's.
    let first = unsafe { (*head).next };

    if first == head {
        null_mut()
    } else {
        first
    }
}

pub(crate) unsafe fn rht_queue_add(queue: *mut rht_queue, tt: *mut tsc_timer) {
    // SAFETY: As the caller's.
    unsafe { list_add_tail(addr_of_mut!((*tt).node), addr_of_mut!((*queue).pending)) };
}

pub(crate) unsafe fn rht_queue_is_empty(queue: *mut rht_queue) -> bool {
    // SAFETY: As the caller's.
    unsafe {
        first(addr_of_mut!((*queue).pending)).is_null()
            && first(addr_of_mut!((*queue).due)).is_null()
    }
}

pub(crate) unsafe fn rht_queue_remove(tt: *mut tsc_timer) {
    // SAFETY: As the caller's.
    unsafe { touch(tt) };
    // SAFETY: As the caller's.
    unsafe { list_del_init(addr_of_mut!((*tt).node)) };
}

pub(crate) unsafe fn rht_queue_transfer(to: *mut rht_queue, tt: *mut tsc_timer) {
    // SAFETY: As the caller's.
    unsafe { list_move_tail(addr_of_mut!((*tt).node), addr_of_mut!((*to).pending)) };
}

unsafe fn list_splice_tail_init(from: *mut list_head, to: *mut list_head) {
    // SAFETY: As the caller's.
    if unsafe { first(from) }.is_null() {
        return;
    }
    // SAFETY: As the caller's.
    let list_head { next, prev: end } = unsafe { from.read() };
    // SAFETY: As the caller's.
    let last = unsafe { (*to).prev };

    // SAFETY: The last entry of this list, or its head, is valid.
    unsafe { (*last).next = next };
    // SAFETY: The first entry that moves is valid.
    unsafe { (*next).prev = last };
    // SAFETY: The last entry that moves is valid.
    unsafe { (*end).next = to };
    // SAFETY: As the caller's.
    unsafe { (*to).prev = end };
    // SAFETY: As the caller's.
    unsafe { init_list_head(from) };
}

pub(crate) unsafe fn rht_queue_begin_pass(queue: *mut rht_queue) {
    // SAFETY: As the caller's.
    unsafe { list_splice_tail_init(addr_of_mut!((*queue).pending), addr_of_mut!((*queue).due)) };
}

pub(crate) unsafe fn rht_queue_first_due(queue: *mut rht_queue) -> *mut list_head {
    // SAFETY: As the caller's.
    unsafe { first(addr_of_mut!((*queue).due)) }
}

pub(crate) unsafe fn rht_queue_advance(queue: *mut rht_queue, tt: *mut tsc_timer) {
    // SAFETY: As the caller's.
    unsafe { list_move_tail(addr_of_mut!((*tt).node), addr_of_mut!((*queue).pending)) };
}

pub(crate) unsafe fn rht_queue_postpone(queue: *mut rht_queue, tt: *mut tsc_timer) {
    // SAFETY: As the caller's.
    unsafe { list_move_tail(addr_of_mut!((*tt).node), addr_of_mut!((*queue).due)) };
}

pub(crate) unsafe fn rht_next_cpu(cpu: i32) -> i32 {
    if cpu + 1 < super::bindings::CPUS {
        cpu + 1
    } else {
        -1
    }
}
