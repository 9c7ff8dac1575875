"""Limits that a child process sets itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
from tui.process.child import limit_memory
limit_memory(1 << 30)
bytearray(1 << 28)
try:
    bytearray(1 << 31)
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems limit no memory of this kind")
def test_memory_beyond_the_limit_is_refused() -> None:
    assert subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True).stdout == "refused\n"
