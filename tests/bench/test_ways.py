# SPDX-License-Identifier: GPL-2.0
"""The ways into the toolchain root: which is taken, and what is said where there is none."""

import contextlib
import io
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
from bench import cache  # noqa: E402
from bench.cache import BenchError  # noqa: E402
from bench.toolchain import ways  # noqa: E402

GUARD = SCRIPTS / "bench/toolchain/guard.py"


class Choice(unittest.TestCase):
    def pick(self, asked=None, uid=0, **missing):
        with contextlib.ExitStack() as stack:
            for way in ways.WAYS:
                stack.enter_context(mock.patch.object(
                    way, "missing", lambda why=missing.get(way.name): why))
            stack.enter_context(mock.patch("os.geteuid", lambda: uid))
            return ways._pick(asked)

    def test_the_first_that_there_is(self):
        way, reasons = self.pick(user="root needs none")
        self.assertEqual(way.name, "root")
        self.assertEqual(set(reasons), {"user", "proot"})

    def test_an_ordinary_user(self):
        way, reasons = self.pick(root="not root", uid=1000)
        self.assertEqual((way.name, reasons["root"]), ("user", "not root"))

    def test_a_container(self):
        self.assertEqual(self.pick(root="no mount", user="root")[0].name, "proot")

    def test_one_that_is_asked_for(self):
        self.assertEqual(self.pick("proot")[0].name, "proot")
        with self.assertRaisesRegex(BenchError, "RAW_HRTIMER_WAY=user: no subuids"):
            self.pick("user", user="no subuids")
        with self.assertRaisesRegex(BenchError, "there is no way x: root, user, proot"):
            self.pick("x")

    def test_none(self):
        with self.assertRaisesRegex(BenchError, "^no mount, and no chroot: "):
            self.pick(root="no mount", user="root", proot="no chroot")
        with self.assertRaisesRegex(BenchError, r"^no newuidmap; .*sudo.*podman run .*make demo"):
            self.pick(root="x", user="no newuidmap", proot="y", uid=1000)


class Machine(unittest.TestCase):
    """What is found out before anything is fetched: a sentence each."""

    def refused(self, words, memory=8, has=("apt-get", "setpriv", "unshare")):
        with mock.patch.object(ways, "_memory_gb", lambda: memory), \
                mock.patch("shutil.which", lambda name: name if name in has else None):
            with self.assertRaisesRegex(BenchError, words):
                ways._check_machine()

    def test_memory(self):
        self.refused(r"^this machine has 1\.9 GB of memory", memory=1.9)

    def memory(self, **limits):
        with tempfile.TemporaryDirectory() as top:
            for name, text in {"proc/meminfo": "MemTotal:  4000000 kB\nMemFree: 1 kB\n", **limits}.items():
                Path(top, name).parent.mkdir(parents=True, exist_ok=True)
                Path(top, name).write_text(text, encoding="ascii")
            return ways._memory_gb(top)

    def test_memory_of_a_container(self):
        self.assertAlmostEqual(self.memory(), 3.81, 2)
        for name in ("memory.max", "memory/memory.limit_in_bytes"):
            name = f"sys/fs/cgroup/{name}"
            self.assertEqual(self.memory(**{name: f"{2 << 30}\n"}), 2)
            self.assertAlmostEqual(self.memory(**{name: "9223372036854771712\n"}), 3.81, 2)
        self.assertAlmostEqual(self.memory(**{"sys/fs/cgroup/memory.max": "max\n"}), 3.81, 2)

    def test_another_distribution(self):
        self.refused("no apt-get.*podman run", has=("setpriv", "unshare"))

    def test_no_util_linux(self):
        self.refused("lacks unshare: apt-get install util-linux", has=("apt-get", "setpriv"))


class User(unittest.TestCase):
    """What an ordinary user lacks, each with the command that mends it."""

    def missing(self, sysctls=(), newuidmap="/usr/bin/newuidmap", subuid="me:1:65536\n", fails=None):
        with tempfile.TemporaryDirectory() as top, contextlib.ExitStack() as stack:
            file = Path(top, "subuid")
            file.write_text(subuid, encoding="ascii")
            for name, value in (("os.geteuid", lambda: 1000),
                                ("pwd.getpwuid", lambda _: mock.Mock(pw_name="me")),
                                ("shutil.which", lambda _: newuidmap)):
                stack.enter_context(mock.patch(name, value))
            stack.enter_context(mock.patch.object(ways, "_sysctl", dict(sysctls).get))
            stack.enter_context(mock.patch.object(ways, "_fails", lambda _: fails))
            stack.enter_context(mock.patch.object(ways, "SUBORDINATE", [str(file)]))
            return ways.UserNamespace().missing()

    def test_nothing(self):
        self.assertIsNone(self.missing())

    def test_uidmap(self):
        self.assertIn("sudo apt-get install uidmap", self.missing(newuidmap=None))

    def test_no_subordinate_ids(self):
        self.assertIn("me has no line in", self.missing(subuid="you:1:65536\n"))
        self.assertIn("usermod --add-subuids", self.missing(subuid=""))

    def test_a_kernel_that_forbids_it(self):
        for name, value in (("kernel/unprivileged_userns_clone", "0"),
                            ("user/max_user_namespaces", "0")):
            self.assertIn(f"sudo sysctl {name.replace('/', '.')}=", self.missing({name: value}))

    def test_apparmor(self):
        self.assertIn("apparmor_restrict_unprivileged_userns=0", self.missing(
            {"kernel/apparmor_restrict_unprivileged_userns": "1"}, fails="mount: permission denied"))

    def test_anything_else(self):
        self.assertIn("(mount: permission denied)", self.missing(fails="mount: permission denied"))


