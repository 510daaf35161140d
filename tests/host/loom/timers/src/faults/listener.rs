// SPDX-License-Identifier: GPL-2.0

/// In what the listener takes for a repeat.
#[rustfmt::skip]
pub const LISTENER: &[Fault] = &[
    Fault {
        what: "another rate is a repeat",
        edits: &[edit("clock/update.rs", "self.mono != mono.load() || self.raw != raw.load() || u64::from(self.id) != id.load()",
            "self.raw != raw.load() || u64::from(self.id) != id.load()")],
        model: "listener::a_change",
    },
    Fault {
        what: "another raw rate is a repeat",
        edits: &[edit("clock/update.rs", "self.mono != mono.load() || self.raw != raw.load() || u64::from(self.id) != id.load()",
            "self.mono != mono.load() || u64::from(self.id) != id.load()")],
        model: "listener::a_change",
    },
    Fault {
        what: "another clocksource is a repeat",
        edits: &[edit("clock/update.rs", "self.mono != mono.load() || self.raw != raw.load() || u64::from(self.id) != id.load()",
            "self.mono != mono.load() || self.raw != raw.load()")],
        model: "listener::a_change",
    },
    Fault {
        what: "another line is a repeat",
        edits: &[edit("clock/update.rs", "== self.xtime_nsec.wrapping_add(", "
            != !self.xtime_nsec.wrapping_add(")],
        model: "listener::a_change",
    },
    Fault {
        what: "a fraction of a nanosecond is a repeat",
        edits: &[edit("clock/update.rs", "            == self.xtime_nsec.wrapping_add(", "
            & !1 == !1 & self.xtime_nsec.wrapping_add(")],
        model: "listener::a_change",
    },
    Fault {
        what: "a step that is told is a repeat",
        edits: &[edit("clock/update.rs", "if stepped || !read().is_repeat()", "if !read().is_repeat()")],
        model: "listener::a_step",
    },
    Fault {
        what: "a TSC that counts anew is as good as the old one",
        edits: &[edit("clock/update.rs", "        ffi::tsc_restarted();", "")],
        model: "listener::a_restarted_tsc",
    },
    Fault {
        what: "the TSC is the same after another clocksource",
        edits: &[edit("clock/update.rs", "if other_clocksource || stepped && new.is_tsc()", "if stepped && new.is_tsc()")],
        model: "listener::a_restarted_tsc",
    },
    Fault {
        what: "each step back is another TSC",
        edits: &[edit("clock/update.rs", "const BACK: u64 = 1 << 32;", "const BACK: u64 = 0;")],
        model: "listener::a_restarted_tsc",
    },
    Fault {
        what: "a TSC that has come as far again is the old one",
        edits: &[edit("clock/update.rs", "        || old.mono(is)", "        && old.mono(is)")],
        model: "listener::a_restarted_tsc",
    },
    Fault {
        what: "a clock that has gone on has another TSC",
        edits: &[edit("clock/update.rs", ".saturating_add(AHEAD) < new", ".wrapping_sub(AHEAD) < new")],
        model: "listener::a_restarted_tsc",
    },
    Fault {
        what: "each update is published",
        edits: &[edit("clock/update.rs", "if stepped || !read().is_repeat()", "if stepped || true")],
        model: "listener::a_steady_clock",
    },
];
