# SPDX-License-Identifier: GPL-2.0
"""What make check runs: the suites, and the judgement of what they print."""
