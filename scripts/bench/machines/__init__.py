# SPDX-License-Identifier: GPL-2.0
"""The emulated machines, and what is read on their consoles."""
