# SPDX-License-Identifier: GPL-2.0
"""What is read of a kernel's image, where the archive has no headers."""

from pathlib import Path
import struct
import sys
from types import SimpleNamespace
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import exports, image_only  # noqa: E402
from bench.cache import BenchError  # noqa: E402

STRINGS = b"\0printk\0cxl_open\0CXL\0"
STRINGS_AT = 0x1000


def entries(address, *exported):
    """The section's contents at an address; (name, namespace) of each, as they are in STRINGS."""
    found = b""
    for name, namespace in exported:
        words = [0x77]      # the symbol's own is not read
        for word, text in enumerate((name, namespace), 1):
            here = address + len(found) + 4 * word
            words.append(STRINGS_AT + STRINGS.index(text + b"\0") - here)
        found += struct.pack("<iii", *words)
    return found


def elf(sections):
    """The smallest file with these sections: {name: (address, contents)}."""
    names, data, headers = b"\0", b"", struct.pack("<IIQQQQ24x", 0, 0, 0, 0, 0, 0)
    for name, (address, contents) in sections.items():
        headers += struct.pack("<IIQQQQ24x", len(names), 1, 2, address, 64 + len(data),
                               len(contents))
        names += name.encode() + b"\0"
        data += contents
    headers += struct.pack("<IIQQQQ24x", len(names), 3, 0, 0, 64 + len(data),
                           len(names) + len(b".shstrtab\0"))
    data += names + b".shstrtab\0"
    return (struct.pack("<4s4B8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, 0, 0,
                        64 + len(data), 0, 64, 0, 0, 64, len(sections) + 2, len(sections) + 1)
            + data + headers)


SECTIONS = {"__ksymtab": (0x2000, entries(0x2000, (b"printk", b""))),
            "__ksymtab_gpl": (0x500, entries(0x500, (b"cxl_open", b"CXL"), (b"printk", b""))),
            "__ksymtab_strings": (STRINGS_AT, STRINGS)}


class ModuleSymvers(unittest.TestCase):
    def test_names_licences_and_namespaces(self):
        self.assertEqual(exports.module_symvers(elf(SECTIONS)), [
            "0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n",
            "0x00000000\tcxl_open\tvmlinux\tEXPORT_SYMBOL_GPL\tCXL\n",
            "0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"])

    def test_an_image_that_keeps_them_otherwise(self):
        without = {name: section for name, section in SECTIONS.items() if "gpl" not in name}
        with self.assertRaisesRegex(BenchError, "lacks __ksymtab_gpl"):
            exports.module_symvers(elf(without))

    def test_what_is_no_image(self):
        with self.assertRaisesRegex(BenchError, "no 64-bit ELF"):
            exports.module_symvers(b"")


class Compiler(unittest.TestCase):
    def environment(self, built_with, ours="1.85.1 (4eb161250 2025-03-15) (built from source)"):
        done = SimpleNamespace(stdout=f"rustc {ours}\n")
        with mock.patch.object(image_only.root, "run", return_value=done):
            return image_only.environment(
                "6.18.15", f'CONFIG_RUST=y\nCONFIG_RUSTC_VERSION_TEXT="rustc {built_with}"\n')

    def test_the_very_same(self):
        same = "1.85.1 (4eb161250 2025-03-15) (built from source)"
        self.assertEqual(self.environment(same), {"RUSTC_FORCE_RUSTC_VERSION": same})

    def test_one_that_was_mended_since(self):
        self.assertEqual(self.environment("1.85.0 (4d91de4e4 2025-02-17)"),
                         {"RUSTC_FORCE_RUSTC_VERSION": "1.85.0 (4d91de4e4 2025-02-17)"})

    def test_another(self):
        with self.assertRaisesRegex(BenchError, "built with rustc 1.97.1.* the toolchain has 1.85"):
            self.environment("1.97.1 (abc 2026-09-01)")

    def test_a_kernel_without_rust(self):
        with self.assertRaisesRegex(BenchError, "6.12.1 was built without Rust"):
            image_only.environment("6.12.1", "# CONFIG_RUST is not set\n")


if __name__ == "__main__":
    unittest.main()
