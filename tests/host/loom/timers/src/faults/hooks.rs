// SPDX-License-Identifier: GPL-2.0

/// In what the hooks do.
#[rustfmt::skip]
pub const HOOKS: &[Fault] = &[
    Fault {
        what: "an entry can be found before it is filled",
        edits: &[
            edit("ffi/table.rs", "    fill_in(entry, timer, vcpu, by_timer.load(), by_vcpu.load());", "
                let first = by_timer.load();
                by_timer.store_release(word_of(entry));
                fill_in(entry, timer, vcpu, first, by_vcpu.load());
"),
        ],
        model: "hooks::a_first_start_and_a_lookup",
    },
    Fault {
        what: "a lookup may see an entry before what it is filled with",
        edits: &[edit("ffi/chain.rs", "bucket(&BY_TIMER, timer.address()).load_acquire()",
            "bucket(&BY_TIMER, timer.address()).load()")],
        model: "hooks::a_first_start_and_a_lookup",
    },
    Fault {
        what: "a new entry hides those that were there",
        edits: &[edit("ffi/chain.rs", "filled.next = link_of(by_timer);", "filled.next = link_of(by_timer & 0);")],
        model: "hooks::a_first_start_and_a_lookup",
    },
    Fault {
        what: "two starts take an entry at the same time",
        edits: &[edit("ffi/chain.rs", "let flags = unsafe { bindings::rht_entries_lock() };", "let flags = 0;")],
        model: "hooks::two_first_starts",
    },
    Fault {
        what: "a hooked cancel leaves the node where it is",
        edits: &[edit("kvm/hooked.rs", "    if let Some(entry) = table::find(&irq, timer) {
        pending::cancel(entry.node());
    }", "")],
        model: "hooks::a_cancel",
    },
    Fault {
        what: "a hooked cancel that may fail leaves the node where it is",
        edits: &[edit("kvm/hooked.rs", "Some(entry) => pending::try_to_cancel(entry.node()),",
            "Some(entry) => entry.node().timer().try_to_cancel(),")],
        model: "hooks::a_try_to_cancel",
    },
    Fault {
        what: "the end of a vCPU leaves its nodes where they are",
        edits: &[edit("ffi/table.rs", "            remove(unsafe { Entry::from_raw(entry) }.node());\n", "")],
        model: "hooks::a_destroy",
    },
    Fault {
        what: "an entry is freed while it is read",
        edits: &[edit("ffi/pool.rs", "unsafe { bindings::rht_entry_free(entry.as_ptr()) };",
            "unsafe { bindings::entry::rht_entry_free_at_once(entry.as_ptr()) };")],
        model: "hooks::a_destroy_and_an_early_callback",
    },
    Fault {
        what: "a lookup has interrupts on",
        edits: &[edit("ffi/entries.rs", "let flags = unsafe { bindings::rht_irq_save() };", "let flags = 0;")],
        model: "hooks::a_destroy_and_a_callback_in_time",
    },
    Fault {
        what: "an entry that goes leads a lookup nowhere",
        edits: &[edit("ffi/table.rs", "TAKEN.store_release(TAKEN.load().wrapping_sub(1));
            set_next_of_vcpu(entry, retired);", "
            TAKEN.store_release(TAKEN.load().wrapping_sub(1));
            unsafe { (&raw mut (*entry.as_ptr()).next).write_volatile(core::ptr::null_mut()) };
            set_next_of_vcpu(entry, retired);")],
        model: "hooks::a_destroy_and_a_lookup",
    },
    Fault {
        what: "an entry that is passed by is freed",
        edits: &[edit("ffi/pool.rs", "unsafe { bindings::rht_entry_free(entry.as_ptr()) };",
            "unsafe { bindings::entry::rht_entry_free_at_once(entry.as_ptr()) };")],
        model: "hooks::a_destroy_and_a_lookup",
    },
    Fault {
        what: "an entry that is freed stays in the table",
        edits: &[edit("ffi/table.rs", "unlink(&lock, entry);
            TAKEN.store", "TAKEN.store")],
        model: "hooks::a_destroy",
    },
    Fault {
        what: "an entry that is freed stays in the table behind another",
        edits: &[edit("ffi/chain.rs", "unsafe { link.write_volatile(after) };", "")],
        model: "hooks::a_destroy_and_a_first_start",
    },
    Fault {
        what: "an entry takes those behind it out of the table",
        edits: &[edit("ffi/chain.rs", "head.store_release(word_of_link(after));", "head.store_release(0);")],
        model: "hooks::a_destroy_and_a_first_start",
    },
    Fault {
        what: "a vCPU's end takes another's entries with it",
        edits: &[edit("ffi/table.rs", "if vcpu_of(&lock, entry) == vcpu.address() {", "if vcpu_of(&lock, entry) != 0 {")],
        model: "hooks::a_destroy_and_a_first_start",
    },
    Fault {
        what: "a vCPU's end loses another's entries",
        edits: &[edit("ffi/table.rs", "    chain.store_release(kept);", "    chain.store_release(0);")],
        model: "hooks::a_destroy_and_a_first_start",
    },
    Fault {
        what: "a vCPU's end looks for entries before it has the lock",
        edits: &[
            edit("ffi/table.rs", "    let lock = TableLock::lock();
    let chain = bucket(&BY_VCPU, vcpu.address());", "
            let chain = bucket(&BY_VCPU, vcpu.address());
            let mut next = chain.load();
            let lock = TableLock::lock();"),
            edit("ffi/table.rs", "    let (mut kept, mut retired) = (0, 0);
    let mut next = chain.load();", "    let (mut kept, mut retired) = (0, 0);"),
        ],
        model: "hooks::a_destroy_and_a_first_start",
    },
    Fault {
        what: "a timer that is gone is counted",
        edits: &[edit("ffi/table.rs", "unlink(&lock, entry);
            TAKEN.store_release(TAKEN.load().wrapping_sub(1));", "unlink(&lock, entry);")],
        model: "hooks::a_destroy_and_a_first_start",
    },
    Fault {
        what: "another TSC leaves nodes where they are",
        edits: &[edit("kvm/hooked.rs", "        entry.set_known(false);
        pending::cancel(entry.node());
    });", "        entry.set_known(false);
    });")],
        model: "hooks::another_clocksource_and_a_first_start",
    },
    Fault {
        what: "a deadline is known that another TSC has counted",
        edits: &[edit("kvm/hooked.rs", "        entry.set_known(false);
        pending::cancel(entry.node());
    });", "        pending::cancel(entry.node());
    });")],
        model: "hooks::another_clocksource_and_a_first_start",
    },
    Fault {
        what: "a pool that is empty stays so",
        edits: &[edit("ffi/pool.rs", "    if left <= size() / 4 * 3 {", "    if false {")],
        model: "hooks::an_empty_pool",
    },
    Fault {
        what: "an entry is in the pool, and has a timer",
        edits: &[edit("ffi/pool.rs", "FREE.store_release(next_of_vcpu(entry));
    Some(entry)", "Some(entry)")],
        model: "hooks::two_first_starts",
    },
    Fault {
        what: "a pool is filled that is gone",
        edits: &[
            edit("ffi/pool.rs", "        if OPEN.load() == 0 {
            return;
        }
        let Some", "        let Some"),
        ],
        model: "hooks::a_removal",
    },
    Fault {
        what: "a removal does not wait until the pool is filled",
        edits: &[edit("ffi/pool.rs", "fn flush_work() {
    unsafe { bindings::rht_entries_flush_work() };", "fn flush_work() {")],
        model: "hooks::a_removal",
    },
];
