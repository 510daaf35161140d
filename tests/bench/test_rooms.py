# SPDX-License-Identifier: GPL-2.0
"""The rooms of the Rust sources (Documentation/design.rst): imports go down, and in no circle."""

from pathlib import Path
import re
import unittest

RUST = Path(__file__).resolve().parents[2] / "rust"
# From the top: a file imports from its own room and from those below it.
FLOORS = (("raw_hrtimer_main",), ("ffi/entry",), ("debugfs",), ("kvm",), ("timer",), ("clock",),
          ("counters",), ("ffi",), ("units",))


def paths(text, prefix=()):
    """The paths of a use declaration: "a::{b, c::d}" is a::b and a::c::d."""
    text, found, depth, start = text.strip(), [], 0, 0
    for place, char in enumerate(text + ","):
        depth += (char == "{") - (char == "}")
        if char == "," and not depth:
            item = text[start:place].strip()
            start = place + 1
            head, brace, rest = item.partition("{")
            names = tuple(name for name in head.split("::") if name)
            if brace:
                found += paths(rest.rpartition("}")[0], prefix + names)
            elif names:
                found.append(prefix + names)
    return found


def module_of(file):
    """ffi/entry.rs is ffi/entry."""
    return str(file.relative_to(RUST).with_suffix(""))


def imports(file, modules):
    """The modules that a file takes something from."""
    code = re.sub(r"//.*", "", file.read_text(encoding="utf-8"))
    found = set()
    for used in re.findall(r"\buse\s+((?:crate|super)\b[^;]*);", code):
        for path in paths(used):
            place = [] if path[0] == "crate" else module_of(file).split("/")
            for name in path:
                if name == "super":
                    place = place[:-1]
                elif name not in ("crate", "self"):
                    place = [*place, name]
            # The longest beginning that is a file, because what follows is inside it.
            while place and "/".join(place) not in modules:
                place = place[:-1]
            found.add("/".join(place))
    return found - {"", module_of(file)}


def floor_of(module):
    """The number of the floor, from the top."""
    return max(number for number, rooms in enumerate(FLOORS)
               for room in rooms if module == room or module.startswith(room + "/")
               and not (room == "ffi" and module.startswith("ffi/entry")))


class Rooms(unittest.TestCase):
    def setUp(self):
        files = sorted(RUST.rglob("*.rs"))
        self.modules = {module_of(file) for file in files}
        self.graph = {module_of(file): imports(file, self.modules) for file in files}

    def test_imports_are_seen(self):
        self.assertEqual(self.graph["counters"], {"ffi", "ffi/counter"})
        self.assertLessEqual({"timer/arm", "timer/occupied", "counters", "ffi"},
                             self.graph["timer/pending"])
        self.assertIn("kvm/hooked", self.graph["ffi/entry/kvm"])
        self.assertEqual(paths("crate::{a, b::{self, c}, d::E}"),
                         [("crate", "a"), ("crate", "b", "self"), ("crate", "b", "c"),
                          ("crate", "d", "E")])

    def test_each_file_is_in_a_room(self):
        for module in self.modules:
            self.assertIsInstance(floor_of(module), int, module)

    def test_imports_go_down(self):
        for module, others in self.graph.items():
            for other in others:
                self.assertLessEqual(floor_of(module), floor_of(other), f"{module} uses {other}")

    def test_there_is_no_circle(self):
        left = dict(self.graph)
        while left:
            lowest = [module for module, others in left.items() if not others & set(left)]
            self.assertTrue(lowest, f"a circle among {sorted(left)}")
            for module in lowest:
                del left[module]

    def test_the_engine_does_not_know_kvm(self):
        for file in [*RUST.glob("timer/*.rs"), *RUST.glob("clock/*.rs")]:
            self.assertNotRegex(file.read_text(encoding="utf-8"), r"(?i)kvm|vcpu", file.name)

    def test_unsafe_code_is_in_one_room(self):
        for file in RUST.rglob("*.rs"):
            code = re.sub(r"//.*", "", file.read_text(encoding="utf-8"))
            # The lock of the state that global_lock! makes a static of.
            allowed = 2 if module_of(file) == "kvm/attach" else 0
            if not module_of(file).startswith("ffi"):
                self.assertEqual(len(re.findall(r"\bunsafe\b", code)), allowed, file.name)


if __name__ == "__main__":
    unittest.main()
