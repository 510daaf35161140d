# SPDX-License-Identifier: GPL-2.0
"""The demonstration: KVM's own nested timer test, with the host's clock bent.

What scripts/guest/demo.sh prints in the machine is read here, and becomes:

results.json, an object with
  schema      1; changes when a name below changes its meaning
  module      {git}: git describe of the tree that was built
  kernel      {release, version}: uname -r, and of the Debian packages
  machine     {name, cpu, khz}: of scripts/vm; khz is the TSC's rate there
  kvm         "patched" or "stock"
  test        the selftest that ran
  rates       one object for each rate of the host's clock:
    name, tick, freq       as in adjtimex(2), freq in units of 2^-16 ppm
    wanted_ppm, got_ppm    mono/raw - 1: what tick and freq mean, what the module read
    runs                   in the order they ran, each
      module               absent (not loaded yet), loaded, removed
      status               the test's exit status
      l1_error, l2_error   {cycles, ns}: TSC at the exit to L1 minus L1's deadline, the
                           last TSC that L2 read minus L2's deadline; null if not printed
      verdict              pass: l1 >= 0 and l2 < 0; early: l1 < 0; late: l2 >= 0;
                           broken: anything else, or a status that says otherwise
      expected             the verdict without which the demonstration has failed
  passed, failed           how many runs were as expected, and how many not
"""

from dataclasses import dataclass, field
import re

SCHEMA = 1
TEST = "vmx_preemption_timer_test"
TOLERANCE_PPM = 1.0     # a unit of mult is up to 0.46 ppm


@dataclass(frozen=True)
class Rate:
    name: str
    tick: int = 10000       # microseconds that a 100th of a second is taken for
    freq: int = 0           # 2^-16 ppm

    @property
    def ppm(self):
        return (self.tick - 10000) * 100 + self.freq / 65536

    @property
    def argument(self):
        return f"{self.name}:{self.tick}:{self.freq}"

    def expected(self, module):
        if module == "loaded" or self.ppm == 0:
            return "pass"
        return "early" if self.ppm > 0 else "late"


# Which machine runs what is fixed: the history of a machine changes its figures.
MACHINES = [
    [Rate("0"), Rate("+500 ppm", freq=500 << 16), Rate("-500 ppm", freq=-500 << 16)],
    [Rate("tick +10 %", tick=11000), Rate("tick -10 %", tick=9000)],
]
RATES = [rate for rates in MACHINES for rate in rates]
MODULES = ["absent", "loaded", "removed"]


@dataclass
class Run:
    module: str
    status: int = None
    l1: int = None          # cycles
    l2: int = None

    @property
    def verdict(self):
        if self.status is None or self.l1 is None or self.l2 is None:
            return "broken"
        found = "early" if self.l1 < 0 else "late" if self.l2 >= 0 else "pass"
        return found if (found == "pass") == (self.status == 0) else "broken"


@dataclass
class Measured:
    rate: Rate
    runs: list = field(default_factory=list)
    set: dict = field(default_factory=dict)     # adjtimex, read back
    debugfs: dict = field(default_factory=dict)

    @property
    def got_ppm(self):
        match = re.fullmatch(r"([-+][\d.]+) ppm", self.debugfs.get("mono/raw", ""))
        return float(match[1]) if match else None


class Reader:
    """Reads one machine's output line by line; what it says goes to `progress`."""

    def __init__(self, rates, progress):
        self.rates = {rate.name: rate for rate in rates}
        self.runs = len(rates) * len(MODULES)
        self.progress = progress
        self.measured = []
        self.facts = {}
        self.complete = False

    def line(self, text):
        text = text.rstrip("\r\n")
        if text.startswith("@ "):
            word, _, rest = text[2:].partition(" ")
            getattr(self, f"_{word}", self._fact(word))(rest)
            return
        match = re.search(r"Stage 2: (L[12]) PT expiry TSC \((\d+)\) , "
                          r"\1 TSC deadline \((\d+)\)$", text)
        if match and self.measured and self.measured[-1].runs:
            error = int(match[2]) - int(match[3])
            setattr(self.measured[-1].runs[-1], match[1].lower(), error)

    def _fact(self, word):
        return lambda rest: self.facts.__setitem__(word, rest)

    def _rate(self, name):
        self.measured.append(Measured(self.rates[name]))

    def _adjtimex(self, rest):
        key, value = rest.split()
        self.measured[-1].set[key] = int(value)

    def _debugfs(self, rest):
        key, _, value = rest.partition(": ")
        self.measured[-1].debugfs[key] = value

    def _run(self, module):
        measured = self.measured[-1]
        measured.runs.append(Run(module))
        number = sum(len(m.runs) for m in self.measured)
        self.progress(f"run {number} of {self.runs}: host clock "
                      f"{measured.rate.name}, module {module}")

    def _status(self, status):
        run = self.measured[-1].runs[-1]
        run.status = int(status)
        self.progress(f"host clock {self.measured[-1].rate.name}, module {run.module}: "
                      f"{run.verdict}")

    def _done(self, _rest):
        self.complete = True


