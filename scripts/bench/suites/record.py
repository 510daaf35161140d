# SPDX-License-Identifier: GPL-2.0
"""What scripts/check leaves beside its logs: results.json, an object with

  suites   {name: {commit, date, seconds, passed, skipped, failed}}: of each suite's last run,
           unless it was ended
  whole    the same of the last run of all that "make check" runs, and processors: how many
"""

import json
import time


def _entry(count, seconds, commit):
    return {"commit": commit, "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "seconds": round(seconds), "passed": count.passed, "skipped": count.skipped,
            "failed": count.failed}


def read(logs):
    """The object in a folder of logs, empty where there is none."""
    file = logs / "results.json"
    return (json.loads(file.read_text(encoding="utf-8")) if file.exists()
            else {"suites": {}, "whole": None})


def _save(logs, result):
    (logs / "results.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def forget(logs, name):
    """Drop a suite that starts: if it is ended, its new log is not what the old result is of."""
    result = read(logs)
    if result["suites"].pop(name, None):
        _save(logs, result)


def write(logs, suites, whole, commit, processors):
    """suites: (name, Count, seconds) of those that ran; whole: (Count, seconds) or None."""
    result = read(logs)
    for name, count, seconds in suites:
        result["suites"][name] = _entry(count, seconds, commit)
    if whole:
        result["whole"] = {**_entry(*whole, commit), "processors": processors}
    _save(logs, result)
