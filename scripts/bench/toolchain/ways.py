# SPDX-License-Identifier: GPL-2.0
"""The ways into the toolchain root, of which each machine has one at least, or is told why not.

root    root with CAP_SYS_ADMIN: mounts, in namespaces of their own
user    an ordinary user: the same, in a user namespace in which the user is root
proot   root without CAP_SYS_ADMIN, as in a container: proot traces what runs there

The first of them that this machine has is used; RAW_HRTIMER_WAY=<name> asks for one.  The
first and the last can use the same root; an ordinary user has one of his own, in which files
belong to his subordinate ids.
"""

import os
from pathlib import Path
import pwd
import shutil
import subprocess
import sys
import threading

from .. import cache
from ..cache import BenchError

VARIABLE = "RAW_HRTIMER_WAY"
TOLD = "RAW_HRTIMER_WAY_TOLD"       # by the program that started this one
MEMORY_GB = 3                       # a machine with 4 says a little less

# Runs in the new namespace: $1 how to bind, $2 root, $3 directory, then pairs of outside and
# inside paths to bind, "--", and the command.
_MOUNT = r"""
set -e
PATH=$PATH:/usr/sbin:/sbin
bind=$1 root=$2 cwd=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then
        mkdir -p "$root$2"
    elif [ ! -e "$root$2" ]; then
        mkdir -p "$(dirname "$root$2")"
        : >"$root$2"
    fi
    mount "$bind" "$1" "$root$2"
    shift 2
done
shift
exec chroot "$root" /bin/sh -c 'cd "$1"; shift; exec "$@"' sh "$cwd" "$@"
"""

SUBORDINATE = ["/etc/subuid", "/etc/subgid"]

# A container for those who have none of the ways; SELinux, as on Fedora, would hide /src from it.
CONTAINER = ("podman run --rm -it --security-opt label=disable -v \"$PWD\":/src -w /src "
             "-v raw_hrtimer:/root/.cache debian:trixie "
             "sh -c 'apt-get update && apt-get -y install make && make demo'")


def _fails(argv):
    """The last line of what a command says if it fails, or None."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"{argv[0]} failed"])[-1]


def _sysctl(name):
    file = Path("/proc/sys", name)
    return file.read_text(encoding="ascii").strip() if file.exists() else None


class Namespaces:
    """Root's own mounts and processes: nothing stays mounted or running, however a command ends."""

    name = "root"
    said = "as root, with mounts in a namespace of its own"
    user = ()
    bind = "--bind"
    bootstrap = ("--mode=root",)
    packages = ()
    key = ()

    def prefix(self):
        """Killing unshare (SIGKILL: it blocks the others) kills all that it has started, and it
        is killed itself if this process dies."""
        return ["setpriv", "--pdeathsig", "KILL", "unshare", *self.user, "--mount", "--pid",
                "--fork", "--kill-child", "--propagation", "private"]

    def missing(self):
        """Why this machine does not have this way, in words that end a sentence; or None."""
        if os.geteuid() != 0:
            return "this is not root"
        if _fails([*self.prefix(), "--mount-proc", "true"]):
            return "root may not mount here (no CAP_SYS_ADMIN, as in a container)"
        return None

    def install(self, argv):
        """The command that runs mmdebstrap."""
        return [*self.prefix(), "--mount-proc", *argv]

    def enter(self, root, cwd, pairs, argv):
        """The command that runs argv in a root; pairs: (outside, inside), bound in this order."""
        return [*self.prefix(), "/bin/sh", "-c", _MOUNT, "sh", self.bind, str(root), str(cwd),
                *[str(path) for pair in pairs for path in pair], "--", *argv]

    def variables(self, root):
        """What else commands in a root have to have in their environment."""
        return {}

    def remove(self, path):
        """Remove what this process cannot remove itself."""


