# SPDX-License-Identifier: GPL-2.0
"""The toolchain root: Debian trixie, with all that the builds and machines need.

    root.run(["make", "-C", kdir], name="kvm", what="building KVM's modules")

The host gives python3 and mmdebstrap only.  Commands run there in one of several ways, see
ways.py: nothing stays mounted or running, however they end.
"""

import contextlib
import os
from pathlib import Path
import re
import shutil
import subprocess
import threading

from .. import cache
from ..cache import BenchError, CACHE, TREE
from . import ways

MIRROR = "http://deb.debian.org/debian"
SUITES = ["trixie", "trixie-updates", "trixie-backports"]
KEYRINGS = ["/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp"]
APT_HELPER = "/usr/lib/apt/apt-helper"
DISK_GB = 8         # free space for the root and what is built with it

# With these, which are installed first, archives are unpacked and programs in C++ built.
FIRST = """
    bash bzip2 ca-certificates dpkg-dev debian-archive-keyring g++-14 gcc-14 libc6-dev make patch
    tar xz-utils
""".split()
PACKAGES = """
    bc bison cpio file flex git kmod perl python3 rsync zstd
    gcc libelf-dev libdw-dev libssl-dev zlib1g-dev
    libzstd-dev uuid-dev pahole sparse
    rustc rust-src rustfmt rust-clippy bindgen cargo
    busybox-static chrony
    python3-matplotlib python3-z3 shellcheck pyflakes3
""".split()

_INSTALL = 'chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends'

# The file says that the FIRST are installed.
_FIRST_DONE = "var/tmp/first"
_REST_HOOK = f"""
touch "$1/{_FIRST_DONE}"
{_INSTALL} install {" ".join(PACKAGES)}
"""

# QEMU before 10.2 loses an interrupt now and then that arrives while a guest of its
# svm machine exits to KVM: with one processor, that is the end of it.
_QEMU_HOOK = f"""
install() {{
    {_INSTALL} $2 install qemu-system-x86 seabios ipxe-qemu
}}
install "$1" "--target-release={SUITES[2]}" || install "$1"
"""

# Of the Python packages little is ever imported, and that is compiled then: to compile all of
# scipy and sympy, which matplotlib brings along, takes a quarter of the installation.
_PYTHON_HOOK = """
chroot "$1" dpkg-divert --quiet --local --rename --add /usr/bin/py3compile
chroot "$1" ln -s true /usr/bin/py3compile
"""

# What the cache and the project tree are called in the root.
INSIDE = {CACHE: "/cache", TREE: "/tree"}

# This machine's name servers, and the certificates that it trusts: behind a proxy that decrypts
# TLS, cargo can fetch nothing without them.
NETWORK = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")

# Nothing here is read by anybody in the root: of Rust's source the library alone is, matplotlib's
# fonttools bring along scipy, sympy and Unicode's tables, and bindgen libclang's archives.  A
# star stands for a slash as well.
_EXCLUDE = ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
            "/usr/share/doc/*", "/usr/share/qemu/*.fd",
            *[f"/usr/src/rustc-*/{name}/*" for name in ("src/tools", "src/doc", "compiler")],
            "/usr/lib/llvm-*/lib/libclang*.a", "/usr/share/unicode/*",
            *[f"/usr/lib/python3/dist-packages/{name}/*" for name in ("scipy", "sympy")]]

def _apt(what, *argv, options=()):
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    cache.run_logged("host", what, ["apt-get", *options, *argv], env=env)


def unpacked(names):
    """The directory with these of the host's packages unpacked: nothing on the host changes."""
    def build(path):
        for folder in ("lists/partial", "cache/archives/partial"):
            (path / folder).mkdir(parents=True)
        options = [f"-oDir::State::Lists={path}/lists", f"-oDir::Cache={path}/cache",
                   f"-oDir::State::Lists-Directory={path}/lists", "-oDebug::NoLocking=1",
                   "-oAPT::Sandbox::User="]
        cache.run_logged("host", "reading the archive's package lists",
                         ["apt-get", *options, "update"])
        cache.run_logged("host", f"downloading {' '.join(names)}",
                         ["apt-get", *options, "download", *names], cwd=path)
        for deb in path.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, path], check=True)
            deb.unlink()
        for folder in ("lists", "cache"):
            shutil.rmtree(path / folder)
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    return cache.stage("host", ["1", *names, release], build)


def _keyring():
    return next((k for k in KEYRINGS if Path(k).exists()), None)