def complaints(readers):
    """Sentences about what makes the figures worthless; no sentence, all is well."""
    found = []
    for reader in readers:
        if not reader.complete:
            found.append("a machine did not run to its end")
        if len(reader.measured) < len(reader.rates):
            found.append(f"{len(reader.measured)} of {len(reader.rates)} rates were set")
        for measured in reader.measured:
            rate = measured.rate
            if [run.module for run in measured.runs] != MODULES:
                found.append(f"{rate.name}: not all runs took place")
            if measured.set != {"t": rate.tick, "f": rate.freq}:
                found.append(f"{rate.name}: adjtimex reads back {measured.set}")
            got = measured.got_ppm
            if got is None or abs(got - rate.ppm) > TOLERANCE_PPM:
                found.append(f"{rate.name}: the clock runs at {got} ppm, "
                             f"not at {rate.ppm:+} ppm")
            if measured.debugfs.get("clocksource") != "tsc":
                found.append(f"{rate.name}: the clocksource is not the TSC")
    return found


def _ns_per_cycle(readers):
    """As the guest's kernel knows it: the raw clock's mult and shift."""
    for reader in readers:
        for measured in reader.measured:
            if "raw_mult" in measured.debugfs:
                return (int(measured.debugfs["raw_mult"])
                        / (1 << int(measured.debugfs["shift"])))
    return None


def results(readers, kernel, kvm, git):
    """The object of results.json."""
    scale = _ns_per_cycle(readers)

    def error(cycles):
        if cycles is None:
            return None
        return {"cycles": cycles, "ns": round(cycles * scale) if scale else None}

    rates = []
    for measured in (m for reader in readers for m in reader.measured):
        rate = measured.rate
        rates.append({
            "name": rate.name, "tick": rate.tick, "freq": rate.freq,
            "wanted_ppm": rate.ppm, "got_ppm": measured.got_ppm,
            "runs": [{"module": run.module, "status": run.status,
                      "l1_error": error(run.l1), "l2_error": error(run.l2),
                      "verdict": run.verdict, "expected": rate.expected(run.module)}
                     for run in measured.runs]})
    runs = [run for rate in rates for run in rate["runs"]]
    passed = sum(run["verdict"] == run["expected"] for run in runs)
    return {
        "schema": SCHEMA, "module": {"git": git},
        "kernel": {"release": kernel.release, "version": kernel.version},
        "machine": {"name": "vmx", "cpu": readers[0].facts.get("cpu"),
                    "khz": round(1e6 / scale) if scale else None},
        "kvm": kvm, "test": TEST, "rates": rates,
        "passed": passed, "failed": len(runs) - passed}


def table(result):
    """The results as a person reads them."""
    def amount(error):
        if error is None:
            return f"{'-':>29}"
        ns = "" if error["ns"] is None else f"{error['ns']:+,} ns"
        return f"{error['cycles']:+,}".rjust(12) + ns.rjust(17)

    lines = [f"{'':12}{'':10}{'cycles (and nanoseconds) after the deadline':>46}",
             f"{'host clock':12}{'module':10}{'exit to L1 (never < 0)':>29}"
             f"{'last TSC of L2 (never >= 0)':>30}  verdict"]
    for rate in result["rates"]:
        for run in rate["runs"]:
            good = run["verdict"] == run["expected"]
            says = {"pass": "pass", "early": "FAIL: early", "late": "FAIL: late",
                    "broken": f"BROKEN (status {run['status']})"}[run["verdict"]]
            if good and run["verdict"] != "pass":
                says += ", the known fault"
            elif not good:
                says += f", EXPECTED: {run['expected']}"
            lines.append(f"{rate['name']:12}{run['module']:10}{amount(run['l1_error'])}"
                         f" {amount(run['l2_error'])}  {says}")
    return "\n".join(lines)
