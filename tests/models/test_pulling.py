"""What MODEL means to a download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import plain_gguf
from tests.rigs.hub import LoopbackHub, Repo, of_bytes
from tests.rigs.hub.environment import hub_home
from tui.config.paths import Paths
from tui.config.settings import DownloadSettings
from tui.hub.client import Hub, connect
from tui.hub.errors import NoModel
from tui.library import scan
from tui.library.model import Model
from tui.models.pulling import here_already, keep_in_library, order
from tui.models.resolve import ModelNotFound

A = of_bytes(b"a")


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / name for name in ("config", "data", "cache", "state")))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {"m-Q4_K_M.gguf": A, "m-Q8_0.gguf": of_bytes(b"longer"), "mmproj-BF16.gguf": A, "mmproj-F16.gguf": A}
    with hub_home(tmp_path / "hf", monkeypatch), LoopbackHub(Repo("org/m", files, revisions={"dev": files})) as running:
        yield connect({"HF_ENDPOINT": running.endpoint})


@pytest.fixture
def models(home: Paths, tmp_path: Path) -> tuple[Model, ...]:
    folder = tmp_path / "models"
    folder.mkdir()
    plain_gguf(folder / "sound-Q8_0.gguf", {"general.architecture": "llama"}, tensors={"t": (2,)})
    (folder / "broken.gguf").write_text("<html>")
    return scan(home, [str(folder)], {"HF_HOME": str(tmp_path)})


def test_what_is_here_is_not_fetched(models: tuple[Model, ...]) -> None:
    found = here_already("sound-Q8_0", models)
    assert found is not None
    assert found.file == "sound-Q8_0.gguf"


def test_what_can_be_on_the_hub_is_to_be_fetched(models: tuple[Model, ...]) -> None:
    for text in ("org/m", "org/m:Q4_K_M", "https://huggingface.co/org/m/blob/main/m-Q4_K_M.gguf"):
        assert here_already(text, models) is None


@pytest.mark.parametrize("text", ["nothing", "./nothing.gguf", "broken"])
def test_what_is_neither_here_nor_a_repository_says_how_to_name_one(models: tuple[Model, ...], text: str) -> None:
    with pytest.raises(ModelNotFound, match="name it as org/repo"):
        here_already(text, models)


def test_an_order_has_the_files_the_reason_and_the_projectors(hub: Hub) -> None:
    found = order(hub, "org/m", DownloadSettings())
    assert (found.item.name, found.item.file, found.item.folder) == ("org/m:Q4_K_M", "m-Q4_K_M.gguf", "")
    assert found.reason
    assert [item.file for item in found.projectors] == ["mmproj-F16.gguf", "mmproj-BF16.gguf"]
    assert order(hub, "org/m:Q8_0", DownloadSettings()).reason == ""


def test_the_same_model_in_the_same_place_is_the_same_item(hub: Hub, tmp_path: Path) -> None:
    settings, elsewhere = DownloadSettings(), DownloadSettings(folder=str(tmp_path))
    first = order(hub, "org/m", settings).item
    assert order(hub, "org/m:q4_k_m", settings).item.id == first.id
    assert order(hub, "org/m:Q8_0", settings).item.id != first.id
    assert order(hub, "org/m", elsewhere).item.id != first.id
    assert order(hub, "org/m", elsewhere).item.folder == str(tmp_path)


def test_a_branch_that_was_named_stays_named(hub: Hub) -> None:
    found = order(hub, f"{hub.endpoint}/org/m/blob/dev/m-Q8_0.gguf", DownloadSettings())
    assert (found.item.file, found.item.revision) == ("m-Q8_0.gguf", "dev")


def test_what_is_not_in_a_repository_names_what_is(hub: Hub) -> None:
    with pytest.raises(NoModel, match="Q8_0"):
        order(hub, "org/m:Q2_K", DownloadSettings())


def test_a_folder_is_remembered_and_one_without_models_is_told(hub: Hub, home: Paths, tmp_path: Path) -> None:
    assert keep_in_library(home, order(hub, "org/m", DownloadSettings()).item) == ""
    item = order(hub, "org/m", DownloadSettings(folder=str(tmp_path / "fetched"))).item
    assert "no model" in keep_in_library(home, item) or "fetched" in keep_in_library(home, item)
    (tmp_path / "fetched").mkdir()
    plain_gguf(tmp_path / "fetched" / "m.gguf", {"general.architecture": "llama"}, tensors={"t": (2,)})
    assert keep_in_library(home, item) == ""
    assert [model.file for model in scan(home, (), {"HF_HOME": str(tmp_path)}) if model.source == "added"] == ["m.gguf"]
