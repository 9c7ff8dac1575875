"""Runs the real command as a person's shell would, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which everything puna keeps lies below `home`."""
    return {**os.environ, "PUNA_HOME": str(home), "HF_HOME": str(home / "hf"), **(extra or {})}


def puna(
    home: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, timeout_s: float = 100
) -> subprocess.CompletedProcess[bytes]:
    """`puna ARGUMENTS` with `stdin` piped in."""
    command = [sys.executable, "-m", "tui", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, env=environment(home, env), timeout=timeout_s, check=False, cwd=ROOT
    )


def start(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """The same, left running; stdin is empty."""
    command = [sys.executable, "-m", "tui", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment(home), cwd=ROOT
    )
