# SPDX-License-Identifier: GPL-2.0
"""The demonstration: KVM's own nested timer test, with the host's clock bent.

What scripts/guest/demo.sh prints in the machine is read here, and becomes:

results.json, an object with
  schema      3; changes when a name below changes its meaning
  module      {git}: git describe of the tree that was built
  kernel      {release, version}: uname -r, and of the Debian packages
  machine     {name, cpu, khz, images}: of scripts/vm; khz is the TSC's rate there; images are
              digests of what the machines were made of: the same ones give the same figures
  test        the selftest that ran
  rates       one object for each rate of the host's clock:
    name, tick, freq       as in adjtimex(2), freq in units of 2^-16 ppm
    wanted_ppm             mono/raw - 1: what tick and freq mean
    runs                   in the order they ran, each
      kvm                  stock: the kernel's own; any other is the same KVM, with the three
                           series of patches/kvm ("both" in building/kvm.py).  patched: loaded
                           with preemption_timer=0, so that L2's timer is an hrtimer;
                           hardware: with the processor's timer, which L2's runs in; both:
                           hardware's, when the module is loaded
      module               absent (not loaded, or not yet), loaded, removed
      preemption_timer     whether KVM uses the processor's, as kvm-intel's parameter says
      attached             how the module covers KVM: hooked or registered; null
                           where it is not loaded
      got_ppm              mono/raw - 1 as the module read it; null where it is not loaded
      status               the test's exit status
      l1_error, l2_error   {cycles, ns}: TSC at the exit to L1 minus L1's deadline, the
                           last TSC that L2 read minus L2's deadline; null if not printed
      verdict              pass: l1 >= 0 and l2 < 0; early: l1 < 0; late: l2 >= 0;
                           broken: anything else, or a status that says otherwise
      expected             the verdict without which the demonstration has failed
  left_out    why there are no runs with a patched KVM; null if there are
  passed, failed           how many runs were as expected, and how many not
"""

from dataclasses import dataclass, field, replace
import re

from ..machines import session

SCHEMA = 3
TEST = "vmx_preemption_timer_test"
TOLERANCE_PPM = 1.0     # a unit of mult is up to 0.46 ppm


@dataclass(frozen=True)
class Rate:
    name: str
    tick: int = 10000       # microseconds that a 100th of a second is taken for
    freq: int = 0           # 2^-16 ppm
    kvms: tuple = ("stock", "patched", "hardware", "both")  # that run at it in this machine

    @property
    def ppm(self):
        return (self.tick - 10000) * 100 + self.freq / 65536

    @property
    def argument(self):
        return f"{self.name}:{self.tick}:{self.freq}:{','.join(self.kvms)}"

    def runs(self, with_patched):
        """The runs at this rate, as pairs (kvm, module)."""
        return [run for run in RUNS
                if run[0] in self.kvms and (with_patched or run[0] == "stock")]

    def expected(self, kvm, module):
        if module == "loaded" or kvm in IN_HARDWARE or self.ppm == 0:
            return "pass"
        return "early" if self.ppm > 0 else "late"


# The order is scripts/guest/demo.sh's.
RUNS = [("stock", "absent"), ("stock", "loaded"), ("stock", "removed"),
        ("patched", "loaded"), ("patched", "removed"), ("hardware", "absent"),
        ("both", "loaded")]
ATTACHED = {"stock": "hooked", "patched": "registered", "both": "registered"}
# L2's timer runs in the processor's there, whatever the host's clock does.
IN_HARDWARE = ("hardware", "both")
PREEMPTION_TIMER = {"patched": "N", "hardware": "Y", "both": "Y"}

# Which machine runs what is fixed: the history of a machine changes its figures.  The two take
# about as long; what is to be compared within a rate, one KVM's, is in the same machine.
SLOW = Rate("-500 ppm", freq=-500 << 16)
FASTEST, SLOWEST = Rate("tick +10 %", tick=11000), Rate("tick -10 %", tick=9000)
MACHINES = [
    [Rate("0"), Rate("+500 ppm", freq=500 << 16), replace(SLOW, kvms=("patched", *IN_HARDWARE))],
    [FASTEST, SLOWEST, replace(SLOW, kvms=("stock",))],
]
# What patched KVMs do is in the suites of the nested timer.
QUICK = [[replace(rate, kvms=("stock",)) for rate in (FASTEST, SLOWEST)]]


@dataclass
class Run:
    kvm: str
    module: str
    attached: str = None
    preemption_timer: str = None    # Y or N
    debugfs: dict = field(default_factory=dict)     # what the module says of the clock
    status: int = None
    l1: int = None          # cycles
    l2: int = None

    @property
    def got_ppm(self):
        match = re.fullmatch(r"([-+][\d.]+) ppm", self.debugfs.get("mono/raw", ""))
        return float(match[1]) if match else None

    @property
    def verdict(self):
        if self.status is None or self.l1 is None or self.l2 is None:
            return "broken"
        found = "early" if self.l1 < 0 else "late" if self.l2 >= 0 else "pass"
        return found if (found == "pass") == (self.status == 0) else "broken"


@dataclass
class Measured:
    """What was measured at a rate, from when it was set to when another one was."""
    rate: Rate
    runs: list = field(default_factory=list)
    set: dict = field(default_factory=dict)     # adjtimex, read back


