// SPDX-License-Identifier: GPL-2.0

/// In the table of records.
#[rustfmt::skip]
pub const RECORDS: &[Fault] = &[
    Fault {
        what: "a record is claimed that is not stale any more",
        edits: &[edit("records.rs", "self.deadline.cmpxchg(deadline, CLAIMED, Acquire).is_ok()",
            "{ let _ = deadline; self.deadline.store(CLAIMED, Relaxed); true }")],
        model: "table::a_new_arming_and_another",
    },
    Fault {
        what: "the deadline is stored before it is whose",
        edits: &[edit("records.rs", "        self.key.store(key.0, Relaxed);", "
            self.deadline.store(record.deadline.get(), Release);
            self.key.store(key.0, Relaxed);")],
        model: "table::a_find",
    },
    Fault {
        what: "a record is found without what was stored before its deadline",
        edits: &[edit("records.rs", "let deadline = self.deadline.load(Acquire);",
            "let deadline = self.deadline.load(Relaxed);")],
        model: "table::a_find",
    },
    Fault {
        what: "a deadline is stored without what comes before it",
        edits: &[edit("records.rs", "self.deadline.store(deadline, Release);",
            "self.deadline.store(deadline, Relaxed);")],
        model: "table::a_find",
    },
    Fault {
        what: "a find does not see that the record was taken meanwhile",
        edits: &[edit("records.rs",
            "if entry.deadline.cmpxchg(deadline, deadline, Release).is_ok() {", "if true {")],
        model: "table::a_find",
    },
    Fault {
        what: "a pending timer's record is taken",
        edits: &[edit("records.rs", "Cycles::new(deadline) < now && entry.claim(deadline)",
            "(Cycles::new(deadline) < now || now.get() == 100) && entry.claim(deadline)")],
        model: "table::a_pending_timer",
    },
    Fault {
        what: "a timer does not use its own record again",
        edits: &[edit("records.rs", "            if let Some(deadline) = entry.deadline_of(key) {
                if entry.claim(deadline) {", "
            if let Some(deadline) = entry.deadline_of(key) {
                if false {")],
        model: "table::a_pending_timer",
    },
    Fault {
        what: "a record that is being filled does not count as pending",
        edits: &[edit("records.rs", "entries.any(|entry| Cycles::new(entry.deadline.load(Relaxed)) >= now)",
            "entries.any(|entry| (now.get()..CLAIMED).contains(&entry.deadline.load(Relaxed)))")],
        model: "table::a_pending_timer",
    },
    Fault {
        what: "a removal leaves the record",
        edits: &[edit("records.rs", "let _ = self.deadline.cmpxchg(deadline, FREE, Release);", "let _ = deadline;")],
        model: "table::a_removal",
    },
    Fault {
        what: "what was recorded by another TSC stays",
        edits: &[edit("records.rs", "            if deadline != CLAIMED {", "            if deadline == CLAIMED {")],
        model: "table::a_restarted_tsc",
    },
    Fault {
        what: "a removal takes the record of whoever has taken it",
        edits: &[edit("records.rs", "let _ = self.deadline.cmpxchg(deadline, FREE, Release);",
            "let _ = deadline; self.deadline.store(FREE, Release);")],
        model: "table::a_removal",
    },
];
