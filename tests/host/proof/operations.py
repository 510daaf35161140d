# SPDX-License-Identifier: GPL-2.0
"""Single operations of LLVM's intermediate code on z3's bit vectors."""

import z3


class Unsupported(Exception):
    """Code that the translation does not know."""


def compare(kind, left, right):
    """The condition of an icmp."""
    try:
        return {"eq": lambda: left == right, "ne": lambda: left != right,
                "ult": lambda: z3.ULT(left, right), "ule": lambda: z3.ULE(left, right),
                "ugt": lambda: z3.UGT(left, right), "uge": lambda: z3.UGE(left, right),
                "slt": lambda: left < right, "sle": lambda: left <= right,
                "sgt": lambda: left > right, "sge": lambda: left >= right}[kind]()
    except KeyError:
        raise Unsupported(f"icmp {kind}") from None


def overflowing(sign, kind, left, right):
    """The wrapped sum or difference, and one bit: whether it was wrapped."""
    widen = z3.SignExt if sign == "s" else z3.ZeroExt
    operate = (lambda a, b: a + b) if kind == "add" else (lambda a, b: a - b)
    result = operate(left, right)
    fits = widen(2, result) == operate(widen(2, left), widen(2, right))
    return result, z3.If(fits, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))


def smaller_or_larger(kind, left, right):
    """The intrinsics smin, smax, umin and umax."""
    is_less = left < right if kind[0] == "s" else z3.ULT(left, right)
    return z3.If(is_less, left, right) if kind[1:] == "min" else z3.If(is_less, right, left)


def saturating(sign, kind, left, right):
    """The intrinsics sadd.sat and ssub.sat."""
    if sign != "s":
        raise Unsupported(f"{sign}{kind}.sat")
    result, overflown = overflowing(sign, kind, left, right)
    # What overflows has the sign of the left operand.
    top = 1 << left.size() - 1
    limit = z3.If(left < 0, z3.BitVecVal(top, left.size()), z3.BitVecVal(top - 1, left.size()))
    return z3.If(overflown == 1, limit, result)


def cast(kind, flags, value, width):
    """A zext, sext or trunc; and what has to be so, else it is poison."""
    if kind == "trunc":
        result, dropped = z3.Extract(width - 1, 0, value), value.size() - width
        return result, [widen(dropped, result) == value
                        for flag, widen in (("nuw", z3.ZeroExt), ("nsw", z3.SignExt))
                        if flag in flags]
    widen = z3.ZeroExt if kind == "zext" else z3.SignExt
    return widen(width - value.size(), value), [value >= 0] if "nneg" in flags else []


def binary(kind, flags, left, right):
    """What takes two values and is no multiplication or division; and the same."""
    if kind in ("add", "sub"):
        operate = (lambda a, b: a + b) if kind == "add" else (lambda a, b: a - b)
        result = operate(left, right)
        return result, [widen(2, result) == operate(widen(2, left), widen(2, right))
                        for flag, widen in (("nuw", z3.ZeroExt), ("nsw", z3.SignExt))
                        if flag in flags]
    needs = []
    if kind in ("shl", "lshr", "ashr"):
        needs.append(z3.ULT(right, left.size()))
        if kind == "shl":
            result = left << right
            back = {"nuw": z3.LShR(result, right), "nsw": result >> right}
            return result, needs + [back[flag] == left for flag in flags]
        result = z3.LShR(left, right) if kind == "lshr" else left >> right
        return result, needs + [result << right == left for _ in flags]
    if kind not in ("and", "or", "xor"):
        raise Unsupported(f"{kind} {flags}")
    if "disjoint" in flags:
        needs.append(left & right == 0)
    return {"and": left & right, "or": left | right, "xor": left ^ right}[kind], needs


def bits(term):
    """How many bits a number has at most, from how it was widened alone."""
    term = z3.simplify(term)
    if z3.is_bv_value(term):
        return term.as_long().bit_length()
    if z3.is_app_of(term, z3.Z3_OP_CONCAT):
        first, *others = term.children()
        if z3.is_bv_value(first):
            return bits(first) + sum(other.size() for other in others)
    return term.size()
