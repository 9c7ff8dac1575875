"""`puna find`: models that can be fetched, from a hub or with no network at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.puna import ROOT, environment, puna
from tests.rigs.hub import BAD_TOKEN, CAPTIVE_PORTAL, Answer, LoopbackHub, Repo, Stall, rate_limited, with_hole
from tests.rigs.hub.environment import hub_home
from tests.rigs.terminal import Terminal
from tui.cli.main import main
from tui.hub.catalogue import starter
from tui.hub.listing import USE_CASES

CONTRACT = (
    *("repo", "file", "quant", "parameters", "file_bytes", "verdict", "need_bytes", "decode_tok_s"),
    *("downloads", "likes", "updated", "licence", "gated", "use_cases"),
)
HERE = ("--device", "none", "--ram", "64GiB")
GGUF = {"total": 8_190_735_360, "architecture": "qwen3", "context_length": 40_960}
SIZES = {"Qwen3-8B-Q4_K_M.gguf": 5_027_783_488, "Qwen3-8B-Q8_0.gguf": 8_709_518_112}
QWEN = Repo(
    "acme/Qwen3-8B-GGUF",
    {name: with_hole(b"GGUF", size) for name, size in SIZES.items()},
    tags=("gguf", "license:apache-2.0", "base_model:quantized:Qwen/Qwen3-8B"),
    downloads=1234,
    likes=56,
    modified="2026-05-06T07:08:09.000Z",
    gguf=GGUF,
)
LOCKED = Repo("acme/Locked-1B-GGUF", {}, gated="manual", downloads=9, gguf={**GGUF, "total": 1_000_000_000})


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(QWEN, LOCKED) as running:
        yield running


Find = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Find]:
    """`puna find ARGUMENTS --json` in this process: exit code, document, and what was said."""

    def ask(*arguments: str, hub: LoopbackHub | None = None) -> tuple[int, dict[str, Any], str]:
        if hub is not None:
            monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        code = main(["find", *arguments, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out or "{}"), err

    monkeypatch.setenv("PUNA_HOME", str(tmp_path))
    with hub_home(tmp_path / "hf", monkeypatch):
        yield ask


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The same for people, in a pipe. It needs the fixture `find` for the surroundings."""
    assert main(["find", "--offline", *arguments]) == 0
    return capsys.readouterr().out


