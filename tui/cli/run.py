"""`puna run`: one question, one answer, for pipes and scripts. The answer goes to stdout, everything else to stderr."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

from tui.cli.images import images_of
from tui.cli.loading import (
    Chosen,
    Interrupted,
    Started,
    add_load_arguments,
    chosen,
    explain,
    interruptible,
    note_speed,
    run_until_signal,
    start,
)
from tui.cli.main import DONE, FAILED, USAGE, CommandError, say
from tui.cli.output import AnswerWriter, write_json
from tui.engine.client import EngineError, Generation
from tui.engine.protocol import ChatMessage, Delta, Done, DoneReason, ImageFile, Timings
from tui.llama.settings import SamplingSettings, SettingsError
from tui.models import wishes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_load_arguments(parser)
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="what to ask; what is piped in is added to it")
    parser.add_argument("--system", metavar="S", help="system prompt")
    parser.add_argument(
        "--image", action="append", default=[], metavar="FILE", help="an image to ask about; may be given several times"
    )
    parser.add_argument(
        "--mmproj", metavar="FILE", help="the projector that lets the model see; auto is the one beside it, or none"
    )
    parser.add_argument("--max-tokens", type=int, metavar="N", help="longest answer in tokens")
    parser.add_argument("--temperature", type=float, metavar="T", help="0 always takes the likeliest token")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed draws the same answer")
    parser.add_argument(
        "--json", action="store_true", help="print the answer's pieces and its figures, a JSON line each"
    )


def run(args: argparse.Namespace) -> int:
    """Ask and print. Exit code 1 when the model or its engine fails, 2 without anything to ask."""
    answer = _Answer(args.json)
    try:
        with interruptible():
            text = _prompt(args.prompt)
            if text is None:
                say("puna run: error: nothing to ask: give a PROMPT, or pipe one in")
                return USAGE
            asked = chosen(args)
            request = _request(args, asked, text, images_of(asked, args.image))
            code = run_until_signal(lambda: _ask(request, answer))
    except Interrupted as interrupted:
        answer.finish("cancelled")
        return interrupted.code
    except Exception:
        answer.finish("failed")
        raise
    answer.finish("cancelled")  # a signal can come before the work has begun; otherwise this is said already
    return code


@dataclass(frozen=True, slots=True)
class _Request:
    chosen: Chosen
    messages: tuple[ChatMessage, ...]
    sampling: SamplingSettings
    max_tokens: int | None


@dataclass
class _Answer:
    """What came so far, written as it comes. It ends once: the first `finish` counts."""

    json: bool
    text: str = ""
    writer: AnswerWriter = field(default_factory=AnswerWriter)
    load_s: float | None = None
    template: str | None = None
    over: bool = False

    def add(self, delta: Delta) -> None:
        if delta.channel == "answer":
            self.text += delta.text
        if self.json:
            write_json({"event": "delta", "text": delta.text, "channel": delta.channel})
        elif delta.channel == "answer":
            self.writer.write(delta.text)

    def finish(self, reason: DoneReason, timings: Timings | None = None) -> None:
        if self.over:
            return
        self.over = True
        if not self.json:
            self.writer.finish(whole=reason not in ("failed", "cancelled"))
            return
        counts: dict[str, Any] = {
            "prompt_tokens": timings.prompt_tokens if timings else None,
            "completion_tokens": timings.completion_tokens if timings else None,
            "ttft_s": timings.ttft_s if timings else None,
            "prefill_tok_s": timings.prefill_tok_s if timings else None,
            "decode_tok_s": timings.decode_tok_s if timings else None,
        }
        done = {"event": "done", "text": self.text, **counts}
        write_json({**done, "load_s": self.load_s, "stop_reason": reason, "template": self.template})


def _prompt(given: str | None) -> str | None:
    """PROMPT and what was piped in, or None when there is neither."""
    piped = ""
    if sys.stdin is not None and not sys.stdin.isatty():
        try:
            raw = sys.stdin.buffer.read()
        except OSError as error:
            raise CommandError(f"the input cannot be read: {(error.strerror or str(error)).lower()}") from error
        try:
            piped = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CommandError(
                f"the input is not UTF-8 text (byte 0x{raw[error.start]:02x} at offset {error.start});"
                " convert it first, for example with iconv"
            ) from error
    parts = [part for part in (given, piped.strip("\n")) if part and part.strip("\0 \t\r\n")]
    return "\n\n".join(parts) if parts else None


def _request(args: argparse.Namespace, asked: Chosen, text: str, images: tuple[ImageFile, ...]) -> _Request:
    chat = asked.settings.chat
    if args.max_tokens is not None and args.max_tokens < 1:
        raise CommandError(f"--max-tokens {args.max_tokens}: an answer has at least 1 token")
    try:
        flags = {"temperature": args.temperature, "seed": args.seed}
        sampling = wishes.sampling(flags, chat.sampling())
    except SettingsError as error:
        raise CommandError(str(error)) from error
    system = chat.system if args.system is None else args.system
    messages = (ChatMessage("system", system),) if system else ()
    limit = args.max_tokens if args.max_tokens is not None else chat.max_tokens or None
    return _Request(asked, (*messages, ChatMessage("user", text, images=images)), sampling, limit)


async def _ask(request: _Request, answer: _Answer) -> int:
    try:
        started = await start(request.chosen)
    except EngineError as error:
        answer.finish("failed")
        say(f"puna: {explain(error)}")
        return FAILED
    except asyncio.CancelledError:
        answer.finish("cancelled")
        raise
    try:
        return await _answer(started, request, answer)
    finally:
        await started.close()


async def _answer(started: Started, request: _Request, answer: _Answer) -> int:
    engine = started.engine
    answer.load_s, answer.template = engine.receipt.load_s, engine.receipt.template
    for line in engine.logged:
        say(f"puna: {line.text}")
    if answer.template is None:
        say("puna: this model has no chat template; your text is continued as it is")
    generation = engine.generate(messages=request.messages, sampling=request.sampling, max_tokens=request.max_tokens)
    listening = asyncio.ensure_future(_listen(generation, answer))
    try:
        done = await asyncio.shield(listening)
    except EngineError as error:
        answer.finish("failed")
        say(f"puna: {explain(error)}")
        return FAILED
    except asyncio.CancelledError:
        generation.cancel()
        timings = None
        try:
            timings = (await listening).timings
        except EngineError:
            pass  # it is cancelled all the same
        finally:  # a second signal ends the wait, too
            answer.finish("cancelled", timings)
        raise
    answer.finish(done.reason, done.timings)
    await note_speed(started, done.timings, "answer")
    if done.reason == "context":
        say(f"puna: the answer was cut: the context of {done.timings.n_ctx} tokens is full; try a larger --n-ctx")
    return DONE


async def _listen(generation: Generation, answer: _Answer) -> Done:
    async for event in generation:
        if isinstance(event, Delta):
            answer.add(event)
        elif isinstance(event, Done):
            return event
    raise AssertionError("a generation ends with Done or an error")
