# SPDX-License-Identifier: GPL-2.0
"""Which suites a change can break, and why each (scripts/check --changed).

What a suite runs is read from the suite itself: its words, and the suites that it waits
for.  RULES has the rest.  A file that no rule knows can break all of them.
"""

from pathlib import Path
import re

from ..building import own
from ..cache import BenchError, TREE
from ..toolchain import root

SELFTESTS = "tests/selftests/raw_hrtimer/"
VARIANTS = "|".join(own.VARIANTS)
HOST = r"arithmetic.*|latch|bookkeeping.*|proof.*|miri|fuzz"

# Files, suites, and why: regular expressions that match the whole name.  "<stage>" stands for
# the suites that wait for that one, directly or not; "{word}" for those that run such a thing.
RULES = [
    (r"(rust|c|include)/.*|Kbuild", "<module>", "runs the module"),
    (r"(rust|c|include)/.*|Kbuild", r"module|lints|native|dkms", "builds the module"),
    (r"rust/.*", HOST, "runs the module's sources in user space"),
    (r"Makefile|scripts/(kdir-check|distribution\.sh)", r"native|dkms|unittests", "runs make"),
    (r"rust/.*", "unittests", "reads who imports whom"),
    (r"dkms\.conf", r"dkms|unittests", "runs dkms"),
    (r"dkms\.conf", r"module|native", "builds the module with its version"),
    (r"packaging/.*|scripts/package|scripts/bench/building/packages\.py|dkms\.conf|Makefile",
     r"packages.*", "makes packages of it"),
    (r".*/(packaging\.py|package(_life)?\.sh)", r"packages.*", "is made by it"),
    (r"(rust|c|include|tools|Documentation/man)/.*|Kbuild|scripts/(kdir-check|distribution\.sh)",
     r"packages.*", "is in the packages"),
    (r"tested-kernels", r"unittests|static|\d.*", "reads the list"),
    (r"patches/kvm/.*", r"series|each-patch-.*", "applies the series"),
    (r"patches/kvm/.*", "{patched|--kvm (fixes|hardware|both)}", "runs a KVM with the series"),
    (r"patches/bochs/.*", "<bochs>", "runs Bochs"),
    (r"patches/bochs/.*", "bochs", "builds Bochs"),
    (r"tests/bench/.*", "unittests", "runs it"),
    (r"tests/host/loom/timers/.*", r"bookkeeping.*", "runs it"),
    (r"tests/host/loom/(?!timers/).*", r"latch|bookkeeping.*", "runs it"),
    (r"tests/host/proof/.*", r"proof.*", "runs it"),
    (r"tests/host/fuzz/.*", "fuzz", "runs it"),
    (r"tests/host/(src|tests|Cargo)\b.*", r"arithmetic.*|miri|fuzz", "runs it"),
    (SELFTESTS + r"(functions.*\.sh|run_all\.sh|settings)", "{/run_all\\.sh}", "reads it"),
    (SELFTESTS + r"functions_kvm\.sh", "{/(kvm-tests|verdicts)\\.sh}", "reads it"),
    (SELFTESTS + r"functions_kvm\.sh", "each-patch-.*", "reads it"),
    (SELFTESTS + r"test_modules/.*", "{/run_all\\.sh|measure}", "loads the test modules"),
    (SELFTESTS + r"kvm/.*", "series", "compares it with the series"),
    (SELFTESTS + r".*\.h|" + SELFTESTS + r"kvm/.*\.h|" + SELFTESTS + r"(Makefile|config)",
     "<selftests>", "runs what is built with it"),
    (SELFTESTS + r"(rate_schedule|slew)[._].*", "{/kvm-tests\\.sh|/run_all\\.sh|measure}",
     "bends the clock with it"),
    (r"scripts/guest/demo\.sh|scripts/demo|scripts/bench/reports/(demo|demo_table|report)\.py",
     "{demo}", "runs it"),
    (r"scripts/guest/measure/.*|scripts/measure|scripts/bench/(reports/"
     r"(measure|plan|tables|pictures)|suites/goal\w*)\.py", "{measure}", "runs it"),
    (r"scripts/bench/machines/session\.py", "{demo|measure}", "runs its machines by it"),
    (r"scripts/guest/symptom\.sh", "symptom", "runs it"),
    (r"scripts/(guest/verdicts\.sh|bench/suites/verdicts\.py)", "{/verdicts\\.sh}", "runs it"),
    (r"scripts/guest/kvm-tests\.sh|scripts/bench/suites/(accuracy|timers|kvm_series)\.py",
     "{/kvm-tests\\.sh}", "runs it"),
    (r"scripts/guest/early-timer\.sh", "{/early-timer\\.sh}", "runs it"),
    (r"scripts/(guest/(flaky|advance|beside)\.sh|bench/(suites/reports|building/load)\.py)",
     "{/(flaky|advance|beside)\\.sh|_(edge|stopped)_test}", "is made by it"),
    (SELFTESTS + r"slew_chronyd\.txt", "{/flaky\\.sh|chronyd|measure}", "bends the clock with it"),
    (r"scripts/bench/suites/storms\.py", r"(storm|growth|tsc-restarts).*|.*-storms-.*",
     "is made by it"),
    (r"scripts/bench/(suites/checkers|toolchain/llvm|building/own)\.py|.*/debug\.config",
     r"(debug|rt)-.*", "is made by it"),
    (r"scripts/bench/(suites/(variants|quiet)|toolchain/(llvm|rustc|unstable)|building/own)\.py"
     rf"|.*/(small|variant|expert|{VARIANTS})\.config", f"({VARIANTS})(-.*)?", "runs that kernel"),
    (r"scripts/bench/(suites/(newest|quiet)|toolchain/unstable|building/newest)\.py", "newest",
     "is made by it"),
    (r"scripts/bench/suites/quiet\.py", "lints", "builds by it"),
    (r"scripts/bench/building/(own\.py|(kunit|small)\.config)", r"kunit.*", "runs that kernel"),
    (r"scripts/bench/building/small\.config", r"debug-.*", "runs that kernel"),
    (r"scripts/bench/suites/host\.py", HOST, "is made by it"),
    (r"scripts/bench/suites/installing\.py", r"native|dkms", "is made by it"),
    (r"scripts/bench/suites/(static|quoted)\.py|scripts/figures|scripts/bench/figures/.*", "static",
     "is made by it"),
    (r"scripts/bench/suites/repeat\.py", "image|elsewhere", "is made by it"),
    (r"scripts/bench/suites/watching\.py|tools/.*", "svm-attach-stock", "reads its debugfs"),
    (r"scripts/bench/suites/tracepoints\.py", "module", "looks at its jump labels"),
    (r"scripts/bench/suites/(each_patch|patch_tests)\.py|scripts/guest/each-patch\.sh",
     "each-patch-.*", "is made by it"),
    (r"scripts/guest/inner\.sh|scripts/bench/building/(tools|inner)\.py|scripts/guest/qemu-wrapper",
     "vm-qemu|svm-guest-load", "runs QEMU in a machine"),
    (r"scripts/bench/suites/guests\.py|scripts/guest/guest-load\.sh", "svm-guest-load",
     "is made by it"),
    (r"scripts/bench/suites/machines\.py", r"vm-.*|kselftest|own-machine.*", "is made by it"),
    (r"scripts/vm|scripts/guest/collect|scripts/bench/(machines/(options|fetched|terminal)"
     r"|building/(libraries|kvm_parameters))\.py", r"vm-.*", "uses its options"),
    (r"scripts/bench/(suites/own_machine|machines/here)\.py|scripts/guest/own-machine\.py",
     r"own-machine.*", "runs it"),
    (SELFTESTS + r"(.*/)?Makefile", "kselftest", "installs by it"),
    (r"scripts/bench/machines/(bochs|loading)\.py|scripts/guest/loader\.S", "<bochs>", "runs Bochs"),
    (r"scripts/bench/machines/qemu\.py", "{svm}", "runs QEMU"),
    (r"scripts/bench/toolchain/(ways|guard|ordinary|contain)\.py"
     r"|.*/((playing|interrupted)\.py|steps\.sh|spawn\.c)", r"way-.*|interrupted",
     "plays the ways into the root"),
    (r"scripts/bench/.*\.py|scripts/(check|toolchain|vm|on-this-machine)", "unittests",
     "tests it"),
    (r"(Documentation|\.ci)/.*|(README|CONTRIBUTING|NEWS)\.rst|COPYING|MAINTAINERS|\.gitignore"
     r"|" + SELFTESTS + r"README", "static", "reads it"),
    (r"Documentation/(troubleshooting\.rst|man/.*)", "unittests", "compares its messages"),
    (r"tools/.*", "unittests", "tests it"),
    (r".*", "static", "looks at each file"),
]

