# SPDX-License-Identifier: GPL-2.0
"""Load in a guest: its Linux runs cyclictest and stress-ng while the host's clock is bent, without
the module and with it."""

import re

from .. import cache
from ..building import inner, kernel, load
from ..cache import TREE
from . import timers
from .check import Suite, uses
from .ktap import Count

# For each line that it reads: a thread that sleeps 100 ms, 20 times, alone or beside 2,000 timers in
# a second.
INIT = """#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
mkdir /dev/shm
PATH=/bin:/load
interrupts() { awk '$1 == "LOC:" { print $2 }' /proc/interrupts; }
echo "inner: up, clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
while read -r beside; do
    [ "$beside" != end ] || poweroff -f
    [ "$beside" = nothing ] || {
        stress-ng --quiet --temp-path /tmp --timer 1 --timer-freq 1000 --itimer 1 \
            --itimer-freq 1000 --timeout 0 &
        sleep 1
    }
    before=$(interrupts)
    cyclictest -q -N -p 90 -i 100000 -l 20 > /tmp/said 2>&1
    after=$(interrupts)
    [ "$beside" = nothing ] || { kill $!; wait; }
    cat /tmp/said
    sed -n 's/.*C: *//; s/ *\\(Min\\|Act\\|Avg\\|Max\\): */ /gp' /tmp/said |
        while read -r samples least _ mean most; do
            echo "inner: $beside $samples $least $mean $most $((after - before))"
        done
    echo "inner: done"
done
"""

MACHINE = ["--machine", "svm", "--append", timers.CONSTANT_TSC]
NOMINAL, FAST, SLOW = 10000, 11000, 9000
SAMPLES = 20
# The least that a sleep was late by, of 20: of the machine's own noise, ms here and there, little is in
# it.  What the fault adds is less than that: the guest's tick starts the timer anew each 4 ms.
LATER_NS = 2_000_000


def found(lines):
    """{(tick, beside): {state: (samples, min, avg, max, interrupts)}}"""
    results = {}
    for line in lines:
        match = re.fullmatch(r"guest (\d+) (absent|loaded) (nothing|stress-ng) "
                             r"(\d+) (\d+) (\d+) (\d+) (\d+)", line)
        if match:
            tick, state, beside, *numbers = match.groups()
            results.setdefault((int(tick), beside), {})[state] = tuple(map(int, numbers))
    return results


def judge(context, count, lines):
    """With the module no guest's timer is lost or later than without it at the nominal rate."""
    results = found(lines)
    context.test(count, "each rate is measured, with and without load", len(results) == 6
                 and all(len(of) == 2 and all(row[0] == SAMPLES for row in of.values())
                         for of in results.values()), f"{results}")
    for (tick, beside), of in results.items():
        for state, (_, least, mean, most, interrupts) in of.items():
            line = (f"cyclictest in a guest beside {beside}, host's clock at tick {tick}, module "
                    f"{state}: late by {least} ns at least, {mean} in the mean, {most} at most, "
                    f"{interrupts} interrupts")
            if state == "loaded" or tick == NOMINAL:
                context.test(count, line, least <= LATER_NS, f"more than {LATER_NS} ns")
            else:
                context.note(f"# {line}")


def _load_in_guest(context):
    stock = kernel.ensure_kernel()
    script = TREE / "scripts/guest/guest-load.sh"
    count = Count()
    with cache.scratch() as top:
        inner.write_initrd(top / "initrd", INIT, [(load.ensure_load(), "/load")])
        lines, status = context.command(
            [TREE / "scripts/vm", *MACHINE, "--memory", 2048, "--qemu", "--timeout", 2400,
             "--keep-log", context.log.with_suffix(".machine.log"),
             "--add", f"{script}:/guest-load.sh", "--add", f"{stock.vmlinuz}:/inner/vmlinuz",
             "--add", f"{top}/initrd:/inner/initrd",
             "--", "sh", "/guest-load.sh", NOMINAL, FAST, SLOW], timeout=3000)
    context.test(count, "the machine's script ends", not status and "guest complete" in lines,
                 f"exit status {status}")
    judge(context, count, lines)
    return count


def suites(svm):
    """svm: what those on that machine have to wait for."""
    return [Suite("svm-guest-load", uses(_load_in_guest, *MACHINE, "/guest-load.sh"), svm,
                  seconds=120, long=True)]