class Guard(unittest.TestCase):
    """Nothing is left of a command, whether it ends or is ended."""

    def start(self, script):
        return subprocess.Popen([sys.executable, "-I", GUARD, "sh", "-c", script],
                                stdout=subprocess.PIPE, text=True)

    def gone(self, pid):
        for _ in range(200):
            if not Path("/proc", pid).exists():
                return True
            time.sleep(0.05)
        return False

    def test_status(self):
        for script, status in (("exit 7", 7), ("kill -9 $$", 137)):
            with self.start(script) as process:
                self.assertEqual(process.wait(), status)
        done = subprocess.run([sys.executable, "-I", GUARD, "/no/such"], capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 127)

    def test_what_the_command_leaves(self):
        with self.start("setsid sleep 300 >/dev/null & echo $!") as process:
            pid = process.stdout.readline().strip()
            process.wait()
        self.assertTrue(self.gone(pid))

    def test_killed(self):
        with self.start("(sleep 300 & echo $!; exec setsid sleep 301)") as process:
            pid = process.stdout.readline().strip()
            process.kill()
        self.assertTrue(self.gone(pid))


class Proot(unittest.TestCase):
    def test_it_finds_each_place(self):
        """What proot makes it removes when it ends, below others that still run."""
        with tempfile.TemporaryDirectory() as top:
            top = Path(top)
            root = top / "root"
            (root / "etc").mkdir(parents=True)
            (root / "etc/link").symlink_to("/run/nowhere")
            (top / "folder").mkdir()
            (top / "file").write_text("x")
            pairs = [(top / "folder", "/a/b"), (top / "file", "/c/d"), (top / "file", "/etc/link")]
            with mock.patch.object(cache, "CACHE", top / "cache"):
                for _ in range(2):
                    ways.Proot().enter(root, "/", pairs, ["true"])
            self.assertTrue((root / "a/b").is_dir())
            self.assertTrue((root / "c/d").is_file())
            self.assertTrue((root / "etc/link").is_symlink())


class Place(unittest.TestCase):
    """Whose cache it is."""

    def place(self, **environment):
        with mock.patch.dict(os.environ, environment):
            for name in ("XDG_CACHE_HOME", "HOME"):
                if name not in environment:
                    os.environ.pop(name, None)
            return cache._place()

    def test_own(self):
        with tempfile.TemporaryDirectory() as home:
            home = str(Path(home).resolve())
            self.assertEqual(self.place(HOME=home), Path(home, ".cache/raw_hrtimer"))
            self.assertEqual(self.place(XDG_CACHE_HOME=home), Path(home, "raw_hrtimer"))

    def other_user(self, **environment):
        uid = os.geteuid() + 1
        with mock.patch("os.geteuid", lambda: uid), \
                mock.patch("pwd.getpwuid", lambda _: mock.Mock(pw_dir="/home/other")):
            return self.place(**environment), uid

    def test_the_home_of_another(self):
        with tempfile.TemporaryDirectory() as home:
            self.assertEqual(self.other_user(HOME=home)[0], Path("/home/other/.cache/raw_hrtimer"))

    def test_the_cache_of_another(self):
        with tempfile.TemporaryDirectory() as top:
            Path(top, "raw_hrtimer").mkdir()
            path, uid = self.other_user(XDG_CACHE_HOME=top)
            self.assertEqual(path.name, f"raw_hrtimer-{uid}")


class Told(unittest.TestCase):
    def test_once_and_why_not(self):
        with mock.patch.object(ways, "_chosen", []), mock.patch.object(ways, "_check_machine"), \
                mock.patch.object(ways, "_pick", lambda _: (ways.WAYS[1], {"root": "no"})), \
                mock.patch.dict(os.environ), mock.patch.object(cache, "removers", []), \
                contextlib.redirect_stderr(io.StringIO()) as said:
            os.environ.pop(ways.TOLD, None)
            ways.choose(verbose=True)
            ways.choose(verbose=True)
            self.assertEqual(os.environ[ways.TOLD], "user")
        lines = said.getvalue().splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].endswith("in a user namespace (user)"))
        self.assertTrue(lines[1].endswith("not root: no"))


if __name__ == "__main__":
    unittest.main()