# What says nothing of itself: all that it may break are those that look at each file.
HARMLESS = re.compile(r"(Documentation|\.ci)/.*|(README|CONTRIBUTING|NEWS)\.rst|COPYING|MAINTAINERS|\.gitignore|"
                      + SELFTESTS + r"(README|record_slew\.sh)|.*/Cargo\.lock|.*/\.gitignore"
                      r"|scripts/bench/suites/(changed|static|quoted)\.py|scripts/bench/figures/.*"
                      r"|scripts/figures|tests/bench/.*")
EVERYTHING = "no rule says what depends on it"


def files(commit):
    """What differs between a commit and the tree as it is, new files too."""
    def git(*argv):
        done = root.run(["git", "-c", f"safe.directory={TREE}", *argv], cwd=TREE, capture=True,
                        check=False)
        if done.returncode:
            raise BenchError(f"git {argv[0]} {commit}: {done.stderr.strip()}")
        return done.stdout.splitlines()
    return sorted({*git("diff", "--name-only", "--no-renames", commit, "--"),
                   *git("ls-files", "--others", "--exclude-standard")})


def _words(suite):
    return " ".join(map(str, getattr(suite.run, "words", ())))


def _behind(suites, stage):
    """The suites that wait for one, directly or not."""
    found = {stage}
    for _ in suites:
        found |= {suite.name for suite in suites if found & set(suite.after)}
    return found - {stage}


