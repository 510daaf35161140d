# SPDX-License-Identifier: GPL-2.0
"""scripts/kdir-check names in one sentence what a native build lacks, and the package that has it."""

import os
from pathlib import Path
import re
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/kdir-check"
VERSION = "rustc 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)"
FILES = ["rust/libkernel.rmeta", "rust/libcore.rmeta", "rust/libmacros.so",
         "scripts/target.json", "rust/Makefile", "rust/bindgen_parameters"]
CONFIG = f'CONFIG_RUST=y\nCONFIG_RUSTC_VERSION_TEXT="{VERSION}"\nCONFIG_GCC_VERSION=140200\n'
CLANG = CONFIG.replace("GCC", "CLANG") + "CONFIG_CC_IS_CLANG=y\n"
# What /etc/os-release of each says of itself, as far as it is looked at.
DISTRIBUTIONS = {
    "debian": 'ID=debian\n',
    "ubuntu": 'ID=ubuntu\nID_LIKE=debian\n',
    "mint": 'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
    "fedora": 'ID=fedora\n',
    "rhel": 'ID="rhel"\nID_LIKE="fedora"\n',
    "arch": 'ID=arch\n',
    "opensuse": 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n',
    "other": 'ID=other\n',
}


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
        self.config(CONFIG)
        self.release("7.3.4+deb13-amd64")
        self.program("rustc", f"echo '{VERSION}'")
        self.program("bindgen", "")
        self.program("gcc", "echo 14")
        for name in ("sed", "head", "uname", "sh"):
            (self.bin / name).symlink_to(shutil.which(name))

    def write(self, path, text=""):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def config(self, text):
        self.write(self.kdir / "include/config/auto.conf", text)

    def release(self, text):
        self.write(self.kdir / "include/config/kernel.release", f"{text}\n")

    def program(self, name, text):
        self.write(self.bin / name, f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def run_it(self, *options, distribution="debian", **env):
        self.write(self.top / "os-release", DISTRIBUTIONS[distribution])
        return subprocess.run(["/bin/sh", SCRIPT, *options, self.kdir],
                              env={"PATH": str(self.bin), "OS_RELEASE": str(self.top / "os-release"),
                                   **env}, capture_output=True, text=True, check=False)

    def refuses(self, words, *options, **how):
        done = self.run_it(*options, **how)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(words, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def accepts(self, *options, **how):
        done = self.run_it(*options, **how)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_complete(self):
        for name in DISTRIBUTIONS:
            self.accepts(distribution=name)

    def test_separate_source_tree(self):
        (self.kdir / "rust/Makefile").unlink()
        self.write(self.kdir / "Makefile", f"include {self.top}/source/Makefile\n")
        self.refuses("source/rust/Makefile is missing")
        self.write(self.top / "source/rust/Makefile")
        self.refuses(f"{self.top}/source/rust/bindgen_parameters is missing")
        self.write(self.top / "source/rust/bindgen_parameters")
        self.assertEqual(self.run_it().returncode, 0)

    def test_own_tree(self):
        self.write(self.kdir / "init/main.c")
        (self.kdir / "rust/libkernel.rmeta").unlink()
        for name in DISTRIBUTIONS:
            self.refuses("rust/libkernel.rmeta is missing): run 'make' in that tree", distribution=name)

    def test_no_headers(self):
        shutil.rmtree(self.kdir)
        self.refuses(f"no kernel headers in {self.kdir}: install them")

    def test_headers_of_each_distribution(self):
        shutil.rmtree(self.kdir)
        for distribution, release, command in [
                ("debian", "7.3.4+deb13-amd64", "apt-get install linux-headers-7.3.4+deb13-amd64"),
                ("ubuntu", "7.2.0-9-generic", "apt-get install linux-headers-7.2.0-9-generic"),
                ("mint", "7.2.0-9-generic", "apt-get install linux-headers-7.2.0-9-generic"),
                ("fedora", "7.2.5-200.fc44.x86_64", "dnf install kernel-devel-7.2.5-200.fc44.x86_64"),
                ("rhel", "7.2.5-1.el11.x86_64", "dnf install kernel-devel-7.2.5-1.el11.x86_64"),
                ("arch", "7.2.5-arch1-1", "pacman -S linux-headers"),
                ("arch", "6.18.48-1-lts", "pacman -S linux-lts-headers"),
                ("arch", "7.2.5-zen1-1-zen", "pacman -S linux-zen-headers"),
                ("opensuse", "7.2.5-1-default", "zypper install kernel-default-devel")]:
            with self.subTest(release):
                (self.bin / "uname").unlink()
                self.program("uname", f"echo {release}")
                self.refuses(f"('{command}')", distribution=distribution)
        self.refuses(f"{self.kdir}: install them or name others", distribution="other")

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
        for name, command in {"debian": "apt-get install rustc", "ubuntu": "apt-get install rustc-1.85",
                              "fedora": "dnf install rust", "arch": "pacman -S rust",
                              "opensuse": "zypper install rust"}.items():
            self.refuses(f"('{command}') or give RUSTC=", distribution=name)
        self.refuses(f"{VERSION} or give RUSTC=", distribution="other")
        self.config(CONFIG.replace("source tarball", "source, 1.85.1-2.2"))
        self.refuses("('apt-get install rustc-1.85')", distribution="ubuntu")

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
        for name, command in {"debian": "apt-get install bindgen", "ubuntu": "apt-get install bindgen",
                              "fedora": "dnf install bindgen-cli", "arch": "pacman -S rust-bindgen",
                              "opensuse": "zypper install rust-bindgen"}.items():
            self.refuses(f"bindgen is missing: install it ('{command}') or give", distribution=name)
        self.refuses("bindgen is missing: install it or give", distribution="other")

    def test_clang(self):
        self.config(CLANG)
        self.program("clang", "echo 14.0.6")
        self.program("clang-14", "echo 14.0.6")
        self.refuses("add LLVM=1")
        self.accepts(LLVM="1")
        self.accepts(LLVM="-14")
        self.accepts(LLVM=f"{self.bin}/")
        self.accepts(CC="clang-14")

    def test_gcc_with_llvm(self):
        self.refuses("was built with gcc: leave LLVM=1 out", LLVM="1")

    def test_no_gcc(self):
        (self.bin / "gcc").unlink()
        self.refuses("The C compiler gcc is missing: install gcc 14, with which the kernel was built, "
                     "('apt-get install gcc-14')")

    def test_other_gcc(self):
        self.program("gcc", "echo 12.2.0")
        for name, command in {"debian": "apt-get install gcc-14", "ubuntu": "apt-get install gcc-14",
                              "fedora": "dnf install gcc", "arch": "pacman -S gcc",
                              "opensuse": "zypper install gcc14"}.items():
            self.refuses("gcc is of version 12.2.0, but the kernel was built with gcc 14", distribution=name)
            self.refuses(f"install that one ('{command}') and give CC=", distribution=name)
        self.program("gcc-14", "echo 14.2.1")
        self.accepts(CC="gcc-14")
        self.accepts(CC="env gcc-14", PATH=f"{self.bin}:/usr/bin")

    def test_compiler_that_the_headers_name(self):
        self.config(CONFIG + 'CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0"\n')
        self.write(self.kdir / ".kernelvariables", "CC = $(CROSS_COMPILE)gcc-14\n")
        self.program("gcc", "echo 12")
        self.refuses("The C compiler x86_64-linux-gnu-gcc-14 is missing: install gcc 14")
        self.program("x86_64-linux-gnu-gcc-14", "echo 14")
        self.accepts()
        self.refuses("gcc is of version 12", CC="gcc")

    def test_headers_before_compilers(self):
        """No compiler is asked for where none would help."""
        (self.kdir / "rust/libkernel.rmeta").unlink()
        for name in ("rustc", "bindgen", "gcc"):
            (self.bin / name).unlink()
        self.refuses("rust/libkernel.rmeta is missing")

    def test_each_missing_file(self):
        for name in FILES:
            with self.subTest(name):
                os.rename(self.kdir / name, self.top / "aside")
                self.refuses(f"{name} is missing): no package of Debian's has them")
                os.rename(self.top / "aside", self.kdir / name)

    def test_metadata_of_each_distribution(self):
        (self.kdir / "rust/libkernel.rmeta").unlink()
        for distribution, release, words in [
                ("debian", "7.3.4+deb13-amd64", "'make deb KERNEL=7.3.4+deb13-amd64'"),
                ("ubuntu", "7.2.0-9-generic", "('apt-get install linux-lib-rust-7.2.0-9-generic')"),
                ("mint", "7.2.0-9-generic", "('apt-get install linux-lib-rust-7.2.0-9-generic')"),
                ("fedora", "7.2.5-200.fc44.x86_64", "kernel-devel-7.2.5-200.fc44.x86_64 is not known to"),
                ("arch", "7.2.5-arch1-1", "('pacman -S linux-headers')"),
                ("opensuse", "7.2.5-1-default", "kernel-default-devel is not known to have them"),
                ("other", "7.2.5", "is missing): use the build tree of a kernel of your own")]:
            with self.subTest(distribution):
                self.release(release)
                self.refuses(words, distribution=distribution)
                self.refuses("rust/libkernel.rmeta is missing", distribution=distribution)

    def test_gendwarfksyms(self):
        program = "scripts/gendwarfksyms/gendwarfksyms"
        self.config(CONFIG + "CONFIG_MODVERSIONS=y\nCONFIG_GENDWARFKSYMS=y\n")
        for distribution, release, words in [
                ("debian", "7.3.4+deb13-amd64", "no package of Debian's has it, so use the build tree"),
                ("ubuntu", "7.2.0-9-generic", "('apt-get install linux-headers-7.2.0-9-generic')"),
                ("fedora", "7.2.5-200.fc44.x86_64", "('dnf install kernel-devel-7.2.5-200.fc44.x86_64')"),
                ("arch", "7.2.5-zen1-1-zen", "('pacman -S linux-zen-headers')"),
                ("opensuse", "7.2.5-1-default", "('zypper install kernel-default-devel')"),
                ("other", "7.2.5", "is missing): use the build tree of a kernel of your own")]:
            with self.subTest(distribution):
                self.release(release)
                self.refuses(words, distribution=distribution)
                self.refuses(f"(CONFIG_MODVERSIONS; {self.kdir}/{program} is missing)",
                             distribution=distribution)
        self.write(self.kdir / "init/main.c")
        self.refuses("is missing): run 'make modules_prepare' in that tree")
        self.write(self.kdir / program)
        self.release("7.3.4")
        self.accepts()

    def test_inlined_helpers(self):
        self.config(CONFIG + "CONFIG_RUST_INLINE_HELPERS=y\n")
        self.refuses("rust/helpers/helpers.bc is missing")
        for name in ("helpers.bc", "helpers_module.bc"):
            self.write(self.kdir / "rust/helpers" / name)
            self.accepts()
            (self.kdir / "rust/helpers" / name).unlink()

    @staticmethod
    def series():
        text = (SCRIPT.parents[1] / "tested-kernels").read_text(encoding="ascii")
        return sorted({tuple(map(int, found)) for found in re.findall(r"^(\d+)\.(\d+)\.", text, re.M)})

    def test_older_than_all_tested(self):
        oldest = self.series()[0]
        self.release(f"{oldest[0]}.{oldest[1] - 1}.9-amd64")
        self.refuses("is older than all that raw_hrtimer is tested with (%d.%d" % oldest)
        self.refuses("boot %d.%d or newer" % oldest)
        self.release("6.1.0-43-amd64")
        self.refuses("The kernel 6.1.0-43-amd64")

    def test_newer_than_all_tested(self):
        newest = self.series()[-1]
        for release in ("%d.%d" % (newest[0], newest[1] + 1), "%d.0-rc1" % (newest[0] + 1)):
            self.release(release)
            done = self.run_it()
            self.assertEqual((done.returncode, done.stderr.count("\n")), (0, 1), done)
            self.assertIn(f"note: the kernel {release} is newer than all", done.stderr)

    def test_release(self):
        """What dkms.conf asks."""
        def run(release):
            done = subprocess.run([SCRIPT, "--release", release], capture_output=True, text=True, check=False)
            self.assertEqual(done.stdout, "")
            return done.returncode, done.stderr
        for known in self.series():
            self.assertEqual(run("%d.%d.99-amd64" % known), (0, ""))
        names = ", ".join("%d.%d" % known for known in self.series())
        for release in ("6.12.0-amd64", "%d.%d.1" % (self.series()[-1][0], self.series()[-1][1] + 1)):
            status, said = run(release)
            self.assertEqual((status, said.count("\n")), (1, 1))
            self.assertIn(f"not built for the kernel {release}, because it is tested with {names} only", said)

    def test_usage(self):
        done = subprocess.run(["/bin/sh", SCRIPT], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
