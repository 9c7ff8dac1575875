"""The reading of device memory through ggml, on the device that every machine has: its processor."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def run(module: str, *arguments: str) -> Any:
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def test_a_device_is_measured_through_ggml() -> None:
    answer = run("tests.rigs.cpu_bandwidth", "256")
    assert answer["error"] is None
    assert 0.1e9 < answer["read_bytes_s"] < 20e12


def test_a_device_that_is_nearly_full_is_left_alone() -> None:
    answer = run("tests.rigs.cpu_bandwidth", "200")
    assert answer["read_bytes_s"] is None
    assert answer["error"] == "too little of its memory is free"


def test_every_gpu_is_told_of() -> None:
    here = run("tui.llama.probe")["devices"]
    answer = run("tui.llama.bandwidth")["devices"]
    assert [device["name"] for device in answer] == [device["name"] for device in here]
