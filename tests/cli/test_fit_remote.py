"""`puna fit` of a model that is not here: its header travels and nothing else, and only once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.puna import puna
from tests.rigs.architectures import published_model
from tests.rigs.architectures.quants import Quant
from tests.rigs.hub import Content, IgnoreRange, LoopbackHub, Repo, with_hole
from tui.gguf.layout import read_layout

NAME, LARGER = "Qwen3-8B-Q4_K_M.gguf", "Qwen3-8B-Q8_0.gguf"
MIB = 1 << 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Content]:
    """A model of 8 billion values in two quantizations, its weights a hole."""
    folder, made = tmp_path_factory.mktemp("published"), {}
    quants: dict[str, Quant] = {NAME: "Q4_K_M", LARGER: "Q8_0"}
    for name, quant in quants.items():
        path = published_model(folder / name, "qwen3-8b", quant=quant, words=True)
        with path.open("rb") as file:
            made[name] = with_hole(file.read(read_layout(path).header.data_offset), path.stat().st_size)
    return made


@pytest.fixture
def hub(files: dict[str, Content]) -> Iterator[LoopbackHub]:
    with LoopbackHub(Repo("org/qwen", files)) as running:
        yield running


def ask(home: Path, hub: LoopbackHub, *arguments: str) -> tuple[int, dict[str, object], str]:
    """Exit code, document and what was said."""
    env = {"HF_ENDPOINT": hub.endpoint, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = puna(home, "fit", *arguments, "--json", env=env)
    return done.returncode, json.loads(done.stdout or b"{}"), done.stderr.decode()


def test_only_the_header_travels_and_only_once(tmp_path: Path, hub: LoopbackHub, files: dict[str, Content]) -> None:
    code, answer, _ = ask(tmp_path, hub, "org/qwen:Q4_K_M", "--device", "4090", "--ram", "64GiB")
    assert code == 0
    assert answer["model"]["file_bytes"] == files[NAME].size  # type: ignore[index]
    assert (answer["source"], answer["verdict"]) == ("dry-run", "gpu")
    travelled = hub.sent_bytes("cdn")
    assert 0 < travelled < 12 * MIB
    code, again, _ = ask(tmp_path, hub, "org/qwen:Q4_K_M", "--device", "24=8GiB", "--ram", "64GiB")
    assert code == 0
    assert again["verdict"] != "no"
    assert hub.sent_bytes("cdn") == travelled, "a header that is known is not fetched again"


def test_an_address_on_the_hub_of_hf_endpoint_is_one(tmp_path: Path, hub: LoopbackHub) -> None:
    for address in (f"{hub.endpoint}/org/qwen", f"{hub.endpoint}/org/qwen/blob/main/{NAME}"):
        code, answer, _ = ask(tmp_path, hub, address, "--device", "4090", "--ram", "64GiB")
        assert code == 0
        assert answer["model"]["name"] == "org/qwen:Q4_K_M"  # type: ignore[index]
    code, _, said = ask(tmp_path, hub, "http://elsewhere.example/org/qwen")
    assert code == 1
    assert f"names no repository of huggingface.co or {hub.endpoint}; another hub is named in HF_ENDPOINT" in said


def test_where_no_quantization_is_named_the_one_that_is_taken_is_said(tmp_path: Path, hub: LoopbackHub) -> None:
    code, answer, said = ask(tmp_path, hub, "org/qwen", "--device", "none")
    assert code == 0
    assert answer["model"]["name"] == "org/qwen:Q4_K_M"  # type: ignore[index]
    assert "a good balance of size and quality" in said


def test_what_does_not_fit_is_told_with_a_smaller_quantization_of_the_same_repository(
    tmp_path: Path, hub: LoopbackHub
) -> None:
    code, answer, _ = ask(tmp_path, hub, "org/qwen:Q8_0", "--device", "none", "--ram", "8GiB", "--n-ctx", "4096")
    assert code == 0
    assert answer["verdict"] == "no"
    changes = [fix["change"] for fix in answer["fixes"]]  # type: ignore[attr-defined]
    assert "quantization Q4_K_M instead of Q8_0" in changes


def test_a_server_that_ignores_ranges_is_told_and_the_file_is_not_fetched(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("cdn", IgnoreRange())
    code, _, said = ask(tmp_path, hub, "org/qwen:Q4_K_M")
    assert code == 1
    assert "sends whole files only" in said
    assert hub.sent_bytes("cdn") < 12 * MIB


def test_a_repository_that_is_nowhere_is_one_line(tmp_path: Path, hub: LoopbackHub) -> None:
    code, _, said = ask(tmp_path, hub, "org/nothing")
    assert code == 1
    assert said.count("\n") == 1
    assert "org/nothing" in said