def test_with_no_network_there_are_rows_with_verdicts(tmp_path: Path) -> None:
    wished = ("--fits", "ram", "--use-case", "code", "--max-wait", "60")
    done = puna(tmp_path, "find", "--offline", *wished, "--ram", "64GiB", "--limit", "all", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert list(answer) == ["source", "rows"]
    assert answer["source"] == "catalogue"
    assert answer["rows"]
    repos = {listing.repo for listing in starter().listings}
    for row in answer["rows"]:
        assert tuple(row) == CONTRACT
        assert row["repo"] in repos
        assert row["file"] is None
        assert row["verdict"] in ("gpu", "partial", "ram")
        assert row["need_bytes"] > row["file_bytes"] * 0.8
        assert "code" in row["use_cases"]
        assert set(row["use_cases"]) <= set(USE_CASES)
        assert 400 / row["decode_tok_s"][0] <= 60.5
        assert row["gated"] is False
        assert row["downloads"] is row["likes"] is None


def test_this_machine_is_what_counts_unless_another_is_described(find: Find) -> None:
    code, answer, _ = find("--offline", "SmolLM2-135M-Instruct")
    assert code == 0
    assert answer["rows"][0]["verdict"] in ("gpu", "partial", "ram")
    _, answer, _ = find("--offline", "Llama-3.3-70B", "--device", "H100", "--ram", "64GiB")
    assert answer["rows"][0]["verdict"] == "gpu"
    _, answer, _ = find("--offline", "Llama-3.3-70B", "--device", "none", "--ram", "16GiB")
    assert answer["rows"][0]["verdict"] == "no"
    assert answer["rows"][0]["decode_tok_s"] is None


def test_nothing_found_is_an_answer(find: Find, capsys: pytest.CaptureFixture[str]) -> None:
    assert find("--offline", "no-such-model")[:2] == (0, {"source": "catalogue", "rows": []})
    assert "704 models" in shown(capsys, "no-such-model")


def test_rows_are_chosen_and_ordered_as_asked(find: Find) -> None:
    flags = ("--family", "Qwen", "--parameters", "1B-9B", "--licence", "apache", "--context", "32k", "--limit", "7")
    code, answer, _ = find("--offline", *HERE, *flags, "--sort", "name", "--quant", "q5_k_m")
    assert code == 0
    assert len(answer["rows"]) == 7
    names = [row["repo"].partition("/")[2].casefold() for row in answer["rows"]]
    assert names == sorted(names)
    for row in answer["rows"]:
        assert row["quant"] == "Q5_K_M"
        assert 1e9 <= row["parameters"] <= 9e9
        assert "apache" in row["licence"]
    _, answer, _ = find("--offline", *HERE, "Qwen/Qwen3-8B-Base", "--all-quants", "--limit", "all")
    assert {row["quant"] for row in answer["rows"]} == {"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K"}


@pytest.mark.parametrize("prefix", ["", "https://huggingface.co/", "hf.co/"])
def test_an_address_means_its_repository(find: Find, prefix: str) -> None:
    repo = starter().listings[0].repo
    assert [row["repo"] for row in find("--offline", f"{prefix}{repo}")[1]["rows"]] == [repo]
    assert [row["repo"] for row in find("--offline", f"{prefix}{repo}:Q4_K_M")[1]["rows"]] == [repo]


def test_a_longer_context_needs_more(find: Find) -> None:
    needs = []
    for n_ctx in ("8192", "32k"):
        _, answer, _ = find("--offline", *HERE, "Qwen/Qwen3-8B", "--n-ctx", n_ctx, "--quant", "Q4_K_M")
        needs.append(answer["rows"][0]["need_bytes"])
    assert needs[1] > needs[0] + 3 * 2**30


def test_a_hub_s_rows_have_its_files(find: Find, hub: LoopbackHub) -> None:
    code, answer, said = find("qwen3-8b", *HERE, hub=hub)
    assert (code, said) == (0, "")
    assert answer["source"] == "hub"
    (row,) = [row for row in answer["rows"] if row["repo"] == "acme/Qwen3-8B-GGUF"]
    assert row["file"] in SIZES
    assert row["file_bytes"] == SIZES[row["file"]]
    assert (row["downloads"], row["likes"], row["licence"]) == (1234, 56, "apache-2.0")
    assert row["updated"].startswith("2026-05-06")
    assert row["parameters"] == 8_190_735_360
    others = [row for row in answer["rows"] if row["repo"] != "acme/Qwen3-8B-GGUF"]
    assert all(row["file"] is None for row in others)

    assert (hub.count("models"), hub.count("model")) == (1, 1)
    assert find("qwen3-8b", *HERE, hub=hub)[1] == answer
    assert (hub.count("models"), hub.count("model")) == (1, 2)  # a search is remembered for some minutes


def test_a_gated_repository_is_told_as_such(find: Find, hub: LoopbackHub) -> None:
    _, answer, _ = find("locked", hub=hub)
    (row,) = answer["rows"]
    assert (row["repo"], row["gated"], row["file"]) == ("acme/Locked-1B-GGUF", True, None)


def test_a_hub_that_fails_after_the_search_is_not_asked_for_all_the_rest(find: Find) -> None:
    many = [Repo(f"acme/Many-{number}B-GGUF", {}, gguf={**GGUF, "total": number * 10**9}) for number in range(1, 19)]
    with LoopbackHub(*many) as hub:
        hub.fail("model", rate_limited(900))
        code, answer, said = find("acme", *HERE, hub=hub)
        assert (code, answer["source"], len(answer["rows"])) == (0, "hub", 18)
        assert {row["file"] for row in answer["rows"]} == {None}
        assert "files that it did not tell of are estimated" in said
        assert len(said.splitlines()) == 1
        assert hub.count("model") < 18


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Answer(503), "503"),
        (rate_limited(900), "limit"),
        (BAD_TOKEN, "hf auth login"),
        (CAPTIVE_PORTAL, "login page"),
    ],
    ids=["503", "429", "401", "portal"],
)
def test_where_the_hub_cannot_answer_the_catalogue_does_and_why_is_said(
    find: Find, hub: LoopbackHub, fault: Any, words: str
) -> None:
    hub.fail("models", fault)
    code, answer, said = find("qwen3-8b", hub=hub)
    assert code == 0
    assert answer["source"] == "catalogue"
    assert answer["rows"]
    assert words in said
    assert f"the catalogue of {starter().gathered} is shown" in said
    assert len(said.splitlines()) == 1


