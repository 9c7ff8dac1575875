"""The answer of `puna fit` for people: a table by device and part, or by context, and where each number is from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tui.config.sizes import size
from tui.fit.candidates import experts_on_host
from tui.fit.speed import ANSWER_TOKENS, Speed
from tui.fit.verdict import DeviceFit, HostFit
from tui.models.fit_report import FitReport

VERDICTS = {
    "gpu": "yes, all on the GPU",
    "partial": "yes, part on the GPU and part in RAM",
    "ram": "yes, all in RAM",
    "no": "no, it does not fit",
}
_SPEEDS = {
    "measured": "measured here with this file and all settings that speed depends on",
    "phantom": "measured with this model's header and no weights",
    "similar": "measured with a similar model here",
    "calibrated": "from the memory's speed, corrected by what was measured here",
    "roofline": "from the memory's speed alone",
}
_NONE = "-"
_CELL = 10
"""Characters of a cell."""


def report_lines(report: FitReport) -> Iterator[str]:
    """One model with one set of settings."""
    subject, shape = report.subject, report.subject.shape
    facts = [shape.architecture or "unknown architecture", size(shape.file_bytes), f"{shape.n_layer} layers"]
    if shape.n_ctx_train:
        facts.append(f"trained with {shape.n_ctx_train} tokens")
    yield f"{subject.name}: {', '.join(facts)}"
    yield _settings_line(report)
    yield ""
    yield from _table(report)
    yield ""
    by_formula = "" if report.prediction.source == "dry-run" else ", by a formula"
    yield f"fits      {VERDICTS[report.assessment.verdict]}{by_formula}"
    if report.speed is None and report.assessment.verdict != "no":
        yield "speed     not known: the memory bandwidth of a device is not"
    if report.speed is not None:
        yield f"speed     {speed_words(report.speed)}"
        if report.speed.prefill_tok_s is not None:
            yield f"prefill   {_range(report.speed.prefill_tok_s)} tok/s"
    yield f"source    {_source(report)}"
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
            speed_words(report.speed) if report.speed is not None else _NONE,
        )
    yield ""
    yield from (f"source    {source}" for source in dict.fromkeys(map(_source, reports)))
    if subject.fetched_bytes is not None:
        yield f"fetched   {_fetched(subject.fetched_bytes)}"
    for sentence in dict.fromkeys(sentence for report in reports for sentence in report.said):
        said_by = [str(report.prediction.n_ctx) for report in reports if sentence in report.said]
        where = f"with {', '.join(said_by)}: " if len(said_by) < len(reports) else ""
        yield f"note      {where}{sentence}"


def explained(report: FitReport) -> Iterator[str]:
    """Where each number comes from."""
    margins = report.machine.margins
    yield ""
    yield "where the numbers come from"
    if report.prediction.source == "dry-run":
        yield "  weights, context, compute: llama.cpp's own allocator, asked with the model's header (dry run)"
    else:
        spread = f", off by up to {report.prediction.spread:.0%}" if report.prediction.spread else ""
        yield f"  weights, context, compute: a formula{spread}; {report.prediction.reason or 'llama.cpp was not asked'}"
    for device in report.machine.devices:
        here = device.profile == "real"
        kind = "this machine's, through llama.cpp" if here else f"a stand-in with the rules of {device.profile}"
        unproven = ", which were read from its source and never proven" if device.profile in ("vulkan", "metal") else ""
        yield f"  {device.name}: {kind}{unproven}"
        yield f"    driver: {size(device.overhead_bytes)}, {device.overhead_origin}"
        if device.bandwidth_bytes_s:
            yield f"    memory speed: {device.bandwidth_bytes_s / 1e9:.0f} GB/s, {device.bandwidth_origin}"
    yield f"  free: what is free now, less {size(margins.device_bytes)} a device and {size(margins.host_bytes)} of RAM"
    if report.machine.host_bandwidth_bytes_s:
        rate = report.machine.host_bandwidth_bytes_s / 1e9
        yield f"  RAM speed: {rate:.1f} GB/s, {report.machine.host_bandwidth_origin}"
    if report.speed is not None:
        yield f"  speed: {_SPEEDS[report.speed.source]}, after {report.speed.n_past} tokens"


def beside_json(report: FitReport) -> Iterator[str]:
    """What a person should hear that the JSON has no key for."""
    if report.prediction.reason:
        yield f"{report.prediction.source}: {report.prediction.reason}"
    if report.subject.fetched_bytes is not None:
        yield f"fetched {_fetched(report.subject.fetched_bytes)}"
    yield from report.said


def speed_words(speed: Speed) -> str:
    """A range of tokens a second, and of seconds for an answer."""
    low, high = speed.decode_tok_s
    answer = _range((ANSWER_TOKENS / high, ANSWER_TOKENS / low))
    return f"{_range(speed.decode_tok_s)} tok/s, 300 words in {answer} s"


def _settings_line(report: FitReport) -> str:
    settings, prediction = report.settings, report.prediction
    layers = f"{prediction.n_gpu_layers} of {report.subject.shape.n_block + 1} layers on GPUs"
    parts = [f"n_ctx {prediction.n_ctx}", layers, f"KV {settings.type_k}/{settings.type_v}"]
    parts.append(f"flash attention {report.flash_attn}")
    if moe := experts_on_host(settings, report.subject.shape):
        parts.append(f"experts of {moe} layers in RAM")
    if settings.panes > 1:
        parts.append(f"{settings.panes} panes")
    return ", ".join(parts)


def _table(report: FitReport) -> Iterator[str]:
    yield _row("", "weights", "context", "compute", "driver", "sum", "free", "")
    for device in report.assessment.devices:
        parts = (device.weights_bytes, device.context_bytes, device.compute_bytes, device.overhead_bytes)
        yield _row(device.name, *map(_amount, parts), *_held(device, device.free_bytes))
    host = report.assessment.host
    parts = (host.weights_bytes, host.context_bytes, host.compute_bytes + host.output_bytes, host.overhead_bytes)
    yield _row("host", *map(_amount, parts), *_held(host, host.available_bytes))


def _held(pool: DeviceFit | HostFit, free: int) -> tuple[str, str, str]:
    short = f"{size(pool.over_bytes)} too much"
    if pool.need_bytes <= free:
        short += ", as a margin is kept"
    fits = "" if not pool.need_bytes else "fits" if pool.fits else short
    return _amount(pool.need_bytes), size(free), fits


def _source(report: FitReport) -> str:
    if report.prediction.source == "dry-run":
        source = "dry run: llama.cpp's own allocator"
    else:
        source = f"estimate: {report.prediction.reason or 'by formula'}"
    unproven = {device.profile for device in report.machine.devices} & {"vulkan", "metal"}
    if unproven:
        source += f" with {' and '.join(sorted(unproven))}'s rules, which are unproven"
    used = [
        spec for spec, held in zip(report.machine.devices, report.assessment.devices, strict=True) if held.need_bytes
    ]
    if used:
        measured = all(spec.overhead_origin == "measured" for spec in used)
        source += "; the driver's share is " + ("measured on this machine" if measured else "assumed")
    return source


def _fixes(report: FitReport) -> Iterator[str]:
    if report.fixes:
        yield ""
        yield "to make it fit" if report.assessment.verdict == "no" else "to have it all on the GPU"
        yield from (f"  {fix.words}".replace("−", "-") for fix in report.fixes)
    elif report.assessment.verdict == "no":
        yield ""
        yield "no single change makes it fit"


def _fetched(header_bytes: int) -> str:
    return f"{size(header_bytes)} of its header, nothing else" if header_bytes else "nothing: its header was known"


def _row(first: str, *cells: str) -> str:
    return (f"{first[:16]:<17}" + "".join(f"{cell:>{_CELL + 1}}" for cell in cells[:-1]) + f"  {cells[-1]}").rstrip()


def _amount(size_bytes: int) -> str:
    return size(size_bytes) if size_bytes else _NONE


def _range(values: tuple[float, float]) -> str:
    return "-".join(map(_number, values))


def _number(value: float) -> str:
    if value >= 1000:  # a range so wide has two digits that mean something
        value = round(value, 1 - int(math.log10(value)))
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
