"""Other programs' models, each in a tree as that program makes it: found in place, by its names, with whose it is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.permission import permissions_count
from tui.library.model import Place, to_json
from tui.library.ollama import manifests_of
from tui.library.owners import owned_places


def put(source: Path, target: Path) -> Path:
    """A copy of a model at `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return target


def ollama(root: Path, name: str, source: Path, *, media: str = "application/vnd.ollama.image.model") -> Path:
    """Store a copy of `source` as Ollama does, under host/namespace/name/tag; its blob is returned."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    blob = put(source, root / "blobs" / f"sha256-{digest}")
    manifest = root / "manifests" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {"mediaType": media, "digest": f"sha256:{digest}", "size": blob.stat().st_size},
        {"mediaType": "application/vnd.ollama.image.template", "digest": f"sha256:{'0' * 64}", "size": 7},
    ]
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": {}, "layers": layers}))
    return blob


@pytest.mark.parametrize("folder", [".lmstudio/models", ".cache/lm-studio/models"])
def test_lm_studio_keeps_repositories(home: Home, tiny: Path, folder: str) -> None:
    file = put(tiny, home.user / folder / "org" / "Small-GGUF" / "Small-Q4_K_M.gguf")
    put(tiny, file.with_name("mmproj-Small-f16.gguf"))
    model = home.look()["Small-Q4_K_M"]
    assert (model.path, model.source, model.repo) == (file, "lm-studio", "org/Small-GGUF")
    assert to_json(model)["source"] == "lm-studio"
    assert home.notes == ()


def test_lm_studio_may_live_elsewhere(home: Home, tiny: Path, tmp_path: Path) -> None:
    (home.user / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'big' / 'lms'}\n")
    put(tiny, tmp_path / "big" / "lms" / "models" / "org" / "one" / "one.gguf")
    put(tiny_model(tmp_path / "other.gguf", n_layer=3), tmp_path / "disk" / "org" / "two" / "two.gguf")
    (home.user / ".lmstudio").mkdir()
    (home.user / ".lmstudio" / "settings.json").write_text(json.dumps({"downloadsFolder": str(tmp_path / "disk")}))
    assert {name: model.source for name, model in home.look().items()} == {"one": "lm-studio", "two": "lm-studio"}


@pytest.mark.parametrize("text", ["{", "[]", '{"downloadsFolder": 7}', "[" * 100_000])
def test_settings_that_make_no_sense_are_passed_over(home: Home, tiny: Path, text: str) -> None:
    put(tiny, home.user / ".lmstudio" / "models" / "org" / "one" / "one.gguf")
    (home.user / ".lmstudio" / "settings.json").write_text(text)
    assert set(home.look()) == {"one"}


def test_ollama_models_have_their_names(home: Home, tiny: Path, tmp_path: Path) -> None:
    root = home.user / ".ollama" / "models"
    blob = ollama(root, "registry.ollama.ai/library/llama3.2/1b", tiny)
    other = tiny_model(tmp_path / "other.gguf", n_layer=3)
    ollama(root, "registry.ollama.ai/someone/mine/latest", other)
    third = tiny_model(tmp_path / "third.gguf", n_layer=4)
    ollama(root, "hf.co/org/Small-GGUF/Q8_0", third)
    models = home.look()
    assert set(models) == {"llama3.2:1b", "someone/mine:latest", "hf.co/org/Small-GGUF:Q8_0"}
    model = models["llama3.2:1b"]
    assert (model.path, model.source, model.repo, model.file) == (blob, "ollama", None, blob.name)
    assert (model.architecture, model.quant, model.problem) == ("llama", "F32", None)
    assert models["hf.co/org/Small-GGUF:Q8_0"].repo == "org/Small-GGUF"
    assert home.notes == ()


def test_ollama_follows_its_variable_and_its_service(home: Home, tiny: Path, tmp_path: Path) -> None:
    home.environ["OLLAMA_MODELS"] = str(tmp_path / "ollama")
    ollama(tmp_path / "ollama", "registry.ollama.ai/library/one/latest", tiny)
    other = tiny_model(tmp_path / "other.gguf", n_layer=3)
    ollama(home.system / "usr/share/ollama/.ollama/models", "registry.ollama.ai/library/two/latest", other)
    assert set(home.look()) == {"one:latest", "two:latest"}


def test_two_names_of_one_ollama_model_are_one(home: Home, tiny: Path) -> None:
    root = home.user / ".ollama" / "models"
    blob = ollama(root, "registry.ollama.ai/library/a/latest", tiny)
    ollama(root, "registry.ollama.ai/library/b/mine", tiny)
    (model,) = home.look().values()
    assert (model.name, model.also) == ("a:latest", (Place(blob, "ollama", "b:mine"),))
    assert [manifest.name for manifest in manifests_of(blob)] == ["latest", "mine"]


def test_a_manifest_that_points_nowhere_says_how_to_mend_it(home: Home, tiny: Path) -> None:
    ollama(home.user / ".ollama" / "models", "registry.ollama.ai/library/gone/1b", tiny).unlink()
    problem = home.look()["gone:1b"].problem
    assert problem == "Ollama's manifest names a file that is gone; ollama pull gone:1b gets it again"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"layers": 7}',
        '{"layers": [7]}',
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model"}]}',
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "../../etc/passwd"}]}',
    ],
)
def test_a_damaged_manifest_is_noted(home: Home, text: str) -> None:
    manifest = home.user / ".ollama/models/manifests/registry.ollama.ai/library/odd/latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text)
    assert home.look() == {}
    assert home.notes == (f"{manifest}: passed over, is no manifest of Ollama's",)


def test_ollama_models_of_other_formats_are_left_out(home: Home, tiny: Path) -> None:
    root = home.user / ".ollama" / "models"
    ollama(root, "registry.ollama.ai/library/mlx/latest", tiny, media="application/vnd.ollama.image.tensor")
    cloud = root / "manifests/registry.ollama.ai/library/cloud/latest"
    cloud.parent.mkdir(parents=True)
    cloud.write_text('{"layers": null}')
    assert home.look() == {}
    assert home.notes == ()


def test_llama_cpp_downloads_are_told_by_their_manifests(home: Home, tiny: Path) -> None:
    cache = home.user / ".cache" / "llama.cpp"
    file = put(tiny, cache / "org_My_Model-GGUF_sub_small-Q4_K_M.gguf")
    (cache / "manifest=org=My_Model-GGUF=latest.json").write_text("{}")
    (cache / "manifest=org=My=latest.json").write_text("{}")
    model = home.look()["sub_small-Q4_K_M"]
    assert (model.path, model.source, model.repo) == (file, "llama.cpp", "org/My_Model-GGUF")


def test_llama_cpp_follows_its_variable(home: Home, tiny: Path, tmp_path: Path) -> None:
    home.environ["LLAMA_CACHE"] = str(tmp_path / "cache")
    put(tiny, tmp_path / "cache" / "org_repo_small.gguf")
    put(tiny, home.user / ".cache" / "llama.cpp" / "unused.gguf")
    assert {name: model.source for name, model in home.look().items()} == {"org_repo_small": "llama.cpp"}


@pytest.mark.parametrize("folder", [".local/share/Jan/data/llamacpp/models", "jan/models"])
def test_jan_models_are_named_by_their_folders(home: Home, tiny: Path, folder: str) -> None:
    file = put(tiny, home.user / folder / "org" / "Small-Q4_K_M" / "model.gguf")
    file.with_name("model.yml").write_text("model_path: llamacpp/models/org/Small-Q4_K_M/model.gguf\nname: Small\n")
    model = home.look()["Small-Q4_K_M"]
    assert (model.path, model.source) == (file, "jan")


def test_jan_may_name_a_file_elsewhere(home: Home, tiny: Path, tmp_path: Path) -> None:
    file = put(tiny, tmp_path / "elsewhere" / "x.gguf")
    settings = home.user / ".local/share/Jan/data/llamacpp/models/imported/model.yml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"name: imported\nmodel_path: {file}\n")
    assert home.look()["imported"].path == file
    file.unlink()
    assert home.look()["imported"].problem == "there is no such file"


def test_gpt4all_shows_what_it_has_not_finished(home: Home, tiny: Path) -> None:
    folder = home.user / ".local" / "share" / "nomic.ai" / "GPT4All"
    put(tiny, folder / "whole.gguf")
    os.truncate(put(tiny, folder / "incomplete-other.gguf"), 200_000)
    models = home.look()
    assert {model.source for model in models.values()} == {"gpt4all"}
    assert models["whole"].problem is None
    assert (models["incomplete-other"].problem or "").startswith("is cut short")


def test_a_folder_of_another_program_that_is_configured_stays_its_own(home: Home, tiny: Path) -> None:
    file = put(tiny, home.user / ".lmstudio" / "models" / "org" / "one" / "one.gguf")
    model = home.look(home.user / ".lmstudio" / "models")["one"]
    assert (model.path, model.source, model.also) == (file, "lm-studio", ())


def test_the_same_names_in_two_programs_are_told_apart(home: Home, tiny: Path, tmp_path: Path) -> None:
    other = tiny_model(tmp_path / "other.gguf", n_layer=3)
    put(other, home.user / ".lmstudio" / "models" / "org" / "m" / "m.gguf")
    home.hub.put("org/m", "m.gguf", tiny)
    assert set(home.look()) == {"org/m/m", "lm-studio/org/m/m"}


def test_a_circle_and_a_shut_folder_are_no_end(home: Home, tiny: Path) -> None:
    root = home.user / ".lmstudio" / "models"
    put(tiny, root / "org" / "one" / "one.gguf")
    (root / "org" / "again").symlink_to(root)
    (root / "org" / "self").symlink_to(root / "org" / "self")
    shut = root / "shut"
    shut.mkdir()
    shut.chmod(0)
    with permissions_count():
        assert set(home.look()) == {"one"}
    shut.chmod(0o700)
    assert home.notes == (f"{shut}: passed over, permission denied",)


def test_other_variables_of_the_platform_count(tmp_path: Path) -> None:
    environ = {"HOME": "/h", "XDG_DATA_HOME": "/d", "XDG_CACHE_HOME": "/c"}
    roots: dict[str, list[str]] = {}
    for place in owned_places(environ, tmp_path):
        roots.setdefault(place.source, []).append(str(place.root))
    assert "/d/Jan/data/llamacpp/models" in roots["jan"]
    assert "/c/llama.cpp" in roots["llama.cpp"]
    assert "/d/nomic.ai/GPT4All" in roots["gpt4all"]
    assert roots["ollama"][0] == "/h/.ollama/models"
    assert all(root.startswith(("/h", str(tmp_path))) for root in roots["ollama"])
