# SPDX-License-Identifier: GPL-2.0
"""Checks that read the tree and run nothing of it; each is one test."""

import re

from .. import cache
from ..building import kernel
from ..cache import TREE
from ..toolchain import root
from . import quoted
from .ktap import Count

# Files that have no place for a licence line, or have it elsewhere.
NO_SPDX = re.compile(r"COPYING|.*/Cargo\.lock|.*\.patch|.*/proptest-regressions/.*|.*/settings"
                     r"|.*/config|MAINTAINERS|Documentation/(ABI|figures)/.*|.*\.(svg|png|json)"
                     r"|packaging/debian/(changelog|copyright|source/format)")
# Of the kernel's style checks: it does not know __has_include and typeof(&symbol).
CHECKPATCH_IGNORE = "SPACING"


def _tracked(context, *patterns):
    """Paths of the files that git has, or has not yet but would take."""
    done = root.run(["git", "-c", f"safe.directory={TREE}", "ls-files", "-co",
                     "--exclude-standard", "--", *patterns], cwd=TREE, capture=True)
    context.note(done.stderr)
    return sorted({TREE / name for name in done.stdout.splitlines()
                   if (TREE / name).is_file()})


def _program(context, argv, cwd=TREE):
    """What a program complains of: its output, if its exit status is not 0."""
    done = root.run(argv, cwd=cwd, capture=True, check=False)
    context.note(done.stdout + done.stderr)
    if done.returncode == 0:
        return []
    return (done.stdout + done.stderr).strip().splitlines() or [f"status {done.returncode}"]


def _have(program):
    return (root.ensure_root() / "usr/bin" / program).exists()


def licences(context):
    wrong = []
    for file in _tracked(context):
        name = str(file.relative_to(TREE))
        if NO_SPDX.fullmatch(name) or not file.stat().st_size:
            continue
        head = file.read_bytes()[:600].splitlines()[:5]
        if not any(b"SPDX-License-Identifier: " in line for line in head):
            wrong.append(f"{name} has no SPDX line")
    return wrong


def rustfmt(context):
    config = kernel.ensure_kernel().source / ".rustfmt.toml"
    files = _tracked(context, "*.rs")
    return _program(context, ["rustfmt", "--check", "--edition", "2021", "--config-path",
                              config, *files])


def checkpatch(context):
    """The kernel's own style check of C.  A file that passed is not read again until it changes."""
    source = kernel.ensure_kernel().source
    argv = ["perl", source / "scripts/checkpatch.pl", f"--root={source}", "--no-summary",
            "--terse", "--show-types", "--max-line-length=100", "--ignore", CHECKPATCH_IGNORE]
    passed = cache.stage("checkpatch", list(map(str, argv)), lambda path: None)
    marks = {file: passed / cache.digest([str(file.relative_to(TREE)), file])
             for file in _tracked(context, "c/*.[ch]", "include/*.h",
                                  "tests/selftests/raw_hrtimer/*.[ch]")}
    unread = [file for file, mark in marks.items() if not mark.exists()]
    wrong = _program(context, [*argv, "--file", *unread], cwd=source) if unread else []
    if not wrong:
        for file in unread:
            marks[file].touch()
    return wrong


def versions_agree(_context):
    """The documents name the version that dkms.conf has; the module's is made of that one."""
    version = re.search(r'^PACKAGE_VERSION="(.*)"', (TREE / "dkms.conf").read_text(), re.M)[1]
    named = {"README.rst": re.findall(r"raw_hrtimer/(\d[\w.]*)", (TREE / "README.rst").read_text()),
             "NEWS.rst": re.findall(r"^(\d[\w.]*)$", (TREE / "NEWS.rst").read_text(), re.M)[:1]}
    return [f"{file} names {', '.join(names) or 'no version'}, dkms.conf {version}"
            for file, names in named.items() if set(names) != {version}]


def kernels_agree(_context):
    """The documents name no release that is not in the list of tested ones."""
    return [f"{file.relative_to(TREE)} names {release}"
            for file in (TREE / "README.rst", *(TREE / "Documentation").rglob("*.rst"))
            for release in re.findall(r"\d+\.[\d.]+\+deb\d+[-\w]*amd64", file.read_text())
            if release not in kernel.tested()]


def shell(context):
    scripts = [file for file in _tracked(context)
               if re.match(rb"#!/bin/(ba)?sh\b", file.read_bytes()[:40])]
    wrong = [line for file in scripts
             for line in _program(context, ["bash", "-n", file])]
    if _have("shellcheck"):
        wrong += _program(context, ["shellcheck", "--severity=warning", "--external-sources",
                                    "--format=gcc", *scripts])
    return wrong


