"""Reusing a context must not change what a model computes: checked by logits, on models whose memory forgets.

The bound is twice what the same reuse costs under `swa_full`, where nothing is ever lost: float noise of other batch
shapes. That such a test can fail is shown by the naive way, which trusts llama.cpp's yes to a removal.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.gguf_maker import Architecture, tiny_model

ARCHITECTURES: tuple[Architecture, ...] = ("llama", "gemma3", "mamba", "jamba")


@cache
def probe(path: Path, swa_full: str) -> dict[str, Any]:
    """Everything measured on one model."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.prefix_logits", str(path), swa_full],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    """Dense, sliding window of 64 tokens, recurrent, hybrid."""
    found: Architecture = request.param
    return found


@pytest.fixture
def model(architecture: Architecture, models_dir: Path) -> Path:
    """The tiny model of that architecture, made once."""
    path = models_dir / f"prefix-{architecture}.gguf"
    return path if path.exists() else tiny_model(path, architecture)


@pytest.fixture
def measured(model: Path) -> dict[str, Any]:
    """As the engine runs it."""
    return probe(model, "window")


@pytest.fixture
def bound(model: Path) -> float:
    """The largest difference that is noise."""
    control = probe(model, "full")
    everything = [*control["rollbacks"], *control["walk"], control["continued"], *control["aborted"]]
    return 2.0 * max(float(case["off"]) for case in everything)


def test_a_rollback_computes_what_a_fresh_context_does(measured: dict[str, Any], bound: float) -> None:
    for case in measured["rollbacks"]:
        assert case["off"] <= bound, case


def test_what_can_be_kept_is_kept_and_nothing_else(measured: dict[str, Any], architecture: Architecture) -> None:
    kept = {case["position"]: case["kept"] for case in measured["rollbacks"]}
    if architecture == "llama":
        assert all(count == position for position, count in kept.items())
    elif architecture == "gemma3":
        assert kept[639] == 639
        assert kept[600] == 600
        assert kept[40] == kept[200] == kept[330] == 0
    else:
        assert set(kept.values()) == {0}
    assert measured["continued"]["kept"] == 300  # going on where the context ends is free for all of them


def test_going_on_where_the_context_ends(measured: dict[str, Any], bound: float) -> None:
    assert measured["continued"]["off"] <= bound


def test_many_edits_in_one_context(measured: dict[str, Any], bound: float, architecture: Architecture) -> None:
    assert all(case["off"] <= bound for case in measured["walk"]), measured["walk"]
    assert any(case["kept"] for case in measured["walk"])
    if architecture != "llama":
        assert any(not case["kept"] for case in measured["walk"][1:])


def test_the_edge_of_the_window(measured: dict[str, Any], bound: float, architecture: Architecture) -> None:
    if architecture != "gemma3":
        pytest.skip("no window")
    edge = measured["edge"]
    assert edge["first"] > 0
    assert edge["inside"]["kept"] == edge["inside"]["position"]
    assert edge["inside"]["off"] <= bound
    assert edge["outside"]["kept"] == 0


def test_the_same_batches_give_the_same_tokens(measured: dict[str, Any], architecture: Architecture) -> None:
    replayed = measured["replayed"]
    assert len(replayed["mine"]) == 20
    assert replayed["mine"] == replayed["fresh"]
    assert bool(replayed["kept"]) == (architecture in ("llama", "gemma3"))


def test_a_batch_that_was_stopped_in_the_middle_leaves_nothing_wrong(measured: dict[str, Any], bound: float) -> None:
    assert [case["stopped"] for case in measured["aborted"]][:2] == [True, True]
    for case in measured["aborted"]:
        assert case["off"] <= bound, case


def test_a_device_that_never_asks_is_stopped_between_batches(measured: dict[str, Any]) -> None:
    unasked = measured["unasked"]
    assert unasked["reason"] == "cancelled"
    assert not unasked["busy"]
    assert unasked["done"] == [0, 128]
    assert unasked["total"] >= 512


def test_the_naive_way_is_caught_by_this(measured: dict[str, Any], bound: float, architecture: Architecture) -> None:
    """llama.cpp says yes to the removal and computes something else: these tests would see it."""
    naive = {case["position"]: case for case in measured["naive"]}
    if architecture == "gemma3":
        assert all(case["allowed"] and case["code"] == 0 for case in naive.values())
        assert all(naive[position]["off"] > 10 * bound for position in (40, 200, 330))
    elif architecture == "llama":
        assert all(case["off"] <= bound for case in naive.values())
    else:
        assert not any(case["allowed"] for case in naive.values())
        assert all(case["code"] < 0 for case in naive.values())
