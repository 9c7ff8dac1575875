"""A chat computes only what is new. Shown by numbers here; that it is right is shown by logits in tests/engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.asking import Answer, ask, assistant, running, user
from tests.rigs.gguf_maker import Architecture, tiny_model
from tui.engine.protocol import ChatMessage

ONE, TWO, THREE = "Tell me of the snow in Zürich.", "And of the cats?", "Then sum it all up, please."


async def fresh_text(path: Path, engines_dir: Path, messages: list[ChatMessage], count: int) -> str:
    """What a new engine answers."""
    async with running(path, engines_dir, n_ctx=1024) as engine:
        return (await ask(engine, messages, max_tokens=count)).text


def new_tokens(answer: Answer) -> tuple[int, int]:
    """Prompt tokens that had to be computed, and all of them."""
    return answer.done.timings.prefilled_tokens, answer.done.timings.prompt_tokens


@pytest.mark.live
async def test_the_second_turn_of_the_demo_model_reads_only_what_is_new(demo_model: Path, engines_dir: Path) -> None:
    async with running(demo_model, engines_dir) as engine:
        messages = [user("What is the capital of France? One word.")]
        answer = await ask(engine, messages, max_tokens=40)
        assert new_tokens(answer) == (answer.done.timings.prompt_tokens, answer.done.timings.prompt_tokens)
        for text in ("And of Italy?", "Of Spain?"):
            assert answer.done.reason == "eog"
            held = answer.done.timings.n_ctx_used
            messages += [assistant(answer.text), user(text)]
            answer = await ask(engine, messages, max_tokens=40)
            fresh, total = new_tokens(answer)
            # All that is held stays: the questions and the answers as they were generated.
            assert fresh == total - held
            assert fresh < 20
            assert answer.progress[0].done == held


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mamba", "jamba"])
async def test_going_on_is_free_for_every_architecture(
    models_dir: Path, engines_dir: Path, architecture: Architecture
) -> None:
    path = models_dir / f"prefix-{architecture}.gguf"
    if not path.exists():
        tiny_model(path, architecture)
    async with running(path, engines_dir, n_ctx=1024) as engine:
        messages = [user(ONE)]
        answer = await ask(engine, messages, max_tokens=0)
        for text in (TWO, THREE):
            held = answer.done.timings.n_ctx_used
            messages += [assistant("White, and very cold."), user(text)]
            answer = await ask(engine, messages, max_tokens=0)
            fresh, total = new_tokens(answer)
            assert fresh == total - held
        answer = await ask(engine, messages, max_tokens=8)
    assert answer.text == await fresh_text(path, engines_dir, messages, 8)


async def test_an_answer_split_otherwise_than_the_tokenizer_would_is_not_read_again(
    speaking_model: Path, engines_dir: Path
) -> None:
    async with running(speaking_model, engines_dir, n_ctx=1024) as engine:
        messages = [user(ONE)]
        first = await ask(engine, messages)
        held = first.done.timings.n_ctx_used
        messages += [assistant(first.text), user(TWO)]
        assert await engine.count_tokens(text=first.text) < first.done.timings.completion_tokens
        second = await ask(engine, messages)
        assert new_tokens(second)[0] == new_tokens(second)[1] - held
        assert second.text == first.text


async def test_regenerating_computes_one_token(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=1024) as engine:
        first = await ask(engine, [user(ONE)], max_tokens=20)
        again = await ask(engine, [user(ONE)], max_tokens=20)
        assert new_tokens(again)[0] == 1  # its logits are needed again
        assert again.text == first.text


async def test_an_earlier_message_edited(tiny_llama: Path, engines_dir: Path) -> None:
    first = [user(ONE), assistant("White."), user(TWO)]
    edited = [user(ONE), assistant("White."), user("And of the dogs, then?")]
    async with running(tiny_llama, engines_dir, n_ctx=1024) as engine:
        await ask(engine, first, max_tokens=8)
        answer = await ask(engine, edited, max_tokens=8)
        fresh, total = new_tokens(answer)
        kept = await engine.count_tokens(messages=edited[:1])
        assert total - fresh >= kept
        assert 0 < fresh < total
    assert answer.text == await fresh_text(tiny_llama, engines_dir, edited, 8)


async def test_conversations_in_turn(tiny_llama: Path, engines_dir: Path) -> None:
    """Another conversation in between: what the two share stays, the rest is read again, and both stay right."""
    system = ChatMessage("system", "You are a gnome on a bench and answer in rhymes.")
    left, right = [system, user(ONE)], [system, user("What is the time in Oslo?")]
    async with running(tiny_llama, engines_dir, n_ctx=1024) as engine:
        shared = await engine.count_tokens(text="<|im_start|>system\nYou are a gnome on a bench and answer in rhymes.")
        texts = []
        for messages in (left, right, left, right):
            answer = await ask(engine, messages, max_tokens=8)
            texts.append(answer.text)
            if len(texts) > 1:
                fresh, total = new_tokens(answer)
                assert total - fresh >= shared
                assert fresh > 1
    assert texts[0] == texts[2] == await fresh_text(tiny_llama, engines_dir, left, 8)
    assert texts[1] == texts[3] == await fresh_text(tiny_llama, engines_dir, right, 8)


async def test_an_answer_cut_by_a_stop_text_or_a_person_stays_reusable(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=1024) as engine:
        whole = await ask(engine, [user(ONE)], max_tokens=20)
        stop = whole.text[6:8]
        cut = await ask(engine, [user(ONE)], max_tokens=20, stop=[stop])
        assert cut.done.reason == "stop"
        messages = [user(ONE), assistant(cut.text), user(TWO)]
        answer = await ask(engine, messages, max_tokens=8)
        fresh, total = new_tokens(answer)
        assert total - fresh >= await engine.count_tokens(messages=[user(ONE)]) - 1
    assert answer.text == await fresh_text(tiny_llama, engines_dir, messages, 8)


async def test_a_text_continued_after_white_space(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=1024) as engine:
        first = await ask(engine, "the snow is white", max_tokens=0)
        answer = await ask(engine, "the snow is white and cold", max_tokens=4)
        assert new_tokens(answer)[0] == new_tokens(answer)[1] - first.done.timings.n_ctx_used
        text = answer.text
    async with running(tiny_llama, engines_dir, n_ctx=1024) as engine:
        assert (await ask(engine, "the snow is white and cold", max_tokens=4)).text == text


async def test_a_full_context_is_recovered_from(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=256) as engine:
        before = await ask(engine, [user(ONE)], max_tokens=8)
        assert (await ask(engine, [user(ONE)])).done.reason == "context"
        after = await ask(engine, [user(ONE)], max_tokens=8)
        assert after.text == before.text
        assert new_tokens(after)[0] == 1
        other = await ask(engine, "completely different", max_tokens=4)
        assert other.done.reason == "length"
