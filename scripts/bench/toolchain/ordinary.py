#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run a command as an ordinary user who has what root has built, or nothing yet.

    unshare --mount ordinary.py [--share] [--usr USR] TOP CACHE TREE COMMAND [ARG...]

The user exists in this mount namespace only, and so do his subordinate ids: copies of the
files that name users are bound over these.  TOP is a directory for all that, with a copy of the
tree in TOP/tree, which becomes his, at the same path as root's; his cache is empty.  With --share
TOP is empty, the tree is root's, to read, and the cache an overlay of root's, in which the files
are his.  USR is laid over /usr, with what this machine lacks.  For the suites way-user*; see
playing.py.
"""

import argparse
import ctypes
import os
from pathlib import Path
import subprocess
import sys

NAME, UID, SUBORDINATE = "rht-user", 64321, 1_000_000
# Stages with many files, in which nothing is written.
READ_ONLY = ("source-", "rustc-", "unstable-", "packaging-", "image-")
_BIND, _REC = 4096, 16384
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind=None, flags=0, options=None):
    words = [os.fsencode(str(word)) if word else None for word in (source, target, kind)]
    if _libc.mount(*words, flags, os.fsencode(options) if options else None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


def own(*paths):
    for path in paths:
        os.chown(path, UID, UID)


def share(top, cache):
    """An overlay of the cache; only what a user's own would differ in is made his."""
    (top / "upper").mkdir()
    (top / "work").mkdir()
    mount("overlay", top / "cache", "overlay", 0,
          f"metacopy=on,redirect_dir=on,index=off,lowerdir={cache},upperdir={top}/upper,"
          f"workdir={top}/work")
    for name in ("run", "locks", "logs"):
        (top / name).mkdir()
        own(top / name)
        (top / "cache" / name).mkdir(exist_ok=True)
        mount(top / name, top / "cache" / name, None, _BIND)
    for stage in (top / "cache").iterdir():
        if not (stage / ".complete").exists():
            continue
        if stage.name.startswith(READ_ONLY):
            own(stage, *stage.glob(".complete"))
        else:
            subprocess.run(["chown", "-R", "-h", f"{UID}:{UID}", stage], check=True)
    for stage in (top / "cache").glob("root-[0-9a-f]*"):
        mine = stage.with_name(stage.name.replace("root-", "root-user-"))
        mine.mkdir()
        mount(stage, mine, None, _BIND)


def become_known(top, home):
    lines = {"passwd": f"{NAME}:x:{UID}:{UID}::{home}:/bin/sh", "group": f"{NAME}:x:{UID}:",
             "subuid": f"{NAME}:{SUBORDINATE}:65536", "subgid": f"{NAME}:{SUBORDINATE}:65536"}
    for name, line in lines.items():
        file = Path("/etc", name)
        copy = top / name
        copy.write_text(file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
        mount(copy, file, None, _BIND)


def uncover(path, source):
    """Put the directory that an open file is of at a path that the user can reach."""
    hidden = [p for p in path.parents if not p.stat().st_mode & 1]
    if hidden:
        mount("tmpfs", hidden[-1], "tmpfs", 0, "mode=755")
    path.mkdir(parents=True, exist_ok=True)
    mount(f"/proc/self/fd/{source}", path, None, _BIND | _REC)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", action="store_true")
    parser.add_argument("--usr", type=Path)
    for name in ("top", "cache", "tree"):
        parser.add_argument(name, type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    top, cache, tree = args.top, args.cache, args.tree
    if args.usr:
        mount("overlay", "/usr", "overlay", 0, f"lowerdir={args.usr}:/usr")
    if args.share:      # some 100,000 files get another owner; in memory they go with the namespace
        mount("tmpfs", top, "tmpfs", 0, "mode=755,nr_inodes=0")
    (top / "cache").mkdir()
    if args.share:
        (top / "tree").mkdir()
        mount(tree, top / "tree", None, _BIND)
        share(top, cache)
    else:
        subprocess.run(["chown", "-R", "-h", f"{UID}:{UID}", top / "tree"], check=True)
    (top / "cache/home").mkdir()
    own(top / "cache", top / "cache/home")
    become_known(top, cache / "home")
    places = [(path, os.open(top / name, os.O_PATH))
              for path, name in ((cache, "cache"), (tree, "tree"))]
    for path, file in places:
        uncover(path, file)
    return subprocess.run(
        ["setpriv", "--pdeathsig", "KILL", "--reuid", str(UID), "--regid", str(UID),
         "--clear-groups", *args.command], check=False, cwd=tree,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(cache / "home"),
             "USER": NAME, "XDG_CACHE_HOME": str(cache.parent), "TERM": "dumb",
             **{k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}}).returncode


sys.exit(main())
