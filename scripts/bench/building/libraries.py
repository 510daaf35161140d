# SPDX-License-Identifier: GPL-2.0
"""The shared libraries and loaders of dynamic programs, as the loaders themselves find them (ldd).

A program is asked about on this machine, with the libraries in the folders that are added beside
it; if something is missing there, in the toolchain root, where it may have been built.  All that
is added to a machine uses the libraries of the same of the two.
"""

from dataclasses import dataclass
import os
from pathlib import Path
import re
import subprocess

from ..cache import BenchError, files_below
from ..toolchain import root

# Where a loader looks without being told; anything elsewhere is linked into the last.
DEFAULT = ["/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib"]
INSIDE = "/tmp/add"         # what is added, as ldd in the root sees it

_X86_64 = 62
_PT_DYNAMIC, _PT_INTERP = 2, 3


@dataclass(frozen=True)
class Elf:
    """A file for the loader of shared libraries."""
    path: Path
    interpreter: str        # the loader; "" for a library


def read_elf(path):
    """The Elf in a file, or None: a static program, a kernel module, anything else."""
    with open(path, "rb") as file:
        head = file.read(4096)
        if head[:5] != b"\x7fELF\x02" or int.from_bytes(head[18:20], "little") != _X86_64:
            return None
        start, count = int.from_bytes(head[32:40], "little"), int.from_bytes(head[56:58], "little")
        headers = [head[start + 56 * n:start + 56 * n + 56] for n in range(count)]
        found = {int.from_bytes(h[:4], "little"): h for h in headers if len(h) == 56}
        if _PT_DYNAMIC not in found:
            return None
        interpreter = b""
        if header := found.get(_PT_INTERP):
            file.seek(int.from_bytes(header[8:16], "little"))
            interpreter = file.read(int.from_bytes(header[32:40], "little")).rstrip(b"\0")
    return Elf(Path(path), interpreter.decode(errors="replace"))


def listed(ldd_output):
    """(name, path) of each library in what ldd printed; the loader's name is a path."""
    return re.findall(r"^\s*(?:(\S+) => )?(/\S+) \(0x", ldd_output, re.M)


def _missing(ldd_output):
    found = re.findall(r"(\S+) => not found", ldd_output)
    found += [f"{name} with {version}" for name, version in re.findall(
        r"(/\S+): version [`'](\S+)' not found", ldd_output)]
    return sorted(set(found))


def in_root(path):
    """This machine's name for a file of the toolchain root, whose links lead to what is in it."""
    top = root.ensure_root()
    place = top / str(path).lstrip("/")
    while place.is_symlink():
        target = os.readlink(place)
        place = top / target.lstrip("/") if os.path.isabs(target) else place.parent / target
    return place


def _ldd_in_root(paths, binds=(), folders=()):
    """What ldd prints there, without the line for what proot's way preloads."""
    done = root.run(["env", "-u", "LD_PRELOAD", "sh", "-c", 'exec ldd "$@" 2>&1', "sh", *paths],
                    binds=binds, capture=True, check=False,
                    env={"LC_ALL": "C", "LD_LIBRARY_PATH": ":".join(folders)})
    return done.stdout


def of_root(programs):
    """(name, path) of each library of programs of the toolchain root; the loader's name is ""."""
    said = _ldd_in_root(programs)
    found = listed(said)
    if not found or _missing(said):
        raise BenchError(f"ldd does not find the libraries of {', '.join(programs)} in the "
                         f"toolchain root: {said.strip()}")
    return sorted(set(found))


class _Here:
    """This machine."""

    name = "this machine"

    def __init__(self, added):
        self._added = added

    def inside(self, path):
        return str(path)

    def outside(self, path):
        return Path(path)

    def ldd(self, paths, folders):
        try:
            done = subprocess.run(
                ["ldd", *paths], text=True, check=False, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C", "LD_LIBRARY_PATH": ":".join(folders)})
        except FileNotFoundError:
            return "\n".join(f"{path} => not found" for path in paths)
        return done.stdout


class _Root(_Here):
    """The toolchain root; what is added is mounted below INSIDE."""

    name = "the toolchain root"

    def _pairs(self):
        return [(host, f"{INSIDE}/{n}/{host.name}") for n, host in enumerate(self._added)]

    def inside(self, path):
        for host, name in self._pairs():
            if path == host or host in path.parents:
                return name + str(path)[len(str(host)):]
        raise ValueError(path)

    def outside(self, path):
        for host, name in self._pairs():
            if path == name or path.startswith(f"{name}/"):
                return Path(f"{host}{path[len(name):]}")
        return in_root(path)

    def ldd(self, paths, folders):
        return _ldd_in_root(paths, self._pairs(), folders)


@dataclass(frozen=True)
class Library:
    name: str       # as programs ask for it
    path: str       # where their loader found it
    file: Path      # on this machine


def _ask(world, elves, folders):
    """(libraries, what is missing) of some programs."""
    said = world.ldd([world.inside(elf.path) for elf in elves],
                     [world.inside(folder) for folder in folders])
    found = dict((path, name) for name, path in listed(said))
    for elf in elves:
        if elf.interpreter:
            found.setdefault(elf.interpreter, "")
    files = {path: world.outside(path).resolve() for path in found}
    missing = _missing(said) + [f"the loader {path}" for path in found if not files[path].is_file()]
    return [Library(name or Path(path).name, path, files[path])
            for path, name in sorted(found.items())], missing


def needed(added):
    """The libraries that dynamic programs in these files and folders need, as Library objects.

    added: absolute paths.  Raises BenchError where one is to be had in neither place.
    """
    elves = [elf for host in added for file in files_below(host) if (elf := read_elf(file))]
    if not elves:
        return []
    folders = sorted({elf.path.parent for elf in elves
                      if ".so" in elf.path.name and elf.path not in added})
    worlds, lacks = [_Here(added), _Root(added)], []
    if all(root.ensure_root() in elf.path.parents for elf in elves):
        worlds = worlds[1:]
    for world in worlds:
        libraries, missing = _ask(world, elves, folders)
        if not missing:
            return libraries
        lacks.append(f"{world.name} lacks {', '.join(missing)}")
    names = ", ".join(elf.path.name for elf in elves[:3]) + (", ..." if len(elves) > 3 else "")
    raise BenchError(f"--add: what {names} needs is not found: {'; '.join(lacks)}. Add a folder "
                     "that has it, with the program, or link the program statically")


def _place(file, pairs):
    """Where a file of this machine is in the guest anyway, because it is added; or None."""
    for host, guest in pairs:
        top = Path(host).resolve()
        if file == top or top in file.parents:
            return guest + str(file)[len(str(top)):]
    return None


def copy(archive, pairs):
    """Write what the programs among pairs (host path, guest path) need into an archive."""
    for library in needed([Path(host) for host, _ in pairs]):
        place = _place(library.file, pairs)
        if place is None:
            place = library.path
            archive.copy(library.file, place)
        if os.path.dirname(place) not in DEFAULT:
            archive.link(f"/usr/lib/{library.name}", place)