class UserNamespace(Namespaces):
    name = "user"
    said = "as an ordinary user, in a user namespace"
    user = ("--user", "--map-root-user", "--map-auto")
    bind = "--rbind"        # a user may not take a directory without what is mounted below it
    key = ("user",)

    def missing(self):
        if os.geteuid() == 0:
            return "this is root, who needs none"
        try:
            me = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return f"the user {os.geteuid()} has no name, and so no subordinate ids"
        if _sysctl("kernel/unprivileged_userns_clone") == "0":
            return ("this kernel forbids user namespaces, which "
                    "'sudo sysctl kernel.unprivileged_userns_clone=1' allows")
        if _sysctl("user/max_user_namespaces") == "0":
            return ("this kernel forbids user namespaces, which "
                    "'sudo sysctl user.max_user_namespaces=10000' allows")
        if not shutil.which("newuidmap"):
            return "newuidmap is missing, which 'sudo apt-get install uidmap' brings"
        for file in SUBORDINATE:
            if not Path(file).exists() or not any(
                    line.split(":")[0] in (me, str(os.geteuid()))
                    for line in Path(file).read_text(encoding="utf-8").splitlines()):
                return (f"{me} has no line in {file}, which 'sudo usermod --add-subuids "
                        f"200000-265535 --add-subgids 200000-265535 {me}' adds")
        said = _fails([*self.prefix(), "--mount-proc", "mount", "-t", "tmpfs", "tmpfs", "/tmp"])
        if said and _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
            return ("AppArmor forbids user namespaces, which 'sudo sysctl "
                    "kernel.apparmor_restrict_unprivileged_userns=0' allows")
        return f"a user namespace cannot be used here ({said})" if said else None

    def remove(self, path):
        subprocess.run([*self.prefix(), "rm", "-rf", str(path)], check=False,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _ensure_spawn(root):
    """What is preloaded below proot, see spawn.c; built without it, by chroot."""
    source = Path(__file__).with_name("spawn.c")

    def build(path):
        place = Path(root, "var/tmp", path.name)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
        done = subprocess.run(
            ["chroot", root, "gcc-14", "-O2", "-shared", "-fPIC", "-o", f"/var/tmp/{path.name}/spawn.so",
             f"/var/tmp/{path.name}/spawn.c"], capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if done.returncode:
            raise BenchError(f"{source.name} cannot be compiled: {done.stderr.strip()}")
        shutil.copy(place / "spawn.so", path)
        shutil.rmtree(place)
    return cache.stage("spawn", ["1", str(root), source], build) / "spawn.so"


def _ensure_place(path, is_directory):
    """Make what something is bound over.  Where it is missing, proot makes it, and removes it when it
    ends; other proots then lose what they have bound there."""
    if os.path.lexists(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_directory:
        path.mkdir(exist_ok=True)
    else:
        path.touch()


class Proot:
    """Nothing can be mounted: each system call that names a file is given another name."""

    name = "proot"
    said = "as root of a container, by proot"
    bootstrap = ("--mode=root", "--skip=chroot/mount")
    packages = ("proot",)
    key = ()

    def missing(self):
        if os.geteuid() != 0:
            return "this is not root"
        if said := _fails(["chroot", "/", "true"]):
            return f"root may not chroot here ({said})"
        return None

    @staticmethod
    def _guard():
        return ["setpriv", "--pdeathsig", "KILL", sys.executable, "-I",
                str(Path(__file__).with_name("guard.py"))]

    def install(self, argv):
        return [*self._guard(), *argv]

    def variables(self, root):
        return {"LD_PRELOAD": str(_ensure_spawn(root))}

    def enter(self, root, cwd, pairs, argv):
        proot = shutil.which("proot") or "proot"
        run = cache.CACHE / "run"
        run.mkdir(parents=True, exist_ok=True)
        binds = [("/proc", "/proc"), ("/dev", "/dev"), ("@TMP@", "/tmp"), *pairs]
        for outside, inside in pairs:
            _ensure_place(Path(f"{root}{inside}"), Path(outside).is_dir())
        return [*self._guard(), "--proot", str(run), proot, "-r", str(root),
                "-w", str(cwd), *[f"--bind={outside}:{inside}" for outside, inside in binds], *argv]

    def remove(self, path):
        pass


WAYS = [Namespaces(), UserNamespace(), Proot()]
_lock = threading.Lock()
_chosen = []


def _memory_gb(top="/"):
    """What this machine has, or its container may take."""
    text = Path(top, "proc/meminfo").read_text(encoding="ascii")
    found = [int(text.split("MemTotal:")[1].split()[0]) << 10]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        file = Path(top, "sys/fs/cgroup", name)
        if file.exists() and (limit := file.read_text(encoding="ascii").strip()).isdigit():
            found.append(int(limit))
    return min(found) / (1 << 30)


def _check_machine():
    if (memory := _memory_gb()) < MEMORY_GB:
        raise BenchError(f"this machine has {memory:.1f} GB of memory, the builds and the machines "
                         "need 4: try it on a larger one")
    if not shutil.which("apt-get"):
        raise BenchError("this is not Debian or a child of it (there is no apt-get): run it in a "
                         f"container: {CONTAINER}")
    for tool in ("setpriv", "unshare"):
        if not shutil.which(tool):
            raise BenchError(f"this machine lacks {tool}: apt-get install util-linux")


def _pick(asked):
    """(way, {name of each other: why not})"""
    reasons = {}
    for way in WAYS:
        if asked and way.name != asked:
            reasons[way.name] = f"{VARIABLE} asks for {asked}"
            continue
        why = way.missing()
        if why is None:
            for other in WAYS:
                reasons.setdefault(other.name, f"not asked, as there is {way.name}")
            del reasons[way.name]
            return way, reasons
        reasons[way.name] = why
    if asked and asked not in reasons:
        raise BenchError(f"there is no way {asked}: " + ", ".join(way.name for way in WAYS))
    if asked:
        raise BenchError(f"{VARIABLE}={asked}: {reasons[asked]}")
    if os.geteuid() == 0:
        raise BenchError(f"{reasons['root']}, and {reasons['proot']}: use another machine")
    raise BenchError(f"{reasons['user']}; or run it as root (sudo), or in a container: {CONTAINER}")


def add_verbose(parser):
    """The option of the programs that say which way it is."""
    parser.add_argument("--verbose", action="store_true",
                        help="say why the toolchain root is not entered in another way, which "
                             f"{VARIABLE}=NAME asks for: {', '.join(way.name for way in WAYS)}")


def choose(verbose=False):
    """The way that is used here, found out once; the first to ask says which it is."""
    with _lock:
        if not _chosen:
            told = os.environ.get(TOLD)
            _check_machine()
            way, reasons = _pick(os.environ.get(VARIABLE) or told)
            if not told:
                cache.say("root", f"{way.said} ({way.name})")
                if verbose:
                    for name, why in reasons.items():
                        cache.say("root", f"not {name}: {why}")
            os.environ[TOLD] = way.name
            cache.removers.append(way.remove)
            _chosen.append(way)
        return _chosen[0]
