# SPDX-License-Identifier: GPL-2.0
"""The files of this tree that the series add to a kernel: its header, and the selftests.

The tree's file is the source; what a patch has is a copy of it, which update() makes anew.
"""

import hashlib
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
TESTS = re.compile(r"tools/testing/selftests/kvm/(?:include/)?x86/(.*)")
# A file that a patch adds, as "git format-patch" writes it.
ADDED = re.compile(r"^(diff --git a/\S+ b/(\S+)\nnew file mode \d+\nindex 0+\.\.)([0-9a-f]+)\n"
                   r"(--- /dev/null\n.*\n)@@ -0,0 \+1(?:,\d+)? @@\n((?:\+.*\n)*)", re.M)
TOTAL = re.compile(r"(?<=^ )(\d+ files? changed, )(\d+)(?= insertions?\(\+\))", re.M)


def _ours(path):
    """The file of this tree that the series copies, or None."""
    if path.startswith("include/"):
        return TREE / path
    if match := TESTS.fullmatch(path):
        return TREE / "tests/selftests/raw_hrtimer/kvm" / match[1]
    return None


def _copies(text):
    """(match, original) for each copy in the text of a patch."""
    return [(match, _ours(match[2])) for match in ADDED.finditer(text) if _ours(match[2])]


def _content(match):
    return re.sub(r"^\+", "", match[5], flags=re.M)


def patches():
    """All patches, those for other versions too."""
    return sorted(HERE.rglob("[0-9]*.patch"))


def differences():
    """A sentence for each copy that is not the original; or that there is none at all."""
    wrong, found = [], 0
    for patch in patches():
        for match, original in _copies(patch.read_text(encoding="utf-8")):
            found += 1
            if not original.exists() or original.read_text(encoding="utf-8") != _content(match):
                wrong.append(f"{patch.relative_to(HERE)}: {match[2]} differs from "
                             f"{original.relative_to(TREE)}: patches/kvm/check --update")
    return wrong if found else ["the series add no file of this tree"]


def _count(text, path, before, after):
    """The text with another number of lines for an added file, in its diffstat and the total."""
    def line(match):
        # A path that is too long is cut at its beginning.
        if not path.endswith(match[2].removeprefix("...")):
            return match[0]
        signs = max(1, round(len(match[5]) * after / before))
        return f"{match[1]}{after:{len(match[4])}}{' ' if match[5] else ''}{'+' * signs}"

    text = re.sub(r"^( (\S+) +\|( ))( *\d+) (\++)$", line, text, flags=re.M)
    return TOTAL.sub(lambda match: f"{match[1]}{int(match[2]) + after - before}", text)


def _copied(match, content):
    """The part of a patch that adds the file, with another content."""
    blob = content.encode()
    name = hashlib.sha1(b"blob %d\0%s" % (len(blob), blob)).hexdigest()[:len(match[3])]
    lines = content.splitlines(keepends=True)
    return (f"{match[1]}{name}\n{match[4]}@@ -0,0 +1,{len(lines)} @@\n"
            + "".join(f"+{line}" for line in lines))


def update():
    """Copy the originals into the patches again; returns the patches that were written."""
    written = []
    for patch in patches():
        old = text = patch.read_text(encoding="utf-8")
        cover = next(iter(sorted(patch.parent.glob("0000-*.patch"))), None)
        for match, original in _copies(old):
            content = original.read_text(encoding="utf-8")
            if content == _content(match):
                continue
            lines = _content(match).count("\n"), content.count("\n")
            text = _count(text.replace(match[0], _copied(match, content)), match[2], *lines)
            if cover:
                letter = cover.read_text(encoding="utf-8")
                cover.write_text(_count(letter, match[2], *lines), encoding="utf-8")
        if text != old:
            patch.write_text(text, encoding="utf-8")
            written.append(patch)
    return written
