# SPDX-License-Identifier: GPL-2.0
"""The module as an administrator gets it: by make, by Debian's dkms, and signed.

All in the toolchain root, with directories that are thrown away.
"""

from pathlib import Path
import re
import shutil

from .. import cache
from ..building import kernel, module
from ..cache import TREE
from ..toolchain import root
from .ktap import Count

RECIPE = "1"
MODINFO = ["description", "author", "license", "version", "parm"]


def _version():
    return re.search(r'^PACKAGE_VERSION="(.*)"', (TREE / "dkms.conf").read_text(), re.M)[1]


def _untested():
    """Two releases of no series in tested-kernels: an old one, and the one to come."""
    major, minor = max(tuple(map(int, release.split(".")[:2])) for release in kernel.tested())
    return ["6.12.0-amd64", f"{major}.{minor + 1}.0-amd64"]


def _copy_of_tree(path):
    """The files of the tree as they are now, without what lies beside them."""
    ignore = shutil.ignore_patterns(".git", "build", "target", "*.o", "*.ko", ".*.cmd",
                                    "__pycache__")
    shutil.copytree(TREE, path, symlinks=True, ignore=ignore)


def _in_order(context, steps, cwd, binds=()):
    """Each step, a name and a command for the shell in the root, is one test."""
    count = Count()
    for name, command in steps.items():
        lines, status = context.command(
            root.command(["sh", "-c", command], cwd=cwd, binds=binds), merge=True)
        context.test(count, name, not status, (lines or ["no output"])[-1][:150])
    return count


def native(context):
    """make, make modules_install and make clean, as on a machine with such a kernel."""
    built = kernel.ensure_kernel()
    words = " ".join(f"'{word}'" for word in (*built.make()[2:], f"KDIR={built.kdir}"))
    with cache.scratch() as top:
        _copy_of_tree(f"{top}/tree")
        return _in_order(context, {
            "make": f"make -j2 {words} && test -e raw_hrtimer.ko",
            "make modules_install":
                f"make {words} INSTALL_MOD_PATH={top}/target modules_install && "
                f"find {top}/target -name 'raw_hrtimer.ko*' | grep .",
            **{f"modinfo has {field}": f"modinfo -F {field} raw_hrtimer.ko | grep ."
               for field in MODINFO},
            "the module's version is dkms.conf's":
                f"modinfo -F version raw_hrtimer.ko | grep -Fx '{_version()}'",
            "make clean": f"make {words} clean && ! test -e raw_hrtimer.ko",
        }, cwd=f"{top}/tree")


def _ensure_packages(name, packages):
    """A directory with these packages unpacked; pairs (package, version)."""
    def build(path):
        root.unpack([f"{package}={version}" for package, version in packages], path)
    return cache.stage(name, [RECIPE, *map(str, packages)], build)


def _ensure_dkms():
    done = root.run(["apt-cache", "policy", "dkms"], capture=True)
    return _ensure_packages("dkms", [("dkms", re.search(r"Candidate: (\S+)", done.stdout)[1])])


def _ensure_headers(found):
    """Debian's headers of a kernel as they are, and the binds which put them in place."""
    base = re.sub(r"(\+deb\d+)-.*", r"\1", found.release)
    folders = [f"/usr/src/linux-headers-{found.release}", f"/usr/src/linux-headers-{base}-common",
               f"/usr/lib/linux-kbuild-{base}"]
    packages = [(folder.rpartition("/")[2], found.version) for folder in folders]
    path = _ensure_packages(f"headers-{found.name}", packages)
    return folders[0], [(path / folder[1:], folder) for folder in folders]


def _dkms_steps(top, found, headers):
    """Names, and commands for the shell that succeed if all is well."""
    version = _version()
    which = f"-m raw_hrtimer -v {version}"
    dkms = (f"{_ensure_dkms()}/usr/sbin/dkms --dkmstree {top}/dkms "
            f"--sourcetree {top}/src --installtree {top}/lib/modules")
    log = f"{top}/dkms/raw_hrtimer/{version}/build/make.log"
    built = f"{top}/dkms/raw_hrtimer/{version}/{found.release}/x86_64/module/raw_hrtimer.ko*"
    installed = f"{top}/lib/modules/{found.release}/updates/dkms/raw_hrtimer.ko*"
    here = f"{which} -k {found.release}"
    return {
        "dkms add": f"{dkms} add {top}/tree",
        **{f"dkms passes over {release}, and names the tested series in one sentence":
            f"{dkms} build {which} -k {release} --kernelsourcedir {found.kdir} >said 2>&1; test $? = 77 && "
            f"test 1 = $(grep -c 'not built for the kernel {release}, because it is tested with ' said)"
           for release in _untested()},
        "dkms build with Debian's headers says what they lack":
            f"! {dkms} build {here} && "
            f"grep 'The kernel headers lack what Rust modules need' {log}",
        "dkms build with complete headers":
            f"{dkms} build {here} --kernelsourcedir {found.kdir} --force && ls {built}",
        "dkms has signed it": f"modinfo -F signer {built} | grep .",
        "dkms install": f"{dkms} install {here} --force && modinfo -F vermagic {installed} | "
                        f"grep -F '{found.release} '",
        "the headers' sign-file signs": f"""
            openssl req -new -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=raw_hrtimer test/' \
                -outform DER -keyout key.pem -out cert.der &&
            cp {top}/module.ko signed.ko &&
            {headers}/scripts/sign-file sha256 key.pem cert.der signed.ko &&
            modinfo -F signer signed.ko | grep -x 'raw_hrtimer test'""",
        "dkms remove": f"{dkms} remove {which} --all && ! ls {installed}",
    }


def dkms(context):
    """dkms add, build, install and remove; and signing with what Debian's headers have."""
    found = kernel.ensure_kernel()
    headers, binds = _ensure_headers(found)
    with cache.scratch() as top:
        _copy_of_tree(f"{top}/tree")
        shutil.copy(module.build_module(found), f"{top}/module.ko")
        # As the headers' package has it.  dkms keeps its key where its tree usually is.
        target = Path(top) / "lib/modules" / found.release
        target.mkdir(parents=True)
        (target / "build").symlink_to(headers)
        (Path(top) / "dkms").mkdir()
        return _in_order(context, _dkms_steps(top, found, headers), cwd=top,
                         binds=[*binds, (f"{top}/dkms", "/var/lib/dkms")])
