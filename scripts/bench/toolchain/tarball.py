# SPDX-License-Identifier: GPL-2.0
"""The original tarball of one of Debian's source packages, as the signed lists name it.

That file alone: "apt-get source" wants the .dsc beside it too, which some mirrors lack.
"""

import re

from . import root


def _lists(suite, directory):
    """The options of apt for a suite's list of sources, which is read for that."""
    sources = directory / "sources.list"
    sources.write_text(f"deb-src {root.MIRROR} {suite} main\n", encoding="ascii")
    (directory / "lists/partial").mkdir(parents=True)
    options = [f"-oDir::Etc::sourcelist={sources}", "-oDir::Etc::sourceparts=-",
               f"-oDir::State::lists={directory}/lists", "-oAPT::Sandbox::User=root"]
    root.run(["apt-get", "-q", *options, "update"], name="apt",
             what=f"reading the list of sources of {suite}")
    return options


def fetch(package, directory, version=None, suite=None):
    """Download it into a directory, and return its path.

    suite: read that suite's list of sources; without it the root's own are used, which has
    those of the first suite only.  apt checks the file against the list.
    """
    options = _lists(suite, directory) if suite else []
    source = f"{package}={version}" if version else package
    done = root.run(["apt-get", "source", "--print-uris", "-q", *options, source],
                    capture=True, check=False)
    found = re.search(rf"^'(\S+)' ({re.escape(package)}_\S+\.orig\.tar\.\S+) \d+ (\S+)$",
                      done.stdout, re.M)
    if not found:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise root.Unavailable(f"the archive has no source of {source}: {reason}")
    url, name, digest = found.groups()
    try:
        root.run(["/usr/lib/apt/apt-helper", "-oAPT::Sandbox::User=root", "download-file",
                  url, directory / name, digest], name="apt", what=f"downloading {name}")
    except root.BenchError as error:
        raise root.Unavailable(
            f"the source of {source} cannot be had, {url} does not give it or it is not what "
            f"Debian signed: try again later ({error.args[0].splitlines()[-1].strip()})"
            ) from None
    return directory / name
