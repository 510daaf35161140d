# SPDX-License-Identifier: GPL-2.0
"""The packages of "make deb" and "make rpm": built, examined, installed, upgraded, purged, loaded."""

from pathlib import Path
import re

from .. import cache
from ..building import kernel, packages
from ..cache import TREE
from ..toolchain import root, ways
from . import ktap
from .check import Suite
from .ktap import Count

# Runs in a Debian with nothing but kmod; its arguments: folder, release, version.
LIFE = TREE / "scripts/bench/suites/package_life.sh"
IN_MACHINE = TREE / "scripts/guest/package.sh"
SIGNER = "raw_hrtimer test"


def _ensure_debian():
    """Debian's essential packages and kmod, in which packages are installed."""
    def build(path):
        root.debootstrap(root.SUITES[0], path, "essential", ["kmod"], "installing a small Debian")
    return cache.stage("-".join(("small", *ways.choose().key)), ["1", root.MIRROR], build)


def _ensure_dkms():
    """The folder with Debian's package of dkms."""
    return cache.stage("dkms-deb", ["1", *sorted(root.versions(["dpkg-dev"]).items())],
                       lambda path: root.download(["dkms"], path))


def _key(top):
    """A key and its certificate, made for this run."""
    root.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
              "-subj", f"/CN={SIGNER}/", "-out", top / "cert.pem", "-keyout", top / "key.pem"],
             capture=True)
    return top / "key.pem", top / "cert.pem"


def _unpack(top, debs, name):
    """A folder with the files of all these packages."""
    folder = top / name
    folder.mkdir()
    for file in debs:
        root.run(["dpkg-deb", "-x", file, folder])
    return folder


def _kernel_package(top, built):
    """A package in place of the kernel's, with the lists that depmod reads and one module."""
    folder = top / "kernel"
    modules = folder / "usr/lib/modules" / built.release
    (modules / "kernel").mkdir(parents=True)
    source = built.modules / "lib/modules" / built.release
    for file in (*source.glob("modules.builtin*"), source / "modules.order"):
        if file.exists() and file.suffix != ".bin":
            (modules / file.name).write_bytes(file.read_bytes())
    other = next(source.rglob("irqbypass.ko*"))
    (modules / "kernel" / other.name).write_bytes(other.read_bytes())
    (folder / "DEBIAN").mkdir()
    (folder / "DEBIAN/control").write_text(
        f"Package: linux-image-{built.release}\nVersion: 1\nArchitecture: amd64\n"
        "Maintainer: a test <test@localhost>\nDescription: made for a test\n")
    root.run(["dpkg-deb", "--root-owner-group", "-b", folder, top / "kernel.deb"], capture=True)


def _next_version(top, debs):
    """The packages again with a higher version, as an upgrade."""
    for number, file in enumerate(debs):
        folder = top / f"next-{number}"
        root.run(["sh", "-ec", f"""
            dpkg-deb -R {file} {folder}
            sed -i 's/^Version: .*/&+next/' {folder}/DEBIAN/control
            dpkg-deb --root-owner-group -b {folder} {top}/next/"""], capture=True)


def _verifies(file, certificate, top):
    """Whether the signature at the end of a module is the certificate's, by openssl."""
    data = file.read_bytes()
    magic = b"~Module signature appended~\n"
    if not data.endswith(magic):
        return False
    end = len(data) - len(magic)
    length = int.from_bytes(data[end - 4:end], "big")
    (top / "signature").write_bytes(data[end - 12 - length:end - 12])
    (top / "signed").write_bytes(data[:end - 12 - length])
    done = root.run(["openssl", "smime", "-verify", "-binary", "-inform", "DER", "-noverify",
                     "-in", top / "signature", "-content", top / "signed", "-certfile", certificate,
                     "-nointern", "-out", "/dev/null"], capture=True, check=False)
    return done.returncode == 0


def _in_tools(context, count, name, command, cwd):
    """A command for the shell in the root with the packaging tools, as one test."""
    lines, status = context.command(
        root.command(["sh", "-c", command], cwd=cwd, top=packages.ensure_tools()), merge=True)
    context.test(count, name, not status, (lines or ["no output"])[-1][:150])


