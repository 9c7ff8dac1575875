"""What an engine answers: streaming, ends of every kind, text that comes in pieces, queues."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.rigs.asking import GREEDY, Answer, ask, assistant, collect, running, user
from tests.rigs.gguf_maker import scripted_model, tiny_model
from tui.engine.client import Engine, EngineError
from tui.engine.protocol import ChatMessage, Delta, Done

LONG = 200
"""More tokens than any answer here has when it ends by itself."""


@pytest.mark.live
async def test_the_demo_model_answers_a_question(demo_model: Path, engines_dir: Path) -> None:
    async with running(demo_model, engines_dir) as engine:
        answer = await ask(engine, [user("What is the capital of France? One word.")], max_tokens=12)
        assert "Paris" in answer.text
        done = answer.done.timings
        assert answer.done.reason in ("eog", "length")
        assert [progress.done for progress in answer.progress] == [0, done.prompt_tokens]
        assert done.prefilled_tokens == done.prompt_tokens > 10
        assert 0 < done.completion_tokens <= 12
        assert done.n_ctx == 512
        assert done.n_ctx_used >= done.prompt_tokens
        assert done.ttft_s is not None
        assert done.ttft_s > 0
        assert done.prefill_tok_s is not None
        assert done.decode_tok_s is not None
        counted = await engine.count_tokens(messages=[user("What is the capital of France? One word.")])
        assert counted == done.prompt_tokens


async def test_every_character_comes_whole(speaking_model: Path, engines_dir: Path) -> None:
    async with running(speaking_model, engines_dir) as engine:
        answer = await ask(engine, [user("Well?")])
        assert answer.text == "fish, 漢🌍"
        assert answer.done.reason == "eog"
        assert all("\ufffd" not in delta.text for delta in answer.deltas)
        assert answer.done.timings.completion_tokens == len("fish, 漢🌍".encode())


async def test_an_answer_cut_inside_a_character_drops_that_character(speaking_model: Path, engines_dir: Path) -> None:
    async with running(speaking_model, engines_dir) as engine:
        answer = await ask(engine, [user("Well?")], max_tokens=len("fish, 漢".encode()) + 2)
        assert answer.text == "fish, 漢"
        assert answer.done.reason == "length"


@pytest.mark.parametrize(
    ("stop", "text"),
    [(["漢"], "fish, "), (["h, "], "fis"), (["漢🌎"], "fish, 漢🌍"), (["x", "sh"], "fi"), (["fish"], "")],
)
async def test_stop_texts_end_an_answer(speaking_model: Path, engines_dir: Path, stop: list[str], text: str) -> None:
    async with running(speaking_model, engines_dir) as engine:
        answer = await ask(engine, [user("Well?")], stop=stop)
        assert answer.text == text
        assert answer.done.reason == ("eog" if text.endswith("🌍") else "stop")


async def test_thinking_comes_on_its_own_channel(tmp_path: Path, engines_dir: Path) -> None:
    opened = "{{ messages[0].content }}<|im_start|>[THINK]{{ '\\n' }}"
    model = scripted_model(tmp_path / "thinks.gguf", "why[/THINK]so.")
    async with running(model, engines_dir, chat_template=opened) as engine:
        answer = await ask(engine, [user("?")])
        assert (answer.thinking, answer.text) == ("why", "so.")
        plain = await ask(engine, "?<|im_start|>[THINK]\n")
        assert (plain.thinking, plain.text) == ("", "why[/THINK]so.")


async def test_a_model_without_a_template_continues_the_text(tmp_path: Path, engines_dir: Path) -> None:
    model = tiny_model(tmp_path / "plain.gguf", chat_template=None)
    async with running(model, engines_dir) as engine:
        assert engine.receipt.template is None
        answer = await ask(engine, [user("One two"), assistant("three")], max_tokens=4)
        same = await ask(engine, "One two\n\nthree", max_tokens=4)
        assert answer.text == same.text
        assert answer.done.timings.prompt_tokens == same.done.timings.prompt_tokens


async def test_a_template_of_ones_own_is_used(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, chat_template="{{ messages[-1].content }}!") as engine:
        assert engine.receipt.template == "settings"
        assert await engine.count_tokens(messages=[user("abc")]) == await engine.count_tokens(text="abc!")
    async with running(tiny_llama, engines_dir) as engine:
        assert engine.receipt.template == "model"


async def test_a_model_with_a_broken_template_is_done_without_it_and_says_so(tmp_path: Path, engines_dir: Path) -> None:
    model = tiny_model(tmp_path / "broken.gguf", chat_template="{% for %}")
    async with running(model, engines_dir) as engine:
        assert engine.receipt.template is None
        assert any("chat template is not valid" in line.text for line in engine.logged)


async def test_a_broken_template_of_ones_own_is_refused(tiny_llama: Path, engines_dir: Path) -> None:
    with pytest.raises(EngineError) as caught:
        async with running(tiny_llama, engines_dir, chat_template="{% for %}"):
            pass
    assert caught.value.kind == "template"


async def test_a_template_that_fails_is_told_and_the_engine_goes_on(tiny_llama: Path, engines_dir: Path) -> None:
    template = "{% if messages|length > 1 %}{{ raise_exception('one at a time') }}{% endif %}{{ messages[0].content }}"
    async with running(tiny_llama, engines_dir, chat_template=template) as engine:
        with pytest.raises(EngineError, match="one at a time") as caught:
            await ask(engine, [user("a"), assistant("b")])
        assert caught.value.kind == "template"
        with pytest.raises(EngineError, match="one at a time"):
            await engine.count_tokens(messages=[user("a"), assistant("b")])
        assert (await ask(engine, [user("a")], max_tokens=2)).done.reason == "length"


async def test_ends_are_told_apart(tiny_llama: Path, speaking_model: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=256) as engine:
        length = (await ask(engine, "once upon a time", max_tokens=7)).done
        assert (length.reason, length.timings.completion_tokens) == ("length", 7)
        full = (await ask(engine, "once upon a time")).done
        assert full.reason == "context"
        assert full.timings.n_ctx_used == full.timings.n_ctx == 256
        assert full.timings.prompt_tokens + full.timings.completion_tokens == 257  # the last needs no room
        nothing = (await ask(engine, "once upon a time", max_tokens=0)).done
        assert (nothing.reason, nothing.timings.completion_tokens, nothing.timings.ttft_s) == ("length", 0, None)
    async with running(speaking_model, engines_dir) as engine:
        assert (await ask(engine, [user("?")])).done.reason == "eog"
        on = await ask(engine, [user("?")], max_tokens=20, ignore_end=True)
        assert (on.done.reason, on.done.timings.completion_tokens) == ("length", 20)


async def test_a_prompt_longer_than_the_context_is_told_with_both_numbers(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=256) as engine:
        text = "xyz " * 200
        prompt = await engine.count_tokens(text=text)
        with pytest.raises(EngineError) as caught:
            await ask(engine, text)
        assert caught.value.kind == "context"
        assert str(prompt) in caught.value.message
        assert "256" in caught.value.message
        assert str(prompt) in caught.value.hint
        exact = "x" * 256
        assert await engine.count_tokens(text=exact) == 256
        with pytest.raises(EngineError):
            await ask(engine, exact)
        last = await ask(engine, "x" * 255)  # one place is left: one token is put there, one more is said
        assert (last.done.reason, last.done.timings.completion_tokens) == ("context", 2)


@pytest.mark.parametrize("empty", ["", []])
async def test_an_empty_prompt_is_told(tiny_llama: Path, engines_dir: Path, empty: str | list[ChatMessage]) -> None:
    async with running(tiny_llama, engines_dir, chat_template="{{ messages|map(attribute='content')|join }}") as engine:
        with pytest.raises(EngineError, match="empty") as caught:
            await ask(engine, empty)
        assert caught.value.kind == "input"
        assert (await ask(engine, "a", max_tokens=1)).done.reason == "length"


async def test_counting(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        assert await engine.count_tokens(text="") == 0
        assert await engine.count_tokens(text="zqj") == 3
        assert await engine.count_tokens(text="🌍") == 4
        assert await engine.count_tokens(text="<|im_start|>") == 1
        counts = await asyncio.gather(*[engine.count_tokens(text="z" * size) for size in range(20)])
        assert counts == list(range(20))
        messages = [user("zq")]
        counted = await engine.count_tokens(messages=messages)
        assert (await ask(engine, messages, max_tokens=1)).done.timings.prompt_tokens == counted


async def test_text_that_is_no_unicode_does_not_break_the_line(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        answer = await ask(engine, [user("xyz\udce9 \ud83c")], max_tokens=2, stop=["\udcff"])
        assert answer.done.reason == "length"
        assert await engine.count_tokens(text="\udce9") == 1
        assert (await ask(engine, "\0\x1b[2J\u202e", max_tokens=2)).done.reason == "length"


async def test_requests_wait_for_their_turn(speaking_model: Path, engines_dir: Path) -> None:
    async with running(speaking_model, engines_dir) as engine:
        order: list[int] = []

        async def one(number: int) -> Answer:
            answer = await ask(engine, [user(f"{number}")])
            order.append(number)
            return answer

        answers = await asyncio.gather(*[one(number) for number in range(4)])
        assert order == [0, 1, 2, 3]
        assert {answer.text for answer in answers} == {"fish, 漢🌍"}


async def test_two_panes_keep_their_own_context(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, panes=2) as engine:
        assert engine.receipt.n_ctx == 512
        first, second = "the snow is white and so on", "seven gnomes are here on a bench"
        alone = [(await ask(engine, text, max_tokens=8)).text for text in (first, second)]
        one = await ask(engine, first, max_tokens=8, pane=0)
        two = await ask(engine, second, max_tokens=8, pane=1)
        assert [one.text, two.text] == alone
        again = await ask(engine, first, max_tokens=8, pane=0)
        assert again.done.timings.prefilled_tokens == 1
        with pytest.raises(EngineError, match="pane 2 does not exist") as caught:
            await ask(engine, first, pane=2)
        assert caught.value.kind == "input"


async def test_one_answer_wants_either_messages_or_a_prompt(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        with pytest.raises(ValueError, match="either"):
            engine.generate(sampling=GREEDY)
        with pytest.raises(ValueError, match="either"):
            engine.generate(messages=[user("a")], prompt="b", sampling=GREEDY)


async def test_what_comes_last_is_done(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        events = [event async for event in engine.generate(prompt="a", sampling=GREEDY, max_tokens=3)]
        assert isinstance(events[-1], Done)
        assert all(isinstance(event, Delta) for event in events[2:-1])


async def test_an_answer_that_nobody_reads_does_no_harm(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        generation = engine.generate(prompt="a", sampling=GREEDY, max_tokens=3)
        assert (await ask(engine, "b", max_tokens=3)).done.reason == "length"
        assert (await collect(generation)).done.reason == "length"  # it was all kept


async def test_asking_after_the_end_is_told(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        generation = engine.generate(prompt="a", sampling=GREEDY, max_tokens=1)
        await collect(generation)
    generation.cancel()
    assert not engine.alive
    with pytest.raises(EngineError, match="unloaded"):
        await ask(engine, "b")
    with pytest.raises(EngineError, match="unloaded"):
        await engine.count_tokens(text="b")
    await engine.close()


async def test_a_request_too_large_to_send_is_told(
    tiny_llama: Path, engines_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        monkeypatch.setattr("tui.process.channel.MAX_FRAME_BYTES", 1000)
        with pytest.raises(EngineError, match="limit") as caught:
            await ask(engine, "x" * 2000)
        assert caught.value.kind == "input"
        with pytest.raises(EngineError, match="limit"):
            await engine.count_tokens(text="x" * 2000)
        assert (await ask(engine, "a", max_tokens=1)).done.reason == "length"


async def test_an_engine_names_its_settings(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=300) as engine:
        assert isinstance(engine, Engine)
        assert (engine.path, engine.name, engine.settings.n_ctx) == (tiny_llama, "tiny-llama", 300)
        assert engine.receipt.n_ctx == 512
        assert engine.alive
        assert engine.logged == []
    async with running(tiny_llama, engines_dir, n_ctx=8192) as engine:
        assert [log.level for log in engine.logged] == ["warning"]
        assert "4096" in engine.logged[0].text
