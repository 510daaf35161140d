# SPDX-License-Identifier: GPL-2.0
"""How a block is reached: a list of ways, each a tuple of the conditions taken, in order."""

import z3


def condition_of(ways):
    """That one of the ways is taken."""
    return z3.simplify(z3.Or(*(z3.And(*way) for way in ways)))


def common(ways):
    """How many conditions all of them begin with."""
    count = 0
    for conditions in zip(*ways):
        if not all(condition.eq(conditions[0]) for condition in conditions):
            break
        count += 1
    return count


def merged(ways):
    """The same ways, without a last condition that has been taken both times."""
    for number, way in enumerate(ways):
        for other in ways[:number]:
            if len(way) == len(other) == common([way[:-1], other[:-1]]) + 1 and (
                    way[-1].eq(z3.Not(other[-1])) or other[-1].eq(z3.Not(way[-1]))):
                others = [rest for rest in ways if rest is not way and rest is not other]
                return merged([way[:-1], *others])
    return ways
