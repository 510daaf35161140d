# SPDX-License-Identifier: GPL-2.0
"""What a kernel exports to modules, read from its image: its Module.symvers, where the archive
has no headers of it.

An export is an entry of one of two sections: three offsets, each from where it stands, of the
symbol, its name and its namespace (include/linux/export-internal.h).
"""

import struct

from ..cache import BenchError

_NAMES = "__ksymtab_strings"
_LICENCES = {"__ksymtab": "EXPORT_SYMBOL", "__ksymtab_gpl": "EXPORT_SYMBOL_GPL"}


def _string(data, start):
    return data[start:data.index(b"\0", start)].decode("ascii")


def _sections(elf):
    """{name: (address, contents)} of a 64-bit ELF file that this processor can run."""
    if elf[:6] != b"\x7fELF\x02\x01":
        raise BenchError("a kernel's image has no 64-bit ELF file in it")
    table, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + size * n) for n in range(count)]
    names = headers[names][4]
    return {_string(elf, names + name): (address, elf[offset:offset + length])
            for name, _, _, address, offset, length in headers}


def module_symvers(vmlinux):
    """The lines of Module.symvers of the bytes of a vmlinux without MODVERSIONS."""
    sections = _sections(vmlinux)
    if missing := {_NAMES, *_LICENCES} - set(sections):
        raise BenchError(f"a kernel's image lacks {', '.join(sorted(missing))}: what it exports "
                         "is kept otherwise")
    strings_at, strings = sections[_NAMES]
    lines = []
    for section, licence in _LICENCES.items():
        start, entries = sections[section]
        for at, (_, name, namespace) in enumerate(struct.iter_unpack("<iii", entries)):
            address = start + 12 * at
            name = _string(strings, address + 4 + name - strings_at)
            namespace = _string(strings, address + 8 + namespace - strings_at)
            lines.append(f"0x00000000\t{name}\tvmlinux\t{licence}\t{namespace}\n")
    return lines
