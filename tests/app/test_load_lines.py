"""What the load panel says, as lines: none wider than there is room, every number whole, the most important first."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.fit.rig import GIB, MIB
from tui.app.glyphs import AsciiGlyphs, Glyphs
from tui.app.panels.load.lines import fitted, full, wrapped
from tui.app.panels.load.price import LETTERS, Lines, Price, brief_size
from tui.app.panels.load.receipt import receipt_table
from tui.app.panels.load.room import Room, shared
from tui.config.actions import BY_ID
from tui.fit.fixes import Fix
from tui.fit.receipts import LoadRecord, Parts
from tui.fit.shape import ModelShape
from tui.fit.speed import Speed
from tui.fit.values import BesideBytes, DeviceSpec, Machine, Prediction
from tui.fit.verdict import assess
from tui.gguf.stripped import StrippedHeader
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings
from tui.models.subject import Subject

SIGNS = Glyphs()
SHAPE = ModelShape(architecture="llama", n_layer=80, n_block=80, n_ctx_train=8192, file_bytes=42 * GIB)
SUBJECT = Subject("a", "a:1", "Q4_K_M", 70 * 10**9, SHAPE, StrippedHeader(b"", 0, ""))
CARDS = ("NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4090", "")
sizes = st.integers(0, 700 * GIB)
WIDTHS = st.integers(34, 200)
ADDED = "3 MiB are added on CUDA0: the last 8 loads took that much more than predicted."


@st.composite
def devices(draw: st.DrawFn, count: int) -> tuple[tuple[DeviceSpec, DeviceBytes], ...]:
    """Devices, and what lies there."""
    made = []
    for index in range(count):
        spec = DeviceSpec(
            name=f"CUDA{index}",
            description=draw(st.sampled_from(CARDS)),
            total_bytes=800 * GIB,
            free_bytes=draw(sizes),
            overhead_origin=draw(st.sampled_from(("measured", "assumed"))),
        )
        held = DeviceBytes(
            name=spec.name, weights_bytes=draw(sizes), context_bytes=draw(sizes), compute_bytes=draw(sizes)
        )
        made.append((spec, held if draw(st.booleans()) else DeviceBytes(name=spec.name)))
    return tuple(made)


fix_values = st.builds(
    Fix,
    change=st.sampled_from(
        ("KV cache q8_0", "context 39680 instead of 131072 tokens", "PID 41210 of ana holds 52.0 GiB")
    ),
    settings=st.sampled_from((LoadSettings(n_ctx=512), None)),
    saves_bytes=sizes,
    cost=st.sampled_from(("small quality cost", "a shorter conversation is kept in mind", "about 0.4 × the speed")),
)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    """Any price, of a machine with up to eight GPUs."""
    pairs = draw(devices(draw(st.sampled_from((0, 1, 2, 8)))))
    machine = Machine(
        devices=tuple(spec for spec, _ in pairs), host_total_bytes=800 * GIB, host_available_bytes=draw(sizes)
    )
    prediction = Prediction(
        devices=tuple(held for _, held in pairs),
        host=DeviceBytes(name="host", weights_bytes=draw(sizes), compute_bytes=draw(sizes)),
        source=draw(st.sampled_from(("dry-run", "estimate"))),
        reason=draw(st.sampled_from(("", "the dry run does not start: it was ended by SIGKILL"))),
        n_ctx=8192,
        n_gpu_layers=draw(st.integers(0, 81)),
        beside=(BesideBytes("projector", draw(sizes)),) * draw(st.integers(0, 1)),
    )
    low = draw(st.floats(0.01, 900))
    speed = Speed(decode_tok_s=(low, low * draw(st.floats(1, 4))), source="roofline")
    return Price(
        SUBJECT,
        LoadSettings(mmproj="/models/mmproj-model-f16.gguf"),
        machine,
        prediction,
        assess(prediction, machine, 80),
        draw(st.sampled_from((speed, None))),
        said=("The context is 39680 tokens, not 131072: more does not fit.",) * draw(st.integers(0, 3)),
        fixes=draw(st.none() | st.lists(fix_values, max_size=9).map(tuple)),
        notes=("3 MiB are added on CUDA0: the last 8 loads took that much more than predicted.",)
        * draw(st.integers(0, 1)),
        last=draw(st.sampled_from((None, a_record(0), a_record(3 * MIB)))),
    )


def a_record(more: int, *, source: str = "dry-run", mapped: int = 0, exact: bool = True) -> LoadRecord:
    """A load that took `more` than was said."""
    said = DeviceBytes(name="CUDA0", weights_bytes=4 * GIB, context_bytes=GIB, compute_bytes=128 * MIB)
    took = DeviceBytes(name="CUDA0", weights_bytes=4 * GIB, context_bytes=GIB, compute_bytes=128 * MIB + more)
    host = DeviceBytes(name="host", weights_bytes=282 * MIB)
    return LoadRecord(
        time=0.0,
        model="a",
        settings={"n_ctx": 8192, "n_gpu_layers": 33},
        source="dry-run" if source == "dry-run" else "estimate",
        devices=(Parts(name="CUDA0", card="GPU-a", predicted=said, allocated=took, driver_bytes=412 * MIB),),
        host=Parts(name="host", predicted=host, allocated=host),
        mapped_bytes=mapped,
        exact=exact,
    )


def text(lines: Lines) -> list[str]:
    """Lines as they read."""
    return ["".join(word.text for word in line) for line in lines]


def numbers(lines: list[str]) -> set[str]:
    """Every number, decimals included."""
    return set(re.findall(r"\d+(?:\.\d+)?", " ".join(lines)))


@given(prices(), WIDTHS, st.booleans())
def test_no_line_is_wider_than_there_is_room_and_no_number_is_cut(price: Price, width: int, ascii_only: bool) -> None:
    signs = AsciiGlyphs() if ascii_only else SIGNS
    lines = text(full(price, width, signs))
    assert all(cell_len(line) <= width for line in lines), lines
    assert not ascii_only or "".join(lines).isascii()
    known = numbers(text(full(price, 1000, signs))) | {"0.0"}  # a rule in the table by part
    assert numbers(lines) <= known, "a part of a number is another number"


def test_a_table_by_part_has_room_for_what_is_too_much() -> None:
    host = DeviceBytes(name="host", weights_bytes=99 * GIB)
    prediction = Prediction(devices=(), host=host, source="dry-run", n_ctx=512, n_gpu_layers=0)
    machine = Machine(host_total_bytes=99 * GIB, host_available_bytes=60 * GIB)
    price = Price(SUBJECT, LoadSettings(), machine, prediction, assess(prediction, machine, 80))
    for width in range(40, 100):
        assert all(cell_len(line) <= width for line in text(full(price, width, SIGNS))), width


@given(prices(), WIDTHS, st.integers(1, 40))
def test_what_is_left_out_is_left_out_whole(price: Price, width: int, height: int) -> None:
    lines, cut = fitted(price, width, height, SIGNS)
    everything = text(full(price, width, SIGNS))
    assert len(lines) <= height
    assert cut == (len(everything) > height)
    assert lines[0] == full(price, width, SIGNS)[0], "the verdict always comes first"
    assert all(cell_len(line) <= width for line in text(lines))
    if height >= 3 and not price.assessment.host.fits:
        assert any(line.startswith("host") for line in text(lines)), "what does not fit is always told"


SHOWN = st.characters(exclude_categories=["Cs", "Cn", "Cf", "Cc"])
"""What is left of a text that has been cleaned."""


@given(st.text(SHOWN, max_size=200), st.integers(1, 60), st.integers(0, 4))
def test_text_is_wrapped_without_losing_any(words: str, width: int, hang: int) -> None:
    lines = wrapped(words, width, hang=hang)
    assert all(cell_len(line) <= max(width, 2) for line in lines)
    assert "".join("".join(lines).split()) == "".join(words.split())


@given(st.integers(6, 12), st.integers(0, 30), st.integers(0, 3), st.integers(1, 60), st.booleans())
def test_the_room_is_shared_so_that_cursor_and_verdict_stay(
    fields: int, answer: int, words: int, height: int, urgent: bool
) -> None:
    room = shared(Room(fields, answer, words), height, urgent=urgent)
    assert room.fields + room.answer + room.words <= height
    assert room.fields >= 1 or urgent
    assert room.answer >= min(1, answer) or height < 3
    if height >= fields + answer + words + 2:
        assert room == Room(fields, answer, words, airy=True)


def test_every_kind_of_change_has_a_letter() -> None:
    kinds = ("windows", "n_ubatch", "KV cache", "panes", "context", "experts", "layers")
    fixes = tuple(
        Fix(change=kind, settings=LoadSettings(n_ctx=512 + at), saves_bytes=GIB, cost="slower")
        for at, kind in enumerate(kinds)
    )
    info = Fix(change="PID 4121 of ana holds 52.0 GiB", settings=None, saves_bytes=GIB, cost="information only")
    machine = Machine(host_total_bytes=GIB, host_available_bytes=GIB)
    prediction = Prediction(
        devices=(), host=DeviceBytes(name="host", weights_bytes=9 * GIB), source="dry-run", n_ctx=512, n_gpu_layers=0
    )
    price = Price(SUBJECT, LoadSettings(), machine, prediction, assess(prediction, machine, 80), fixes=(*fixes, info))
    assert price.offered == fixes
    lines = text(full(price, 100, SIGNS))
    assert [line[:4] for line in lines if "slower" in line] == [
        f" {letter} {kind[0]}" for letter, kind in zip(LETTERS, kinds, strict=False)
    ]
    assert BY_ID["take_fix"].keys == tuple(LETTERS)


def test_a_size_takes_seven_cells() -> None:
    assert [brief_size(size) for size in (0, 5 * MIB, 93 * MIB, 30 * GIB, 213 * GIB, -GIB)] == [
        "0.0 M", "5.0 M", "93 M", "30.0 G", "213 G", "-1.0 G",
    ]  # fmt: skip


def test_the_last_load_in_full() -> None:
    machine = Machine(devices=(DeviceSpec(name="CUDA0", description=CARDS[0], total_bytes=1, free_bytes=1),))
    assert text(receipt_table(a_record(3 * MIB), machine, SIGNS)) == [
        "The last load of this model (n_gpu_layers 33, n_ctx 8192): 3 MiB more than predicted",
        "               predicted  allocated difference",
        "H100 weights       4.0 G      4.0 G          ─",
        "     context       1.0 G      1.0 G          ─",
        "     compute       128 M      131 M     +3 MiB",
        "     driver                   412 M  by the meter",
        "host weights       282 M      282 M          ─",
    ]
