# SPDX-License-Identifier: GPL-2.0
"""The figures in the documents: data of the last results, and the tables made of it."""
