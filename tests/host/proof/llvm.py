# SPDX-License-Identifier: GPL-2.0
"""Functions in LLVM's intermediate code as z3 terms.

Straight-line integer code with branches and no loops: what rustc makes of the pure arithmetic.
Anything else is refused, never guessed.  Where LLVM's semantics make a result poison (a flag such
as nuw that does not hold, a shift by too much), that nothing is decided by it and it is not the
result becomes an obligation.

A product is a variable of its own, because no solver takes 96-bit multipliers apart in time; what is
known of it is said where it is used, and `Function.products` says what it is a product of.  So are
a quotient and its remainder, in `Function.divisions`.
"""

import re

import z3

from operations import (Unsupported, binary, bits, cast, compare, overflowing, saturating,
                        smaller_or_larger)
from paths import common, condition_of, merged

TYPE = r"i(\d+)"
VALUE = r"(%[-\w.\"$]+|-?\d+|true|false|undef|poison)"
LABEL = r"%([-\w.\"$]+)"
# Annotations that promise what is not relied on here.
NOISE = re.compile(r", !\w+[^,]*|\b(noundef|tail|signext|zeroext)\b|\brange\([^)]*\) ")
FLAGS = ("nuw", "nsw", "nneg", "disjoint", "exact", "samesign")


class Function:
    """One function: its result as a term over its arguments."""

    def __init__(self, name, source, arguments, prefix, not_zero=()):
        """Translate function `name` of `source`, with `arguments` as its parameters.

        The paths on which one of `not_zero` is 0 are left out.
        """
        self.prefix = prefix
        self._false = [(z3.simplify(value == 0), z3.BoolVal(False)) for value in not_zero]
        self.obligations = []  # (path condition, claim, what it is)
        self.products = []  # (product, factor, factor), all of one width
        self.divisions = []  # (quotient, remainder, dividend, divisor), the same
        self.definitions = []  # (variable, what it stands for), in order
        self.values = {}
        self._poison = {}  # value -> whether it is poison; those that never are, are not here
        self._returns = []
        self._fresh = 0
        blocks = self._parse(name, source, arguments)
        self._run(blocks)
        result = self._returns[-1][1]
        for condition, value in reversed(self._returns[:-1]):
            result = z3.If(condition, value, result)
        self.result = z3.simplify(result)

    def _parse(self, name, source, arguments):
        match = re.search(rf"^define [^\n]*@{name}\(([^)]*(?:\([^)]*\)[^)]*)*)\)[^\n]*{{\n(.*?)^}}",
                          source, re.MULTILINE | re.DOTALL)
        if not match:
            raise Unsupported(f"no function {name}")
        names = re.findall(r"%[\w.]+", match[1])
        if len(names) != len(arguments):
            raise Unsupported(f"{name} has the parameters {names}")
        self.values.update(zip(names, arguments))

        blocks, label = {}, None
        for line in match[2].splitlines():
            line = line.split(";")[0].rstrip()
            if not line:
                continue
            if found := re.fullmatch(r"([-\w.\"$]+):", line):
                label = found[1]
                blocks[label] = []
            else:
                if label is None:
                    label = "start"
                    blocks[label] = []
                blocks[label].append(" ".join(NOISE.sub("", line).split()))
        return blocks

    def _run(self, blocks):
        """Each block after all that lead to it."""
        edges = {label: re.findall(rf"label {LABEL}", block[-1])
                 for label, block in blocks.items()}
        waiting = {label: sum(label in set(to) for to in edges.values()) for label in blocks}
        ready = [label for label in blocks if not waiting[label]]
        if len(ready) != 1:
            raise Unsupported(f"entries {ready}")
        # label -> {from: ways}; a way is a list of conditions, any of which may be taken
        self._into = {label: {} for label in blocks}
        self._into[ready[0]][None] = [()]
        done = 0
        while ready:
            label = ready.pop()
            done += 1
            self._ways = merged([way for ways in self._into[label].values() for way in ways])
            for line in blocks[label]:
                self._instruction(label, line)
            for to in set(edges[label]):
                waiting[to] -= 1
                if not waiting[to]:
                    ready.append(to)
        if done != len(blocks):
            raise Unsupported("a loop")

    def _value(self, text, width):
        if text.startswith("%"):
            if text in self._poison:
                self._poisons.append(self._poison[text])
            return self.values[text]
        if text in ("undef", "poison"):
            self._fresh += 1
            return z3.BitVec(f"{self.prefix}any{self._fresh}", width)
        if text in ("true", "false"):
            return z3.BitVecVal(text == "true", 1)
        return z3.BitVecVal(int(text), width)

    def _oblige(self, what, claim=None):
        """No poison may come into this instruction; nor may a claim be false."""
        claims = [z3.Not(poison) for poison in self._poisons] + ([] if claim is None else [claim])
        if claims:
            self.obligations.append((condition_of(self._ways), z3.And(*claims), what))
        self._poisons = []

    def _instruction(self, label, line):
        self._poisons = []
        if found := re.fullmatch(rf"ret {TYPE} {VALUE}", line):
            self._returns.append((condition_of(self._ways),
                                  self._value(found[2], int(found[1]))))
            self._oblige(line)
        elif found := re.fullmatch(rf"br label {LABEL}", line):
            self._into[found[1]][label] = self._ways
        elif found := re.fullmatch(rf"br i1 {VALUE}, label {LABEL}, label {LABEL}", line):
            taken = z3.simplify(self._value(found[1], 1) == 1)
            self._oblige(line)
            taken = z3.simplify(z3.substitute(taken, *self._false))
            for to, condition in ((found[2], taken), (found[3], z3.Not(taken))):
                ways = self._into[to].setdefault(label, [])
                if not z3.is_false(z3.simplify(condition)):
                    ways += [(*way, condition) for way in self._ways]
        elif found := re.fullmatch(r"(%[-\w.\"$]+) = (.*)", line):
            self.values[found[1]] = self._assigned(label, found[2])
            if self._poisons:
                self._poison[found[1]] = z3.Or(*self._poisons)
        else:
            raise Unsupported(line)

    def _assigned(self, label, line):
        if found := re.fullmatch(rf"phi {TYPE} (.*)", line):
            return self._phi(label, int(found[1]), found[2])
        if found := re.fullmatch(rf"select i1 {VALUE}, {TYPE} {VALUE}, {TYPE} {VALUE}", line):
            width, condition = int(found[2]), self._value(found[1], 1) == 1
            return self._choice([(condition, found[3]), (None, found[5])], width)
        if found := re.fullmatch(rf"extractvalue {{ i\d+, i1 }} {VALUE}, ([01])", line):
            if found[1] in self._poison:
                self._poisons.append(self._poison[found[1]])
            return self.values[found[1]][int(found[2])]
        if found := re.fullmatch(rf"(zext|sext|trunc)((?: \w+)*) {TYPE} {VALUE} to {TYPE}", line):
            value = self._value(found[4], int(found[3]))
            return self._unless_poison(cast(found[1], found[2].split(), value, int(found[5])))
        if found := re.fullmatch(rf"icmp((?: samesign)?) (\w+) {TYPE} {VALUE}, {VALUE}", line):
            width = int(found[3])
            left, right = self._value(found[4], width), self._value(found[5], width)
            if found[1]:
                self._poisons.append((left < 0) != (right < 0))
            return z3.If(compare(found[2], left, right),
                         z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
        if found := re.fullmatch(rf"call {{ {TYPE}, i1 }} @llvm\.([su])(add|sub)\.with\.overflow"
                                 rf"\.i\d+\(i\d+ {VALUE}, i\d+ {VALUE}\)", line):
            width = int(found[1])
            return overflowing(found[2], found[3], self._value(found[4], width),
                               self._value(found[5], width))
        if found := re.fullmatch(rf"call {TYPE} @llvm\.(?:([su])(add|sub)\.sat|([su](?:min|max)))"
                                 rf"\.i\d+\(i\d+ {VALUE}, i\d+ {VALUE}\)", line):
            width = int(found[1])
            left, right = self._value(found[5], width), self._value(found[6], width)
            if found[4]:
                return smaller_or_larger(found[4], left, right)
            return saturating(found[2], found[3], left, right)
        if found := re.fullmatch(rf"freeze {TYPE} {VALUE}", line):
            value = self._value(found[2], int(found[1]))
            self._oblige(line)
            return value
        if found := re.fullmatch(rf"(\w+)((?: (?:{'|'.join(FLAGS)}))*) {TYPE} {VALUE}, {VALUE}",
                                 line):
            width = int(found[3])
            return self._operation(found[1], found[2].split(), self._value(found[4], width),
                                   self._value(found[5], width), line)
        raise Unsupported(line)

    def _phi(self, label, width, text):
        # Of what led here, only what tells the sources apart: so the terms are much smaller, and
        # code that is inlined twice gives the same term twice.
        into = self._into[label]
        known = common([way for ways in into.values() for way in ways])
        choices = []
        for value, source in re.findall(rf"\[ {VALUE}, {LABEL} \]", text):
            condition = condition_of([way[known:] for way in into[source]])
            if not z3.is_false(condition):
                choices.append((condition, value))
        return self._choice(choices, width)

    def _choice(self, choices, width):
        """The value whose condition holds, with its poison; the last if no other does."""
        before, poison, result = self._poisons, z3.BoolVal(False), z3.BitVecVal(0, width)
        for condition, value in reversed(choices):
            self._poisons = []
            value = self._value(value, width)
            first = condition is None or condition is choices[-1][0]
            result = value if first else z3.If(condition, value, result)
            chosen = z3.Or(*self._poisons)
            poison = chosen if first else z3.If(condition, chosen, poison)
        self._poisons = before + [poison]
        return result

    def _operation(self, kind, flags, left, right, line):
        if kind == "mul":
            # No flag is false of a product that has room, by how large its factors can be.
            room = left.size() - ("nsw" in flags)
            if flags and bits(left) + bits(right) > room:
                fits = [z3.ULT(one, 2**max(0, room - bits(other)))
                        for one, other in ((left, right), (right, left))]
                self._poisons.append(z3.Not(z3.Or(*fits)))
            product = self._variable("product", left * right)
            self.products.append((product, left, right))
            return product
        if kind in ("udiv", "urem") and not flags:
            return self._division(left, right, line)[kind == "urem"]
        return self._unless_poison(binary(kind, flags, left, right))

    def _unless_poison(self, result):
        """A result of which it was said without what it is poison."""
        value, needs = result
        self._poisons += [z3.Not(need) for need in needs]
        return value

    def _variable(self, name, meaning):
        self._fresh += 1
        variable = z3.BitVec(f"{self.prefix}{name}{self._fresh}", meaning.size())
        self.definitions.append((variable, meaning))
        return variable

    def _division(self, left, right, line):
        self._oblige(line, right != 0)
        for quotient, remainder, dividend, divisor in self.divisions:
            if dividend.eq(left) and divisor.eq(right):
                return quotient, remainder
        quotient = self._variable("quotient", z3.UDiv(left, right))
        remainder = self._variable("remainder", z3.URem(left, right))
        self.divisions.append((quotient, remainder, left, right))
        return quotient, remainder
