# SPDX-License-Identifier: GPL-2.0
"""All that is to be proven, and the asking."""

import z3

import frequencies
import lemmas
import margins
import theorems


def ask(facts, claims, timeout):
    """Whether the claims follow from the facts: True, False or None if z3 does not know; and why."""
    solver = z3.Solver()
    solver.set("timeout", timeout * 1000)
    solver.add(*facts)
    if claims is None:
        # Not a claim: the facts must be possible.
        return solver.check() == z3.sat, "no values satisfy the facts"
    solver.add(z3.Not(z3.And(*claims)))
    answer = solver.check()
    if answer == z3.sat:
        return False, f"not for {solver.model()}"
    return answer == z3.unsat or None, f"no answer: {solver.reason_unknown()}"


def proofs(source, shift):
    """All that is to be proven of one shift, or with None apart from it: (name, facts, claims)."""
    if shift is None:
        for name, lemma in lemmas.lemmas():
            yield f"lemma: {name}", [], [lemma]
        yield from theorems.refused(source)
        yield from margins.one_choice()
        yield from frequencies.theorems(source)
        return
    for theorem in theorems.THEOREMS + margins.THEOREMS:
        for name, facts, claims in theorem(source, shift):
            yield f"shift {shift}: {name}", facts, claims
