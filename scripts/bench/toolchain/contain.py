#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run a command as the root of an ordinary container would: contain.py COMMAND [ARG...]

With the capabilities that container engines give and no others; mount(), unshare() and clone()
with a new namespace answer EPERM and clone3() ENOSYS, as the engines' seccomp profile has it
for who lacks CAP_SYS_ADMIN.  x86-64 only.  For the suites way-*; see playing.py.
"""

import ctypes
import os
import struct
import sys

CAPABILITIES = ("chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service "
                "net_raw sys_chroot mknod audit_write setfcap").split()
UNSHARE, MOUNT, CLONE, CLONE3 = 272, 165, 56, 435
NAMESPACES = 0x7e020000
ALLOW, EPERM, ENOSYS = 0x7fff0000, 0x00050001, 0x00050026
INSIDE = "--inside"


def op(code, k, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, k)


def install_filter():
    load, equal, some_set, answer = 0x20, 0x15, 0x45, 0x06
    program = b"".join([
        op(load, 0), op(equal, UNSHARE, 5), op(equal, MOUNT, 4), op(equal, CLONE3, 4),
        op(equal, CLONE, 0, 4), op(load, 16), op(some_set, NAMESPACES, 0, 2),
        op(answer, EPERM), op(answer, ENOSYS), op(answer, ALLOW)])
    code = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(header)),
                                                0, 0):
        sys.exit(f"contain: {os.strerror(ctypes.get_errno())}")


def main():
    if sys.argv[1:2] != [INSIDE]:
        bounds = ",".join(["-all", *(f"+{name}" for name in CAPABILITIES)])
        os.execvp("setpriv", ["setpriv", f"--bounding-set={bounds}", "--inh-caps=-all",
                              "--ambient-caps=-all", sys.executable, __file__, INSIDE,
                              *sys.argv[1:]])
    install_filter()
    os.execvp(sys.argv[2], sys.argv[2:])


main()
