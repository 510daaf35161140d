# SPDX-License-Identifier: GPL-2.0
"""What does not need Debian's tools of scripts/package."""

from pathlib import Path
import re
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.building import packages  # noqa: E402
from bench.cache import TREE  # noqa: E402

RELEASES = ["7.3.4+deb13-cloud-amd64", "7.2.12+deb13-amd64"]


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)

    def test_new_ones_replace_old_ones(self):
        new, output = self.top / "new", self.top / "output"
        for folder in (new, output):
            folder.mkdir()
        version = packages.version()
        names = [f"raw-hrtimer-common_{version}_all.deb", f"raw-hrtimer-modules-{RELEASES[0]}_{version}_amd64.deb"]
        others = [f"raw-hrtimer-modules-{RELEASES[1]}_{version}_amd64.deb",
                  f"kmod-raw_hrtimer-{RELEASES[0]}-{version}-1.x86_64.rpm", "notes"]
        for name in names:
            (new / name).write_text("new")
            (output / name.replace(version, "0.0.1")).write_text("old")
        for name in (names[0], *others):
            (output / name).write_text("old")
        found = packages._collect(new, "*.deb", output)
        self.assertEqual(found, [output / name for name in names])
        self.assertEqual({file.name for file in output.iterdir()}, {*names, *others})
        self.assertEqual({file.read_text() for file in found}, {"new"})

    def test_debian_directory(self):
        """A package for each release, and nothing left to be filled in."""
        with mock.patch.object(packages, "_date", return_value="Sat, 28 Nov 2026 08:00:00 +0000"):
            packages._debian_directory(self.top / "debian", RELEASES)
        control = (self.top / "debian/control").read_text()
        names = re.findall(r"^Package: (.*)$", control, re.M)
        self.assertEqual(names, ["raw-hrtimer-common", "raw-hrtimer-dkms", "raw-hrtimer-tools",
                                 *(f"raw-hrtimer-modules-{release}" for release in RELEASES)])
        for name in names[3:]:
            for kind in ("install", "postinst", "postrm"):
                text = (self.top / f"debian/{name}.{kind}").read_text()
                self.assertIn(name.removeprefix("raw-hrtimer-modules-"), text)
                self.assertNotRegex(text, r"@[A-Z]+@")
        changelog = (self.top / "debian/changelog").read_text()
        self.assertTrue(changelog.startswith(f"raw-hrtimer ({packages.version()}) "))
        for text in (control, changelog):
            self.assertNotRegex(text, r"@[A-Z]+@")

    def test_what_dkms_gets(self):
        """Both kinds of packages give it the same files, all that make reads."""
        debian = (TREE / "packaging/debian/raw-hrtimer-dkms.install").read_text()
        files = set(re.findall(r"^([\w./-]+) usr/src/", debian, re.M)) | {"dkms.conf"}
        spec = (TREE / "packaging/rpm/raw_hrtimer.spec").read_text()
        copied = re.findall(r"^cp (?:-r )?(.*) %\{buildroot\}", spec, re.M)
        self.assertEqual(files, set(" ".join(copied).split()))
        self.assertLessEqual(files, set(packages.PARTS))
        for name in files:
            self.assertTrue((TREE / name).exists(), name)


if __name__ == "__main__":
    unittest.main()
