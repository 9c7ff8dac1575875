"""`puna bench`: prefill and decode speed of one model with the settings it would be loaded with, measured here and
now.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Sequence
from typing import Any

from tui.cli.loading import Chosen, Started, add_load_arguments, chosen, explain, note_speed, run_until_signal, start
from tui.cli.main import DONE, FAILED, CommandError, say
from tui.cli.output import show, write_json
from tui.config.plain import one_line
from tui.config.sizes import parameters
from tui.engine.client import Engine, EngineError
from tui.engine.protocol import Done, Timings
from tui.llama.settings import SamplingSettings
from tui.models.fit_report import resolved

_SYLLABLES = ("ka", "lo", "mi", "ru", "ten", "vas", "or", "el", "shi", "dun", "pra", "wex")
_MARGIN_TOKENS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_load_arguments(parser)
    parser.add_argument("--prompt-tokens", type=int, default=512, metavar="N", help="prompt of each run (default 512)")
    parser.add_argument("--tokens", type=int, default=128, metavar="N", help="tokens written in each run (default 128)")
    parser.add_argument(
        "--runs", type=int, default=3, metavar="N", help="counted runs, after one that is not (default 3)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure and print; medians over the runs."""
    for name in ("prompt_tokens", "tokens", "runs"):
        if getattr(args, name) < 1:
            raise CommandError(f"--{name.replace('_', '-')} must be at least 1")
    asked = chosen(args)
    return run_until_signal(lambda: _measure(asked, args))


async def _measure(asked: Chosen, args: argparse.Namespace) -> int:
    try:
        started = await start(asked)
        try:
            _check_room(started.engine, args)
            runs = [await _one(started.engine, args, seed) for seed in range(args.runs + 1)][1:]
            for timings in runs:
                await note_speed(started, timings, "bench")
            _report(started, runs, args.json)
        finally:
            await started.close()
    except EngineError as error:
        say(f"puna: {explain(error)}")
        return FAILED
    return DONE


def _check_room(engine: Engine, args: argparse.Namespace) -> None:
    needed = args.prompt_tokens + args.tokens + _MARGIN_TOKENS
    if needed > engine.receipt.n_ctx:
        raise CommandError(
            f"{args.prompt_tokens} + {args.tokens} tokens do not fit a context of {engine.receipt.n_ctx};"
            f" give --n-ctx {needed} or more"
        )


async def _one(engine: Engine, args: argparse.Namespace, seed: int) -> Timings:
    """One run on a text of its own, so that nothing of the run before can be reused."""
    text = await _text_of(engine, args.prompt_tokens, seed)
    generation = engine.generate(
        prompt=text, sampling=SamplingSettings(temperature=0), max_tokens=args.tokens, ignore_end=True
    )
    async for event in generation:
        if isinstance(event, Done):
            return event.timings
    raise AssertionError("a generation ends with Done or an error")


async def _text_of(engine: Engine, tokens: int, seed: int) -> str:
    """Invented words that make up about `tokens` tokens, never more."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 3))) for _ in range(tokens)]
    whole = await engine.count_tokens(text=" ".join(words))
    keep = max(1, len(words) * tokens // max(whole, 1))
    while keep > 1 and await engine.count_tokens(text=" ".join(words[:keep])) > tokens:
        keep -= max(1, keep // 50)
    return " ".join(words[:keep])


def _report(started: Started, runs: Sequence[Timings], as_json: bool) -> None:
    engine, name = started.engine, started.chosen.model.name
    prefill = _median([timings.prefill_tok_s for timings in runs])
    decode = _median([timings.decode_tok_s for timings in runs])
    if as_json:
        write_json(
            {
                "model": name,
                "settings": _settings(started),
                "prefill_tok_s": prefill,
                "decode_tok_s": decode,
                "runs": [_row(timings) for timings in runs],
                "load_s": engine.receipt.load_s,
            }
        )
        return
    show(f"{one_line(name)}: {_facts(started)}, {engine.receipt.threads} threads")
    show(f"{'':8}{'prompt':>8}{'prefill':>14}{'written':>9}{'decode':>14}")
    for number, timings in enumerate(runs, 1):
        show(
            f"run {number:<4}{timings.prompt_tokens:>8}{_rate(timings.prefill_tok_s):>14}"
            f"{timings.completion_tokens:>9}{_rate(timings.decode_tok_s):>14}"
        )
    show(f"{'median':<8}{'':>8}{_rate(prefill):>14}{'':>9}{_rate(decode):>14}")
    show(f"loaded in {engine.receipt.load_s:.2f} s")


def _facts(started: Started) -> str:
    """What the model is; llama.cpp's own description names a usual size, which small models are not."""
    receipt, quant = started.engine.receipt, started.chosen.model.quant
    return one_line(" ".join(filter(None, (receipt.architecture, parameters(receipt.n_params), quant))))


def _settings(started: Started) -> dict[str, Any]:
    """What the load resolved to: every field, "auto" replaced by what the engine took."""
    settings, prediction, receipt = started.prepared.settings, started.prepared.prediction, started.engine.receipt
    decided = settings.flash_attn if settings.flash_attn != "auto" or prediction is None else prediction.flash_attn
    return resolved(
        settings,
        n_ctx=receipt.n_ctx,
        n_gpu_layers=receipt.n_gpu_layers,
        flash_attn=decided,
        threads=receipt.threads,
    )


def _row(timings: Timings) -> dict[str, Any]:
    return {
        "prompt_tokens": timings.prompt_tokens,
        "completion_tokens": timings.completion_tokens,
        "ttft_s": timings.ttft_s,
        "prefill_tok_s": timings.prefill_tok_s,
        "decode_tok_s": timings.decode_tok_s,
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} tok/s"