def _matching(suites, pattern):
    if stage := re.fullmatch(r"<(.*)>", pattern):
        return _behind(suites, stage[1])
    if word := re.fullmatch(r"\{(.*)\}", pattern):
        return {suite.name for suite in suites if re.search(word[1], _words(suite))}
    return {suite.name for suite in suites if re.fullmatch(pattern, suite.name)}


def _that_run(suites, path):
    """The suites whose machine runs one of our selftests, by its name, or a test that does."""
    name = Path(path).name.removesuffix(".c")
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    named = {s.name for s in suites if pattern.search(_words(s))}
    if path.endswith(".c"):
        for script in (TREE / SELFTESTS).glob("*.sh"):
            if pattern.search(script.read_text(encoding="utf-8")):
                named |= _that_run(suites, script.name)
    # With no names of tests after it, run_all.sh runs most of them.
    everything = re.search(r'^everything="(.*?)"', (TREE / SELFTESTS / "run_all.sh").read_text(),
                           re.M | re.S)[1].split()
    if name in everything:
        named |= {s.name for s in suites if _words(s).endswith("/run_all.sh")}
    return named


def suites_for(paths, suites):
    """{name of a suite: [why]}, in the suites' order."""
    found = {}
    for path in paths:
        rules = [(names, why) for pattern, suite, why in RULES if re.fullmatch(pattern, path)
                 for names in [_matching(suites, suite)] if names]
        if path.startswith(SELFTESTS) and path.endswith((".sh", ".c")):
            rules.append((_that_run(suites, path), "runs it"))
        known = any(names - {"static", "unittests"} for names, _ in rules)
        if not known and not HARMLESS.fullmatch(path):
            rules.append(({suite.name for suite in suites}, EVERYTHING))
        for names, why in rules:
            for name in names:
                found.setdefault(name, []).append(f"{path}: {why}")
    return {suite.name: found[suite.name] for suite in suites if suite.name in found}