def _explained(folder):
    """The parameters that modprobe.d explains with a line of their own, and in its last line."""
    text = (folder / "etc/modprobe.d/raw_hrtimer.conf").read_text(encoding="ascii")
    options = re.search(r"^#options raw_hrtimer (.*)$", text, re.M)[1]
    return (set(re.findall(r"^# (\w+)=\S+ ", text, re.M)),
            {word.split("=")[0] for word in options.split()})


def _contents(context, count, top, debs, release):
    """What is in the packages, and what Debian's own checker has to say."""
    names = {file.name.split("_")[0] for file in debs}
    context.test(count, "a package for the kernel, its settings, the tools, and one for dkms", names == {
        f"raw-hrtimer-modules-{release}", "raw-hrtimer-common", "raw-hrtimer-dkms",
        "raw-hrtimer-tools"}, names)
    _in_tools(context, count, "lintian has nothing to say",
              "lintian --allow-root -I --fail-on error,warning,info *.deb", top / "debs")
    _in_tools(context, count, "lintian would say it", """
        dpkg-deb -R raw-hrtimer-common_*.deb ../wrong && rm ../wrong/usr/share/doc/*/copyright &&
        dpkg-deb -b ../wrong ../wrong.deb && ! lintian --allow-root ../wrong.deb >../wrong.log &&
        grep no-copyright-file ../wrong.log""", top / "debs")
    folder = _unpack(top, debs, "unpacked")
    module = folder / f"usr/lib/modules/{release}/updates/raw_hrtimer.ko"
    done = root.run(["modinfo", "-F", "parm", module], capture=True)
    named = set(re.findall(r"^(\w+):", done.stdout, re.M))
    each, options = _explained(folder)
    done = root.run([folder / "usr/sbin/raw-hrtimer-top", "--help"], capture=True, check=False)
    context.test(count, "raw-hrtimer-top starts from its package",
                 not done.returncode and "--prometheus" in done.stdout, done.stderr[-150:])
    context.test(count, "modprobe.d explains each parameter", named == each == options != set(),
                 f"{sorted(named)}, {sorted(each)}, {sorted(options)}")
    return module


def _signed(context, count, top, built, plain):
    key, certificate = _key(top)
    debs = packages.deb(top / "signed-debs", [built], key, certificate)
    folder = _unpack(top, [file for file in debs if "-modules-" in file.name], "signed-unpacked")
    module = next(folder.rglob("raw_hrtimer.ko"))
    done = root.run(["modinfo", "-F", "signer", module], capture=True)
    context.test(count, "with a key, the module is signed", done.stdout.strip() == SIGNER, done.stdout)
    context.test(count, "the signature is of that key", _verifies(module, certificate, top), "it is not")
    forged = top / "forged.ko"
    data = bytearray(module.read_bytes())
    data[0x200] ^= 1
    forged.write_bytes(data)
    context.test(count, "the signature is of that module",
                 not _verifies(forged, certificate, top) and plain.read_bytes() in module.read_bytes(),
                 "another one verifies, or the signed module is another one")


def debian(context):
    """make deb: lintian, signing; and a life of the packages in a small Debian."""
    built = kernel.ensure_kernel()
    count = Count()
    with cache.scratch() as top:
        debs = packages.deb(top / "debs", [built])
        module = _contents(context, count, top, debs, built.release)
        _signed(context, count, top, built, module)
        _kernel_package(top, built)
        (top / "next").mkdir()
        _next_version(top, debs)
        small = top / "small"
        root.run(["sh", "-ec", f"cp -a {_ensure_debian()} {small}; cp {_ensure_dkms()}/*.deb {top}/dkms.deb"])
        count += ktap.ktap(*context.command(root.command(
            ["sh", LIFE, top, built.release, packages.version()], top=small)))
    return count


def _files(*names):
    return {f"/{name}" for name in names}


def _tree(folder, name):
    """The paths below a folder of the project, as a package has them."""
    return {f"{name}/{file.relative_to(TREE)}" for file in (TREE / folder).rglob("*")
            if file.suffix in (".rs", ".c", ".h") and "generated" not in file.name}


