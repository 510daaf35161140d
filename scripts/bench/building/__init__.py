# SPDX-License-Identifier: GPL-2.0
"""What is built: kernels, the module, KVMs, selftests and the images that machines boot."""
