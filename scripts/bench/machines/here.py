# SPDX-License-Identifier: GPL-2.0
"""This machine itself, instead of one of the bench's: whether tests may run on it, and its clock."""

import ctypes
import os
from pathlib import Path
import platform
import re

from ..cache import BenchError

CLOCKSOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"
VENDORS = {"vmx": "kvm_intel", "svm": "kvm_amd"}
# Capabilities by number: to load modules, and to change the clock.
SYS_MODULE, SYS_TIME = 16, 25

ADJ_FREQUENCY, ADJ_TICK, TIME_ERROR = 0x0002, 0x4000, 5


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), on 64-bit machines."""
    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
                *[(name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "sec",
                                                     "usec", "tick", "ppsfreq", "jitter")],
                ("shift", ctypes.c_int),
                *[(name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt",
                                                     "stbcnt")],
                ("tai", ctypes.c_int), ("reserved", ctypes.c_int * 11)]


def _adjtimex(**values):
    timex = _Timex(**values)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        raise BenchError(f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return state, timex


def is_synchronised():
    """Whether an NTP daemon keeps the clock."""
    return _adjtimex()[0] != TIME_ERROR


def rate():
    """(tick, freq) of the clock, as in adjtimex(2)."""
    timex = _adjtimex()[1]
    return timex.tick, timex.freq


def set_rate(tick, freq):
    _adjtimex(modes=ADJ_FREQUENCY | ADJ_TICK, tick=tick, freq=freq)


class Clock:
    """While this context lasts the clock may be bent; then it is as it was before."""

    def __enter__(self):
        self._before = rate()
        return self

    def __exit__(self, *_error):
        set_rate(*self._before)


def _read(top, name):
    file = Path(top, name)
    return file.read_text(encoding="utf-8", errors="replace").strip() if file.exists() else ""


def vendor(top="/"):
    """KVM's module for this processor, or None."""
    flags = re.search(r"^flags\s*:(.*)$", _read(top, "proc/cpuinfo"), re.M)
    words = flags[1].split() if flags else []
    return next((module for flag, module in VENDORS.items() if flag in words), None)


def refusal(top="/"):
    """Why nothing may run on this machine, in a sentence, or None."""
    if platform.machine() != "x86_64":
        return f"this is a machine with {platform.machine()}, and raw_hrtimer is for x86-64"
    if os.geteuid() != 0:
        return "it loads modules and changes the clock's rate: run it as root"
    capabilities = int((re.search(r"^CapEff:\s*(\w+)$", _read(top, "proc/self/status"), re.M)
                        or ["", "0"])[1], 16)
    if not capabilities >> SYS_MODULE & 1 or not capabilities >> SYS_TIME & 1:
        return "this root may not load modules or change the clock, as in a container: run it outside"
    if re.search(r"\[(integrity|confidentiality)\]", _read(top, "sys/kernel/security/lockdown")):
        return ("the kernel is locked down (Secure Boot) and loads no module that is not signed: see "
                "\"Secure Boot and signatures\" in README.rst")
    if not (module := vendor(top)):
        return "the processor has neither VMX nor SVM, or they are off in the firmware"
    clocksource = _read(top, CLOCKSOURCE)
    if clocksource != "tsc":
        return f"the clocksource is {clocksource or 'unknown'}, and nothing is compensated but the TSC"
    if Path(top, "sys/module/raw_hrtimer").exists():
        return "raw_hrtimer is loaded: remove it first (rmmod raw_hrtimer)"
    users = _read(top, f"sys/module/{module}/refcnt")
    if users not in ("", "0"):
        return f"guests are running ({module} is in use): end them first"
    if is_synchronised():
        return ("an NTP daemon keeps the clock: stop it first (systemctl stop chrony, ntpsec or "
                "systemd-timesyncd) and start it again afterwards")
    return None


def facts(top="/"):
    """What a report says of this machine; nothing that tells whose it is."""
    cpuinfo = _read(top, "proc/cpuinfo")

    def of_processor(name):
        found = re.search(rf"^{name}\s*: (.*)$", cpuinfo, re.M)
        return found[1] if found else None

    module = vendor(top)
    names = [("kvm", "nested"), (module, "nested"), (module, "preemption_timer"),
             (module, "enable_apicv"), (module, "avic"), ("kvm", "lapic_timer_advance")]
    return {
        "kernel": platform.release(), "processor": of_processor("model name"),
        "microcode": of_processor("microcode"),
        "processors": len(re.findall(r"^processor\s*:", cpuinfo, re.M)),
        "virtual": "hypervisor" in (of_processor("flags") or "").split(),
        "tsc_flags": [flag for flag in (of_processor("flags") or "").split() if "tsc" in flag],
        "kvm": {f"{module}.{name}": value for module, name in names
                if module and (value := _read(top, f"sys/module/{module}/parameters/{name}"))},
    }
