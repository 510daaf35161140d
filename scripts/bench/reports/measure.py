# SPDX-License-Identifier: GPL-2.0
"""The measurement of "make bench": what its machines have said.

What scripts/guest/measure prints is read here, and becomes results.json, an object
with
  schema      1; changes when a name below changes its meaning
  module      {git}: git describe of the tree that was built
  kernel      {release, version, coupled}: uname -r, of the Debian packages, and whether a
              clockevent may be programmed with the expiry's TSC value
  machine     {name, cpu, khz, images}: of scripts/vm; khz is the TSC's rate there; images are
              digests of what the machines were made of: on vmx the same ones give the same figures
  jobs        the names of the machines, and quick: whether they did less
  complaints  {machine: sentences}: why its figures cannot be trusted; only where there are any
  accuracy    guests' timers, one object for each variant, schedule, guest and distance:
    variant             of VARIANTS (plan.py)
    schedule            of SCHEDULES
    guest, distance_us  what kind of timer, and how far ahead it was set: lapic; nested, whose
                        L2 halts; spinning, the same of an L2 that spins
    samples             cycles from the deadline to when the guest saw it, in the order
                        in which they were taken; negative is early
    n, early            how many there are, and how many of them are below 0
    min, median, p99, max   cycles; the first sample, which goes through page faults, is
                        not among these if there are others
    l2_last             of spinning: cycles from L2's deadline to the last TSC that L2 read, the
                        worst; null for others
    restarts            callbacks that moved the timer: the module's counter
    irqs                timer interrupts of the host's while the guest ran, its start included
  timers      nodes beside plain hrtimers of the same expiry: schedule, distance_us, times;
              plain, node: {early, min, median, p99, max: cycles from the deadline to the
              callback; calls of all together; irqs: interrupts of all together within
              20 us before the callback}
  cost        instructions: {name: number}; of an entry of L2 and the exit that it asks for, and
              of what its VMX-preemption timer adds, and of a guest's write of a TSC deadline,
              to arm and to disarm the timer, for each of stock, hooked, patched and
              unprovided (a patched KVM without the module), hardware and both (one that runs
              L2's timer in the processor's, without the module and with it)
  passes      a change of rate with so many nodes pending: {nodes (null: no module), calls,
              min, median, p99, max: cycles that adjtimex() took}
  growth      nodes pending while the rate changes in every tick, and a bystander that wakes
              up each millisecond: {nodes, cpus, passes, rearms, median_ns, p99_ns, max_ns:
              how late it does}
  slew        [[seconds, tick, freq], ...]: the schedule "chronyd"
  goals       {what, goal, value, met}: see goals.py; met: null where too little was measured
"""

from dataclasses import dataclass, field
import re

from ..machines import session
from .plan import SCHEDULES, SLEW, VARIANTS, Job

SCHEMA = 1


