#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Start a command and end it, twice; fail if anything of it is left.

    interrupted.py NAME COMMAND [ARG...]

First as Ctrl-C does, by SIGINT for all that it has started, then by SIGTERM for the command
alone, as time limits do.  This happens as soon as a process called NAME, as in /proc/PID/comm,
runs below it.  All these processes have to be gone then, with the mounts that they have made and
their temporary directories.
"""

import contextlib
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.cache import CACHE  # noqa: E402

START, END = 120, 30        # seconds until NAME runs, and until all is gone
ZOMBIE = "Z"                # its parent, which may be another's, has not looked at it yet


def processes():
    """{pid: (parent, name, state, start)} of all that can be seen."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text(encoding="utf-8", errors="replace")
            name, _, rest = text.partition("(")[2].rpartition(") ")
            fields = rest.split()
            found[int(stat.parent.name)] = int(fields[1]), name, fields[0], fields[19]
    return found


def family(pid):
    """Those that descend from a process, itself included, as processes() has them."""
    everyone = processes()
    found, new = {}, {pid}
    while new := {p for p in new if p in everyone and p not in found}:
        found.update({p: everyone[p] for p in new})
        new = {p for p, (parent, *_) in everyone.items() if parent in new}
    return found


def temporary(pids):
    """The directories of cache.scratch() and guard.py that command lines name."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
            found.update(re.findall(r"/run/(tmp[\w-]+)", words))
    return found


def wait_for(seconds, condition):
    """What a condition gives when it is true, or at last."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def left(known, directories, mounts):
    """What there is still of a command that has ended, in words."""
    now = processes()
    found = [f"process {pid} ({name})" for pid, (_, name, _, start) in known.items()
             if pid in now and now[pid][3] == start and now[pid][2] != ZOMBIE]
    found += [f"{CACHE}/run/{name}" for name in directories if Path(CACHE, "run", name).exists()]
    now = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return found + [f"mount {line}" for line in now if line not in mounts]


def end(name, command, how, signum):
    """Why it is not as it has to be, or None."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    with subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL) as process:
        try:
            wait_for(START, lambda: process.poll() is not None or name in
                     [n for _, n, *_ in family(process.pid).values()])
            known = family(process.pid)
            if process.poll() is not None or name not in [n for _, n, *_ in known.values()]:
                return f"no {name} of it has run (status {process.poll()})"
            directories = temporary(known)
            print(f"# {signum.name} to {', '.join(n for _, n, *_ in known.values())}; "
                  f"{len(directories)} temporary directories", flush=True)
            how(process.pid, signum)
            try:
                status = process.wait(END)
            except subprocess.TimeoutExpired:
                return f"it has not ended {END} s after {signum.name}"
        finally:
            process.kill()
    if status != 130:
        return f"its exit status was {status}, not 130"
    wait_for(END, lambda: not left(known, directories, mounts))
    remains = left(known, directories, mounts)
    return f"left: {', '.join(remains)}" if remains else None


def main():
    # A shell's background ignores SIGINT, and so would all that is started there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    name, command = sys.argv[1], sys.argv[2:]
    for how, signum in ((os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)):
        if why := end(name, command, how, signum):
            sys.exit(f"{' '.join(command)}: {signum.name}: {why}")


main()
