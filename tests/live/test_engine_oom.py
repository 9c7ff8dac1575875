"""The kernel ends the engine when memory runs out: not the front end, and the front end knows why."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.memory_cgroup import memory_cgroup
from tui.process.death import oom_kills

MIB = 1 << 20


def front_end(model: Path, engines_dir: Path, *options: str) -> list[dict[str, Any]]:
    """What a front end of its own process tells."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.front_end", "ask", str(model), str(engines_dir), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"the front end ended, too: {ran.returncode} {ran.stderr}"
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.live
def test_the_engine_is_the_one_that_the_kernel_ends(demo_model: Path, tiny_llama: Path, engines_dir: Path) -> None:
    if oom_kills() is None:
        pytest.skip("this kernel does not count")
    with memory_cgroup(110 * MIB) as cgroup:  # the front end and an empty engine fit; the model's 98 MB do not
        told = front_end(demo_model, engines_dir, "--cgroup", str(cgroup))[-1]
        assert told["kind"] == "died"
        assert told["signal"] == signal.SIGKILL
        assert told["meaning"] == "the kernel ended it because memory ran out (SIGKILL)"
        assert told["error"].startswith("the engine stopped while loading the model: ")
        assert "smaller n_ctx" in told["hint"]
        again = front_end(tiny_llama, engines_dir, "--cgroup", str(cgroup))
        assert again[-1]["answer"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's line is Linux's")
def test_an_engine_stands_first_in_the_kernels_line(tiny_llama: Path, engines_dir: Path) -> None:
    command = [sys.executable, "-m", "tests.rigs.front_end", "generate", str(tiny_llama), str(engines_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as front:
        assert front.stdout is not None
        pid = json.loads(front.stdout.readline())["engine"]
        theirs, ours = (int(Path(f"/proc/{of}/oom_score_adj").read_text()) for of in (pid, front.pid))
        limits = Path(f"/proc/{pid}/limits").read_text()
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        front.kill()
    assert theirs >= ours + 500
    assert nice == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    assert re.search("Max core file size +0 ", limits), "no core dump as large as the model"
