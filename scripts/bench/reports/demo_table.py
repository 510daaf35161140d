# SPDX-License-Identifier: GPL-2.0
"""The demonstration's results as a person reads them: columns side by side, and two more
below."""

# Heading, and the runs (kvm, module) below it: in a rate's line, and in the one
# after it, which says how it is when the module has been removed again.
COLUMNS = [("stock KVM, no module", ("stock", "absent"), None),
           ("stock KVM, raw_hrtimer", ("stock", "loaded"), ("stock", "removed")),
           ("patched KVM, raw_hrtimer", ("patched", "loaded"), ("patched", "removed"))]
# Where a patched KVM runs L2's timer in the processor's.
IN_HARDWARE = [("in hardware, no module", ("hardware", "absent"), None),
               ("in hardware, raw_hrtimer", ("both", "loaded"), None)]
SAYS = {"pass": "pass", "early": "EARLY", "late": "LATE", "broken": "BROKEN"}
FIRST, WIDTH = 13, 31

LEGEND = """\
L2: cycles from the deadline to the last TSC that the nested guest (L2) read; must be < 0
L1: cycles from the deadline to the exit to its hypervisor (L1); must be >= 0
"""


def _cycles(error):
    return "-" if error is None else f"{error['cycles']:+,}"


def _cell(run):
    if run is None:
        return " " * WIDTH
    wrong = "" if run["verdict"] == run["expected"] else "!"
    return (f"{_cycles(run['l2_error']):>11}{_cycles(run['l1_error']):>12}"
            f"  {SAYS[run['verdict']]}{wrong}").ljust(WIDTH)


def _columns(result, columns, rows):
    """A heading, and the rows for each rate."""
    lines = [" " * FIRST + "".join(c[0].center(WIDTH) for c in columns),
             "host clock".ljust(FIRST) + f"{'L2':>11}{'L1':>12}".ljust(WIDTH) * len(columns)]
    for rate in result["rates"]:
        runs = {(run["kvm"], run["module"]): run for run in rate["runs"]}
        for row, name in rows:
            lines.append((name or rate["name"]).ljust(FIRST)
                         + "".join(_cell(runs.get(c[row])) for c in columns))
    return lines


def table(result):
    """A line for each rate, and one for the module removed again."""
    columns = [c for c in COLUMNS if c[1][0] == "stock" or not result["left_out"]]
    lines = [LEGEND, *_columns(result, columns, [(1, None), (2, "  after rmmod")])]
    if any(run["kvm"] == "hardware" for rate in result["rates"] for run in rate["runs"]):
        lines += ["", *_columns(result, IN_HARDWARE, [(1, None)])]
    if result["left_out"]:
        lines += ["", f"No column for a patched KVM: {result['left_out']}."]
    return "\n".join(line.rstrip() for line in lines)
