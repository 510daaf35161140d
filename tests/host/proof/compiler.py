# SPDX-License-Identifier: GPL-2.0
"""The pure files, compiled as the kernel is built."""

import ctypes
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
RUST = HERE.parents[2] / "rust"
FILES = ("units.rs", "clock/rate.rs", "clock/deadline.rs", "clock/margin.rs", "clock/frequency.rs")
# As the kernel is built.
FLAGS = ("--edition=2021", "-Copt-level=2", "-Coverflow-checks=y", "-Cpanic=abort",
         "-Cforce-unwind-tables=n", "-Ccodegen-units=1")


def compile_code(rustc, rust, out):
    """Compile the pure files in `rust`; returns the intermediate code and the library."""
    # code.rs finds them three levels up from itself.
    folder = out / "tree/tests/host/proof"
    folder.mkdir(parents=True)
    (out / "tree/rust").symlink_to(rust)
    shutil.copy(HERE / "code.rs", folder)
    subprocess.run([rustc, *FLAGS, "--crate-type=cdylib", "--cap-lints=allow",
                    f"--emit=llvm-ir={out}/code.ll,link={out}/code.so", folder / "code.rs"],
                   cwd=out, check=True)
    return (out / "code.ll").read_text(), ctypes.CDLL(str(out / "code.so"))
