# SPDX-License-Identifier: GPL-2.0
"""What a boot loader prepares for Linux on x86, prepared before power on.

See Documentation/arch/x86/{boot,zero-page}.rst.  A bzImage is an ELF file, packed,
with code that unpacks it; unpacked here, it is entered where that code would jump to.
"""

import struct

from .. import cache
from ..cache import BenchError, TREE
from ..toolchain import root

LOADER = TREE / "scripts/guest/loader.S"
RECIPE = "1"

# Physical addresses of what is not the kernel: free memory on any PC with 512 MB,
# and none that the kernel takes before it has reserved or copied these.
PARAMS = 0x00800000         # struct boot_params
PAGE_TABLE = PARAMS + 0x1000
COMMAND_LINE = PARAMS + 0x7000
COMMAND_LINE_SIZE = 2048
INITRD = 0x10000000

# How the payload of a bzImage is packed: magic, command, bytes after its end.
_PACKERS = [(b"\x28\xb5\x2f\xfd", "zstd", 4), (b"\x1f\x8b", "gzip", 0),
            (b"\xfd7zXZ\0", "xz", 4), (b"BZh", "bzip2", 4)]


def _payload(image):
    if image[0x202:0x206] != b"HdrS":
        raise BenchError("the kernel is not a bzImage")
    start = (image[0x1f1] + 1) * 512 + struct.unpack_from("<I", image, 0x248)[0]
    return image[start:start + struct.unpack_from("<I", image, 0x24c)[0]]


def _segments(elf):
    """(entry, [(physical address, contents, size in memory)])"""
    entry, table = struct.unpack_from("<QQ", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 54)
    found = []
    for n in range(count):
        kind, _, offset, _, address, filled, memory, _ = struct.unpack_from(
            "<IIQQQQQQ", elf, table + n * size)
        if kind == 1:       # PT_LOAD
            found.append((address, elf[offset:offset + filled], memory))
    return entry, sorted(found)


def _build(path, vmlinuz):
    payload = _payload(vmlinuz.read_bytes())
    packer = next((p for p in _PACKERS if payload.startswith(p[0])), None)
    if packer is None:
        raise BenchError(f"{vmlinuz} is packed in a way that the vmx machine does not know")
    (path / "packed").write_bytes(payload[:len(payload) - packer[2]])
    root.run(["sh", "-ec", f"{packer[1]} -dc <packed >vmlinux"], cwd=path)
    entry, segments = _segments((path / "vmlinux").read_bytes())
    start, end = segments[0][0], max(a + memory for a, _, memory in segments)
    if start < COMMAND_LINE + COMMAND_LINE_SIZE or end > INITRD:
        raise BenchError(f"{vmlinuz} does not lie where the vmx machine can load it")
    with open(path / "kernel", "wb") as file:
        for address, contents, _ in segments:
            file.seek(address - start)
            file.write(contents)
        file.truncate(end - start)
    (path / "addresses").write_text(f"{start} {entry}")
    defines = [f"-D{name}={value:#x}" for name, value in (
        ("PARAMS", PARAMS), ("PAGE_TABLE", PAGE_TABLE), ("ENTRY", entry))]
    root.run(["gcc-14", "-nostdlib", "-static", "-Wl,-Ttext=0x7c00,--oformat=binary,--build-id=none",
              *defines, "-o", path / "sector", LOADER])
    floppy = (path / "sector").read_bytes()
    (path / "floppy").write_bytes(floppy + bytes(2880 * 512 - len(floppy)))
    for name in ("packed", "vmlinux", "sector"):
        (path / name).unlink()


def ensure_unpacked(vmlinuz):
    """The directory of kernel (its memory), addresses (start, entry) and floppy."""
    return cache.stage("unpacked", [RECIPE, str(vmlinuz), LOADER],
                       lambda path: _build(path, vmlinuz), keep=3)


def _page_table():
    """Four GB mapped one to one in pages of 2 MB: a PML4, a PDPT, four directories."""
    used = 0x3                      # present, writable
    upper = PAGE_TABLE + 0x1000
    first = upper + 0x1000
    tables = [[upper | used], [first + n * 0x1000 | used for n in range(4)]]
    tables += [[n << 30 | m << 21 | 0x80 | used for m in range(512)] for n in range(4)]
    return b"".join(struct.pack("<512Q", *t, *[0] * (512 - len(t))) for t in tables)


def params(vmlinuz, command_line, initrd_size):
    """The memory at PARAMS: boot_params, page table, command line."""
    line = command_line.encode()
    if len(line) >= COMMAND_LINE_SIZE:
        raise BenchError("the kernel's parameters are too long")
    with open(vmlinuz, "rb") as file:
        image = file.read(0x1000)
    zero_page = bytearray(4096)
    header_end = 0x202 + image[0x201]
    zero_page[0x1f1:header_end] = image[0x1f1:header_end]
    zero_page[0x210] = 0xff         # type_of_loader: none that has a number
    struct.pack_into("<II", zero_page, 0x218, INITRD, initrd_size)
    struct.pack_into("<I", zero_page, 0x228, COMMAND_LINE)
    memory = bytes(zero_page) + _page_table()
    return memory + line + bytes(COMMAND_LINE_SIZE - len(line))
