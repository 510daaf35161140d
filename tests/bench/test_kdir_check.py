# SPDX-License-Identifier: GPL-2.0
"""scripts/kdir-check says in one sentence what a native build lacks."""

import os
from pathlib import Path
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/kdir-check"
VERSION = "rustc 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)"
FILES = ["rust/libkernel.rmeta", "rust/libcore.rmeta", "rust/libmacros.so",
         "scripts/target.json", "rust/Makefile"]


class KdirCheck(unittest.TestCase):
    def setUp(self):
        self.top = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        self.kdir = self.top / "build"
        self.bin = self.top / "bin"
        self.bin.mkdir()
        for name in FILES:
            self.write(self.kdir / name)
        # As a kernel's own Makefile: this include names no source tree.
        self.write(self.kdir / "Makefile", "include $(srctree)/arch/$(SRCARCH)/Makefile\n")
        self.config(f'CONFIG_RUST=y\nCONFIG_RUSTC_VERSION_TEXT="{VERSION}"\n')
        self.program("rustc", f"echo '{VERSION}'")
        self.program("bindgen", "")
        for name in ("sed", "head", "uname", "sh"):
            (self.bin / name).symlink_to(shutil.which(name))

    def write(self, path, text=""):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def config(self, text):
        self.write(self.kdir / "include/config/auto.conf", text)

    def program(self, name, text):
        self.write(self.bin / name, f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def run_it(self, *options, **env):
        return subprocess.run(["/bin/sh", SCRIPT, *options, self.kdir], env={"PATH": str(self.bin), **env},
                              capture_output=True, text=True, check=False)

    def refuses(self, words, *options, **env):
        done = self.run_it(*options, **env)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(words, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_complete(self):
        self.assertEqual(self.run_it().returncode, 0, self.run_it())

    def test_separate_source_tree(self):
        (self.kdir / "rust/Makefile").unlink()
        self.write(self.kdir / "Makefile", f"include {self.top}/source/Makefile\n")
        self.refuses("source/rust/Makefile is missing")
        self.write(self.top / "source/rust/Makefile")
        self.assertEqual(self.run_it().returncode, 0)

    def test_no_headers(self):
        shutil.rmtree(self.kdir)
        self.refuses(f"no kernel headers in {self.kdir}: install them")

    def test_not_prepared(self):
        (self.kdir / "include/config/auto.conf").unlink()
        self.refuses("run 'make modules_prepare'")

    def test_no_rust(self):
        self.config("CONFIG_MODULES=y\n")
        self.refuses("built without Rust")
        self.assertEqual(self.run_it("--headers").returncode, 0)

    def test_no_rustc(self):
        (self.bin / "rustc").unlink()
        self.refuses(f"install the one that the kernel was built with, {VERSION}")

    def test_rustc_that_does_not_start(self):
        self.program("rustc", "exit 1")
        self.refuses("fails: install rustc 1.85.1")

    def test_other_rustc(self):
        self.program("rustc", "echo rustc 1.95.0")
        self.refuses(f"'rustc 1.95.0', but the kernel was built with '{VERSION}'")
        self.program("right", f"echo '{VERSION}'")
        self.assertEqual(self.run_it(RUSTC="right").returncode, 0)

    def test_no_bindgen(self):
        (self.bin / "bindgen").unlink()
        self.refuses("bindgen is missing")

    def test_clang(self):
        self.config(f'CONFIG_RUST=y\nCONFIG_CC_IS_CLANG=y\n'
                    f'CONFIG_RUSTC_VERSION_TEXT="{VERSION}"\n')
        self.refuses("add LLVM=1")
        self.assertEqual(self.run_it(LLVM="1").returncode, 0)
        self.assertEqual(self.run_it(CC="clang-19").returncode, 0)

    def test_each_missing_file(self):
        for name in FILES:
            with self.subTest(name):
                os.rename(self.kdir / name, self.top / "aside")
                self.refuses(f"{name} is missing, as in Debian's packages")
                os.rename(self.top / "aside", self.kdir / name)

    def test_usage(self):
        done = subprocess.run(["/bin/sh", SCRIPT], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
