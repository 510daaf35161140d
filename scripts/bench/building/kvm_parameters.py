# SPDX-License-Identifier: GPL-2.0
"""Parameters of KVM's modules for a machine, as the kernel's command line has them."""

import re

from ..cache import BenchError

# The modules in which a name without one is looked for.
MODULES = {"vmx": ["kvm_intel", "kvm"], "svm": ["kvm_amd", "kvm"],
           "host": ["kvm_intel", "kvm_amd", "kvm"]}


def known(folder, module):
    """The names of a module's parameters; folder: lib/modules/<release>, unpacked."""
    for file in folder.rglob(f"{module.replace('_', '-')}.ko"):
        return {name.decode() for name in re.findall(rb"\0parmtype=(\w+):", file.read_bytes())}
    built_in = folder / "modules.builtin.modinfo"
    text = built_in.read_bytes() if built_in.exists() else b""
    return {name.decode() for name in
            re.findall(rb"(?:^|\0)%s\.parmtype=(\w+):" % module.encode(), text)}


def command_line(words, machine, folder):
    """"preemption_timer=0 kvm.halt_poll_ns=0" with the modules' names before each.

    The kernel passes over a parameter that it does not know: here it is an error.
    """
    found = []
    for word in words.split():
        name, equals, value = word.partition("=")
        where, dot, name = name.rpartition(".")
        if not equals or dot and where.replace("-", "_") not in MODULES["host"]:
            raise BenchError(f"--kvm-params {word}: it has to be NAME=VALUE or MODULE.NAME=VALUE, "
                             f"MODULE one of {', '.join(MODULES['host'])}")
        modules = [where.replace("-", "_")] if dot else MODULES[machine]
        names = {module: known(folder, module) for module in modules}
        having = [module for module in modules if name in names[module]]
        if not having:
            there = sorted(set().union(*names.values()))
            raise BenchError(f"--kvm-params {word}: there is no such parameter of "
                             f"{' or '.join(modules)}; there are {', '.join(there)}")
        # On this machine's own processor, of whichever module it takes.
        found += [f"{module}.{name}={value}" for module in
                  (having if machine == "host" else having[:1])]
    return " ".join(found)
