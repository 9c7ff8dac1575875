"""`puna fit` with files and settings that cannot be: one clear line each, soon, and nothing left running."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.cli.puna import puna
from tests.rigs.broken_gguf import broken_files, killer
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.permission import permissions_count
from tui.cli import fit
from tui.cli.main import main
from tui.config.model_file import update_model
from tui.config.paths import paths

DEMO = "smollm2-demo"
NOWHERE = ("--device", "none", "--ram", "8GiB")
_COUNTS = struct.Struct("<QQ")

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    """`puna fit` in this process: exit code, stdout and stderr. Afterwards none of its children runs."""
    monkeypatch.setenv("PUNA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    before = set(psutil.Process().children(recursive=True))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["fit", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    yield run
    assert set(psutil.Process().children(recursive=True)) <= before


def refused(answer: tuple[int, str, str]) -> str:
    """The one line of a refusal."""
    code, out, err = answer
    assert (code, out) == (1, ""), answer
    (line,) = err.splitlines()
    assert line.startswith("puna: ")
    assert "Traceback" not in line
    return line


# ---- files


def test_every_broken_file_is_one_line(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    said = {broken.name: refused(ask(str(broken.path), *NOWHERE)) for broken in broken_files(folder)}
    assert "is empty" in said["empty"]
    assert "is a folder" in said["a folder"]
    assert "is not a regular file" in said["a pipe"]
    assert "not a GGUF file" in said["wrong magic"]
    assert "there is no" in said["missing"]
    assert "cut short" in said["cut in the data"]
    assert "llama.cpp cannot load this model" in said["llama.attention.head_count 0"]
    assert len(said) >= 40


@pytest.fixture
def good(tmp_path: Path) -> bytes:
    return tiny_model(tmp_path / "good.gguf").read_bytes()


def test_counts_and_lengths_that_lie(ask: Ask, tmp_path: Path, good: bytes) -> None:
    n_keys = struct.unpack_from("<Q", good, 16)[0]
    name = struct.pack("<Q", 12) + b"general.name"
    at = good.index(name) + len(name) + 4
    lies = {
        "1099511627776 tensors": good[:8] + _COUNTS.pack(1 << 40, n_keys) + good[24:],
        "4611686018427387904 bytes": good[:at] + struct.pack("<Q", 1 << 62) + good[at + 8 :],
    }
    for words, content in lies.items():
        (tmp_path / "lie.gguf").write_bytes(content)
        assert words in refused(ask(str(tmp_path / "lie.gguf"), *NOWHERE))


@pytest.mark.parametrize("n_layer", [0, 4000])
def test_a_header_that_ends_llama_cpp_is_answered_by_formula_with_the_reason(
    ask: Ask, tmp_path: Path, n_layer: int
) -> None:
    code, out, err = ask(str(killer(tmp_path, n_layer)), *NOWHERE, "--n-ctx", "512", "--n-ctx", "1024", "--json")
    assert code == 0
    assert [json.loads(line)["source"] for line in out.splitlines()] == ["estimate", "estimate"]
    assert "SIGABRT" in err.splitlines()[0]
    assert refused(ask(DEMO, "--n-ctx", "0"))
    assert json.loads(ask(DEMO, *NOWHERE, "--json")[1])["source"] == "dry-run"


def test_a_shard_that_is_missing(ask: Ask, tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "big.gguf", shards=3)
    second = first.with_name("big-00002-of-00003.gguf")
    second.unlink()
    assert "big-00002-of-00003" in refused(ask(str(first), *NOWHERE))
    assert "big-00002-of-00003" in refused(ask(str(second), *NOWHERE))
    first.unlink()
    assert "part 1" in refused(ask(str(first.with_name("big-00003-of-00003.gguf")), *NOWHERE))


def test_a_file_that_may_not_be_read(ask: Ask, tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "secret.gguf")
    path.chmod(0)
    with permissions_count():
        assert "secret.gguf" in refused(ask(str(path), *NOWHERE))


def test_a_model_of_the_library_that_is_broken(ask: Ask, tmp_path: Path) -> None:
    folder, config = tmp_path / "models", tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(f'[library]\nfolders = ["{folder}"]\n')
    path = tiny_model(folder / "cut.gguf")
    path.write_bytes(path.read_bytes()[:-4096])
    assert "cut short" in refused(ask("cut", *NOWHERE))


def test_a_pipe_in_a_process_of_its_own_does_not_hang(tmp_path: Path) -> None:
    broken = {one.name: one.path for one in broken_files(tmp_path)}
    done = puna(tmp_path, "fit", str(broken["a pipe"]), timeout_s=60)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, b"", 1)


# ---- settings


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--n-ctx", "2147483648"), "n_ctx: 2147483648 is outside 1 to 4194304"),
        (("--n-ctx", "16777216"), "n_ctx: 16777216 is outside"),
        (("--n-ctx", "0"), "n_ctx"),
        (("--n-ctx", "512", "--n-ctx", "-1"), "n_ctx"),
        (("--n-gpu-layers", "-1"), "n_gpu_layers"),
        (("--panes", "0"), "panes: 0 is outside 1 to 16"),
        (("--panes", "17"), "panes: 17 is outside 1 to 16"),
        (("--n-ubatch", "0"), "n_ubatch"),
        (("--n-ubatch", "100000"), "n_ubatch"),
        (("--n-cpu-moe", "-1"), "n_cpu_moe"),
        (("--type-k", "iq2_xxs"), "type_k: 'iq2_xxs' is none of f32, f16"),
        (("--type-v", "Q8"), "type_v"),
        (("--type-v", "q8_0", "--flash-attn", "off"), "type_v: q8_0 needs flash attention"),
        (("--mmproj", " "), "mmproj"),
        (("--draft-model", "nowhere"), "draft_model: no model is called 'nowhere'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_is_asked(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], says: str
) -> None:
    def never(_: object) -> None:
        raise AssertionError("the machine need not be looked at")

    monkeypatch.setattr(fit, "look", never)
    assert says in refused(ask(DEMO, *NOWHERE, *options))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--n-ctx", "abc"), "--n-ctx"),
        (("--n-ctx", "1e3"), "--n-ctx"),
        (("--n-gpu-layers", "some"), "--n-gpu-layers"),
        (("--flash-attn", "maybe"), "--flash-attn"),
        (("--ram", "much"), "--ram"),
        (("--ram", "-1"), "--ram"),
        (("--device", "voodoo2"), "--device"),
        (("--device", "A100-80:vulkan"), "stands for its own backend"),
        (("--device", "x=0"), "x has no memory"),
        (("--device", "x=1GiB:dos"), "'dos' is none of"),
        (("--device", "none", "--device", "4090"), "none means no devices"),
        (("--frobnicate",), "--frobnicate"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(ask: Ask, options: tuple[str, ...], says: str) -> None:
    code, out, err = ask(DEMO, *options)
    assert (code, out) == (2, "")
    assert says in err.splitlines()[-1]


def test_a_size_without_its_unit_is_warned_of(ask: Ask) -> None:
    code, _, err = ask(DEMO, "--device", "4090=24", "--ram", "64", "--n-ctx", "8k", "--json")
    assert code == 0
    assert "4090 has 24 B of memory, which holds no model; did you mean 24GiB?" in err
    assert "the host has 64 B of memory, which holds no model; did you mean 64GiB?" in err


def test_a_model_must_be_named(ask: Ask) -> None:
    assert ask()[0] == 2


def test_the_longest_context_is_answered(ask: Ask) -> None:
    _, out, _ = ask(DEMO, *NOWHERE, "--n-ctx", "4m", "--json")
    found = json.loads(out)
    assert (found["verdict"], found["settings"]["n_ctx"]) == ("no", 4194304)


def test_a_kept_setting_that_cannot_be_is_refused_by_name(ask: Ask, tmp_path: Path) -> None:
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[load]\ndevices = ["CUDA7"]\n')
    assert "no device 'CUDA7' here" in refused(ask(DEMO, "--json"))


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ({"tensor_split": [0.0, 0.0]}, "tensor_split: at least one share must be above 0"),
        ({"n_ctx": "many"}, "n_ctx: 'many' is none of auto, a whole number"),
        ({"lora": [{"path": "/nowhere.gguf"}]}, "lora: /nowhere.gguf: there is no such file"),
    ],
)
def test_a_setting_of_models_toml_that_cannot_be(
    ask: Ask, demo_model: Path, kept: dict[str, object], says: str
) -> None:
    update_model(paths(), f"{demo_model.name}:{demo_model.stat().st_size}", kept)
    line = refused(ask(DEMO, "--json"))
    assert says in line
    assert "lora" in kept or line.endswith("models.toml)")
