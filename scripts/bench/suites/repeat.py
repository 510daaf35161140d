# SPDX-License-Identifier: GPL-2.0
"""The suites of what makes figures repeatable: machines that do not know where they were built."""

import json
import os
import re
import shutil
import subprocess

from .. import cache
from ..building import image, kernel
from ..cache import CACHE, TREE
from ..machines import bochs
from ..toolchain import root
from .check import Suite
from .ktap import Count

ELSEWHERE = "another-cache-folder-whose-name-is-longer"
TREE_ELSEWHERE = "another-checkout"


def _where(folder, data):
    """Where the path of a folder is, or of what is in it: not /srcu.h for /src; or None."""
    found = re.search(re.escape(bytes(folder)) + rb"(?![\w.-])", data)
    return found and found.start()


def nameless(context):
    """No file of the vmx machine's image has the path of the cache or of the tree in it."""
    found = kernel.ensure_kernel()
    count = Count()
    with cache.scratch() as scratch:
        for kind in ("stock", "patched"):
            image.write_initrd(scratch / "initrd", found, kind, (), {"command": ["true"]})
            data = (scratch / "initrd").read_bytes()
            for folder in (CACHE, TREE):
                at = _where(folder, data)
                context.test(count, f"the image with KVM {kind} has no path of {folder}", at is None,
                             at is not None and f"{data[at:at + 100]!r}")
    return count


def _another_cache(place):
    """A cache with what is the same wherever it lies, and takes long to make."""
    stages = [bochs.ensure_bochs(), kernel.ensure_kernel().source.parent]
    if os.geteuid() == 0:       # of another user's root the files belong to several users
        stages.append(root.ensure_root())
    place.mkdir(parents=True)
    for stage in stages:
        subprocess.run(["cp", "-a", stage, place], check=True)


def _another_tree(place):
    """A copy of what git has of the tree, and would take, with other modes."""
    for name in root.run(["git", "-c", f"safe.directory={TREE}", "ls-files", "-co",
                          "--exclude-standard"], cwd=TREE, capture=True).stdout.splitlines():
        if (TREE / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TREE / name, place / name)
            (place / name).chmod((TREE / name).stat().st_mode & 0o700)


def _demonstrate(context, tree, output, **how):
    """The results of the demonstration at two rates, of some tree."""
    context.command([tree / "scripts/demo", "--quick", "--output", output], merge=True,
                    timeout=6000, **how)
    return json.loads((output / "results.json").read_text(encoding="utf-8"))


def elsewhere(context):
    """Another checkout and another cache give the same machines, and the same figures."""
    output = context.log.with_suffix("")
    output.mkdir(exist_ok=True)
    with cache.scratch() as scratch:
        try:
            _another_cache(scratch / ELSEWHERE / "raw_hrtimer")
            _another_tree(scratch / TREE_ELSEWHERE)
            there = _demonstrate(context, scratch / TREE_ELSEWHERE, output / "there", umask=0o077,
                                 env={**os.environ, "XDG_CACHE_HOME": str(scratch / ELSEWHERE)})
        finally:
            cache.discard(scratch / ELSEWHERE)
    here = _demonstrate(context, TREE, output / "here")
    count = Count()
    for name, of in (("image", lambda r: r["machine"]["images"]), ("table", lambda r: r["rates"])):
        context.test(count, f"the same {name} from another checkout and cache",
                     of(here) == of(there), f"{of(here)} here, {of(there)} there"[:500])
    context.test(count, "there are images and runs to compare",
                 all(here["machine"]["images"]) and here["passed"] > 5, "not so")
    return count


def suites(vmx, built):
    """vmx, built: what those that run Bochs, and that build, have to wait for."""
    return [Suite("image", nameless, built, seconds=5),
            Suite("elsewhere", elsewhere, vmx, cores=2, seconds=900, long=True)]
