# SPDX-License-Identifier: GPL-2.0
"""Archives that the kernel unpacks as its initramfs (cpio, format "newc").

Several after one another make one initramfs.  All times are zero, so that equal
contents give equal bytes, and a mode says only whether it is a program.
"""

import os
from pathlib import Path
import stat

_HEADER = "070701" + "{:08x}" * 13


class Archive:
    def __init__(self, file):
        self._file = file       # opened for binary writing
        self._number = 0
        self._directories = set()

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self._number += 1
        name = name.encode() + b"\0"
        fields = [self._number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0]
        head = _HEADER.format(*fields).encode() + name
        for part in (head, data):
            self._file.write(part + bytes(-len(part) % 4))

    def directory(self, name, mode=0o755):
        """name and whatever leads to it; all names are absolute guest paths."""
        name = os.path.normpath(name)
        if name != "/" and name not in self._directories:
            self.directory(os.path.dirname(name))
            self._directories.add(name)
            self._entry(name[1:], stat.S_IFDIR | mode)

    def _leaf(self, name, *rest):
        name = os.path.normpath(name)
        self.directory(os.path.dirname(name))
        self._entry(name[1:], *rest)

    def data(self, name, data, mode=0o644):
        self._leaf(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._leaf(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, mode, major, minor):
        self._leaf(name, stat.S_IFCHR | mode, b"", (major, minor))

    def copy(self, source, name):
        """A file, or a folder with all below it; only what links lead out of is followed."""
        source = Path(source)
        if source.is_dir():
            self.directory(name)
            for entry in sorted(source.iterdir()):
                inside = f"{name}/{entry.name}"
                if entry.is_symlink() and not os.path.isabs(os.readlink(entry)):
                    self.link(inside, os.readlink(entry))
                elif entry.is_dir() or entry.is_file():
                    self.copy(entry, inside)
        else:
            # The rest depends on the umask of who checked out the tree and built.
            mode = source.stat().st_mode
            self.data(name, source.read_bytes(),
                      mode & 0o7000 | (0o755 if mode & stat.S_IXUSR else 0o644))

    def close(self):
        self._number = -1       # as cpio does: the trailer's inode is 0
        self._entry("TRAILER!!!", 0)
        self._file.write(bytes(-self._file.tell() % 512))
