#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run a command so that nothing of it is left when this process ends, however that is.

    guard.py [--proot DIRECTORY] COMMAND [ARG...]

For where there is no PID namespace to be had.  A second process adopts whatever the command
starts and leaves; when this one dies, by SIGKILL too, the second kills all of it.

--proot: the command is proot.  In its arguments @TMP@ stands for a new directory in DIRECTORY,
removed at the end.  proot 5.1 does not know the system calls that are newer than it is, and so
lets them name files of the host: to these the kernel answers ENOSYS, upon which the C library's
and Rust's functions use the ones before them.  x86-64 only.
"""

import ctypes
import fcntl
import os
from pathlib import Path
import shutil
import signal
import struct
import sys
import tempfile
import time

_PDEATHSIG, _NO_NEW_PRIVS, _SECCOMP, _SUBREAPER = 1, 38, 22, 36
# statx, open_tree, move_mount, openat2, faccessat2, mount_setattr, fchmodat2, and those of
# attributes from setxattrat on
_NEWER = [332, 428, 429, 437, 439, 442, 452, *range(463, 470)]
_X86_64 = 0xc000003e
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ENOSYS = 0x7fff0000, 0x00050026

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(*arguments):
    if _libc.prctl(*arguments, *[0] * (5 - len(arguments))):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _filter():
    """Let the kernel say ENOSYS to the newer calls."""
    def op(code, k, if_true=0, if_false=0):
        return struct.pack("HBBI", code, if_true, if_false, k)
    n = len(_NEWER)
    program = [op(_LOAD, 4), op(_EQUAL, _X86_64, 0, n + 1), op(_LOAD, 0)]
    program += [op(_EQUAL, call, n - i) for i, call in enumerate(_NEWER)]
    program += [op(_RETURN, _ALLOW), op(_RETURN, _ENOSYS)]
    code = ctypes.create_string_buffer(b"".join(program))
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    _prctl(_NO_NEW_PRIVS, 1)
    _prctl(_SECCOMP, 2, ctypes.c_void_p(ctypes.addressof(header)))


def _children():
    me = os.getpid()
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == me:
            found.append(int(stat.parent.name))
    return found


def _kill_all():
    """What is killed leaves its children to this process: until there are none."""
    while children := _children():
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
        time.sleep(0.01)


def _code(status):
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _temporary(top):
    """A directory, locked while this process lives: cache.scratch() removes those that are not."""
    path = Path(tempfile.mkdtemp(dir=top, prefix="new-"))
    lock = open(path / "lock", "wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (path / "tmp").mkdir(mode=0o777)
    return path.rename(path.with_name(path.name.replace("new-", "tmp-"))), lock


def _keep(argv, top, parent):
    """In the second process: start the command, adopt and end all that it leaves."""
    temporary = lock = None

    def end(_signal=None, _frame=None, status=1):
        _kill_all()
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
        os._exit(status)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_SUBREAPER, 1)
    _prctl(_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    if top:
        temporary, lock = _temporary(top)
        argv = [arg.replace("@TMP@", f"{temporary}/tmp") for arg in argv]
    command = os.fork()
    if command == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            if lock:
                lock.close()
                _filter()
            os.execvp(argv[0], argv)
        except OSError as error:
            print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)
    while True:
        child, status = os.waitpid(-1, 0)
        if child == command:
            end(status=_code(status))


def main():
    argv = sys.argv[1:]
    top = None
    if argv[0] == "--proot":
        top, argv = argv[1], argv[2:]
    me = os.getpid()
    keeper = os.fork()
    if keeper == 0:
        _keep(argv, top, me)
    while True:
        try:
            _, status = os.waitpid(keeper, 0)
            return _code(status)
        except KeyboardInterrupt:
            continue


sys.exit(main())
