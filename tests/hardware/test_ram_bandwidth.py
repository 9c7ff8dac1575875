"""Reading memory, measured: a figure of the size of such figures. How fast it is, is the machine's affair."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tui.config.sizes import MIB
from tui.hardware.ram_bandwidth import read_bandwidth


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_is_read_faster_than_a_disk_and_slower_than_light(threads: int) -> None:
    assert 0.2e9 < read_bandwidth(threads, buffer_bytes=64 * MIB, seconds=0.05) < 20e12


def test_it_prints_what_it_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui.hardware.ram_bandwidth", "1"], capture_output=True, check=True, text=True
    )
    assert 0.2e9 < json.loads(done.stdout)["read_bytes_s"] < 20e12
