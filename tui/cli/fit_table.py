"""The answer of `puna fit` for people: a table by device and part, or by context, and where each number is from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.config.sizes import size
from tui.fit.speed import Speed
from tui.models.fit_report import FitReport
from tui.models.fit_words import (
    PARTS,
    SPEED_UNKNOWN,
    VERDICTS,
    Pool,
    answer_words,
    beside_words,
    explained,
    facts,
    free_bytes,
    goal,
    kept_free,
    origins,
    parts_of,
    range_words,
    settings_words,
    speed_words,
)
from tui.models.receipt_words import last_load_words

_NONE = "-"
_CELL = 10
"""Characters of a cell."""


def report_lines(report: FitReport) -> Iterator[str]:
    """One model with one set of settings."""
    subject, verdict = report.subject, report.assessment.verdict
    yield f"{subject.name}: {facts(subject)}"
    yield settings_words(report)
    yield ""
    yield from _table(report)
    yield ""
    by_formula = "" if report.prediction.source == "dry-run" else ", by a formula"
    answer = "no, it" if verdict == "no" else "yes,"
    yield f"fits      {answer} {VERDICTS[verdict]}{by_formula}"
    if kept := kept_free(report):
        yield f"kept free {kept}"
    if report.speed is None and verdict != "no":
        yield f"speed     {SPEED_UNKNOWN}"
    if report.speed is not None:
        yield f"speed     {_speed(report.speed)}"
        if report.speed.prefill_tok_s is not None:
            yield f"prefill   {range_words(report.speed.prefill_tok_s)} tok/s"
    yield f"source    {_sources(report)}"
    yield from (f"note      {sentence}" for sentence in report.said)
    yield from _fixes(report)
    if subject.fetched_bytes is not None:
        yield f"fetched   {_fetched(subject.fetched_bytes)}"


def table_by_context(reports: Sequence[FitReport]) -> Iterator[str]:
    """Several contexts of one model, a line each."""
    subject = reports[0].subject
    yield f"{subject.name}: {subject.shape.architecture}, {size(subject.shape.file_bytes)}"
    yield ""
    names = [device.name[:_CELL] for device in reports[0].assessment.devices]
    yield _row("n_ctx", "layers", "KV", *names, "host", "fits", "speed")
    for report in reports:
        settings, assessment = report.settings, report.assessment
        yield _row(
            str(report.prediction.n_ctx),
            f"{report.prediction.n_gpu_layers}/{report.subject.shape.n_block + 1}",
            "/".join(dict.fromkeys((settings.type_k, settings.type_v))),
            *(_amount(device.need_bytes) for device in assessment.devices),
            _amount(assessment.host.need_bytes),
            assessment.verdict,
            _speed_by_context(report),
        )
    yield ""
    yield from (f"source    {source}" for source in dict.fromkeys(map(_sources, reports)))
    if subject.fetched_bytes is not None:
        yield f"fetched   {_fetched(subject.fetched_bytes)}"
    for sentence in dict.fromkeys(sentence for report in reports for sentence in report.said):
        said_by = [str(report.prediction.n_ctx) for report in reports if sentence in report.said]
        where = f"with {', '.join(said_by)}: " if len(said_by) < len(reports) else ""
        yield f"note      {where}{sentence}"


def explained_lines(report: FitReport, *, one_of_many: bool = False) -> Iterator[str]:
    """Where each number comes from, and how the last load compared with what had been said of it. `one_of_many` has
    its context named.
    """
    yield ""
    yield "where the numbers come from" + (f" with n_ctx {report.prediction.n_ctx}" if one_of_many else "")
    yield from (f"  {line}" for line in explained(report))
    if report.last is not None:
        yield f"  {'; '.join(last_load_words(report.last))}"


def beside_json(report: FitReport) -> Iterator[str]:
    """What a person should hear that the JSON has no key for."""
    if report.prediction.reason:
        yield f"{report.prediction.source}: {report.prediction.reason}"
    if beside := beside_words(report):
        yield f"counted beside the model: {', '.join(beside)}"
    if report.subject.fetched_bytes is not None:
        yield f"fetched {_fetched(report.subject.fetched_bytes)}"
    yield from report.said


def _table(report: FitReport) -> Iterator[str]:
    yield _row("", *PARTS, "sum", "free", "")
    names = (*(device.name for device in report.assessment.devices), "host")
    for name, pool in zip(names, report.assessment.pools, strict=True):
        yield _row(name, *map(_amount, parts_of(pool)), *_held(pool))


def _held(pool: Pool) -> tuple[str, str, str]:
    free, short = free_bytes(pool), f"{size(pool.over_bytes)} too much"
    if pool.need_bytes <= free:
        short += ", as a margin is kept"
    fits = "" if not pool.need_bytes else "fits" if pool.fits else short
    return _amount(pool.need_bytes), size(free), fits


def _fixes(report: FitReport) -> Iterator[str]:
    if report.fixes:
        yield ""
        yield f"to {goal(report)}"
        yield from (f"  {fix.words}".replace("−", "-") for fix in report.fixes)
    elif report.may_be_better:
        yield ""
        yield f"no single change would {goal(report)}"


def _speed_by_context(report: FitReport) -> str:
    if report.speed is None:
        return _NONE
    full = report.full_speed
    return speed_words(report.speed) + (f", {range_words(full.decode_tok_s)} when full" if full is not None else "")


def _sources(report: FitReport) -> str:
    return ", ".join([*origins(report), *([f"speed {report.speed.source}"] if report.speed is not None else [])])


def _speed(speed: Speed) -> str:
    return f"{speed_words(speed)}, {answer_words(speed)}"


def _fetched(header_bytes: int) -> str:
    return f"{size(header_bytes)} of its header, nothing else" if header_bytes else "nothing: its header was known"


def _row(first: str, *cells: str) -> str:
    return (f"{first[:16]:<17}" + "".join(f"{cell:>{_CELL + 1}}" for cell in cells[:-1]) + f"  {cells[-1]}").rstrip()


def _amount(size_bytes: int) -> str:
    return size(size_bytes) if size_bytes else _NONE
