# SPDX-License-Identifier: GPL-2.0
"""The vmx machine: Bochs, which emulates VMX with EPT and the preemption timer.

One cycle of its TSC is one instruction (but for a guest's RDTSC and PAUSE), its
clocks start at a fixed time and nothing in it depends on the host: the same run
takes the same cycles.
"""

from .. import cache
from ..building import kernel
from ..cache import BenchError, TREE
from ..toolchain import root, tarball
from . import loading

PATCHES = TREE / "patches/bochs"
RECIPE = "1"
# Debian's own binary has the debugger in it and is several times slower.  The
# same build serves one processor and many: SMP costs 1 % at one (measured).
CONFIGURE = """
    --with-nogui --enable-x86-64 --enable-cpu-level=6 --enable-vmx=2 --enable-svm
    --enable-avx --enable-evex --enable-all-optimizations --enable-pci
    --enable-fpu --enable-smp --disable-logging --disable-docbook
""".split()
# Parts that a machine hardly runs, where much optimising makes half of the time to build them.
COLD = ["cpu/avx", "cpu/fpu", "cpu/softfloat3e", "iodev"]
BIOSES = ["bochsbios", "vgabios"]

# Instructions per second of the timers' time.  Linux takes the TSC's rate from CPUID,
# which says 38.4 MHz * 78 / 2 for this model: only so do HPET, RTC and PIT agree.
IPS = 1_497_600_000
MEMORY_MB = 2048            # at most
TIMER_BITS = 32             # of the VMX-preemption timer
TIME0 = 1_700_000_000       # what the machine's clock says at power on

# Older models than Ice Lake have a TSC-deadline timer that Linux distrusts.
CONFIG = """\
memory: guest={memory}, host={memory}
romimage: file={bios}/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file={bios}/usr/share/vgabios/vgabios.bin
optramimage1: file={kernel}/kernel, address={start:#x}
optramimage2: file={run}/params, address={params:#x}
optramimage3: file={run}/initrd, address={initrd:#x}
floppya: 1_44={kernel}/floppy, status=inserted, write_protected=1
ata0: enabled=0
boot: floppy
cpu: model=corei7_icelake_u, count={cpus}:1:1, quantum=16, ips={ips}, \
ignore_bad_msrs=1, reset_on_triple_fault=0, vmx_timer_bits={timer_bits}
clock: sync=none, time0={time0}
com1: enabled=1, {serial}
port_e9_hack: enabled=1
display_library: nogui
log: {run}/emulator.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""

def _fetch_source(path):
    file = tarball.fetch("bochs", path)
    (path / "source").mkdir()
    root.run(["tar", "-x", "-C", path / "source", "--strip-components=1", "-f", file])
    file.unlink()


def _build(path):
    (path / "bios").mkdir()
    root.unpack(BIOSES, path / "bios")
    _fetch_source(path)
    source = path / "source"
    for patch in sorted(PATCHES.glob("*.patch")):
        done = root.run(["patch", "-p1", "-F0", "-N", "--batch", "-d", source, "-i", patch],
                        capture=True, check=False)
        if done.returncode:
            raise BenchError(f"{patch.name} does not apply to Bochs:\n{done.stdout.strip()}")
    flags = ["CC=gcc-14", "CXX=g++-14", "CFLAGS=-O3 -pipe", "CXXFLAGS=-O3 -pipe"]
    root.run(["./configure", *CONFIGURE, *flags], cwd=source, name="bochs",
             what="configuring Bochs")
    root.run(["sh", "-c", f"find {' '.join(COLD)} -name Makefile -exec sed -i s/-O3/-O1/ {{}} +"],
             cwd=source)
    # Nothing but a machine waits for it: the rest of what is built goes first.
    root.run(["nice", "make", f"-j{kernel.jobs()}"], cwd=source, name="bochs",
             what="building Bochs", expect=530)
    root.run(["strip", "-o", path / "bochs", source / "bochs"])
    root.run(["rm", "-r", source])


def ensure_bochs():
    """The directory with bochs and, under bios/, its firmware."""
    tools = root.versions(["g++-14", "libc6"])
    return cache.stage("bochs", [RECIPE, *CONFIGURE, *BIOSES, *sorted(tools.items()), PATCHES],
                       _build, keep=2)


def identity():
    """What the emulated machine is, beyond what it boots: no path is among it."""
    return [ensure_bochs().name, CONFIG, IPS, TIME0]


def command(run, _machine, vmlinuz, parameters, cpus, memory, device=None, timer_bits=TIMER_BITS):
    """The command, for the toolchain root, that boots vmlinuz and run/initrd.

    It writes the guest's port 0xe9 to stdout, its console to run/console, or to a terminal
    device of this machine.  timer_bits: with fewer than 32 larger values of the VMX-preemption
    timer are early, an erratum of some processors.
    """
    if memory > MEMORY_MB:
        raise BenchError(f"the vmx machine has {MEMORY_MB} MB of memory at most")
    bochs = ensure_bochs()
    unpacked = loading.ensure_unpacked(vmlinuz)
    start, _entry = map(int, (unpacked / "addresses").read_text().split())
    # A triple fault ends Bochs, a reset through the chipset would boot again.  Its
    # MWAIT does not wait where there are several processors.
    parameters += " reboot=t idle=halt"
    size = (run / "initrd").stat().st_size
    (run / "params").write_bytes(loading.params(vmlinuz, parameters, size))
    serial = f"mode=term, dev={device}" if device else f"mode=file, dev={run}/console"
    (run / "bochsrc").write_text(CONFIG.format(
        run=run, serial=serial, bios=bochs / "bios", cpus=cpus, memory=memory, ips=IPS, time0=TIME0,
        timer_bits=timer_bits, kernel=unpacked, start=start, params=loading.PARAMS,
        initrd=loading.INITRD))
    return [bochs / "bochs", "-q", "-f", run / "bochsrc"]