def summary(samples):
    """What a list of cycles comes to; as the guests do it."""
    late = sorted(samples[1:] if len(samples) > 1 else samples)
    return {"n": len(samples), "early": sum(s < 0 for s in samples),
            "min": late[0], "median": late[len(late) // 2],
            "p99": late[len(late) * 99 // 100], "max": late[-1]}


@dataclass
class Reader(session.Reader):
    """Reads one machine's output line by line; what it says goes to `progress`."""
    job: Job
    progress: object = print
    facts: dict = field(default_factory=dict)
    accuracy: list = field(default_factory=list)
    timers: list = field(default_factory=list)
    cost: dict = field(default_factory=dict)
    passes: list = field(default_factory=list)
    growth: list = field(default_factory=list)
    complaints: list = field(default_factory=list)
    complete: bool = False
    now: dict = field(default_factory=dict)     # variant, schedule, what runs

    def other(self, text):
        if match := re.match(r"# raw:((?: -?\d+)+)$", text):
            self.now["samples"] += map(int, match[1].split())
        elif match := re.match(r"# L2's last TSC - L2's deadline: (-?\d+) cycles", text):
            self.now["l2_last"] = int(match[1])
        elif match := re.match(r"# (slew|growth): (.*)$", text):
            getattr(self, f"_said_{match[1]}")(match[2])
        elif match := re.match(r"# (\w+): (-?\d+)$", text):
            self.now.setdefault("values", {})[match[1]] = int(match[2])
        elif text.startswith("not ok") and "case" in self.now:
            self.complaints.append(f"{self.job.name}: {self.now['case']}: {text}")

    def _part(self, _name):
        self.now = {}

    def _variant(self, name):
        self.now = {"variant": name}
        self.progress(f"{VARIANTS[name]}")

    def _schedule(self, name):
        self.now["schedule"] = name
        self.now["set"] = {}
        self.progress(f"{VARIANTS.get(self.now.get('variant'), 'timers')}, "
                      f"clock {SCHEDULES[name]}")

    def _adjtimex(self, rest):
        key, value = rest.split()
        self.now["set"][key] = int(value)
        want = self.now["schedule"] if "+" in self.now["schedule"][1:] or \
            "-" in self.now["schedule"][1:] else "10000+0"
        tick, freq = re.match(r"(\d+)([+-]\d+)", want).groups()
        if value != {"t": tick, "f": str(int(freq))}[key]:
            self.complaints.append(f"{self.job.name}: adjtimex -{key} reads back {value} "
                                   f"under {want}")

    def _rate(self, rest):
        if rest.startswith("clocksource: ") and rest != "clocksource: tsc":
            self.complaints.append(f"{self.job.name}: the clocksource is not the TSC")

    def _guest(self, rest):
        guest, us, count = rest.split()
        self.now |= {"guest": guest, "us": int(us), "asked": int(count), "samples": [],
                     "counters": [], "irqs": [], "l2_last": None}

    def _irqs(self, count):
        self.now["irqs"].append(int(count))

    def _counter(self, rest):
        name, value = rest.split(": ")
        self.now.setdefault("counters", []).append((name, int(value)))

    def _counted(self, name):
        values = [value for what, value in self.now.get("counters", []) if what == name]
        return values[-1] - values[0] if values else 0

    def _status(self, status):
        now = self.now
        where = f"{now['variant']}, {now['guest']}, {SCHEDULES[now['schedule']]}, {now['us']} us"
        if len(now["samples"]) != now["asked"]:
            self.complaints.append(f"{self.job.name}: {len(now['samples'])} samples, not "
                                   f"{now['asked']} ({where}, status {status})")
        if not now["samples"]:
            return
        found = summary(now["samples"])
        # The guest says the same: 1 if a timer was early.
        if int(status) != (found["early"] > 0):
            self.complaints.append(f"{self.job.name}: exit status {status} with "
                                   f"{found['early']} early ({where})")
        if (now["l2_last"] is None) == (now["guest"] == "spinning"):
            self.complaints.append(f"{self.job.name}: L2's last TSC: {now['l2_last']} ({where})")
        self.accuracy.append({
            "variant": now["variant"], "schedule": SCHEDULES[now["schedule"]],
            "guest": now["guest"], "distance_us": now["us"], **found,
            "l2_last": now["l2_last"], "restarts": self._counted("restarts"),
            "irqs": now["irqs"][-1] - now["irqs"][0] if now["irqs"] else None,
            "samples": now["samples"]})

    def _case(self, rest):
        self.now |= {"case": rest, "values": {}}

    def _hooked(self, loaded):
        self.now["hooked"] = loaded

    def _pass(self, nodes):
        self.now["pass"] = None if nodes == "absent" else int(nodes)

    def _growth(self, status):
        if status != "0":
            self.complaints.append(f"{self.job.name}: growth.sh ended with status {status}")

    def _said_growth(self, text):
        if text[:1].isdigit():
            names = ("nodes", "cpus", "passes", "rearms", "median_ns", "p99_ns", "max_ns")
            self.growth.append(dict(zip(names, map(int, text.split()))))
            self.progress(f"{self.growth[-1]['nodes']} pending")

    def _end(self, _rest):
        case, values = self.now.pop("case"), self.now.pop("values")
        name, *args = case.split()
        if name == "compare":
            kinds = {kind: {key.removeprefix(f"{kind}_"): value for key, value in values.items()
                            if key.startswith(f"{kind}_")} for kind in ("plain", "node")}
            self.timers.append({"schedule": SCHEDULES[self.now["schedule"]],
                                "distance_us": int(args[0]), "times": values.get("times"),
                                **kinds})
        elif name == "cost" and "hooked" in self.now:
            key = "hooked" if self.now["hooked"] == "yes" else "not hooked"
            for name in ("sleeper", "hrtimer_start"):   # the kernel's callback, a module's
                if name in values:
                    self.cost[f"{name}, KVM {key}"] = values[name]
        elif name == "cost":
            self.cost |= values
        elif name == "nested_arm":
            self.cost[f"nested entry, {args[0]}"] = values["entry"]
            self.cost[f"nested arm and cancel, {args[0]}"] = values["armed_entry"] - values["entry"]
        elif name == "deadline":
            for kind in ("arm", "disarm"):
                self.cost[f"TSC deadline, {kind}, {args[0]}"] = values[kind]
        elif name == "listener":
            for kind in ("steady", "changed"):
                if values.get(f"{kind}_updates"):
                    self.cost[f"listener, {kind}"] = values[f"{kind}_least"]

    def _said_slew(self, text):
        if "pass" in self.now:
            words = {key: int(value) for key, value in
                     re.findall(r"\b(min|median|p99|max) (\d+)", text)}
            self.passes.append({"nodes": self.now["pass"], "calls": int(text.split()[0]), **words})

    def _failed(self, why):
        self.complaints.append(f"{self.job.name}: {why}")

    def _done(self, _rest):
        self.complete = True


def read_slew(path=SLEW):
    """The recorded schedule, as numbers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[float(word) for word in line.split()] for line in lines
            if line and not line.startswith("#")]


def results(readers, kernel, machine, git, quick=False):
    """The object of results.json, without goals."""
    facts = readers[0].facts
    merged = {name: [item for reader in readers for item in getattr(reader, name)]
              for name in ("accuracy", "timers", "passes", "growth")}
    cost = {}
    for reader in readers:
        cost |= reader.cost
    return {"schema": SCHEMA, "module": {"git": git},
            "kernel": {"release": kernel.release, "version": kernel.version,
                       "coupled": kernel.has("GENERIC_CLOCKEVENTS_COUPLED")},
            "machine": {"name": machine, "cpu": facts.get("cpu"),
                        "khz": round(float(facts.get("khz") or 0) * 1000),
                        "images": [reader.facts.get("image") for reader in readers]},
            "jobs": [reader.job.name for reader in readers], "quick": quick,
            "complaints": {reader.job.name: found for reader in readers
                           if (found := complaints([reader]))},
            **merged, "cost": cost, "slew": read_slew()}


def complaints(readers):
    """Sentences about what makes the figures worthless; no sentence, all is well."""
    found = [sentence for reader in readers for sentence in reader.complaints]
    return found + [f"{reader.job.name} did not run to its end" for reader in readers
                    if not reader.complete]
