# SPDX-License-Identifier: GPL-2.0
"""The measurement of "make bench": what runs in which machine, as data."""

from dataclasses import dataclass

from ..cache import TREE

SLEW = TREE / "tests/selftests/raw_hrtimer/slew_chronyd.txt"

VARIANTS = {
    "stock": "stock KVM",
    "hooked": "raw_hrtimer, stock KVM",
    "patched": "raw_hrtimer, patched KVM",
    # Of the nested timer alone, on vmx:
    "hardware": "L2's timer in the processor's",
    "both": "raw_hrtimer, L2's timer in the processor's",
}

# As scripts/guest/measure takes them: tick and frequency of adjtimex, or a name.
SCHEDULES = {
    "10000+0": "0",
    "10000+32768000": "+500 ppm",
    "10000-32768000": "-500 ppm",
    "11000+0": "+10 %",
    "9000+0": "-10 %",
    "change": "changes",
    "chronyd": "chronyd",
}
CONSTANT = [key for key in SCHEDULES if key[0] == "1" or key[0] == "9"]

# Timers that follow one another while a recorded slew is replayed, until it is over.
# chronyd sets a rate once in a second at most: for what is nearer than these it is constant.
DURING_SLEW = {10_000: 3000, 100_000: 340, 1_000_000: 34, 10_000_000: 4}
SLEW_US = 100_000       # those of the picture


@dataclass(frozen=True)
class Job:
    """One machine and the parts of the measurement that it does, in this order."""
    name: str
    parts: tuple
    cpus: int = 1
    timeout: int = 3000     # seconds of this host


def _pairs(counts):
    return ",".join(f"{us}/{n}" for us, n in counts.items())


def _accuracy(schedules, counts, spinning=None):
    """spinning: of an L2 that does not halt, whose every cycle is emulated."""
    return (f"accuracy:{','.join(schedules)}:{_pairs(counts)}"
            + (f":{_pairs(spinning)}" if spinning else ""))


def only_slew():
    """The part of "changes" that the picture of a slew needs, which runs when it is asked for."""
    return Job("slew", (_accuracy(["chronyd"], {SLEW_US: DURING_SLEW[SLEW_US]}),))


def _nodes(counts, schedules=tuple(CONSTANT)):
    """A node beside a plain hrtimer, at constant rates."""
    return f"timers:{','.join(schedules)}:{_pairs(counts)}"


NODES = {10: 200, 100: 200, 1000: 200, 10_000: 100, 100_000: 100, 1_000_000: 50, 10_000_000: 11}


def of_another_kernel(quick):
    """What is measured of a kernel for which KVM may not be patched."""
    if quick:
        # So many that a few interrupts of the kernel's own, which some images have, are few.
        nodes = {10: 100, 1000: 100, 100_000: 50}
        counts, spinning = {10: 11, 1000: 11, 100_000: 21}, {10_000: 5}
        schedules = ["10000+0", "11000+0", "9000+0"]
    else:
        nodes, counts = NODES, {10: 51, 1000: 101, 10_000: 101, 100_000: 51}
        spinning = {10: 51, 1000: 101, 10_000: 21}
        schedules = [*CONSTANT, "change"]
    return [Job("nodes", (_nodes(nodes),)),
            Job("guests", (_accuracy(schedules, counts, spinning),
                           *([] if quick else [_accuracy(["chronyd"], {SLEW_US: 340})])))]


def jobs(machine, quick):
    """What is run; each machine's history is fixed, so its figures repeat on vmx."""
    if machine == "svm":        # 4 CPUs, real seconds, distributions
        counts = ({10: 100, 1000: 100, 10_000: 50, 100_000: 10} if quick else
                  {10: 200, 100: 200, 1000: 200, 10_000: 100, 100_000: 20, 1_000_000: 5,
                   10_000_000: 2})
        constant = CONSTANT[::3] if quick else CONSTANT
        return [Job("accuracy", (_accuracy(constant, counts),
                                 *([] if quick else [_accuracy(["change"], counts)]),
                                 _accuracy(["chronyd"], {100_000: 340}),
                                 _nodes({10: 100, 1000: 100, 100_000: 10}, constant)), 4, 6000)]
    if quick:
        # Of 100 ms too few for interrupts and medians, which so soon after the boot depend on what
        # else the kernel does.
        counts = {10: 51, 100_000: 5}
        return [Job("accuracy", (_accuracy(["10000+0", "11000+0", "9000+0"], counts,
                                           {10_000: 5}),)),
                Job("timers", (_nodes({10: 20, 1000: 20, 100_000: 10}), "cost", "arms"))]
    # Beyond 1 ms the host wakes up in one of several ways, 600 cycles apart: fewer samples
    # have another median each time.
    counts = {10: 51, 100: 51, 1000: 101, 10_000: 201, 100_000: 201, 1_000_000: 101,
              10_000_000: 21}
    spinning = {10: 51, 1000: 101, 10_000: 101, 100_000: 21}
    return [Job("accuracy-1", (_accuracy(CONSTANT[:3], counts, spinning),)),
            Job("accuracy-2", (_accuracy(CONSTANT[3:], counts, spinning),)),
            Job("changes", (_accuracy(["change"], counts, spinning),
                            _accuracy(["chronyd"], DURING_SLEW))),
            Job("timers", (_nodes(NODES), "cost", "arms")),
            Job("growth", ("growth:60:1,2,4:1,64,4096",), 4, 20000)]
