# SPDX-License-Identifier: GPL-2.0
"""The bench: toolchain, kernels, modules and machines for building and testing."""
