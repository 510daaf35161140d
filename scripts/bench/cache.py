# SPDX-License-Identifier: GPL-2.0
"""The cache: everything that is fetched or built once lives in it, in stages.

    path = cache.stage("bochs", [RECIPE, PATCH_FILE], build)

A stage is the directory <cache>/<name>-<key>; the key is a hash of what it is
built from.  build(path) fills it, and only if it returns is the stage complete.
"""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TREE = Path(__file__).resolve().parents[2]


def _place():
    """The cache's directory, in which all belongs to one user.

    Root with the home of somebody else (sudo -E, a container of GitHub's) uses its own.
    """
    uid = os.geteuid()
    top = os.environ.get("XDG_CACHE_HOME")
    if not top:
        home = Path(os.environ.get("HOME") or "/nonexistent")
        if not home.exists() or home.stat().st_uid != uid:
            with contextlib.suppress(KeyError):     # a container's user need not have a name
                home = Path(pwd.getpwuid(uid).pw_dir)
        top = home / ".cache"
    path = (Path(top) / "raw_hrtimer").resolve()
    if path.exists() and path.stat().st_uid != uid:
        return path.with_name(f"{path.name}-{uid}")
    return path


CACHE = _place()

_START = time.monotonic()
_TICK = 10          # seconds between progress lines
SILENCE = 15        # seconds without news after which one tells what still runs
removers = []       # what can remove a directory that rmtree() cannot
_held = {}          # stages in use: path -> file, locked until this process ends
_held_guard = threading.Lock()


class BenchError(Exception):
    """What went wrong and what to do, in a sentence for the person who ran it."""


class Ended(BenchError):
    """No fault of its own: another thread has called end_all()."""


def elapsed(since=_START):
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}m{seconds:02d}s"


def say(name, text):
    """One line of progress, on stderr: stdout belongs to results."""
    print(f"[{elapsed():>6}] {name}: {text}", file=sys.stderr, flush=True)


class Silence:
    """When to tell that something still runs: each time that there were no news for a while."""

    def __init__(self):
        self.broken()

    def broken(self):
        """There are news."""
        self._since = time.monotonic()

    def over(self):
        """Whether it has lasted long enough; if so, it begins anew."""
        if time.monotonic() - self._since < SILENCE:
            return False
        self.broken()
        return True


def main(function):
    """Run a program's main(); its errors are sentences; Ctrl-C, SIGTERM and the end of its terminal
    clean up."""
    def stop(_signal, _frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:       # as nohup has it
        signal.signal(signal.SIGHUP, stop)
    try:
        return sys.exit(function())
    except BenchError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
    except PermissionError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error.filename} cannot be written to: if another user "
                 "ran this before, remove it")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def files_below(*paths):
    """The files in these files and directories, sorted; a missing one has none."""
    found = set()
    for path in map(Path, paths):
        if path.is_dir():
            found.update(p for p in path.rglob("*") if p.is_file()
                         and not {".git", "__pycache__"} & set(p.parts))
        elif path.is_file():
            found.add(path)
    return sorted(found)


def digest(inputs):
    """The key for some inputs: strings, and Paths of files or directories.

    A path counts with its contents and with where it is in the project tree, not
    where the tree is, so that two checkouts share a stage; a string that is another
    stage's path, with its name, so that two caches have stages of the same names.
    """
    total = hashlib.sha256()

    def add(data):
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)

    for item in inputs:
        if isinstance(item, Path):
            for file in files_below(item):
                add(os.path.relpath(file, CACHE if CACHE in file.parents else TREE).encode())
                add(file.read_bytes())
        else:
            add(str(item).replace(f"{CACHE}/", "").encode())
    return total.hexdigest()[:16]


@contextlib.contextmanager
def locked(name):
    """Only one at a time, of all threads and processes, does what has this name."""
    path = CACHE / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        waiting = 0
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waiting % _TICK == 0:
                    say(name, "another run is at this, waiting for it")
                waiting += 1
                pause(1)
        yield


def _use(path):
    """Keep a complete stage from being pruned while this process lives."""
    mark = path / ".complete"
    with _held_guard:
        if path in _held:
            return True
        with contextlib.suppress(OSError):
            file = open(mark, "rb")
            fcntl.flock(file, fcntl.LOCK_SH)
            if mark.exists():           # not pruned between open and lock
                _held[path] = file
                os.utime(mark)          # the last use decides what is pruned
                return True
            file.close()
    return False


