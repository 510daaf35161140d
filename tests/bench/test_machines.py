# SPDX-License-Identifier: GPL-2.0
"""What scripts/vm's options mean, and what is brought back from a machine."""

import argparse
import io
from pathlib import Path
import os
import selectors
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from unittest import mock

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
from bench.building import kvm_parameters  # noqa: E402
from bench.cache import BenchError  # noqa: E402
from bench.machines import bochs, conversation, fetched, machine, options, terminal  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name).resolve()


class Options(Folder):
    def test_addition(self):
        file = self.top / "a:b"
        file.touch()
        self.assertEqual(options.addition(str(file)), (file, "/add/a:b"))
        self.assertEqual(options.addition(f"{file}:/x/y"), (file, "/x/y"))
        for wrong in (f"{file}:x", f"{self.top}/none", f"{self.top}/none:/x"):
            with self.assertRaises(argparse.ArgumentTypeError):
                options.addition(wrong)

    def test_shared(self):
        self.assertEqual(options.shared(str(self.top)), (self.top, f"/share/{self.top.name}"))
        (self.top / "file").touch()
        with self.assertRaises(argparse.ArgumentTypeError):
            options.shared(f"{self.top}/file")

    def test_result(self):
        self.assertEqual(options.result(f"/a/b:{self.top}/c"), ("/a/b", self.top / "c"))
        self.assertEqual(options.result("/a/b"), ("/a/b", Path.cwd()))
        for wrong in ("a", "/a\nb", f"/a:{self.top}/none/c"):
            with self.assertRaises(argparse.ArgumentTypeError):
                options.result(wrong)

    def test_memory(self):
        self.assertEqual(options.megabytes("2048"), 2048)
        for wrong in ("64", "1000000"):
            with self.assertRaises(argparse.ArgumentTypeError):
                options.megabytes(wrong)

    def test_vm_says_what_is_missing(self):
        done = subprocess.run([TREE / "scripts/vm", "--memory", "2048"], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no COMMAND", done.stderr)


class KvmParameters(Folder):
    def setUp(self):
        super().setUp()
        folder = self.top / "kernel/arch/x86/kvm"
        folder.mkdir(parents=True)
        for name, words in (("kvm", b"halt_poll_ns"), ("kvm-intel", b"nested"),
                            ("kvm-amd", b"nested")):
            (folder / f"{name}.ko").write_bytes(b"x\0parm=a:b\0parmtype=" + words + b":bool\0")

    def line(self, words, name="vmx"):
        return kvm_parameters.command_line(words, name, self.top)

    def test_the_module_is_found(self):
        self.assertEqual(self.line("nested=0 halt_poll_ns=1"),
                         "kvm_intel.nested=0 kvm.halt_poll_ns=1")
        self.assertEqual(self.line("nested=0", "svm"), "kvm_amd.nested=0")
        self.assertEqual(self.line("nested=0", "host"), "kvm_intel.nested=0 kvm_amd.nested=0")
        self.assertEqual(self.line("kvm-intel.nested=0"), "kvm_intel.nested=0")

    def test_what_there_is_not(self):
        for wrong in ("nestd=0", "nested", "kvm.nested=0", "loop.nested=0"):
            with self.assertRaises(BenchError) as error:
                self.line(wrong)
            self.assertIn(wrong.partition("=")[0], str(error.exception))

    def test_built_in(self):
        for file in self.top.rglob("*.ko"):
            file.unlink()
        (self.top / "modules.builtin.modinfo").write_bytes(
            b"kvm_intel.parmtype=nested:bool\0kvm.parmtype=halt_poll_ns:uint\0")
        self.assertEqual(self.line("nested=0 halt_poll_ns=1"),
                         "kvm_intel.nested=0 kvm.halt_poll_ns=1")


class Fetched(Folder):
    def archive(self, *members):
        """(name, contents, or None for a folder)"""
        path = self.top / "archive"
        with tarfile.open(path, "w") as tar:
            for name, data in members:
                info = tarfile.TarInfo(name)
                if data is None:
                    info.type = tarfile.DIRTYPE
                else:
                    info.size = len(data)
                tar.addfile(info, io.BytesIO(data or b""))
        return path

    def test_files_and_folders(self):
        archive = self.archive(("./1", b"one"), ("./2", None), ("./2/a/b", b"two"))
        wanted = [("/x/name", self.top), ("/y", self.top / "folder")]
        self.assertEqual(fetched.unpack(archive, wanted), [])
        self.assertEqual((self.top / "name").read_bytes(), b"one")
        self.assertEqual((self.top / "folder/a/b").read_bytes(), b"two")

    def test_what_is_missing(self):
        archive = self.archive(("./1.error", b"cp: no such file\n"))
        self.assertEqual(fetched.unpack(archive, [("/a", self.top / "a"), ("/b", self.top / "b")]),
                         ["--get /a: cp: no such file", "--get /b: the machine ended before"])
        self.assertEqual(fetched.unpack(self.top / "none", [("/a", self.top / "a")]),
                         ["--get /a: the machine ended before"])

    def test_an_archive_that_is_cut_off(self):
        archive = self.archive(("./1", b"x" * 5000), ("./2", b"y" * 5000))
        archive.write_bytes(archive.read_bytes()[:6000])
        wanted = [("/a", self.top / "a"), ("/b", self.top / "b")]
        self.assertEqual(fetched.unpack(archive, wanted), ["--get /b: the machine ended before"])

    def test_a_shared_folder(self):
        shared = self.top / "shared"
        shared.mkdir()
        (shared / "same").write_bytes(b"same")
        os.utime(shared / "same", (1, 1))
        pair = ("/share/shared", shared)
        archive = self.archive(("./1", None), ("./1/same", b"same"), ("./1/new", b"new"))
        self.assertEqual(fetched.unpack(archive, [pair], (pair,)), [])
        self.assertEqual((shared / "new").read_bytes(), b"new")
        self.assertEqual((shared / "same").stat().st_mtime, 1)

    def test_no_name_leads_out(self):
        with self.assertRaises(BenchError):
            fetched.unpack(self.archive(("./1/../../x", b"x")), [("/a", self.top / "a")])


class Machine(Folder):
    def test_files_that_do_not_fit(self):
        initrd = self.top / "initrd"
        with open(initrd, "wb") as file:
            file.truncate(700 << 20)
        with self.assertRaises(BenchError) as error:
            machine.Machine(memory=1024)._check_size(initrd)
        self.assertIn("--memory 1656", str(error.exception))
        machine.Machine(memory=1656)._check_size(initrd)

    def test_memory_that_bochs_has_not(self):
        with self.assertRaises(BenchError) as error:
            bochs.command(self.top, "vmx", None, "", 1, 2 * bochs.MEMORY_MB)
        self.assertIn(f"{bochs.MEMORY_MB} MB", str(error.exception))

    def test_pieces_of_the_archive(self):
        result = conversation.Result()
        talk = conversation.Conversation(result, {}, self.top / "archive")
        talk.hear(conversation.MAGIC + b"S\1\x005F\3\0abcF\2\0deX\4\x000 17")
        self.assertTrue(talk.ended)
        self.assertEqual((self.top / "archive").read_bytes(), b"abcde")


class Terminal(Folder):
    def test_what_is_typed_arrives_and_the_console_is_kept(self):
        read, write = os.pipe()
        stdin = os.fdopen(read)
        self.addCleanup(stdin.close)
        with mock.patch.object(sys, "stdin", stdin), selectors.DefaultSelector() as selector, \
                terminal.Terminal(self.top / "console") as person:
            person.attach(selector)
            device = os.open(person.device, os.O_RDWR | os.O_NOCTTY)
            self.addCleanup(os.close, device)
            os.write(device, b"kernel: hello\n")
            os.write(write, b"ls\n")
            os.close(write)
            person.listen(selector)
            got, end = b"", time.monotonic() + 10
            while got != b"ls\n" + terminal.END and time.monotonic() < end:
                for key, _ in selector.select(0.1):
                    key.data()
                os.set_blocking(device, False)
                try:
                    got += os.read(device, 100)
                except BlockingIOError:
                    pass
        self.assertEqual(got, b"ls\n" + terminal.END)
        self.assertEqual((self.top / "console").read_bytes(), b"kernel: hello\n")


if __name__ == "__main__":
    unittest.main()
