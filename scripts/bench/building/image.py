# SPDX-License-Identifier: GPL-2.0
"""The guest's initramfs: a base, the modules of a kernel, and what one run adds.

Not compressed: it is in the machine's memory at power on, and unpacking takes
emulated instructions.
"""

from pathlib import Path
import re
import shutil

from .. import cache
from ..cache import BenchError, TREE
from ..toolchain import root
from . import cpio, kvm, libraries, module, selftests, tools

GUEST = TREE / "scripts/guest"
PROGRAMS = [GUEST / name for name in ("init", "runner.c", "chrony-wrapper", "collect")]
RECIPE = "3"

# With what they depend on; KVM's own are replaced when it is patched.
MODULES = ["kvm", "kvm-intel", "kvm-amd"]

FILES = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n_chrony:x:100:100::/var/lib/chrony:/bin/false\n",
    "/etc/group": "root:x:0:\n_chrony:x:100:\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    # KVM's xapic tests fail with Bochs's virtualization of the APIC.
    "/etc/modprobe.d/kvm.conf": "options kvm-intel nested=1 enable_apicv=0\n"
                                "options kvm-amd nested=1\n",
}
DIRECTORIES = ["/proc", "/sys", "/dev", "/tmp", "/run/chrony", "/var/lib/chrony", "/var/log",
               "/root", "/sbin", "/usr/bin", "/usr/sbin", "/etc/chrony"]


def _add_chrony(archive):
    """chronyd and chronyc in /opt/chrony with their own libraries, wrapped: an added
    program's libraries can then have the usual places."""
    top = root.ensure_root()
    found = {}
    for program in ("/usr/sbin/chronyd", "/usr/bin/chronyc"):
        archive.copy(top / program[1:], f"/opt/chrony/{Path(program).name}")
        archive.copy(GUEST / "chrony-wrapper", program)
        for name, path in libraries.of_root([program]):
            found[name or "ld.so"] = path
    for name, path in sorted(found.items()):
        archive.copy(libraries.in_root(path), f"/opt/chrony/{name}")


def _build_base(path):
    top = root.ensure_root()
    root.run(["gcc-14", "-O2", "-static", "-Wall", "-Wextra", "-s", "-o", path / "runner",
              GUEST / "runner.c"])
    applets = root.run(["busybox", "--list"], capture=True).stdout.split()
    with open(path / "cpio", "wb") as file:
        archive = cpio.Archive(file)
        for name in DIRECTORIES:
            archive.directory(name)
        archive.character_device("/dev/console", 0o600, 5, 1)
        for name, text in FILES.items():
            archive.data(name, text.encode())
        archive.copy(GUEST / "init", "/init")
        archive.copy(path / "runner", "/sbin/runner")
        archive.copy(GUEST / "collect", "/sbin/collect")
        archive.copy(top / "bin/busybox", "/bin/busybox")
        for applet in applets:
            if applet not in ("busybox", "init"):
                archive.link(f"/bin/{applet}", "busybox")
        archive.link("/usr/bin/env", "../../bin/busybox")   # where scripts look for it
        archive.link("/sbin/modprobe", "../bin/busybox")    # what the kernel itself runs
        _add_chrony(archive)
        archive.close()


def _base():
    packages = root.versions(["busybox-static", "chrony", "libc6", "gcc-14"])
    return cache.stage("guest", [RECIPE, *sorted(packages.items()), *FILES.items(),
                                 *DIRECTORIES, *PROGRAMS, TREE / "scripts/bench/building/cpio.py"],
                       _build_base, keep=2)


def _with_dependencies(modules):
    """The files, below lib/modules/<release>, of MODULES and of what they need; nothing for
    one that is built in."""
    needs = {}
    listed = modules / "modules.builtin"
    built_in = {Path(line).stem for line in
                (listed.read_text(encoding="ascii").splitlines() if listed.exists() else [])}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        needs[file] = others.split()
    wanted = set()
    for name in MODULES:
        pattern = re.compile(rf"(.*/)?{re.escape(name)}\.ko(\.\w+)?")
        file = next((f for f in needs if pattern.fullmatch(f)), None)
        if file is None and name in built_in:
            continue
        if file is None:
            raise BenchError(f"the kernel {modules.name} has no module {name}")
        wanted.update([file, *needs[file]])
    return sorted(wanted)


