# SPDX-License-Identifier: GPL-2.0
"""What the kernel's log says when something is wrong with the kernel.

tests/selftests/raw_hrtimer/checkers.sh commits faults for which this must have words.
"""

import re

# The kernel may go on, but what it does now says nothing.
OOPS = re.compile(rb"\] (?:BUG: |\[ BUG: |Oops|general protection fault|kernel BUG at|"
                  rb"invalid opcode:|divide error:|stack segment:|double fault:|Internal error|"
                  rb"watchdog: BUG|rcu: INFO: .*(?:stall|detected)|INFO: task .* blocked)")
WARNING = re.compile(rb"\] (?:WARNING: |INFO: |ODEBUG: |UBSAN: |KASAN: |"
                     rb"\S+: suspicious RCU usage)|panicked at ")
END_OF_TRACE = re.compile(rb"---\[ end trace|Code: ")


def is_splat(line):
    return bool(OOPS.search(line) or WARNING.search(line))


def find(log):
    """The lines of a kernel's log that begin a report."""
    return [line.decode(errors="replace") for line in log.splitlines() if is_splat(line)]
