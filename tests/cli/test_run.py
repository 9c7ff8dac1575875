"""`puna run` with the real demo model: the answer, the JSON contract, pipes, refusals and signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.app.rig import write_config
from tests.cli.puna import puna, start
from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tui.cli import run
from tui.cli.main import main
from tui.engine.protocol import Delta

pytestmark = pytest.mark.live

_DONE_KEYS = [
    "event",
    "text",
    "prompt_tokens",
    "completion_tokens",
    "ttft_s",
    "prefill_tok_s",
    "decode_tok_s",
    "load_s",
    "stop_reason",
    "template",
]


def _events(stdout: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_the_same_seed_gives_the_same_answer_and_sane_figures_and_plain_output_is_the_answer(tmp_path: Path) -> None:
    question = ("run", "smollm2-demo", "Hi", "--seed", "1", "--temperature", "0")
    events = _events(puna(tmp_path, *question, "--json").stdout)
    done = events[-1]
    assert list(done) == _DONE_KEYS
    assert done["text"] == "".join(event["text"] for event in events[:-1]) != ""
    assert {(event["event"], event["channel"]) for event in events[:-1]} == {("delta", "answer")}
    assert done["stop_reason"] == "eog"
    assert done["template"] == "model"
    assert 10 < done["prompt_tokens"] < 60
    assert done["completion_tokens"] > 5
    assert 0 < done["ttft_s"] < 60
    assert done["decode_tok_s"] > 0
    assert done["prefill_tok_s"] > 0
    assert done["load_s"] > 0
    plain = puna(tmp_path, *question)
    assert plain.returncode == 0
    assert plain.stdout.decode() == done["text"].rstrip("\n") + "\n"


def test_what_does_not_fit_is_loaded_as_it_was_asked_for_and_that_is_said(tmp_path: Path) -> None:
    write_config(tmp_path, "[fit]\nmargin_host_mib = 4000000\n")
    done = puna(tmp_path, "run", "smollm2-demo", "Hello", "--max-tokens", "4")
    assert done.returncode == 0
    assert done.stdout
    said = done.stderr.decode()
    assert "puna: It does not fit: " in said
    assert "puna: It is loaded all the same, as it was asked for." in said


def test_what_is_piped_in_is_added_to_the_prompt(tmp_path: Path, tiny_llama: Path) -> None:
    options = ("--max-tokens", "4", "--json")
    alone = _events(puna(tmp_path, "run", str(tiny_llama), "Summarise", *options).stdout)[-1]
    piped = _events(puna(tmp_path, "run", str(tiny_llama), "Summarise", *options, stdin=b"a long text\n").stdout)[-1]
    only = _events(puna(tmp_path, "run", str(tiny_llama), *options, stdin=b"a long text\n").stdout)[-1]
    assert alone["prompt_tokens"] < piped["prompt_tokens"]
    assert only["prompt_tokens"] < piped["prompt_tokens"]
    assert piped["stop_reason"] == "length"
    assert piped["completion_tokens"] == 4


def test_the_system_prompt_counts(tmp_path: Path, tiny_llama: Path) -> None:
    options = ("--max-tokens", "2", "--json")
    without = _events(puna(tmp_path, "run", str(tiny_llama), "Hi", "--system", "Be kind.", *options).stdout)[-1]
    longer = _events(puna(tmp_path, "run", str(tiny_llama), "Hi", "--system", "Be kind. " * 20, *options).stdout)[-1]
    assert longer["prompt_tokens"] > without["prompt_tokens"] + 20


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.gguf", "hi"), "missing.gguf"),
        (("smollm2-demo", "hi", "--n-ctx", "-5"), "n_ctx"),
        (("smollm2-demo", "hi", "--n-ctx", "2147483648"), "n_ctx"),
        (("smollm2-demo", "hi", "--n-gpu-layers", "-1"), "n_gpu_layers"),
        (("smollm2-demo", "hi", "--temperature", "-1"), "temperature"),
        (("smollm2-demo", "hi", "--seed", "-1"), "seed"),
        (("smollm2-demo", "hi", "--max-tokens", "0"), "max-tokens"),
    ],
)
def test_refusals_are_one_clear_line_and_exit_with_1(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = puna(tmp_path, "run", *arguments)
    assert done.returncode == 1
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert says in line


def test_a_refusal_with_json_still_ends_with_one_done(tmp_path: Path) -> None:
    done = puna(tmp_path, "run", "missing.gguf", "hi", "--json")
    (event,) = _events(done.stdout)
    assert done.returncode == 1
    assert list(event) == _DONE_KEYS
    assert event["stop_reason"] == "failed"
    assert event["load_s"] is None


def test_input_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    done = puna(tmp_path, "run", "smollm2-demo", "Summarise", stdin=b"caf\xe9")
    assert done.returncode == 1
    assert b"not UTF-8" in done.stderr
    assert b"0xe9 at offset 3" in done.stderr


def test_nothing_to_ask_is_a_usage_error(tmp_path: Path) -> None:
    assert puna(tmp_path, "run", "smollm2-demo").returncode == 2


def test_a_prompt_longer_than_the_context_is_told_with_both_numbers(tmp_path: Path) -> None:
    done = puna(tmp_path, "run", "smollm2-demo", "word " * 700, "--n-ctx", "512", "--json")
    (event,) = _events(done.stdout)
    assert done.returncode == 1
    assert event["stop_reason"] == "failed"
    assert b"512" in done.stderr
    assert b"tokens" in done.stderr


def test_an_answer_that_fills_the_context_says_so(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "endless.gguf")  # never ends by itself
    done = puna(tmp_path, "run", str(model), "hello", "--n-ctx", "256", "--temperature", "0", "--json")
    assert done.returncode == 0
    assert _events(done.stdout)[-1]["stop_reason"] == "context"
    assert b"256" in done.stderr


def test_a_model_without_a_template_continues_the_text_and_says_so(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "plain.gguf", chat_template=None)
    done = puna(tmp_path, "run", str(model), "once upon", "--max-tokens", "3", "--json")
    assert _events(done.stdout)[-1]["template"] is None
    assert b"no chat template" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_what_there_is(tmp_path: Path, number: signal.Signals) -> None:
    model = tiny_model(tmp_path / "endless.gguf", n_ctx_train=100_000)
    process = start(tmp_path, "run", str(model), "hello", "--n-ctx", "65536", "--temperature", "0", "--json")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert first["event"] == "delta"
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    done = _events(rest)[-1]
    assert process.returncode == 128 + number
    assert done["stop_reason"] == "cancelled"
    assert done["text"].startswith(first["text"])


def test_a_load_that_fails_prints_nothing_on_stdout(tmp_path: Path) -> None:
    file = plain_gguf(tmp_path / "nonsense.gguf", {"general.architecture": "nonsense"}, tensors={"t": (2,)})
    done = puna(tmp_path, "run", str(file), "hi")
    assert done.returncode == 1
    assert done.stdout == b""
    (event,) = _events(puna(tmp_path, "run", str(file), "hi", "--json").stdout)
    assert event["stop_reason"] == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("options", [("--json",), ()], ids=["json", "plain"])
def test_a_signal_while_the_prompt_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    options: tuple[str, ...],
) -> None:
    before = signal.getsignal(number)
    source = SimpleNamespace(read=lambda: signal.raise_signal(number))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False, buffer=source))
    assert main(["run", "smollm2-demo", "hi", *options]) == 128 + number
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["stop_reason"] for event in events] == (["cancelled"] if options else [])
    assert err == ""
    assert signal.getsignal(number) is before


def _done_events(lines: list[str]) -> list[dict[str, Any]]:
    return [event for event in map(json.loads, lines) if event["event"] == "done"]


class _Stubborn:
    """An engine that goes on with an answer for ever, whatever it is told."""

    receipt = SimpleNamespace(load_s=0.5, template="model", n_ctx=512)
    logged: tuple[()] = ()

    def __init__(self) -> None:
        self.busy = asyncio.Event()

    def generate(self, **_: object) -> _Stubborn:
        return self

    def cancel(self) -> None:
        """Heard, and not heeded."""
        self.busy.set()

    async def __aiter__(self) -> AsyncIterator[Delta]:
        yield Delta(1, "some words")
        self.busy.set()
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to end."""


def test_a_second_signal_still_ends_with_one_done(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run._Answer(json=True)
    request = cast(Any, SimpleNamespace(messages=(), sampling=None, max_tokens=None))

    async def press_twice() -> None:
        engine = _Stubborn()
        started = cast(Any, SimpleNamespace(engine=engine))
        task = asyncio.ensure_future(run._answer(started, request, answer))
        for _ in range(2):
            await engine.busy.wait()
            engine.busy.clear()
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(press_twice())
    (done,) = _done_events(capsys.readouterr().out.splitlines())
    assert (done["stop_reason"], done["text"]) == ("cancelled", "some words")


def test_a_signal_before_the_work_begins_ends_with_one_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def no_start(_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setenv("PUNA_HOME", str(tmp_path))
    monkeypatch.setattr(run, "start", no_start)
    monkeypatch.setattr("sys.stdin", None)
    assert main(["run", "smollm2-demo", "hi", "--json"]) == 128 + signal.SIGTERM
    (done,) = _done_events(capsys.readouterr().out.splitlines())
    assert done["stop_reason"] == "cancelled"
