"""The model of ggml's graph allocator, on graphs small enough to lay out by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.fit.tape import Tape


def test_a_chain_needs_two_results_at_a_time() -> None:
    tape = Tape()
    came = tape.input(64)
    for _ in range(5):
        came = tape.node(64, came)
    assert tape.peak(32) == 128


def test_a_result_takes_the_place_of_an_argument_that_nobody_else_needs() -> None:
    tape = Tape()
    tape.node(64, tape.node(64, tape.input(64)), in_place=True)
    assert tape.peak(32) == 128
    shared = Tape()
    first = shared.node(64, shared.input(64))
    last = shared.node(64, first, in_place=True)
    shared.node(64, first, last)
    assert shared.peak(32) == 192, "the argument is still needed"


def test_an_input_that_nobody_reads_stays() -> None:
    tape = Tape()
    tape.input(320)
    tape.node(64, tape.input(64))
    assert tape.peak(32) == 448


def test_a_result_goes_into_the_smallest_hole_that_fits() -> None:
    tape = Tape()
    wide, between, narrow, end = tape.node(320), tape.node(32), tape.node(96), tape.node(32)
    tape.node(0, wide)
    tape.node(0, narrow)
    fits = tape.node(64)
    tape.node(0, between, end, fits)
    assert tape.peak(32) == 480, "the hole of 96 bytes, so that nothing is added at the end"


def test_every_size_is_padded() -> None:
    tape = Tape()
    held = tape.node(1), tape.node(129)
    tape.node(0, *held)
    assert tape.peak(128) == 128 + 256


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 3), st.booleans()), max_size=40))
def test_the_buffer_holds_what_is_needed_at_once_and_never_more_than_everything(
    operations: list[tuple[int, int, bool]],
) -> None:
    tape = Tape()
    nodes: list[int] = []
    for size, back, in_place in operations:
        nodes.append(tape.node(size, *nodes[-back:] if back else (), in_place=in_place))
    sizes = [-(-size // 32) * 32 for size, _, _ in operations]
    assert max(sizes, default=0) <= tape.peak(32) <= sum(sizes)
