# SPDX-License-Identifier: GPL-2.0
"""In a machine with python3: what scripts/on-this-machine does, where it would be the machine.

/bench has the tree's scripts, /own what is otherwise put together first.  Writes /tmp/report.json.
"""

import contextlib
from pathlib import Path
import sys

sys.path.insert(0, "/bench/scripts")
from bench.machines import here  # noqa: E402
from bench.suites import own_machine  # noqa: E402

BEFORE = (10001, 12345)     # no rate that anything else would set

own_machine.assemble = lambda folder, _kernel: folder / "raw_hrtimer"
own_machine.cache.scratch = lambda: contextlib.nullcontext(Path("/own"))
own_machine.kernel.ensure_kernel = lambda _name: None
own_machine.root.git_describe = lambda: "a test"
own_machine.TESTS = ["load_unload.sh", "rate.sh"]
own_machine.PPM = [0, -25, 500]

here.set_rate(*BEFORE)
if why := here.refusal():
    sys.exit(why)
result = own_machine.run()
own_machine.write(Path("/tmp/report.json"), {
    **result, "rate_now": here.rate(),
    "left": [line for line in own_machine.MODULES.read_text().splitlines() if "raw_hrtimer" in line]})
print(own_machine.summary(result))