def discard(path):
    """Remove a directory, also if processes that were just killed still write."""
    for attempt in range(5):
        if not path.exists():
            return
        shutil.rmtree(path, ignore_errors=attempt < 4)
        if path.exists():
            for remove in removers:
                remove(path)
            time.sleep(0.5)


def _throw_away(path):
    """Remove a directory that does no harm if it stays."""
    with contextlib.suppress(OSError):
        discard(path)


def _prune(name, keep):
    stages = [p for p in CACHE.glob(f"{name}-*")
              if re.fullmatch(re.escape(name) + "-[0-9a-f]{16}", p.name)]

    def last_use(path):
        mark = path / ".complete"
        return mark.stat().st_mtime if mark.exists() else 0

    for path in sorted(stages, key=last_use, reverse=True)[keep:]:
        with contextlib.suppress(OSError), open(path / ".complete", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (path / ".complete").unlink()
        # What is left does no harm.  An overlay of the cache (ordinary.py) has directories that
        # cannot be removed, because another process has done so below it.
        if not (path / ".complete").exists():
            _throw_away(path)


def stage(name, inputs, build, keep=1):
    """The directory of a stage, built first if it does not exist.

    inputs: strings and Paths (contents count).  build(path) is called with an
    empty directory, already at its final place because kernel trees remember
    where they were built; an interrupted one is removed.  The last `keep` keys
    of this name are kept, and whatever a running process uses.
    """
    path = CACHE / f"{name}-{digest(inputs)}"
    if _use(path):
        return path
    with locked(name):
        if not _use(path):
            discard(path)
            path.mkdir(parents=True)
            start = time.monotonic()
            try:
                build(path)
            except BaseException:
                discard(path)
                raise
            (path / ".complete").touch()
            _use(path)
            say(name, f"done in {elapsed(start)}")
        _prune(name, keep)
    return path


def _is_left(path):
    """Whether a directory of run/ is of a process that was killed, also while it removed it."""
    try:
        with open(path / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return not path.name.startswith("new-")     # guard.py's, not locked yet
    except OSError:
        return False
    return True


@contextlib.contextmanager
def scratch():
    """A directory inside the cache, so that the root sees it; those that were left by
    processes that were killed are removed."""
    top = CACHE / "run"
    top.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with locked("run"):
            for old in filter(_is_left, top.iterdir()):
                shutil.rmtree(old, ignore_errors=True)
            path = Path(tempfile.mkdtemp(dir=top))
            stack.callback(_throw_away, path)
            lock = stack.enter_context(open(path / "lock", "wb"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


def _last_line(log):
    with open(log, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
        lines = [l for l in re.split(rb"[\r\n]+", file.read()) if l.strip()]
    last = b" ".join(lines[-1].split()).decode(errors="replace") if lines else ""
    return last.replace(f"{CACHE}/", "")[:70]


_running = set()    # processes in any thread, that end_all() ends
_ended = threading.Event()


def end_all():
    """Kill what run_logged() and machines wait for in other threads: it fails there."""
    _ended.set()
    for process in list(_running):
        process.kill()


def pause(seconds=0.5):
    """Wait for what another thread or process does, unless end_all() was called."""
    if _ended.wait(seconds):
        raise Ended("ended, as something else has failed")


@contextlib.contextmanager
def ended(process):
    """Have it killed at the end of this, or by end_all()."""
    _running.add(process)
    try:
        if _ended.is_set():
            process.kill()
        yield process
    finally:
        process.kill()
        process.wait()
        _running.discard(process)


def run_logged(name, what, argv, expect=None, **popen):
    """Run a long command: output to a log, a progress line every few seconds.

    expect: how many lines a complete run prints, if that is known.
    """
    log = CACHE / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    say(name, what)
    start = time.monotonic()
    with open(log, "wb") as output, ended(subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            **popen)) as process:
        while True:
            try:
                status = process.wait(_TICK)
                break
            except subprocess.TimeoutExpired:
                far = _last_line(log)
                if expect:
                    lines = log.read_bytes().count(b"\n")
                    far = f"{min(99, 100 * lines // expect)} %, {far}"
                say(name, f"{what}, {elapsed(start)}: {far}")
    if status and _ended.is_set():
        raise Ended(f"{name}: {what} was ended")
    if status:
        tail = [line if len(line) < 300 else f"{line[:100]} ... {line[-150:]}" for line in
                log.read_bytes().decode(errors="replace").splitlines()[-20:]]
        raise BenchError(f"{name}: {what} failed (status {status}), the whole log is "
                         f"{log}, its end:\n  " + "\n  ".join(tail))
