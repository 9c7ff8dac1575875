"""Pictures of the load panel with what a real dry run answers: a model that fits, one that nearly fits and one that
cannot, at three sizes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.app.described import Answers, DescribedDryRun, a_published, cards, describe, held, machine_with, opened
from tests.app.rig import Bench, home_paths
from tests.screens.test_screens import picture, terminal
from tui.app.flows import first_form
from tui.config.model_file import update_model
from tui.hardware.snapshot import Snapshot

__all__ = ["terminal"]


class Case(NamedTuple):
    """A model, what is kept for it, and a machine."""

    model: str
    kept: dict[str, Any]
    machine: Snapshot


CASES = {
    "fits": Case("llama3-8b", {}, machine_with(cards(48))),
    "nearly": Case(
        "llama3-8b",
        {"n_ctx": 32768, "type_k": "q8_0", "type_v": "q8_0"},
        machine_with(cards(7.2, name="NVIDIA GeForce RTX 4090", total_gib=24)),
    ),
    "cannot": Case(
        "llama3-70b",
        {"n_gpu_layers": "all", "n_ctx": 8192},
        machine_with((held(cards(24)[0], 50),), ram_gib=128, ram_free_gib=100),
    ),
    "two": Case("llama3-70b", {}, machine_with(cards(30, 22), ram_gib=251, ram_free_gib=213)),
    "eight": Case("llama3-70b", {}, machine_with(cards(*[9] * 8), ram_gib=251, ram_free_gib=213)),
}
SIZES = {"160x45": (160, 45), "80x24": (80, 24), "40x10": (40, 10)}


@pytest.fixture(scope="module")
def answers() -> Answers:
    """What one picture has asked, the next one knows."""
    return Answers()


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Paths and processors that do not depend on where the pictures are made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(first_form, "default_threads", lambda reserve: 7)
    monkeypatch.setattr(first_form, "physical_cores", lambda: 8)


def panel_picture(snap_compare: Any, answers: Answers, case: Case, *keys: str, **how: Any) -> bool:
    """The panel of this case, after some keys."""
    home = Path("home").absolute()
    model = a_published(Path(), case.model)
    update_model(home_paths(home), model.identity, case.kept)

    async def steps(bench: Bench) -> None:
        async with DescribedDryRun(answers=answers) as dry_run:
            describe(bench.app, case.machine, dry_run)
            await opened(bench)
            await bench.press(*keys)

    return picture(snap_compare, home, steps, models=(model,), **how)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", ["fits", "nearly", "cannot"])
def test_a_model(snap_compare: Any, answers: Answers, name: str, size: tuple[int, int]) -> None:
    assert panel_picture(snap_compare, answers, CASES[name], size=size)


@pytest.mark.parametrize(("name", "size"), [("two", (100, 30)), ("eight", (80, 24))], ids=["two", "eight"])
def test_several_gpus(snap_compare: Any, answers: Answers, name: str, size: tuple[int, int]) -> None:
    assert panel_picture(snap_compare, answers, CASES[name], size=size)


def test_the_refusal_in_ascii(snap_compare: Any, answers: Answers) -> None:
    assert panel_picture(snap_compare, answers, CASES["cannot"], "enter", size=(80, 24), ascii_only=True)


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=["160x45", "80x24"])
def test_the_details(snap_compare: Any, answers: Answers, size: tuple[int, int]) -> None:
    assert panel_picture(snap_compare, answers, CASES["nearly"], "e", size=size)
