"""Threads that share their cores with others: when the engine asks for short waits, and whose word counts."""

from __future__ import annotations

import os

import pytest

from tui.llama.openmp import SPINS, share_the_cores


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that what the call sets is undone
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("threads", "cpus", "short"), [(2, 2, True), (4, 2, True), (1, 2, False), (8, 16, False)])
def test_threads_wait_briefly_only_when_they_take_every_core(threads: int, cpus: int, short: bool) -> None:
    share_the_cores(threads, cpus)
    assert os.environ.get("GOMP_SPINCOUNT") == (SPINS if short else None)


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "7"), ("OMP_WAIT_POLICY", "active")])
def test_what_the_person_set_stays(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    share_the_cores(2, 2)
    assert os.environ[name] == value
    assert ("GOMP_SPINCOUNT" in os.environ) is (name == "GOMP_SPINCOUNT")