def _need_host_tools(way):
    """mmdebstrap, and what else the way needs: installed by root, where they are missing, and
    unpacked beside the host for anybody else."""
    missing = [name for name in ("mmdebstrap", *way.packages) if not shutil.which(name)]
    if not _keyring():
        missing.append("debian-archive-keyring")
    if not missing:
        return "mmdebstrap"
    names = " ".join(missing)
    if os.geteuid() == 0:
        _apt("refreshing the package lists", "update")
        _apt(f"installing {names}", "install", "-y", "--no-install-recommends", *missing)
        return "mmdebstrap"
    if missing != ["mmdebstrap"]:
        raise BenchError(f"this machine lacks {names}: sudo apt-get install {names}")
    if _cannot_use_perl():
        raise BenchError("this machine lacks perl: sudo apt-get install perl")
    return str(unpacked(missing) / "usr/bin/mmdebstrap")


def _cannot_use_perl():
    return not shutil.which("perl") or subprocess.run(
        ["perl", "-MFile::Temp", "-MPOSIX", "-e", "1"], capture_output=True,
        check=False).returncode


def _need_network():
    """Find out in seconds that the archive cannot be reached, with apt's own idea of how."""
    with cache.scratch() as scratch:
        done = subprocess.run(
            [APT_HELPER, "-oAPT::Sandbox::User=", "-oAcquire::Retries=0",
             "-oAcquire::http::Timeout=10", "download-file", f"{MIRROR}/dists/{SUITES[0]}/Release.gpg",
             scratch / "Release.gpg"], capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("E: ")]
        raise BenchError(f"{MIRROR} cannot be reached, where all that is needed comes from: "
                         f"{(said or ['no reason given'])[0]}")


_built = []         # the directory, from when it is built on, or found
_thread = threading.local()


def _build(path):
    _built.append(path)
    way = ways.choose()
    if shutil.disk_usage(path).free < DISK_GB << 30:
        raise BenchError(f"{CACHE} has less than {DISK_GB} GB free: make room or "
                         "set XDG_CACHE_HOME to a folder on a larger disk")
    _need_network()
    mmdebstrap = _need_host_tools(way)
    sources = [f"deb {MIRROR} {suite} main" for suite in SUITES]
    sources.append(f"deb-src {MIRROR} {SUITES[0]} main")
    cache.run_logged(
        "root", "installing Debian trixie with the compilers and the machines",
        way.install([mmdebstrap, *way.bootstrap, "--verbose", "--variant=apt",
         "--format=directory", f"--keyring={_keyring()}",
         "--skip=cleanup/apt/lists,check/empty",
         "--include=" + ",".join(FIRST),
         "--aptopt=Acquire::Languages \"none\"", "--aptopt=Acquire::Retries \"3\"",
         "--dpkgopt=force-unsafe-io",
         *[f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDE],
         f"--essential-hook={_PYTHON_HOOK}", f"--customize-hook={_REST_HOOK}",
         f"--customize-hook={_QEMU_HOOK}",
         SUITES[0], str(path), *sources]), expect=2480)


def debootstrap(release, path, variant="minbase", packages=(), what=None, suites=()):
    """A Debian with nothing but what its container image has, or with other packages.

    suites: its apt is to know these instead, from whatever day.
    """
    way = ways.choose()
    mmdebstrap = _need_host_tools(way)
    more = [f"--include={','.join(packages)}", "--dpkgopt=force-unsafe-io",
            *[f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDE]] if packages else []
    # Those of unstable are signed for a week, which a mirror that stands still does not get again.
    more += ["--aptopt=Acquire::Check-Valid-Until \"false\""] if suites else []
    cache.run_logged("image", what or f"installing Debian {release}", way.install([
        mmdebstrap, *way.bootstrap, f"--variant={variant}", "--format=directory", *more,
        f"--keyring={_keyring()}", "--skip=check/empty", release, str(path),
        *([f"deb {MIRROR} {suite} main" for suite in suites] or [MIRROR])]))


def ensure_root():
    """The root's directory, built if it is not there (minutes the first time)."""
    if getattr(_thread, "is_early", False):
        return _wait_for_first()
    way = ways.choose()
    path = cache.stage("-".join(("root", *way.key)),
                       ["1", MIRROR, *SUITES, *FIRST, *PACKAGES, _PYTHON_HOOK, _REST_HOOK,
                        _QEMU_HOOK, *_EXCLUDE], _build)
    _built.append(path)
    return path


def _wait_for_first():
    while not (_built and (_built[-1] / _FIRST_DONE).exists()):
        cache.pause()
    return _built[-1]


@contextlib.contextmanager
def early():
    """What this thread does meanwhile needs no more of the root than the packages FIRST, and begins
    when it has these: another thread builds the root."""
    _thread.is_early = True
    try:
        yield
    finally:
        _thread.is_early = False


