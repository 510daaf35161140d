# SPDX-License-Identifier: GPL-2.0
"""Where things are built: the toolchain root, and the ways into it."""
