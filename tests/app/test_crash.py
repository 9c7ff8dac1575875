"""What is offered after an engine has stopped: always less memory than before, until nothing is left to give up."""

from __future__ import annotations

import pytest

from tests.app.rig import LLAMA, receipt_of
from tui.app.panels.chat.crash import Crash, safer
from tui.engine.errors import EngineDied
from tui.llama.settings import KVType, LoadSettings

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
    crash = Crash.of(DIED, LLAMA, LoadSettings(), None, 212, ("Other processes took 6.2 GiB more on H100.",))
    lines = crash.lines("r", "a", "l")
    assert lines[0] == "The engine stopped while reading your prompt: it aborted (SIGABRT)."
    assert lines[1] == "Other processes took 6.2 GiB more on H100."
    assert "the first 212 tokens or so of the answer are kept." in lines[2]
    assert lines[-1] == "**r** reload with KV cache q8_0   **a** as before   **l** the log"
    assert Crash.of(DIED, LLAMA, LoadSettings(), None).lines("r", "a", "l")[1] == "Your words are kept."