def _build_modules(path, kernel, replacements, additions):
    """replacements: modules that take the place of the kernel's; additions: new ones."""
    target = path / "lib/modules" / kernel.release
    source = kernel.modules / "lib/modules" / kernel.release
    target.mkdir(parents=True)
    for file in _with_dependencies(source):
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / file, copy)
    root.run(["find", target, "-name", "*.ko.xz", "-exec", "unxz", "{}", "+"])
    for file in replacements:
        old = next(target.rglob(file.name), None)
        if old:
            shutil.copy(file, old)
    (target / "updates").mkdir()
    for file in additions:
        shutil.copy(file, target / "updates")
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (source / name).exists():
            shutil.copy(source / name, target)
        else:
            (target / name).touch()     # depmod warns otherwise
    root.run(["depmod", "-b", path, kernel.release])
    with open(path / "cpio", "wb") as out:
        archive = cpio.Archive(out)
        archive.copy(path / "lib", "/lib")
        archive.close()


def _modules(kernel, kvm_kind):
    replacements = []
    if kvm_kind != "stock":
        replacements = sorted(kvm.ensure_patched_kvm(kernel, kvm_kind).glob("*.ko"))
    additions = [module.build_module(kernel)]
    if module.TEST_MODULES.exists():
        additions += sorted(module.build_test_modules(kernel).glob("*.ko"))
    inputs = [RECIPE, str(kernel.modules), *map(str, replacements), *map(str, additions),
              *MODULES]
    return cache.stage(
        f"modules-{kernel.name}-{kvm_kind}", inputs,
        lambda path: _build_modules(path, kernel, replacements, additions), keep=2)


def _build_selftests(path, binaries, ktap):
    """All in /selftests, and ours with their scripts in /selftests/raw_hrtimer too.

    ktap: the kernel's functions for tests in shell, which ours look for where the
    kernel's own look for them.
    """
    with open(path / "cpio", "wb") as file:
        archive = cpio.Archive(file)
        archive.directory("/selftests/raw_hrtimer")
        archive.copy(ktap, f"/selftests/kselftest/{ktap.name}")
        for binary in sorted(p for p in binaries.iterdir() if p.name[0] != "."):
            archive.copy(binary, f"/selftests/{binary.name}")
        for source in _our_selftests():
            name = f"/selftests/raw_hrtimer/{source.name}"
            if source.suffix == ".c":
                archive.link(name[:-2], f"../{source.stem}")
            else:
                archive.copy(source, name)
        archive.close()


def _our_selftests():
    """The sources of our test programs, and what needs no building."""
    folders = (selftests.OURS, selftests.OURS / "kvm")
    return sorted(p for folder in folders for p in folder.glob("*")
                  if p.is_file() and p.suffix not in (".h", ".o"))


def _selftests(kernel):
    binaries = selftests.ensure_selftests(kernel)
    ktap = kernel.source / "tools/testing/selftests/kselftest/ktap_helpers.sh"
    return cache.stage(f"guest-selftests-{kernel.series}",
                       [RECIPE, str(binaries), ktap, *_our_selftests()],
                       lambda path: _build_selftests(path, binaries, ktap), keep=2)


def modules_folder(kernel, kvm_kind):
    """lib/modules/<release> as the machine has it, unpacked."""
    return _modules(kernel, kvm_kind) / "lib/modules" / kernel.release


def parts(kernel, kvm_kind, only=()):
    """The stages of which a machine's initramfs is made, each with a file cpio, and the programs of
    /selftests where it has some only."""
    found = [_base(), _modules(kernel, kvm_kind)]
    if only:
        return found, selftests.ensure_some(kernel, only)
    return [*found, _selftests(kernel)], None


def write_initrd(path, kernel, kvm_kind, add, told, with_qemu=False, only=()):
    """Write the whole initramfs.

    add: pairs (host path, guest path).  told: what scripts/guest/runner.c is told, file names
    and lists of words; no file for an empty list.  only: of the kernel's tests of KVM in
    /selftests, without the others of that folder.
    """
    found, programs = parts(kernel, kvm_kind, only)
    add = (*[(programs / name, f"/selftests/{name}") for name in only], *add)
    if with_qemu:
        found.append(tools.ensure_qemu())
    with open(path, "wb") as file:
        for part in found:
            with open(part / "cpio", "rb") as source:
                shutil.copyfileobj(source, file)
            file.write(bytes(-file.tell() % 512))
        archive = cpio.Archive(file)
        for host, guest in add:
            if not Path(host).exists():
                raise BenchError(f"--add {host}: there is no such file or folder")
            archive.copy(host, guest)
        libraries.copy(archive, add)
        for name, words in told.items():
            if words:
                archive.data(f"/run/vm/{name}", b"".join(
                    word.encode("utf-8", "surrogateescape") + b"\0" for word in words))
        archive.close()
