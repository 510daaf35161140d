# SPDX-License-Identifier: GPL-2.0
"""Which libraries a program needs, and where they go in a machine."""

import os
from pathlib import Path
import sys
import tempfile
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.building import cpio, libraries  # noqa: E402
from bench.cache import BenchError  # noqa: E402

LDD = """\
/tmp/a/prog:
\tlinux-vdso.so.1 (0x00007f6537038000)
\tlibmine.so.1 => not found
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f6536d60000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f653703a000)
"""
OLD_LIBC = ("./prog: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found "
            "(required by ./prog)\n")


class Libraries(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name).resolve()

    def test_what_ldd_lists(self):
        self.assertEqual(libraries.listed(LDD), [
            ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"), ("", "/lib64/ld-linux-x86-64.so.2")])
        self.assertEqual(libraries._missing(LDD), ["libmine.so.1"])
        self.assertEqual(libraries._missing(OLD_LIBC),
                         ["/lib/x86_64-linux-gnu/libc.so.6 with GLIBC_2.38"])

    def test_what_is_dynamic(self):
        elf = libraries.read_elf(os.path.realpath("/bin/sh"))
        self.assertRegex(elf.interpreter, r"^/lib64/ld-")
        script = self.top / "script"
        script.write_text("#!/bin/sh\n")
        self.assertIsNone(libraries.read_elf(script))

    def test_a_program_of_this_machine(self):
        """With what it needs, and not more than once."""
        with mock.patch.object(libraries.root, "ensure_root", return_value=self.top):
            found = libraries.needed([Path("/bin/sh").resolve()])
        names = [library.name for library in found]
        self.assertIn("libc.so.6", names)
        self.assertTrue(any(name.startswith("ld-") for name in names), names)
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(library.file.is_file() for library in found))

    def test_missing_here_and_in_the_root(self):
        program = Path("/bin/sh").resolve()
        with mock.patch.object(libraries._Here, "ldd", return_value=LDD), \
                mock.patch.object(libraries._Root, "ldd", return_value=OLD_LIBC), \
                mock.patch.object(libraries, "in_root", side_effect=Path), \
                mock.patch.object(libraries.root, "ensure_root", return_value=self.top), \
                self.assertRaises(BenchError) as error:
            libraries.needed([program])
        for words in ("this machine lacks libmine.so.1", "the toolchain root lacks",
                      "GLIBC_2.38", program.name):
            self.assertIn(words, str(error.exception))

    def test_places(self):
        """A library in a folder that is added is not copied twice, but linked to."""
        folder = self.top / "tests"
        (folder / "lib").mkdir(parents=True)
        inside, outside = folder / "lib/libx.so.1.2", self.top / "liby.so.3"
        for file in (inside, outside):
            file.write_bytes(b"library")
        found = [libraries.Library("libx.so.1", str(inside), inside),
                 libraries.Library("liby.so.3", "/usr/local/lib/liby.so.3", outside),
                 libraries.Library("libc.so.6", "/lib/libc.so.6", outside)]
        archive = mock.Mock(spec=cpio.Archive)
        with mock.patch.object(libraries, "needed", return_value=found):
            libraries.copy(archive, [(folder, "/add/tests")])
        self.assertEqual(archive.copy.mock_calls, [
            mock.call(outside, "/usr/local/lib/liby.so.3"), mock.call(outside, "/lib/libc.so.6")])
        self.assertEqual(archive.link.mock_calls, [
            mock.call("/usr/lib/libx.so.1", "/add/tests/lib/libx.so.1.2"),
            mock.call("/usr/lib/liby.so.3", "/usr/local/lib/liby.so.3")])

    def test_of_programs_of_the_root(self):
        with mock.patch.object(libraries.root, "run") as run:
            run.return_value.stdout = LDD.replace("\tlibmine.so.1 => not found\n", "") * 2
            self.assertEqual(libraries.of_root(["/bin/a", "/bin/b"]), [
                ("", "/lib64/ld-linux-x86-64.so.2"),
                ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6")])
            # What proot preloads would be a line without a name, as the loader's is.
            self.assertEqual(run.call_args.args[0][:3], ["env", "-u", "LD_PRELOAD"])
            for wrong in (LDD, "", OLD_LIBC):
                run.return_value.stdout = wrong
                with self.assertRaises(BenchError):
                    libraries.of_root(["/bin/a"])

    def test_links_in_the_root_stay_in_it(self):
        (self.top / "etc").mkdir()
        (self.top / "etc/one").symlink_to("/etc/two")
        (self.top / "etc/two").symlink_to("three")
        with mock.patch.object(libraries.root, "ensure_root", return_value=self.top):
            self.assertEqual(libraries.in_root("/etc/one"), self.top / "etc/three")


if __name__ == "__main__":
    unittest.main()
