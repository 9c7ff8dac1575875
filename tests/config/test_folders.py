"""Where fetched models go: a folder of the person's, or the Hugging Face cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.folders import absolute, chosen_folder, hub_cache, model_folder
from tui.config.paths import Paths, paths
from tui.config.settings import load_config


@pytest.fixture
def places(tmp_path: Path) -> Paths:
    made = paths({"PUNA_HOME": str(tmp_path)})
    made.config.mkdir()
    return made


def test_the_caches_place_follows_the_clients_variables() -> None:
    assert hub_cache({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}) == Path("/a")
    assert hub_cache({"HUGGINGFACE_HUB_CACHE": "/a", "HF_HOME": "/b"}) == Path("/a")
    assert hub_cache({"HF_HOME": "/b"}) == Path("/b/hub")
    assert hub_cache({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert hub_cache({}) == Path.home() / ".cache/huggingface/hub"


def test_a_folder_that_was_chosen_comes_first() -> None:
    assert model_folder("~/models", {"HF_HOME": "/b"}) == Path.home() / "models"
    assert model_folder("", {"HF_HOME": "/b"}) == Path("/b/hub")
    assert absolute("~no-such-user/x") == Path.cwd() / "~no-such-user/x"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        '[downloads]\nfolder = "/models"\n',
        '\ufeff[downloads]\nfolder = "/models"\n',
        "[downloads]\nparallel = 3\n",
        '[library]\nfolders = ["/models"]\n',
        "[downloads]\nfolder = 7\n",
        "downloads = 7\nfolder = 8\n",
        "[downloads\nfolder = ",
    ],
)
def test_it_is_read_as_the_settings_are(places: Paths, text: str | None) -> None:
    if text is not None:
        places.config_file.write_text(text, encoding="utf-8")
    assert chosen_folder(places) == load_config(places).settings.downloads.folder


def test_settings_that_cannot_be_read_choose_none(places: Paths) -> None:
    places.config_file.mkdir()
    assert chosen_folder(places) == ""
