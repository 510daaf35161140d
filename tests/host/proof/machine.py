# SPDX-License-Identifier: GPL-2.0
"""That the terms mean what the machine does: the same inputs for both, random and at the edges."""

import ctypes
import random

import z3

from llvm import Function
from model import KTIME_MAX, NO_RATE, U64_MAX

CLOCK = (64, 32, 32, 64, 64)
# The sizes of their arguments.
FUNCTIONS = {
    "expiry_kind": (*CLOCK, 64), "expiry_ns": (*CLOCK, 64), "mono": (*CLOCK, 64),
    "look": (*CLOCK, 64, 32, 64),
    "cycles_per_ns": (32,), "ns_per_cycle": (32,), "cycles_in": (64, 64), "ns_in": (64, 64),
}
# What has to be met, else the inputs say too little.
KINDS = {
    "expiry_kind": {0, 1, 2, NO_RATE},
    "look": {"exact", "earlier"}, "cycles_per_ns": {"none", "some"},
    "ns_per_cycle": {"none", "some"}, "cycles_in": {"fits", "end"}, "ns_in": {"fits", "end"},
}
VECTORS = 3000


def number(chance, bits):
    """A number of so many bits, often near where something happens."""
    kind = chance.randrange(4)
    if kind == 0:
        return chance.getrandbits(bits)
    if kind == 1:
        return chance.getrandbits(chance.randrange(1, bits + 1))
    if kind == 2:
        return (1 << chance.randrange(bits)) + chance.randrange(-2, 3) & (1 << bits) - 1
    return (chance.randrange(-3, 4)) & (1 << bits) - 1


def size_of_timer(chance):
    """A clock and a timer as machines have them, up to 18 hours ahead at 4 GHz."""
    mult, cycle_last = chance.randrange(2_500_000, 21_000_000), chance.getrandbits(60)
    now = cycle_last + chance.getrandbits(chance.randrange(1, 36))
    deadline = now + chance.getrandbits(chance.randrange(1, 48))
    return [cycle_last, mult, 24, chance.getrandbits(54), chance.getrandbits(60), deadline,
            mult + mult * chance.randrange(-250, 250) // 1000, now]


def vector(chance, sizes):
    """One input."""
    if sizes[:5] == CLOCK and not chance.randrange(3):
        return size_of_timer(chance)[:len(sizes)]
    values = [number(chance, size) for size in sizes]
    if len(values) > 5:
        values[2] = chance.randrange(34)
        # A TSC, or a time, is often soon after the last update.
        near = chance.choice((None, values[0], values[4]))
        for at in (5, 7):
            if near is not None and at < len(values):
                values[at] = near + number(chance, 64) & U64_MAX
    if len(values) == 1 and chance.randrange(2):
        values = [chance.getrandbits(24)]
    return values


def kind_of(name, values, result, library):
    """What kind of result it is."""
    if name == "expiry_kind":
        return result
    if name == "look":
        return "exact" if result == library.expiry_ns(*values[:6]) else "earlier"
    if name in ("cycles_in", "ns_in"):
        return "end" if result == (U64_MAX if name == "cycles_in" else KTIME_MAX) else "fits"
    return "some" if result else "none"


def evaluate(function, variables, values):
    """The function's result for these values, as far as it is a number."""
    known = [(variable, z3.BitVecVal(value, variable.size()))
             for variable, value in zip(variables, values)]
    for variable, meaning in function.definitions:
        known.append((variable, z3.simplify(z3.substitute(meaning, *known))))
    result = z3.simplify(z3.substitute(function.result, *known))
    return result.as_long() if z3.is_bv_value(result) else result


def differences(source, library, seed):
    """For each function: (name, where terms and machine code differ if they do, kinds missed)."""
    for name, sizes in FUNCTIONS.items():
        getattr(library, name).argtypes = [getattr(ctypes, f"c_uint{size}") for size in sizes]
        getattr(library, name).restype = ctypes.c_uint64
    for name, sizes in FUNCTIONS.items():
        chance, met = random.Random(f"{seed} {name}"), set()
        variables = [z3.BitVec(f"argument{place}", size) for place, size in enumerate(sizes)]
        function, difference = Function(name, source, variables, name), None
        for _ in range(VECTORS):
            values = vector(chance, sizes)
            machine, term = getattr(library, name)(*values), evaluate(function, variables, values)
            if machine != term:
                difference = f"{name}{tuple(values)}: term {term}, machine {machine}"
                break
            met.add(kind_of(name, values, machine, library))
        yield name, difference, KINDS.get(name, set()) - met
