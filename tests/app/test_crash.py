"""What is offered after an engine has stopped: always less memory than before, until nothing is left to give up."""

from __future__ import annotations

import signal

import pytest

from tests.app.rig import GIB, LLAMA, receipt_of
from tui.app.flows.others import Others
from tui.app.panels.chat.crash import Crash, safer
from tui.engine.errors import EngineDied
from tui.hardware.snapshot import Gpu, Ram, Snapshot
from tui.llama.settings import KVType, LoadSettings
from tui.process.death import meaning

DIED = EngineDied("reading your prompt", -6, "it aborted (SIGABRT)", ())


def test_each_step_gives_up_something_else_and_there_is_an_end() -> None:
    settings, words = LoadSettings(n_ctx=8192, n_gpu_layers=20, flash_attn="off"), []
    while (step := safer(settings, None)) is not None:
        assert step.settings != settings
        settings = step.settings
        words.append(step.words)
    assert words[0] == "with KV cache q8_0"
    assert words[1:3] == ["with n_ctx 4 096", "with n_ctx 2 048"]
    assert words[3] == "with 15 layers on the GPU"
    assert words[-1] == "with smaller batches (n_ubatch 128)"
    assert (settings.n_gpu_layers, settings.flash_attn) == (0, "auto")


def test_the_receipt_says_how_much_less_and_what_auto_was() -> None:
    step = safer(LoadSettings(), receipt_of(LoadSettings(n_ctx=8192)))
    assert step is not None
    assert step.words == "with KV cache q8_0 (needs about 240 MiB less)"
    step = safer(step.settings, receipt_of(LoadSettings(n_ctx=8192)))
    assert step is not None
    assert step.settings.n_ctx == 4096


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (("q4_0", "f16"), ("q4_0", "q8_0"), "with KV cache q8_0 for values"),
        (("bf16", "q5_1"), ("q8_0", "q5_1"), "with KV cache q8_0 for keys"),
        (("f16", "f32"), ("q8_0", "q8_0"), "with KV cache q8_0"),
    ],
)
def test_only_what_is_not_quantized_yet_is(before: tuple[KVType, KVType], after: tuple[str, str], words: str) -> None:
    settings = LoadSettings(n_ctx=8192, type_k=before[0], type_v=before[1])
    step = safer(settings, receipt_of(settings))
    assert step is not None
    assert (step.settings.type_k, step.settings.type_v, step.words) == (*after, words)


def test_the_card_says_what_happened_what_is_kept_and_what_can_be_done() -> None:
    suspects = ("Other processes took 6.2 GiB more on H100.",)
    crash = Crash.of(DIED, LLAMA, LoadSettings(), None, 212, suspects, for_memory=True)
    lines = crash.lines("r", "a", "l")
    assert lines[0] == "The engine stopped while reading your prompt: it aborted (SIGABRT)."
    assert lines[1] == "Other processes took 6.2 GiB more on H100."
    assert "the first 212 tokens or so of the answer are kept. Other settings count for this load only." in lines[2]
    assert lines[-1] == "**r** reload with KV cache q8_0   **a** as before   **l** the log"
    other = Crash.of(DIED, LLAMA, LoadSettings(), None, for_memory=False).lines("r", "a", "l")
    assert other[1] == "Your words are kept."
    assert other[-1] == "**r** reload   **l** the log"


def machine(free_gib: float, card_gib: float = 40) -> Snapshot:
    """Memory as it was when the engine ended."""
    card = Gpu(0, "GPU-1", "H100", "nvidia", total_bytes=80 * GIB, free_bytes=round(card_gib * GIB))
    return Snapshot(time=1.0, gpus=(card,), ram=Ram(64 * GIB, round(free_gib * GIB)))


@pytest.mark.parametrize(
    ("number", "seen", "log", "plausible"),
    [
        (signal.SIGKILL, machine(30), (), False),  # by another's hand
        (signal.SIGKILL, machine(0.5), (), True),
        (signal.SIGKILL, machine(30, 0.2), (), True),
        (signal.SIGKILL, None, (), True),  # nothing is known of memory
        (signal.SIGABRT, machine(30), (), False),
        (signal.SIGABRT, machine(30), ("CUDA error: out of memory",), True),
        (signal.SIGSEGV, machine(30), (), False),
        (signal.SIGSEGV, None, (), False),
        (signal.SIGTERM, machine(0.5), ("out of memory",), False),  # puna stop
        (signal.SIGHUP, None, (), False),
    ],
)
def test_memory_is_the_reason_only_where_it_may_be(
    number: signal.Signals, seen: Snapshot | None, log: tuple[str, ...], plausible: bool
) -> None:
    others = Others()
    if seen is not None:
        others.seen(seen)
    error = EngineDied("writing the answer", -number, meaning(-number), log)
    assert others.memory_may_be_why(error, on_gpus=True) == plausible


def test_the_kernel_that_ran_out_of_memory_is_believed_and_a_full_card_matters_to_who_is_on_it() -> None:
    others = Others()
    others.seen(machine(30, card_gib=0.1))
    killed = EngineDied("waiting", -9, meaning(-9), ())
    assert not others.memory_may_be_why(killed, on_gpus=False)
    ran_out = EngineDied("waiting", -9, meaning(-9, out_of_memory=True), ())
    assert others.memory_may_be_why(ran_out, on_gpus=False)
