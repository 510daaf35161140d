# SPDX-License-Identifier: GPL-2.0
"""What a kernel's tree is prepared from, and what is not built for it."""

from pathlib import Path
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import kernel, preparing  # noqa: E402

RELEASE = "7.3.4+deb13-cloud-amd64"
HEADERS = f"linux-headers-{RELEASE}"
PROGRAMS = "linux-kbuild-7.3.4+deb13"


class Packages(unittest.TestCase):
    def found(self, *archive):
        def records(package, top):
            return [record for record in archive if record["Package"] == package]
        with mock.patch.object(kernel, "records", records):
            return kernel._of_headers(RELEASE, "7.3.4-1", None)

    def test_the_programs_of_the_same_version(self):
        headers = {"Package": HEADERS, "Version": "7.3.4-1",
                   "Depends": f"gcc-14-for-host, {PROGRAMS}, libc6"}
        self.assertEqual(self.found(headers, {"Package": PROGRAMS, "Version": "7.3.4-1"}),
                         [HEADERS, PROGRAMS])
        self.assertEqual(self.found(headers, {"Package": PROGRAMS, "Version": "7.3.4-2"}), [HEADERS])
        self.assertEqual(self.found(headers), [HEADERS])
        self.assertEqual(self.found(), [HEADERS])


class Headers(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.path = Path(temporary.name)
        self.build = self.path / "build"
        self.build.mkdir()
        headers = self.path / "usr/src" / HEADERS
        headers.mkdir(parents=True)
        (self.path / "usr/lib").mkdir()
        for name in (".config", "Module.symvers", "vmlinux"):
            (headers / name).write_text(name)

    def test_with_programs(self):
        program = self.path / "usr/lib" / PROGRAMS / preparing.PROGRAM
        program.parent.mkdir(parents=True)
        program.write_text("program")
        preparing.from_headers(self.path, RELEASE, self.build)
        self.assertEqual((self.build / preparing.PROGRAM).read_text(), "program")
        self.assertEqual((self.build / ".config").read_text(), ".config")
        self.assertFalse((self.path / "usr/src").exists())
        self.assertEqual(list((self.path / "usr/lib").iterdir()), [])

    def test_without(self):
        preparing.from_headers(self.path, RELEASE, self.build)
        self.assertFalse((self.build / preparing.PROGRAM).exists())
        self.assertTrue((self.build / "vmlinux").exists())


class Wrapper(unittest.TestCase):
    """Which of make's calls of rustc another level is added to."""

    def words(self, *argv):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "rustc"
            wrapper = (preparing.UNOPTIMISED / "rustc").read_text("utf-8")
            script.write_text(wrapper.replace("/usr/bin/rustc", "/bin/echo"), "utf-8")
            return subprocess.run(["sh", script, *argv], capture_output=True, text=True,
                                  check=True).stdout.split()

    def test_it_can_be_run(self):
        self.assertTrue(os.access(preparing.UNOPTIMISED / "rustc", os.X_OK))

    def test_a_library_of_the_macros(self):
        argv = ["--emit=link=rust/host/libsyn.rlib", "--crate-type", "rlib", "-O", "--out-dir",
                "./rust/host", "-L./rust/host", "--crate-name", "syn"]
        self.assertEqual(self.words(*argv), [*argv, "-Copt-level=0"])

    def test_nothing_else(self):
        for argv in (["--print", "sysroot"], ["-Copt-level=2", "--emit=obj=rust/core.o", "--crate-type", "rlib"],
                     ["-O", "--emit=link=scripts/generate_rust_target"]):
            self.assertEqual(self.words(*argv), argv)


if __name__ == "__main__":
    unittest.main()
