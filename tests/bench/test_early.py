# SPDX-License-Identifier: GPL-2.0
"""Who needs only the root's first packages has them before the root is complete."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.toolchain import root  # noqa: E402


def early():
    with root.early():
        return root.ensure_root()


class Early(unittest.TestCase):
    def setUp(self):
        self.top = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.first = self.top / root._FIRST_DONE
        self.first.parent.mkdir(parents=True)

    def test_a_root_that_is_built_is_waited_for(self):
        with mock.patch.object(root, "_built", []) as built, ThreadPoolExecutor(1) as pool:
            job = pool.submit(early)
            built.append(self.top)
            with self.assertRaises(TimeoutError):
                job.result(1.2)
            self.first.touch()
            self.assertEqual(job.result(10), self.top)

    def test_only_that_thread_has_it_early(self):
        with mock.patch.object(root, "_built", [self.top]), \
                mock.patch.object(root.cache, "stage", return_value=Path("/complete")), \
                mock.patch.object(root.ways, "choose"):
            self.first.touch()
            self.assertEqual(early(), self.top)
            self.assertEqual(root.ensure_root(), Path("/complete"))


if __name__ == "__main__":
    unittest.main()
