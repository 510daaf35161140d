# SPDX-License-Identifier: GPL-2.0
"""What a machine gives back: the files that --get and --share ask for (scripts/guest/collect)."""

from pathlib import Path
import tarfile

from ..cache import BenchError


def _parts(name):
    """("1", rest) of the archive's "./1/rest"; a name that leads elsewhere is refused."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BenchError(f"the machine's archive has the name {name}")
    return (parts[0], parts[1:]) if parts else ("", [])


def _write(tar, member, target):
    """A file whose contents are the same already stays as it is, with its time."""
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isfile():
        data = tar.extractfile(member).read()
        if not (target.is_file() and target.read_bytes() == data):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            target.chmod(member.mode & 0o777 | 0o600)


def _target(guest, host):
    """As cp has it: into a folder that there is."""
    return host / Path(guest).name if host.is_dir() else host


def unpack(archive, wanted, shared=()):
    """Write the files of an archive where they are wanted; what is missing, as sentences.

    wanted: pairs (guest path, host path), in the order in which they were asked for.
    shared: of these, the pairs whose contents belong into the host's folder.
    """
    targets = {str(n): pair[1] if pair in shared else _target(*pair)
               for n, pair in enumerate(wanted, 1)}
    found, reasons = set(), {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                number, rest = _parts(member.name)
                if number.endswith(".error"):
                    reasons[number.removesuffix(".error")] = tar.extractfile(member).read()
                elif number in targets:
                    _write(tar, member, targets[number].joinpath(*rest))
                    found.add(number)
    except (FileNotFoundError, tarfile.TarError):
        pass        # the machine ended before it was sent, or while it was
    sentences = []
    for n, (guest, _) in enumerate(wanted, 1):
        if reason := reasons.get(str(n)):
            sentences.append(f"--get {guest}: {reason.decode(errors='replace').strip()}")
        elif str(n) not in found:
            sentences.append(f"--get {guest}: the machine ended before")
    return sentences
