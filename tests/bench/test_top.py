# SPDX-License-Identifier: GPL-2.0
"""tools/raw-hrtimer-top: what it reads, and what follows from that."""

import contextlib
import io
import sys
import unittest
from unittest import mock

from top_folder import ATTACH, BUSY, Folder, top


class Reading(Folder):
    def test_all_of_it(self):
        sample = self.read(attach={"lapic": f"no ({BUSY})"})
        self.assertEqual((sample.ppm, sample.clocksource, sample.way, sample.entries),
                         (500.056, "tsc", "hooked", 4))
        self.assertEqual(sample.timers, {"nested": "", "lapic": BUSY, "hyperv": "", "xen": ""})
        self.assertEqual((sample.counts["starts"], sample.counts["updates"]), (100, 1000))
        self.assertNotIn("entries", sample.counts)
        self.assertNotIn("generation", sample.counts)

    def test_a_slow_clock(self):
        self.assertEqual(self.read(rate={"mono/raw": "-100000.050 ppm"}).ppm, -100000.05)

    def test_a_reason_in_parentheses(self):
        self.assertEqual(self.read(attach={"xen": "no (a (b) c)"}).timers["xen"], "a (b) c")

    def test_before_the_first_rate(self):
        self.write_text("rate", "")
        self.assertIsNone(top.read(str(self.files)).ppm)

    def test_malformed(self):
        for name, text in (
                ("rate", "mono/raw +500.056 ppm\n"),
                ("rate", "mono/raw: 500 ppm\nclocksource: tsc\n"),
                ("rate", "clocksource: tsc\n"), ("rate", "mono/raw: +1.000 ppm\n"),
                ("counters", "starts: many\n"), ("counters", "starts: -1\n"),
                ("counters", "starts: \u0663\n"), ("counters", "\0\n"), ("counters", "starts:\n"),
                ("attach", ""), ("attach", "kvm: replaced\n"), ("attach", "kvm: hooked\nxen: no\n"),
                ("attach", "kvm: hooked\nxen: perhaps\n")):
            with self.subTest(name=name, text=text):
                self.write()
                self.write_text(name, text)
                said, shown = io.StringIO(), io.StringIO()
                with (mock.patch.object(sys, "argv", ["", "--json", "--debugfs", str(self.files)]),
                      contextlib.redirect_stderr(said), contextlib.redirect_stdout(shown)):
                    self.assertEqual(top.main(), 1)
                self.assertEqual(shown.getvalue(), "")
                self.assertRegex(said.getvalue(), r"\Araw-hrtimer-top: .*\n\Z")

    def test_no_utf8(self):
        (self.files / "attach").write_bytes(b"kvm: \xff\n")
        self.assertRaises(top.Unreadable, top.read, str(self.files))

    def sentence(self):
        with self.assertRaises(top.Unreadable) as caught:
            top.read(str(self.files))
        return str(caught.exception)

    def test_not_loaded(self):
        (self.files.parent / "x86").mkdir()
        for file in self.files.iterdir():
            file.unlink()
        self.files.rmdir()
        self.assertEqual(self.sentence(),
                         "the module raw_hrtimer is not loaded: modprobe raw_hrtimer")
        for how in ((), ("--json",), ("--prometheus",)):
            done = self.tool(*how)
            self.assertEqual(done.returncode, 1, how)
            self.assertIn("is not loaded", done.stderr)

    def test_not_mounted(self):
        for file in self.files.iterdir():
            file.unlink()
        self.files.rmdir()
        self.assertIn("debugfs is not mounted", self.sentence())

    def test_a_file_is_missing(self):
        (self.files / "attach").unlink()
        self.assertIn("a file is missing", self.sentence())

    def test_not_allowed(self):
        with mock.patch("builtins.open", side_effect=PermissionError):
            self.assertIn("only root", self.sentence())


