# SPDX-License-Identifier: GPL-2.0
"""Functions in LLVM's intermediate code as z3 terms.

Straight-line integer code with branches and no loops: what rustc makes of the pure arithmetic.
Anything else is refused, never guessed.  Where LLVM's semantics make a result poison (a flag such
as nuw that does not hold, a shift by too much), that it does hold becomes an obligation.

A product is a variable of its own, because no solver takes 96-bit multipliers apart in time; what is
known of it is said where it is used, and `Function.products` says what it is a product of.
"""

import re

import z3

TYPE = r"i(\d+)"
VALUE = r"(%[\w.\"$]+|-?\d+|true|false|undef|poison)"
# Annotations that promise what is not relied on here.
NOISE = re.compile(r", !\w+[^,]*|\b(noundef|tail|signext|zeroext)\b|\brange\([^)]*\) ")
FLAGS = ("nuw", "nsw", "nneg", "disjoint", "exact", "samesign")


class Unsupported(Exception):
    """Code that this translation does not know."""


class Function:
    """One function: its result as a term over its arguments."""

    def __init__(self, name, source, arguments, prefix):
        """Translate function `name` of `source`, with `arguments` as its parameters."""
        self.prefix = prefix
        self.obligations = []  # (path condition, claim, what it is)
        self.products = []  # (product, factor, factor), all of one width
        self.values = {}
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
            if found := re.fullmatch(r"([\w.\"$]+):", line):
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
        edges = {label: re.findall(r"label %([\w.\"$]+)", block[-1])
                 for label, block in blocks.items()}
        waiting = {label: sum(label in set(to) for to in edges.values()) for label in blocks}
        ready = [label for label in blocks if not waiting[label]]
        if len(ready) != 1:
            raise Unsupported(f"entries {ready}")
        # label -> {from: condition}
        self._into = {label: {} for label in blocks}
        self._into[ready[0]][None] = z3.BoolVal(True)
        done = 0
        while ready:
            label = ready.pop()
            done += 1
            self._path = z3.Or(*self._into[label].values())
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
            return self.values[text]
        if text in ("undef", "poison"):
            self._fresh += 1
            return z3.BitVec(f"{self.prefix}any{self._fresh}", width)
        if text in ("true", "false"):
            return z3.BitVecVal(text == "true", 1)
        return z3.BitVecVal(int(text), width)

    def _claim(self, claim, what):
        self.obligations.append((self._path, claim, what))

    def _instruction(self, label, line):
        if found := re.fullmatch(rf"ret {TYPE} {VALUE}", line):
            self._returns.append((self._path, self._value(found[2], int(found[1]))))
        elif found := re.fullmatch(r"br label %([\w.\"$]+)", line):
            self._into[found[1]][label] = self._path
        elif found := re.fullmatch(rf"br i1 {VALUE}, label %([\w.\"$]+), label %([\w.\"$]+)", line):
            taken = self._value(found[1], 1) == 1
            for to, condition in ((found[2], taken), (found[3], z3.Not(taken))):
                before = self._into[to].get(label, z3.BoolVal(False))
                self._into[to][label] = z3.Or(before, z3.And(self._path, condition))
        elif found := re.fullmatch(r"(%[\w.\"$]+) = (.*)", line):
            self.values[found[1]] = self._assigned(label, found[2])
        else:
            raise Unsupported(line)

    def _assigned(self, label, line):
        if found := re.fullmatch(rf"phi {TYPE} (.*)", line):
            return self._phi(label, int(found[1]), found[2])
        if found := re.fullmatch(rf"select i1 {VALUE}, {TYPE} {VALUE}, {TYPE} {VALUE}", line):
            width = int(found[2])
            return z3.If(self._value(found[1], 1) == 1,
                         self._value(found[3], width), self._value(found[5], width))
        if found := re.fullmatch(rf"extractvalue {{ i\d+, i1 }} {VALUE}, ([01])", line):
            return self.values[found[1]][int(found[2])]
        if found := re.fullmatch(rf"(zext|sext|trunc)((?: \w+)*) {TYPE} {VALUE} to {TYPE}", line):
            return self._cast(found[1], found[2].split(), self._value(found[4], int(found[3])),
                              int(found[5]))
        if found := re.fullmatch(rf"icmp((?: samesign)?) (\w+) {TYPE} {VALUE}, {VALUE}", line):
            width = int(found[3])
            left, right = self._value(found[4], width), self._value(found[5], width)
            if found[1]:
                self._claim((left < 0) == (right < 0), line)
            return z3.If(self._compare(found[2], left, right),
                         z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
        if found := re.fullmatch(rf"call {{ {TYPE}, i1 }} @llvm\.([su])(add|sub)\.with\.overflow"
                                 rf"\.i\d+\(i\d+ {VALUE}, i\d+ {VALUE}\)", line):
            width = int(found[1])
            return self._overflowing(found[2], found[3], self._value(found[4], width),
                                     self._value(found[5], width))
        if found := re.fullmatch(rf"(\w+)((?: (?:{'|'.join(FLAGS)}))*) {TYPE} {VALUE}, {VALUE}",
                                 line):
            width = int(found[3])
            return self._binary(found[1], found[2].split(), self._value(found[4], width),
                                self._value(found[5], width), line)
        raise Unsupported(line)

    def _phi(self, label, width, text):
        result = None
        for value, source in re.findall(rf"\[ {VALUE}, %([\w.\"$]+) \]", text):
            value = self._value(value, width)
            condition = self._into[label][source]
            result = value if result is None else z3.If(condition, value, result)
        return result

    def _cast(self, kind, flags, value, width):
        if kind == "trunc":
            result = z3.Extract(width - 1, 0, value)
            dropped = value.size() - width
            if "nuw" in flags:
                self._claim(z3.ZeroExt(dropped, result) == value, "trunc nuw")
            if "nsw" in flags:
                self._claim(z3.SignExt(dropped, result) == value, "trunc nsw")
            return result
        if "nneg" in flags:
            self._claim(value >= 0, "zext nneg")
        more = width - value.size()
        return z3.ZeroExt(more, value) if kind == "zext" else z3.SignExt(more, value)

    @staticmethod
    def _compare(kind, left, right):
        try:
            return {"eq": lambda: left == right, "ne": lambda: left != right,
                    "ult": lambda: z3.ULT(left, right), "ule": lambda: z3.ULE(left, right),
                    "ugt": lambda: z3.UGT(left, right), "uge": lambda: z3.UGE(left, right),
                    "slt": lambda: left < right, "sle": lambda: left <= right,
                    "sgt": lambda: left > right, "sge": lambda: left >= right}[kind]()
        except KeyError:
            raise Unsupported(f"icmp {kind}") from None

    @staticmethod
    def _overflowing(sign, kind, left, right):
        widen = z3.SignExt if sign == "s" else z3.ZeroExt
        operate = (lambda a, b: a + b) if kind == "add" else (lambda a, b: a - b)
        result = operate(left, right)
        fits = widen(2, result) == operate(widen(2, left), widen(2, right))
        return result, z3.If(fits, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))

    def _binary(self, kind, flags, left, right, line):
        if kind == "mul":
            self._fresh += 1
            product = z3.BitVec(f"{self.prefix}product{self._fresh}", left.size())
            self.products.append((product, left, right))
            # No flag can fail of a product that fits twice over; that it does is for the proof.
            self._claim(product >= 0, line)
            return product
        if kind in ("add", "sub"):
            operate = (lambda a, b: a + b) if kind == "add" else (lambda a, b: a - b)
            result = operate(left, right)
            for flag, widen in (("nuw", z3.ZeroExt), ("nsw", z3.SignExt)):
                if flag in flags:
                    self._claim(widen(2, result) == operate(widen(2, left), widen(2, right)), line)
            return result
        if kind in ("shl", "lshr", "ashr"):
            self._claim(z3.ULT(right, left.size()), line)
            if kind == "shl":
                result = left << right
                if "nuw" in flags:
                    self._claim(z3.LShR(result, right) == left, line)
                if "nsw" in flags:
                    self._claim(result >> right == left, line)
                return result
            result = z3.LShR(left, right) if kind == "lshr" else left >> right
            if "exact" in flags:
                self._claim(result << right == left, line)
            return result
        if kind == "or" and "disjoint" in flags:
            self._claim(left & right == 0, line)
        if kind in ("and", "or", "xor"):
            return {"and": left & right, "or": left | right, "xor": left ^ right}[kind]
        raise Unsupported(line)
