# SPDX-License-Identifier: GPL-2.0
"""raw_hrtimer.ko, and the modules that test it, for a prepared kernel.

Objects are built in the cache, never in the project tree (MO=).
"""

from .. import cache
from ..cache import TREE
from ..toolchain import root

SOURCES = [TREE / name for name in ("Kbuild", "dkms.conf", "include", "rust", "c")]
TEST_MODULES = TREE / "tests/selftests/raw_hrtimer/test_modules"
RECIPE = "1"


def build_external(kernel, source, path, name, symbols=None):
    """Build the module tree `source` in path/out; its modules, stripped, in path."""
    out = path / "out"
    out.mkdir()
    extra = [f"KBUILD_EXTRA_SYMBOLS={symbols}"] if symbols else []
    root.run(kernel.make("-C", kernel.kdir, f"M={source}", f"MO={out}", *extra,
                         "modules"),
             name=name, what=f"building {name} for {kernel.release}", top=kernel.top)
    for module in out.rglob("*.ko"):
        root.run(["strip", "-g", "-o", path / module.name, module])


def build_module(kernel):
    """The path of raw_hrtimer.ko, beside which out/ has its objects and symbols."""
    path = cache.stage(f"module-{kernel.name}", [RECIPE, str(kernel.kdir), *SOURCES],
                       lambda path: build_external(kernel, TREE, path, "raw_hrtimer"),
                       keep=3)
    return path / "raw_hrtimer.ko"


def build_test_modules(kernel):
    """The directory of the test modules (*.ko), which use the exported API."""
    symbols = build_module(kernel).parent / "out/Module.symvers"

    def build(path):
        build_external(kernel, TEST_MODULES, path, "test_modules", symbols)

    return cache.stage(f"test_modules-{kernel.name}",
                       [RECIPE, str(symbols), TEST_MODULES, TREE / "include"], build,
                       keep=3)