def python(context):
    scripts = [file for file in _tracked(context)
               if file.suffix == ".py" or b"python3" in file.read_bytes()[:40]]
    wrong = []
    for file in scripts:
        try:
            compile(file.read_bytes(), str(file), "exec")
        except SyntaxError as error:
            wrong.append(f"{file.relative_to(TREE)}: {error}")
    if _have("pyflakes3"):
        wrong += _program(context, ["pyflakes3", *scripts])
    return wrong


# Prints the commands of each job; fails where a file is not what the two services read.
_READ_CI = """
import sys, yaml
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        data = yaml.safe_load(file)
    if "jobs" in data:      # GitHub's; YAML takes "on" for a truth
        assert data["on"] if "on" in data else data[True], "no events"
        jobs = [[step.get("run", "true") for step in job["steps"] if step.get("run") or step["uses"]]
                for job in data["jobs"].values() if job["runs-on"]]
    else:                   # GitLab's
        jobs = [[*job.get("before_script", []), *job["script"]] for job in data.values() if job["image"]]
    assert jobs, "no jobs"
    for job in jobs:
        print("\\n".join(job))
"""


def ci(context):
    """The examples for continuous integration: YAML, the keys that are read, and the shell."""
    files = _tracked(context, "Documentation/ci/*.yml")
    yaml = cache.stage("yaml", ["1", *sorted(root.versions(["python3"]).items())],
                       lambda path: root.unpack(["python3-yaml"], path))
    wrong = [] if files else ["there are none"]
    for file in files:
        done = root.run(["env", f"PYTHONPATH={yaml}/usr/lib/python3/dist-packages", "python3", "-c",
                         _READ_CI, file], capture=True, check=False)
        context.note(done.stdout + done.stderr)
        wrong += done.stderr.strip().splitlines()[-1:] if done.returncode else [
            f"{file.name}: {line}" for line in _program(context, ["bash", "-n", "-c", done.stdout])]
        if not re.search(r"^make check$", done.stdout, re.M):
            wrong.append(f"{file.name} does not run make check")
    return wrong


# Prints what docutils says of each page, and the links to files that are not there.
_READ_RST = """
import pathlib, sys
import docutils.core, docutils.nodes
for name in map(pathlib.Path, sys.argv[1:]):
    page = docutils.core.publish_doctree(name.read_text(encoding="utf-8"), str(name),
                                         settings_overrides={"report_level": 2, "halt_level": 5})
    for node in page.findall(lambda n: isinstance(n, (docutils.nodes.reference,
                                                      docutils.nodes.image))):
        link = node.get("refuri", node.get("uri", "")).partition("#")[0]
        if link and ":" not in link and not (name.parent / link).exists():
            print(f"{name}: there is no {link}", file=sys.stderr)
"""


# A file or folder of ours in a page, and not one of the kernel's.
_NAMED = re.compile(r"``((?:rust|c|scripts|tests|tools|patches)/[\w/-]*(?:\.(?:rs|c|h|py|sh|rst))?)``")


def documents(context):
    """Each page is reStructuredText, and what it links to or names is there."""
    docutils = cache.stage("docutils", ["1", *sorted(root.versions(["python3"]).items())], lambda path:
                           root.unpack(["python3-docutils", "docutils-common", "python3-roman"], path))
    done = root.run(["env", f"PYTHONPATH={docutils}/usr/lib/python3/dist-packages", "python3", "-c",
                     _READ_RST, *_tracked(context, "*.rst")], capture=True, check=False)
    context.note(done.stdout + done.stderr)
    return done.stderr.strip().splitlines() + [
        f"{file.relative_to(TREE)} names {name}, which is not there"
        for file in _tracked(context, "*.rst") for name in _NAMED.findall(file.read_text())
        if not (TREE / name).exists()]


def manual(context):
    """The manual pages, as mandoc reads them."""
    mandoc = cache.stage("mandoc", ["1", *sorted(root.versions(["libc6"]).items())],
                         lambda path: root.unpack(["mandoc"], path))
    pages = _tracked(context, "Documentation/man/*")
    if not pages:
        return ["there are none"]
    return _program(context, [mandoc / "usr/bin/mandoc", "-Tlint", "-Wwarning", *pages])


def copies_agree(context):
    """The header and the selftests in the series of patches/kvm are the tree's."""
    return [line for line in _program(context, [TREE / "patches/kvm/check"]) if line[:1] == "#"]


CHECKS = [licences, rustfmt, checkpatch, versions_agree, kernels_agree, copies_agree, shell, python, ci,
          documents, manual, quoted.figures]


def run(context):
    """The suite: one test for each check, and what is wrong in the log."""
    count = Count()
    for check in CHECKS:
        wrong = check(context)
        for line in wrong:
            context.note(f"# {line}")
        context.test(count, check.__name__, not wrong,
                     f"{len(wrong)} complaints, the first: {''.join(wrong[:1])}")
    return count