def _git_directory():
    """Where the tree's history lies, if not in the tree: it is a "git worktree"."""
    link = TREE / ".git"
    if not link.is_file():
        return []
    directory = (TREE / link.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
    return [directory.parents[1]] if directory.is_dir() else []


def inside(text):
    """A path or a command's word, with the names that the cache and the tree have in the root.

    These are the same on every machine.  Compilers write the paths of sources into what they
    build, for WARN(), UBSAN, assert() and panics, and a path that is longer moves the code and
    the data behind it: all figures of the vmx machine would be others, by some cycles.
    """
    text = str(text)
    # The longer one first: one may lie in the other.
    for outside, name in sorted(INSIDE.items(), key=lambda item: -len(str(item[0]))):
        text = re.sub(rf"(?<![^\s='\":,(]){re.escape(str(outside))}(?![\w.+~-])", name, text)
    return text


def command(argv, binds=(), cwd=None, env=None, top=None):
    """The host command (a list) that runs argv in the root, or in another one (top).

    For subprocess.Popen; end it with kill(), which ends all that it has started.
    The cache and the project tree are /cache and /tree in the root, and for what files say at
    the same paths as outside, too; argv, binds, cwd and env have the paths of outside.  /tmp is
    empty and its own.  binds: pairs (outside, inside), mounted in this
    order after those two.  The caller's environment does not come in; env does.
    """
    # The names that are meant first: of two, proot answers getcwd() with the first.
    pairs = [*INSIDE.items(), *[(path, path) for path in (CACHE, TREE, *_git_directory())]]
    pairs.extend((Path(name).resolve(), name) for name in NETWORK if Path(name).exists())
    pairs.extend((outside, inside(name)) for outside, name in binds)
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                 "LC_ALL": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb")}
    variables.update({k: v for k, v in os.environ.items()
                      if k.lower() in ("http_proxy", "https_proxy", "no_proxy")})
    variables.update({k: inside(v) for k, v in (env or {}).items()})
    way = ways.choose()
    variables.update(way.variables(ensure_root()))
    return way.enter(
        top or ensure_root(), inside(cwd or "/"), pairs,
        ["/usr/bin/env", "-i", *[f"{k}={v}" for k, v in variables.items()], *map(inside, argv)])


def run(argv, *, name=None, what=None, expect=None, binds=(), cwd=None, env=None,
        capture=False, check=True, top=None):
    """Run argv in the root, as command() does; returns its subprocess.CompletedProcess.

    With name and what it is a long command: output to the log of that name, a
    line of progress every few seconds (expect: the lines of a complete run).
    Otherwise its output is this process's own, or with capture=True the result's
    stdout (text).  Failure raises BenchError unless check is False.
    """
    host = command(argv, binds=binds, cwd=cwd, env=env, top=top)
    if what:
        cache.run_logged(name, what, host, expect=expect)
        return subprocess.CompletedProcess(argv, 0)
    done = subprocess.run(host, text=True, check=False,
                          stdout=subprocess.PIPE if capture else None,
                          stderr=subprocess.PIPE if capture else None)
    if check and done.returncode:
        words = " ".join(map(str, argv))
        detail = f": {done.stderr.strip()}" if capture and done.stderr else ""
        raise BenchError(f"'{words}' failed (status {done.returncode}){detail}")
    return done


def git_describe():
    """Which commit the tree is of, and whether it was changed since."""
    done = run(["git", "-c", f"safe.directory={TREE}", "describe", "--always", "--dirty"],
               cwd=TREE, capture=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


class Unavailable(BenchError):
    """The archive does not give a file that its lists name."""


def update(top=None):
    """Read the archive's package lists again."""
    with cache.locked("apt"):
        run(["apt-get", "update", "-q"], name="apt", top=top,
            what="refreshing the package lists of the toolchain root")


def download(packages, directory, top=None):
    """Download packages ("name" or "name=version") into a directory, by a root's apt.

    apt checks them against the signed lists.  Where that fails the lists are
    read again: the archive may have moved on since.
    """
    argv = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages]
    what = "downloading " + ", ".join(p.split("=")[0] for p in packages)
    for last in (False, True):
        try:
            with cache.locked("apt"):
                run(argv, cwd=directory, name="apt", what=what, top=top)
            return
        except BenchError as error:
            if last:
                raise Unavailable(f"{MIRROR} does not give {' '.join(packages)}: try "
                                  f"again later ({error.args[0].splitlines()[-1].strip()})"
                                  ) from None
            update(top)


def unpack(packages, directory, top=None):
    """Download packages, as download() does, and unpack them into a directory."""
    download(packages, directory, top)
    files = sorted(file.name for file in Path(directory).glob("*.deb"))
    if len(files) < len(packages):
        raise BenchError(f"of {' '.join(packages)} apt-get has brought only {' '.join(files)}")
    run(["bash", "-ec", 'for deb; do dpkg-deb -x "$deb" .; rm "$deb"; done', "bash", *files],
        cwd=directory, capture=True)


def versions(packages, top=None):
    """{package: version} of these installed packages, without entering the root."""
    found = {}
    status = ((top or ensure_root()) / "var/lib/dpkg/status").read_text(encoding="utf-8")
    for record in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in record.splitlines()
                      if ": " in line and not line.startswith(" "))
        if fields.get("Package") in packages:
            found[fields["Package"]] = fields["Version"]
    return found
