"""`puna fit`: the document and the tables, whose word counts, and verdicts to the byte."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.cli.puna import puna, start
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.nvml import FakeGpu, StandIn
from tests.rigs.projector_maker import tiny_projector
from tui.cli.main import main
from tui.config.model_file import update_model
from tui.config.paths import paths
from tui.fit.bandwidths import BandwidthError
from tui.fit.measured import SpeedStore
from tui.fit.receipts import LoadRecord, Parts
from tui.llama.receipt import DeviceBytes
from tui.models import fitting
from tui.models.fitting import Fitting
from tui.models.lessons import keep_load

MIB, GIB = 1 << 20, 1 << 30
DEMO = "smollm2-demo"
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "GGML_VK_VISIBLE_DEVICES": ""}
KEYS = {
    "model": {
        "name": str,
        "architecture": str,
        "parameters": int,
        "file_bytes": int,
        "n_layer": int,
        "n_ctx_train": int,
    },
    "host": {
        "weights_bytes": int,
        "context_bytes": int,
        "compute_bytes": int,
        "output_bytes": int,
        "available_bytes": int,
        "fits": bool,
    },
    "device": {
        "name": str,
        "description": str,
        "total_bytes": int,
        "free_bytes": int,
        "weights_bytes": int,
        "context_bytes": int,
        "compute_bytes": int,
        "overhead_bytes": int,
        "fits": bool,
    },
    "fix": {"change": str, "saves_bytes": int, "cost": str},
}
FIXED = ("--n-gpu-layers", "all", "--n-ctx", "2048")

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that is kept lies here."""
    monkeypatch.setenv("PUNA_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path


@pytest.fixture
def ask(home: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """`puna fit` in this process: exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["fit", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def document(answer: tuple[int, str, str]) -> dict[str, Any]:
    """The one document of an answer."""
    code, out, _ = answer
    assert code == 0
    (line,) = out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def typed(value: dict[str, Any]) -> dict[str, type]:
    return {key: type(one) for key, one in value.items()}


def need_bytes(device: dict[str, Any]) -> int:
    return sum(device[key] for key in ("weights_bytes", "context_bytes", "compute_bytes", "overhead_bytes"))


# ---- the real command


def test_the_document_of_a_machine_without_gpus(tmp_path: Path) -> None:
    done = puna(tmp_path, "fit", DEMO, "--json", env=NO_GPU)
    found = document((done.returncode, done.stdout.decode(), done.stderr.decode()))
    assert list(found) == ["model", "settings", "devices", "host", "verdict", "source", "speed", "fixes"]
    assert typed(found["model"]) == KEYS["model"]
    assert (found["model"]["name"], found["model"]["n_layer"], found["model"]["n_ctx_train"]) == (DEMO, 30, 8192)
    assert typed(found["host"]) == KEYS["host"]
    assert "auto" not in found["settings"].values()
    assert (found["devices"], found["verdict"], found["source"], found["fixes"]) == ([], "ram", "dry-run", [])
    low, high = found["speed"]["decode_tok_s"]
    assert 0 < low < high
    assert done.stderr == b""


def test_contexts_are_a_line_each_and_what_is_said_goes_to_stderr(tmp_path: Path) -> None:
    arguments = ("--device", "small=1100MiB", "--n-ctx", "512", "--n-ctx", "8192", "--n-ctx", "auto", "--ram", "64GiB")
    done = puna(tmp_path, "fit", DEMO, *arguments, "--json")
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [found["settings"]["n_ctx"] for found in documents[:2]] == [512, 8192]
    assert typed(documents[0]["devices"][0]) == KEYS["device"]
    assert b"puna: " in done.stderr
    assert b"layer" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((DEMO, "--type-k", "iq2_xxs"), 1, "type_k"),
        ((DEMO, "--n-ctx", "abc"), 2, "--n-ctx"),
        ((DEMO, "--device", "voodoo2"), 2, "voodoo2"),
        (("missing.gguf",), 1, "missing.gguf"),
    ],
)
def test_exit_codes(tmp_path: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = puna(tmp_path, "fit", *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert says in done.stderr.decode().splitlines()[-1]


def test_a_card_that_llama_cpp_cannot_drive_is_told_as_if_it_could(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(free=20 * GIB)])
    done = puna(tmp_path, "fit", DEMO, "--json", env=stand_in.environ)
    (device,) = document((done.returncode, done.stdout.decode(), ""))["devices"]
    assert (device["name"], device["description"]) == ("CUDA0", "NVIDIA Stand-in 24GB")
    assert (device["total_bytes"], device["free_bytes"], device["fits"]) == (24 * GIB, 20 * GIB, True)
    assert b"CUDA0: this llama.cpp was built for the CPU" in done.stderr


# ---- verdicts


def test_a_device_fits_to_the_byte(ask: Ask) -> None:
    (device,) = document(ask(DEMO, *FIXED, "--device", "x=24GiB", "--ram", "64GiB", "--json"))["devices"]
    assert device["overhead_bytes"] == 512 * MIB
    enough = need_bytes(device) + 512 * MIB
    fits = document(ask(DEMO, *FIXED, "--device", f"x={enough}", "--ram", "64GiB", "--json"))
    assert (fits["verdict"], fits["devices"][0]["fits"], fits["fixes"]) == ("gpu", True, [])
    short = document(ask(DEMO, *FIXED, "--device", f"x={enough - 1}", "--ram", "64GiB", "--json"))
    assert (short["verdict"], short["devices"][0]["fits"], short["host"]["fits"]) == ("no", False, True)
    assert short["settings"] == fits["settings"], "what is given does not move"
    assert [typed(fix) for fix in short["fixes"]] == [KEYS["fix"]] * len(short["fixes"]) != []


def test_the_host_fits_to_the_byte_and_the_margin_is_the_persons(ask: Ask, home: Path) -> None:
    host = document(ask(DEMO, *FIXED, "--device", "none", "--ram", "64GiB", "--json"))["host"]
    need = sum(host[key] for key in ("weights_bytes", "context_bytes", "compute_bytes", "output_bytes"))
    for margin, settings in ((GIB, ""), (3 * MIB, "[fit]\nmargin_host_mib = 3\n")):
        (home / "config").mkdir(exist_ok=True)
        (home / "config" / "config.toml").write_text(settings)
        enough = need + margin
        for ram, verdict in ((enough, "ram"), (enough - 1, "no")):
            found = document(ask(DEMO, *FIXED, "--device", "none", "--ram", str(ram), "--json"))
            assert (found["verdict"], found["host"]["fits"], found["devices"]) == (verdict, verdict == "ram", [])


def test_what_lies_beside_the_model_counts(ask: Ask, home: Path, tmp_path: Path, demo_model: Path) -> None:
    """In the parts that there are; a draft model that is kept is said to be of no use, as in a load."""
    small = tiny_model(tmp_path / "small.gguf")
    projector = tiny_projector(tmp_path / "mmproj.gguf", n_embd=576)
    roomy = ("--device", "x=24GiB", "--ram", "64GiB")
    identity = f"{demo_model.name}:{demo_model.stat().st_size}"
    update_model(paths({"PUNA_HOME": str(home)}), identity, {"draft_model": str(small)})
    code, out, err = ask(DEMO, *FIXED, *roomy, "--json")
    alone = document((code, out, err))
    assert alone["settings"]["draft_model"] == ""
    assert "The draft model small.gguf is not used: this version answers without one." in err
    code, out, err = ask(
        DEMO, *FIXED, *roomy, "--mmproj", str(projector), "--draft-model", str(small), "--explain", "--json"
    )
    both = document((code, out, err))
    assert (both["settings"]["mmproj"], both["settings"]["draft_model"]) == (str(projector), str(small))
    assert (both["source"], list(both), typed(both["host"])) == ("dry-run", list(alone), KEYS["host"])
    for part in ("weights_bytes", "context_bytes", "compute_bytes"):
        assert both["devices"][0][part] > alone["devices"][0][part]
    assert "puna itself answers without one" in err
    assert all(f"{what} (" in err for what in ("draft model small.gguf", "projector mmproj.gguf"))


def test_partly_on_the_gpu(ask: Ask) -> None:
    options = ("--n-ctx", "2048", "--n-gpu-layers", "12", "--device", "4090", "--ram", "64GiB")
    found = document(ask(DEMO, *options, "--json"))
    assert (found["verdict"], found["settings"]["n_gpu_layers"]) == ("partial", 12)
    assert found["devices"][0]["description"] == "NVIDIA GeForce RTX 4090"
    assert [fix["change"] for fix in found["fixes"]] == ["every layer on the GPU"]


def test_more_layers_than_there_are_is_all(ask: Ask) -> None:
    options = ("--n-ctx", "2000", "--n-gpu-layers", "999", "--device", "4090", "--ram", "64GiB")
    settings = document(ask(DEMO, *options, "--json"))["settings"]
    assert (settings["n_gpu_layers"], settings["n_ctx"]) == (31, 2048)


def test_panes_have_a_context_each(ask: Ask) -> None:
    one, two = (document(ask(DEMO, *FIXED, "--device", "none", "--panes", str(panes), "--json")) for panes in (1, 2))
    assert two["host"]["context_bytes"] == 2 * one["host"]["context_bytes"]
    assert (two["settings"]["n_ctx"], two["settings"]["n_seq_max"], two["settings"]["n_outputs_max"]) == (2048, 2, 2)


# ---- whose word counts


def test_a_flag_counts_before_models_toml_and_that_before_config_toml(ask: Ask, home: Path, demo_model: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(
        '[load]\nn_ctx = 1024\ntype_v = "q8_0"\ndevices = ["none"]\nthreads = 3\n'
    )
    assert document(ask(DEMO, "--json"))["settings"]["n_ctx"] == 1024
    identity = f"{demo_model.name}:{demo_model.stat().st_size}"
    update_model(paths(), identity, {"n_ctx": 512, "n_gpu_layers": 3, "n_batch": 1024})
    kept = document(ask(DEMO, "--json"))["settings"]
    assert (kept["n_ctx"], kept["type_v"], kept["threads"]) == (512, "q8_0", 3)
    given = document(ask(DEMO, "--n-ctx", "768", "--type-v", "f16", "--n-ubatch", "4096", "--json"))["settings"]
    assert (given["n_ctx"], given["type_v"], given["n_ubatch"], given["n_batch"]) == (768, "f16", 4096, 4096)
    elsewhere = document(ask(DEMO, "--device", "4090", "--ram", "64GiB", "--json"))["settings"]
    assert (elsewhere["n_ctx"], elsewhere["n_gpu_layers"], elsewhere["devices"]) == (512, 31, [])


def test_a_type_that_is_given_is_not_made_smaller(ask: Ask) -> None:
    options = ("--device", "x=1200MiB", "--ram", "64GiB", "--json")
    moved, given = document(ask(DEMO, *options)), document(ask(DEMO, *options, "--type-k", "f16"))
    assert (moved["settings"]["type_k"], given["settings"]["type_k"]) == ("q8_0", "f16")
    assert (moved["verdict"], given["verdict"]) == ("gpu", "partial")


# ---- for people


def test_the_table(ask: Ask) -> None:
    code, out, err = ask(DEMO, "--device", "x=1260MiB", "--ram", "64GiB", "--type-k", "f16", "--explain")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"{DEMO}: llama, 94 MiB, 30 layers")
    assert [line.split()[0] for line in lines[3:6]] == ["weights", "x", "host"]
    assert any(line.startswith("fits      yes, all on the GPU") for line in lines)
    assert any(line.startswith("note      The context is") and "not 8192" in line for line in lines)
    assert any(line.startswith("source    dry run of the header, driver assumed") for line in lines)
    explained = lines[lines.index("where the numbers come from") :]
    assert "  x: a stand-in with the rules of cuda" in explained
    assert "    driver: 512 MiB, assumed" in explained


def test_how_the_last_load_compared_is_explained_where_it_was_and_nowhere_else(ask: Ask, demo_model: Path) -> None:
    host = DeviceBytes(name="host", weights_bytes=1 << 27)
    record = LoadRecord(
        time=0.0,
        model=f"{demo_model.name}:{demo_model.stat().st_size}",
        settings={},
        source="dry-run",
        host=Parts(name="host", predicted=host, allocated=host),
    )
    keep_load(paths(), record)
    told = "  last load: as predicted, to the byte"
    assert told in ask(DEMO, "--explain")[1].splitlines()
    assert told not in ask(DEMO, "--device", "4090", "--ram", "64GiB", "--explain")[1]


def test_what_a_file_calls_itself_never_reaches_the_terminal_as_it_is(ask: Ask, tmp_path: Path) -> None:
    evil = tiny_model(tmp_path / "evil\x1b]0;pwned\x07\x1b[31m.gguf")
    for options in (("--explain",), ("--json",), ("--n-ctx", "512", "--n-ctx", "1024")):
        code, out, err = ask(str(evil), "--device", "none", *options)
        assert code == 0
        assert "evil" in out
        assert not {"\x1b", "\x07"} & set(out + err)


def test_a_signal_ends_it_and_its_dry_run(tmp_path: Path) -> None:
    contexts = (part for n_ctx in range(256, 4_000_000, 25_600) for part in ("--n-ctx", str(n_ctx)))
    process = start(tmp_path, "fit", DEMO, "--device", "4090", *contexts)
    children: list[psutil.Process] = []
    while not children:
        assert process.poll() is None
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (128 + signal.SIGTERM, b"", b"")
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_what_an_unproven_backend_says(ask: Ask) -> None:
    _, out, _ = ask(DEMO, "--device", "mac=16GiB:metal", "--ram", "16GiB", "--explain")
    assert "rules of metal, which were read from its source and never proven" in out


def test_the_table_by_context(ask: Ask) -> None:
    code, out, err = ask(DEMO, *("--device", "x=1200MiB", "--ram", "64GiB", "--n-ctx", "512", "--n-ctx", "8192"))
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines() if line[:4].strip().isdigit()]
    assert [row[0] for row in rows] == ["512", "8192"]
    assert rows[0][1] == "31/31"
    assert any(line.startswith("note      with 8192: ") for line in out.splitlines())


def test_speed_is_told_with_a_full_context_and_each_contexts_numbers_are_explained(ask: Ask) -> None:
    contexts = ("--n-ctx", "512", "--n-ctx", "8192", "--explain")
    code, out, _ = ask(DEMO, "--device", "4090", "--ram", "64GiB", *contexts)
    assert code == 0
    short, long = (line.partition("tok/s, ")[2] for line in out.splitlines() if line.endswith(" when full"))
    assert short != long
    for n_ctx in (512, 8192):
        assert f"where the numbers come from with n_ctx {n_ctx}" in out
        assert f"when all {n_ctx} tokens of context are in use" in out


def test_what_is_kept_free_is_told_where_it_matters(ask: Ask) -> None:
    out = ask(DEMO, "--device", "none", "--ram", "100MiB", "--n-ctx", "512", "--explain")[1]
    assert "kept free 1.0 GiB of RAM" in out.splitlines()
    assert "free: all that is described, less 1.0 GiB of RAM" in out
    assert "free now" not in out
    assert "kept free" not in ask(DEMO, "--device", "none", "--ram", "64GiB", "--n-ctx", "512")[1]


def test_what_does_not_fit_is_told_with_what_would_help(ask: Ask) -> None:
    code, out, _ = ask(DEMO, "--n-gpu-layers", "all", "--n-ctx", "8192", "--device", "x=1310MiB", "--ram", "64GiB")
    assert code == 0
    assert "no, it does not fit" in out
    assert "too much" in out
    assert "KV cache q8_0: -" in out.partition("to make it fit")[2]


def test_memorys_speed_is_measured_once_and_never_for_a_script(
    home: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measured(store: SpeedStore, threads: int) -> float:
        store.keep_bandwidth(ram_bytes_s=3e10)
        return 3e10

    monkeypatch.setattr(fitting, "ram_bandwidth", measured)
    for name, value in NO_GPU.items():
        monkeypatch.setenv(name, value)
    said = [ask(DEMO, *options) for options in (("--json",), ("--device", "none"), (), ("--explain",))]
    assert [("measuring" in err) for _, _, err in said] == [False, False, True, False]
    assert "RAM speed: 30.0 GB/s, measured" in said[-1][1]


def test_where_it_cannot_be_measured_nothing_more_is_said(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> bool:
        raise BandwidthError("no process could be started")

    monkeypatch.setattr(Fitting, "measure_memory", fail)
    code, out, err = ask(DEMO)
    assert (code, len(err.splitlines())) == (0, 1)
    assert "fits      yes" in out
    assert "prefill   " in out
