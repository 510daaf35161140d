# SPDX-License-Identifier: GPL-2.0
"""What the words of scripts/vm's options mean; argparse says what is wrong with one."""

import argparse
from pathlib import Path

MEMORY_MB = 512, 1 << 16


def _guest_path(text):
    if not text.startswith("/") or "\n" in text:
        raise argparse.ArgumentTypeError(f"{text}: a path in the guest starts with /")
    return text


def _host_path(text):
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise argparse.ArgumentTypeError(f"there is no {text}")
    return path


def addition(text, top="/add"):
    """HOST_PATH[:GUEST_PATH] as a pair; a host path may have a colon in it."""
    host, colon, guest = text.rpartition(":")
    if not colon or Path(text).exists():
        host, guest = text, ""
    path = _host_path(host)
    return path, _guest_path(guest) if guest else f"{top}/{path.name}"


def shared(text):
    """HOST_FOLDER[:GUEST_PATH] as a pair."""
    path, guest = addition(text, "/share")
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is not a folder")
    return path, guest


def result(text):
    """GUEST_PATH[:HOST_PATH] as a pair; without the second, into this folder."""
    guest, _, host = text.partition(":")
    path = Path(host).expanduser().absolute() if host else Path.cwd()
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    return _guest_path(guest), path


def seconds(text):
    value = float(text)
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text} seconds is no sane time")
    return value


def processors(text):
    value = int(text)
    if not 1 <= value <= 8:
        raise argparse.ArgumentTypeError("1 to 8 processors")
    return value


def timer_bits(text):
    value = int(text)
    if not 1 <= value <= 32:
        raise argparse.ArgumentTypeError("1 to 32 bits")
    return value


def megabytes(text):
    value = int(text)
    if not MEMORY_MB[0] <= value <= MEMORY_MB[1]:
        raise argparse.ArgumentTypeError(f"{MEMORY_MB[0]} to {MEMORY_MB[1]} MB")
    return value