def rpms(context):
    """make rpm: what is in the packages.  They are not installed: there is no Fedora here."""
    built = kernel.ensure_kernel()
    release, version = built.release, packages.version()
    source = f"usr/src/raw_hrtimer-{version}"
    wanted = {
        "raw_hrtimer": _files("etc/modprobe.d/raw_hrtimer.conf", "usr/lib/modules-load.d/raw_hrtimer.conf",
                              "usr/share/licenses/raw_hrtimer/COPYING",
                              "usr/share/man/man4/raw_hrtimer.4"),
        "raw_hrtimer-tools": _files("usr/sbin/raw-hrtimer-top", "usr/share/man/man8/raw-hrtimer-top.8"),
        f"kmod-raw_hrtimer-{release}": _files(
            f"usr/lib/modules/{release}/updates", f"usr/lib/modules/{release}/updates/raw_hrtimer.ko"),
        "dkms-raw_hrtimer": _files(*(f"{source}/{name}" for name in (
            "Kbuild", "Makefile", "dkms.conf", "tested-kernels", "scripts/distribution.sh", "scripts/kdir-check")),
            *_tree("c", source), *_tree("rust", source), *_tree("include", source))}
    count = Count()
    with cache.scratch() as top:
        for file in packages.rpm(top / "rpms", [built]):
            def query(*options, file=file):
                return root.run(["rpm", "-qp", "--nosignature", *options, file], capture=True,
                                top=packages.ensure_tools()).stdout
            name = query("--qf", "%{NAME}")
            found = set(query("-l").split())
            if name == "dkms-raw_hrtimer":      # folders, and what the editor of a file has left
                found = {path for path in found if path in wanted[name]
                         or Path(path).suffix in (".rs", ".c", ".h", ".ko", ".o")}
            context.test(count, f"rpm -qlp {name}", found == wanted.pop(name, None),
                         sorted(found)[:5])
            if name.startswith("kmod"):
                scripts = query("--scripts")
                context.test(count, "depmod after installing and after removing it",
                             scripts.count(f"depmod {release}") == 2, scripts[:150])
        context.test(count, "each package was made", not wanted, ", ".join(wanted))
    return count


def in_machine(context):
    """The module loads from the files of the packages, with the parameter that modprobe.d has; and
    it can be built from the source in the package for dkms."""
    built = kernel.ensure_kernel()
    count = Count()
    with cache.scratch() as top:
        debs = packages.deb(top / "debs", [built])
        folder = _unpack(top, debs, "unpacked")
        words = " ".join(f"'{word}'" for word in (*built.make()[2:], f"KDIR={built.kdir}"))
        lines, status = context.command(root.command(
            ["sh", "-c", f"make -j2 {words} && test -e raw_hrtimer.ko"],
            cwd=folder / f"usr/src/raw_hrtimer-{packages.version()}"), merge=True)
        context.test(count, "what dkms gets is all that the module needs", not status,
                     (lines or ["no output"])[-1][:150])
        conf = folder / "etc/modprobe.d/raw_hrtimer.conf"
        conf.write_text(re.sub(r"^#(options .*)xen=Y", r"\1xen=N", conf.read_text(), flags=re.M))
        updates = f"lib/modules/{built.release}/updates"
        count += ktap.ktap(*context.command(
            [TREE / "scripts/vm", "--machine", "svm", "--keep-log", context.log.with_suffix(".machine.log"),
             "--add", f"{folder}/usr/{updates}/raw_hrtimer.ko:/{updates}/raw_hrtimer.ko",
             "--add", f"{conf}:/etc/modprobe.d/raw_hrtimer.conf",
             "--add", f"{folder}/usr/lib/modules-load.d:/usr/lib/modules-load.d",
             "--add", f"{IN_MACHINE}:/package.sh", "--", "sh", "/package.sh"]))
    return count


def suites(setup, kernel_suites, built):
    """The suites, and what each has to wait for."""
    made = ("packaging-tools", *kernel_suites)
    # What they are made, examined and installed with: from an empty cache a minute of one
    # processor, which is not to be the last.
    return [Suite("packaging-tools", setup(packages.ensure_tools, _ensure_debian, _ensure_dkms),
                  ("root",), seconds=100),
            Suite("packages", debian, made, seconds=20),
            Suite("packages-rpm", rpms, made, seconds=6),
            Suite("packages-machine", in_machine, ("packaging-tools", *built), seconds=25,
                  long=True)]