def test_without_a_hub_or_in_offline_mode_the_catalogue_answers(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HF_ENDPOINT", "http://127.0.0.1:9"), ("HF_ENDPOINT", "nonsense"), ("HF_HUB_OFFLINE", "1")):
        monkeypatch.setenv(name, value)
        code, answer, said = find("qwen3-4b")
        assert (code, answer["source"]) == (0, "catalogue")
        assert answer["rows"]
        assert "is shown" in said


def test_ctrl_c_ends_at_once_while_a_hub_says_nothing(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("models", Stall())
    variables = {"HF_ENDPOINT": hub.endpoint, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    command, pipe = [sys.executable, "-m", "tui", "find", "qwen"], subprocess.PIPE
    child = subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment(tmp_path, variables), cwd=ROOT)
    until = time.monotonic() + 60
    while not hub.count("models"):
        assert child.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 128 + signal.SIGINT
    assert (out, err) == (b"", b"")


def test_a_refresh_makes_the_catalogue_anew(find: Find, hub: LoopbackHub, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer, said = find("--refresh", "acme", hub=hub)
    assert code == 0
    assert "the catalogue holds" in said
    code, answer, said = find("--offline", "acme", "--limit", "all")
    assert (code, answer["source"]) == (0, "catalogue")
    assert {row["repo"] for row in answer["rows"]} >= {"acme/Locked-1B-GGUF"}
    assert {row["file"] for row in answer["rows"]} == {None}
    assert starter().gathered not in shown(capsys, "acme")


def test_a_refresh_that_fails_leaves_the_catalogue(find: Find, hub: LoopbackHub) -> None:
    hub.fail("models", Answer(503))
    code, answer, said = find("--refresh", hub=hub)
    assert (code, answer) == (1, {})
    assert f"the catalogue of {starter().gathered} stays" in said
    assert find("--offline", "yi")[1]["rows"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--use-case", "image"), "stable-diffusion.cpp"),
        (("--use-case", "video"), "ComfyUI"),
        (("--use-case", "poetry"), "summarising"),
        (("--fits", "disk"), "invalid choice"),
        (("--sort", "luck"), "invalid choice"),
        (("--min-speed", "fast"), "number above 0"),
        (("--max-wait", "-1"), "number above 0"),
        (("--max-wait", "nan"), "number above 0"),
        (("--limit", "0"), "number of rows"),
        (("--limit", "1e400"), "number of rows"),
        (("--parameters", "many"), "7B-14B"),
        (("--parameters", "9B-3B"), "begins with more"),
        (("--context", "long"), "32768 or 32k"),
        (("--n-ctx", "0"), "context"),
        (("--n-ctx", "9000000k"), "context"),
        (("--quant", "Q9_Z"), "Q4_K_M"),
        (("--ram", "much"), "24GiB"),
        (("--device", "4091"), "did you mean"),
        (("--refresh",), "--offline"),
        (("--nonsense",), "unrecognized"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["find", "--offline", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err.replace("\n", " ")


def test_asking_for_pictures_gets_an_honest_sentence_beside_the_rows(find: Find) -> None:
    code, answer, said = find("--offline", "image", "generation")
    assert (code, answer["rows"]) == (0, [])
    assert "makes no images" in said


def test_a_broken_catalogue_is_told_of(find: Find, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "catalogue.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("{{{")
    code, answer, said = find("--offline", "yi", "--limit", "1")
    assert (code, len(answer["rows"])) == (0, 1)
    assert str(file) in said


def test_on_a_terminal_names_are_whole_and_lines_fit(tmp_path: Path) -> None:
    variables = {key: value for key, value in environment(tmp_path).items() if os.environ.get(key) != value}
    command = [sys.executable, "-m", "tui", "find", "--offline", *HERE, "nvidia", "bf16", "--sort", "name"]
    with Terminal(command, columns=80, rows=40, env={**variables, "LC_ALL": "C.UTF-8"}, cwd=str(ROOT)) as terminal:
        assert terminal.end() == 0
        lines = [line.rstrip() for line in terminal.raw.decode().splitlines()]
    assert lines[0].split() == ["MODEL", "QUANT", "SIZE", "NEED", "FITS", "TOK/S"]
    assert max(map(len, lines)) <= 80
    name = "NVIDIA-Nemotron-3.5-Lightning-30B-A3B-Base-BF16"
    assert name in lines
    below = lines[lines.index(name) + 1]
    assert below.index("Q") == lines[0].index("QUANT")
    assert "○ ram" in below
    assert any(line.startswith("puna pull ") for line in lines)


def test_in_a_pipe_each_row_names_its_repository(tmp_path: Path) -> None:
    arguments = ("--offline", *HERE, "nvidia", "bf16")
    done = puna(tmp_path, "find", *arguments, env={"PYTHONIOENCODING": "ascii"})
    rows = [line for line in done.stdout.decode("ascii").splitlines() if line.endswith("-GGUF")]
    assert len(rows) == 5
    assert all(" o ram " in row or " x no " in row for row in rows)
    assert "speed: roofline, from the memory's speed alone" in done.stdout.decode("ascii")


def test_with_long_more_is_told_of_each(find: Find, capsys: pytest.CaptureFixture[str]) -> None:
    long = shown(capsys, *HERE, "nvidia", "nano", "a3b", "--long")
    assert "Nano-30B-A3B-BF16-GGUF:Q" in long
    assert "of them active" in long
    assert "licence nvidia" in long
    assert "for chat, writing" in long
