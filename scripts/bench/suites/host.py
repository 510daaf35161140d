# SPDX-License-Identifier: GPL-2.0
"""The suites of what is tested in user space: the arithmetic and the concurrency."""

import os
import re
import shutil
import struct
import subprocess

from .. import cache
from ..cache import TREE
from ..toolchain import root
from . import ktap
from .ktap import Count

NIGHTLY = ["cargo", "+nightly", "miri"]
FUZZ_SECONDS = 300
FUZZ_RUNS = 1_000_000       # less is a machine on which nothing was fuzzed
# mult, shift, cycle_last, xtime_nsec, base, and to the deadline: 1.5, 2.4 and 3.5 GHz, a clock of
# 1 ns, and the end of ktime_t.
SEEDS = [
    (11198710, 24, 10**12, 7 << 24, 10**15, 15 * 10**8),
    (7000000, 24, 5 * 10**15, 999_999_999 << 24, 2 * 10**18, 24 * 10**6),
    (4793490, 24, 2**40, 0, 3 * 10**9, 35 * 10**11),
    (1, 0, 1000, 3, 100, 9),
    (2**32 - 1, 32, 2**63, 2**64 - 1, 2**63 - 11, 2**63),
]


def _run_cargo(context, argv, directory, env=None, timeout=1200):
    """This machine's cargo, or else the root's.

    Two checkouts cannot share what is built: cargo takes their crates for the same.
    """
    variables = {"CARGO_TARGET_DIR": str(TREE / "build/cargo" / directory),
                 "CARGO_TERM_COLOR": "never", **(env or {})}
    probe = ["cargo", "--version"]
    if shutil.which("cargo") and subprocess.run(probe, capture_output=True,
                                                check=False).returncode == 0:
        host = ["env", *[f"{k}={v}" for k, v in variables.items()], *argv]
        return context.command(host, cwd=TREE / directory, merge=True, timeout=timeout)
    variables["CARGO_HOME"] = str(cache.CACHE / "cargo/home")
    return context.command(root.command(argv, cwd=TREE / directory, env=variables), merge=True,
                           timeout=timeout)


def cargo(*arguments, directory="tests/host", env=None, timeout=1200):
    """cargo test."""
    def run(context):
        return ktap.cargo(*_run_cargo(context, ["cargo", "test", "--locked", *arguments],
                                      directory, env, timeout))
    return run


def miri(context):
    """The same tests in Rust's interpreter, which only a nightly compiler has."""
    reason = "there is no cargo +nightly miri (rustup toolchain install nightly --component miri)"
    if not shutil.which("rustup") or subprocess.run(
            [*NIGHTLY, "--version"], capture_output=True, check=False).returncode:
        context.note(f"1..0 # SKIP {reason}")
        return Count(skipped=1)
    env = {"MIRIFLAGS": "-Zmiri-disable-isolation", "PROPTEST_CASES": "64"}
    target = {"CARGO_TARGET_DIR": str(TREE / "build/cargo/miri"), "CARGO_TERM_COLOR": "never"}
    return ktap.cargo(*context.command([*NIGHTLY, "test", "--locked"], cwd=TREE / "tests/host",
                                       merge=True, timeout=3600,
                                       env={**os.environ, **env, **target}))


def fuzz(context):
    """libFuzzer, with any compiler: fuzz/.cargo/config.toml asks for the coverage."""
    directory = "tests/host/fuzz"
    corpus = cache.CACHE / "cargo/corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, (mult, shift, cycle_last, xtime_nsec, base, ahead) in enumerate(SEEDS):
        (corpus / f"seed-{number}").write_bytes(struct.pack(
            "<QQQqQQqQ", mult | shift << 32, cycle_last, xtime_nsec, base, ahead,
            cycle_last + ahead & 2**64 - 1, ahead & 2**63 - 1, mult | shift << 32))
    # An input that fails is kept with the others, and so tried first the next time.
    lines, status = _run_cargo(
        context, ["cargo", "run", "--release", "--locked", "--", f"-max_total_time={FUZZ_SECONDS}",
                  "-seed=7304", "-print_final_stats=1", f"-artifact_prefix={corpus}/fault-",
                  corpus], directory)
    text = "\n".join(lines)
    counters = re.search(r"Loaded \d+ modules\s+\((\d+) inline 8-bit counters\)", text)
    runs = re.search(r"^Done (\d+) runs in (\d+) second", text, re.M)
    checks = {
        "the code is instrumented": counters and int(counters[1]) > 100,
        "no property fails": status == 0,
        f"{FUZZ_RUNS} inputs were tried": runs and int(runs[1]) >= FUZZ_RUNS,
    }
    count = Count()
    for name, passed in checks.items():
        context.test(count, name, passed, f"not so (status {status})")
    return count


def proof(*arguments, timeout=1200):
    """The arithmetic proved for all inputs, where Debian's z3 is in the root."""
    def run(context):
        if not (root.ensure_root() / "usr/lib/python3/dist-packages/z3").exists():
            context.note("1..0 # SKIP the root has no python3-z3")
            return Count(skipped=1)
        return ktap.ktap(*context.command(root.command(
            ["python3", TREE / "tests/host/proof/prove.py", *arguments]), timeout=timeout))
    return run
