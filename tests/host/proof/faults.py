# SPDX-License-Identifier: GPL-2.0
"""Faults to plant in the pure files, each of which the proof has to find."""

import pathlib
import shutil
import tempfile

from compiler import FILES, RUST, compile_code
from operations import Unsupported
from solver import ask, proofs

# (file, what it says, what it is made to say)
FAULTS = (
    ("deadline.rs", "self.shifted(cycles).wrapping_sub(1);", "self.shifted(cycles);"),
    ("deadline.rs", "(ns as i64).wrapping_add(1)", "(ns as i64)"),
    ("deadline.rs", "past || cycles == 0", "past"),
    ("deadline.rs", "past || cycles == 0", "cycles == 0"),
    ("deadline.rs", "if ns >= i64::MAX as u128", "if ns > i64::MAX as u128"),
    ("deadline.rs", "if ns >= i64::MAX as u128", "if ns >= (i64::MAX as u128) >> 1"),
    ("deadline.rs", "None => Expiry::Beyond", "None => Expiry::At(self.base)"),
    ("deadline.rs", "let ns = self.xtime_nsec >> self.rate.bits();", "let ns = self.xtime_nsec;"),
    ("deadline.rs", ".wrapping_add(self.xtime_nsec as u128)", ""),
    ("deadline.rs", "if cycles > i64::MAX as u64", "if cycles == u64::MAX"),
    ("deadline.rs", "(expiry.get() as i128).wrapping_sub(self.base.get() as i128)",
     "expiry.get().wrapping_sub(self.base.get()) as i128"),
    ("deadline.rs", ".wrapping_sub(self.xtime_nsec as i128)", ""),
    ("deadline.rs", "if shifted <= 0", "if shifted < -1"),
    ("deadline.rs", "if rest != 0", "if rest > 1"),
    ("deadline.rs", "cycles.wrapping_add(self.cycle_last.get() as u128)", "cycles"),
    ("deadline.rs", "if deadline > u64::MAX as u128", "if deadline > u64::MAX as u128 + 1"),
    ("rate.rs", "dividend as u32 as u64", "dividend as u16 as u64"),
    ("rate.rs", "(upper_r << 32) | lower", "lower"),
    ("rate.rs", "((upper_q as u128) << 32)", "(upper_q as u128)"),
    ("rate.rs", "lower_r as u32)", "upper_r as u32)"),
    ("rate.rs", "self.shift & 63", "self.shift & 31"),
    ("rate.rs", "shift > Self::SHIFT_MAX", "shift > 33"),
    ("rate.rs", "mult == 0 ||", "false ||"),
    ("margin.rs", "const WORTH_NS: i64 = 1000", "const WORTH_NS: i64 = 999"),
    ("margin.rs", "let (cycles, past) = deadline.get()", "let (cycles, past) = now.get()"),
    ("margin.rs", "if past {", "if false {"),
    ("margin.rs", "line.rate.mult() < raw.mult()", "line.rate.mult() > raw.mult()"),
    ("margin.rs", "line.rate.mult() < raw.mult()", "true"),
    ("margin.rs", "wrapping_mul(mult as u128) >> line",
     "wrapping_mul(line.rate.mult() as u128) >> line"),
    ("margin.rs", "if ns > i64::MAX as u128", "if ns > u64::MAX as u128"),
    ("margin.rs", "line.mono(now)", "line.mono(deadline)"),
    ("margin.rs", ".saturating_add(ns as i64)", ".wrapping_add(ns as i64)"),
    ("margin.rs", "exact.get().saturating_sub(early)", "exact.get().wrapping_sub(early)"),
    ("margin.rs", "< WORTH_NS", "<= WORTH_NS"),
    ("frequency.rs", "khz > Self::KHZ_MAX", "khz > Self::KHZ_MAX + 1"),
    ("frequency.rs", "below.wrapping_add(1)", "below"),
    ("frequency.rs", "(NSEC_PER_MSEC << SHIFT)", "((NSEC_PER_MSEC << SHIFT) + 1)"),
    ("frequency.rs", "if cycles >= u64::MAX as u128", "if cycles > u64::MAX as u128"),
    ("frequency.rs", "(cycles as u64).wrapping_add(1)", "(cycles as u64)"),
    ("frequency.rs", "if ns > i64::MAX as u128", "if ns > u64::MAX as u128"),
)


def plant(task):
    """Plant a fault in a copy; returns its name, and what found it, if anything did."""
    (file, before, after), rustc, timeout = task
    with tempfile.TemporaryDirectory(prefix="raw_hrtimer-proof-") as folder:
        rust = pathlib.Path(folder, "rust")
        rust.mkdir()
        for name in FILES:
            shutil.copy(RUST / name, rust)
        text = (rust / file).read_text()
        name = f"{file}: {before} -> {after or 'nothing'}"
        if text.count(before) != 1:
            return name, None, "it is not there once: adapt FAULTS"
        (rust / file).write_text(text.replace(before, after))
        source, _ = compile_code(rustc, rust, pathlib.Path(folder))
        try:
            for shift in (None, 24, 32, 0):
                for found, facts, claims in proofs(source, shift):
                    if ask(facts, claims, timeout)[0] is False:
                        return name, found, ""
        except Unsupported as reason:
            return name, None, f"not refuted, but refused: {reason}"
    return name, None, "everything is still proven"