class Watching(Folder):
    def test_rates(self):
        watch = self.watch((10, {}), (12, {"counters": {"starts": 150}}))
        self.assertEqual(watch.per_second("starts"), 25)
        self.assertEqual(watch.per_second("past"), 0)

    def test_one_sample_has_none(self):
        self.assertIsNone(self.watch((10, {})).per_second("starts"))

    def test_the_clock(self):
        watch = self.watch(*[(at, {"rate": {"mono/raw": f"{ppm:+.3f} ppm"}})
                             for at, ppm in enumerate((-500, 0, 200))])
        self.assertEqual((watch.min, watch.mean, watch.max), (-500, -100, 200))
        self.assertEqual(watch.now.ppm, 200)

    def test_growth_is_of_a_minute(self):
        watch = self.watch(*[(at, {"counters": {"unseen": at}}) for at in range(0, 200, 10)])
        self.assertEqual(watch.growth("unseen"), 60)

    def test_loaded_anew(self):
        watch = self.watch((0, {}), (1, {"counters": {"starts": 3}}))
        self.assertIsNone(watch.per_second("starts"))
        self.assertEqual((watch.number, watch.begin), (1, 1))

    def test_memory_is_bounded(self):
        watch = self.watch((0, {}), interval=0.1)
        sample = watch.now
        for number in range(1, 10000):
            watch.add(top.Sample(number / 10, *list(vars(sample).values())[1:]))
        self.assertLess(len(watch.samples), 610)
        self.assertEqual(len(watch.columns), top.WIDTH)
        self.assertEqual(watch.column_seconds * top.WIDTH, top.MINUTES * 60)

    def test_the_curve(self):
        with mock.patch.object(top.sys, "stdout", mock.Mock(encoding="utf-8")):
            self.assertEqual(top.curve([[0.0, 1], [14.0, 2], [3.5, 1]]),
                             ("▁█▅", "+0.000 to +7.000"))
            self.assertEqual(top.curve([[5.0, 1], [5.3, 1]])[0], "▁▃")     # dither
        with mock.patch.object(top.sys, "stdout", mock.Mock(encoding="ascii")):
            self.assertEqual(top.curve([[0.0, 1], [7.0, 1]])[0], "_#")


class Alerts(Folder):
    def names(self, *samples):
        return [name for name, _ in self.watch(*samples).alerts()]

    def test_none(self):
        self.assertEqual(self.names((0, {}), (1, {"counters": {"starts": 200, "restarts": 99,
                                                               "past": 9, "rearms": 50}})), [])

    def test_a_registered_kvm(self):
        alone = {"kvm": "registered", **{name: None for name in list(ATTACH)[1:]}}
        self.assertEqual(self.names((0, {"attach": alone})), [])

    def test_the_clocksource(self):
        self.assertEqual(self.names((0, {"rate": {"clocksource": "other"}})), ["clocksource"])

    def test_no_rate(self):
        watch = self.watch((0, {}))
        watch.now.ppm = None
        self.assertEqual([name for name, _ in watch.alerts()], ["rate"])

    def test_no_kvm(self):
        why = {name: "no (its module is not loaded)" for name in list(ATTACH)[1:]}
        self.assertEqual(self.names((0, {"attach": {**why, "kvm": "none"}})), ["kvm"])

    def test_a_timer(self):
        for why in (BUSY, "its module has no such function", "EPERM",
                    "KVM starts it by a function that is not hooked"):
            with self.subTest(why):
                self.assertEqual(self.names((0, {"attach": {"xen": f"no ({why})"}})), ["timer_xen"])

    def test_what_is_expected(self):
        for why in top.EXPECTED:
            self.assertEqual(self.names((0, {"attach": {"nested": f"no ({why})"}})), [])

    def test_what_grows(self):
        for name in ("plain", "no_room", "unseen", "wrong_clock", "wrong_mode"):
            with self.subTest(name):
                self.assertEqual(self.names((0, {"counters": {name: 5}})), [])
                self.assertEqual(self.names((0, {"counters": {name: 5}}),
                                            (1, {"counters": {name: 6}})), [name])
                self.assertIn(f"{name} grew by 2 in 4 s", self.watch(
                    (0, {"counters": {name: 5}}), (4, {"counters": {name: 7}})
                ).alerts().__next__()[1])

    def test_they_end_a_minute_later(self):
        grown = {"counters": {"unseen": 1}}
        self.assertEqual(self.names((0, {}), (1, grown), (50, grown)), ["unseen"])
        self.assertEqual(self.names((0, {}), (1, grown), (50, grown), (61, grown)), [])

    def test_shown(self):
        self.assertIn("alerts  none", top.page(self.watch((0, {}))))
        lines = top.page(self.watch((0, {"rate": {"clocksource": "other"},
                                         "attach": {"kvm": "none"}})))
        self.assertEqual(sum(line.startswith("ALERT   ") for line in lines), 2)


if __name__ == "__main__":
    unittest.main()