class Reader(session.Reader):
    """Reads one machine's output line by line; `began` and `ended` are told of runs."""

    def __init__(self, rates, with_patched, began, ended):
        super().__init__()
        self.rates = {rate.name: rate for rate in rates if rate.runs(with_patched)}
        self.with_patched = with_patched
        self.began = began
        self.ended = ended
        self.measured = []
        self.complete = False

    @property
    def run(self):
        return self.measured[-1].runs[-1]

    def other(self, text):
        match = re.search(r"Stage 2: (L[12]) PT expiry TSC \((\d+)\) , "
                          r"\1 TSC deadline \((\d+)\)$", text)
        if match and self.measured and self.measured[-1].runs:
            setattr(self.run, match[1].lower(), int(match[2]) - int(match[3]))

    def _rate(self, name):
        self.measured.append(Measured(self.rates[name]))

    def _adjtimex(self, rest):
        key, value = rest.split()
        self.measured[-1].set[key] = int(value)

    def _run(self, rest):
        self.measured[-1].runs.append(Run(*rest.split()))
        self.began(self.measured[-1].rate, self.run)

    def _debugfs(self, rest):
        key, _, value = rest.partition(": ")
        self.run.debugfs[key] = value

    def _preemption_timer(self, rest):
        self.run.preemption_timer = rest

    def _attached(self, rest):
        self.run.attached = rest

    def _status(self, status):
        self.run.status = int(status)
        self.ended(self.measured[-1].rate, self.run)

    def _done(self, _rest):
        self.complete = True


def _complaints_of_run(rate, run):
    where = f"{rate.name}, {run.kvm} KVM"
    if run.got_ppm is None or abs(run.got_ppm - rate.ppm) > TOLERANCE_PPM:
        yield f"{where}: the clock runs at {run.got_ppm} ppm, not at {rate.ppm:+} ppm"
    if run.debugfs.get("clocksource") != "tsc":
        yield f"{where}: the clocksource is not the TSC"
    if run.attached != ATTACHED[run.kvm]:
        yield f"{where}: the module says of KVM: {run.attached}"


def complaints(readers):
    """Sentences about what makes the figures worthless; no sentence, all is well."""
    found = []
    for reader in readers:
        if not reader.complete:
            found.append("a machine did not run to its end")
        for rate in reader.rates.values():
            ran = [(run.kvm, run.module) for measured in reader.measured
                   if measured.rate is rate for run in measured.runs]
            if ran != rate.runs(reader.with_patched):
                found.append(f"{rate.name}: not all runs took place")
        for measured in reader.measured:
            rate = measured.rate
            if measured.set != {"t": rate.tick, "f": rate.freq}:
                found.append(f"{rate.name}: adjtimex reads back {measured.set}")
            for run in measured.runs:
                if run.module == "loaded":
                    found += _complaints_of_run(rate, run)
                if run.preemption_timer != PREEMPTION_TIMER.get(run.kvm, run.preemption_timer):
                    found.append(f"{rate.name}, {run.kvm} KVM: kvm-intel's preemption_timer is "
                                 f"{run.preemption_timer}")
    return found


def _ns_per_cycle(readers):
    """As the guest's kernel knows it: the raw clock's mult and shift."""
    for reader in readers:
        for run in (run for measured in reader.measured for run in measured.runs):
            if "raw_mult" in run.debugfs:
                return int(run.debugfs["raw_mult"]) / (1 << int(run.debugfs["shift"]))
    return None


def results(readers, kernel, left_out, git, machine="vmx"):
    """The object of results.json."""
    scale = _ns_per_cycle(readers)

    def error(cycles):
        if cycles is None:
            return None
        return {"cycles": cycles, "ns": round(cycles * scale) if scale else None}

    rates = {}
    for measured in (m for reader in readers for m in reader.measured):
        rate = measured.rate
        here = rates.setdefault(rate.name, {
            "name": rate.name, "tick": rate.tick, "freq": rate.freq,
            "wanted_ppm": rate.ppm, "runs": []})
        here["runs"] += [{"kvm": run.kvm, "module": run.module, "attached": run.attached,
                          "preemption_timer": run.preemption_timer == "Y",
                          "got_ppm": run.got_ppm, "status": run.status,
                          "l1_error": error(run.l1), "l2_error": error(run.l2),
                          "verdict": run.verdict, "expected": rate.expected(run.kvm, run.module)}
                         for run in measured.runs]
    rates = list(rates.values())
    for rate in rates:
        rate["runs"].sort(key=lambda run: RUNS.index((run["kvm"], run["module"])))
    runs = [run for rate in rates for run in rate["runs"]]
    passed = sum(run["verdict"] == run["expected"] for run in runs)
    return {
        "schema": SCHEMA, "module": {"git": git},
        "kernel": {"release": kernel.release, "version": kernel.version},
        "machine": {"name": machine, "cpu": readers[0].facts.get("cpu"),
                    "khz": round(1e6 / scale) if scale else None,
                    "images": [reader.facts.get("image") for reader in readers]},
        "test": TEST, "rates": rates, "left_out": left_out,
        "passed": passed, "failed": len(runs) - passed}


def unexpected(result):
    """A sentence for each run that was not as it has to be."""
    return [f"{rate['name']}, {run['kvm']} KVM, module {run['module']}: {run['verdict']} "
            f"(status {run['status']}) instead of {run['expected']}"
            for rate in result["rates"] for run in rate["runs"]
            if run["verdict"] != run["expected"]]
