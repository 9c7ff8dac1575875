"""Lets tests that run as root meet "permission denied": takes the right to pass over file permissions away for a while.

For anybody else there is nothing to take away. Linux only; elsewhere a test as root is skipped.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1 << 1, 1 << 2


class _Head(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def permissions_count() -> Iterator[None]:
    """File permissions hold for this thread, whoever runs it."""
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("root passes over file permissions here")
    libc = ctypes.CDLL(None, use_errno=True)
    head, sets = _Head(_VERSION_3, 0), (_Sets * 2)()
    if libc.capget(ctypes.byref(head), sets) != 0:
        pytest.skip("the kernel does not tell this process's capabilities")
    before = sets[0].effective
    sets[0].effective = before & ~(_DAC_OVERRIDE | _DAC_READ_SEARCH)
    if libc.capset(ctypes.byref(head), sets) != 0:
        pytest.skip("the kernel does not let this process drop capabilities")
    try:
        yield
    finally:
        sets[0].effective = before
        libc.capset(ctypes.byref(head), sets)
