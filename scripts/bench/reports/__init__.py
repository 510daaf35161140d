# SPDX-License-Identifier: GPL-2.0
"""What is measured in machines, and its tables and pictures."""
