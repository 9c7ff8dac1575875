"""Images among tokens: entries that compare and cut like words, and what of them outlives an engine."""

from __future__ import annotations

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from tui.engine.pictures import Part, Pictures, piece_of
from tui.engine.prefix import Held, goes_on, is_part
from tui.llama.vocab import Vocab


class Words:
    """A vocabulary in which every token is its number."""

    def piece(self, token: int) -> bytes:
        return str(token).encode()

    def is_control(self, token: int) -> bool:
        return token == 0


def pictures() -> Pictures:
    return Pictures(cast(Vocab, Words()), None)


parts = st.builds(
    Part, st.integers(0, 3).map(lambda n: f"{n:064x}"), st.integers(0, 2), st.integers(1, 5), st.sampled_from([0, 3])
)
prompts = st.lists(st.one_of(st.integers(0, 9), parts), max_size=8)


def written(prompt: list[int | Part], known: Pictures) -> list[int]:
    """The tokens of a prompt. Of one image a part is always alike."""
    first: dict[tuple[str, int], Part] = {}
    tokens: list[int] = []
    for one in prompt:
        if isinstance(one, Part):
            tokens += known.entries(first.setdefault((one.digest, one.index), one))
        else:
            tokens.append(one)
    return tokens


def held_of(tokens: list[int], known: Pictures) -> Held:
    held = Held()
    for token in tokens:
        held.add(token, known.piece(token), control=known.is_control(token), grid=known.grid(token))
    return held


@given(prompts)
def test_calls_take_words_or_one_part_and_all_of_it(prompt: list[int | Part]) -> None:
    known = pictures()
    tokens = pending = written(prompt, known)
    taken: list[int] = []
    while pending:
        piece = list(piece_of(pending, 3))
        assert piece
        if is_part(piece[0]):
            assert len(piece) == known.part(piece[0]).n_tokens
        else:
            assert len(piece) <= 3
            assert not any(map(is_part, piece))
        taken, pending = [*taken, *piece], pending[len(piece) :]
        assert not pending or not goes_on(pending[0])
    assert taken == tokens


@given(prompts)
def test_tokens_mean_the_same_in_another_engine(prompt: list[int | Part]) -> None:
    known, other = pictures(), pictures()
    other.entries(Part("f" * 64, 0, 2, 0))  # which has seen something else
    numbers = known.portable(tokens := written(prompt, known))
    again = other.known_again(numbers)
    assert all(-(2**31) <= number < 2**31 for number in numbers)
    assert [other.piece(token) for token in again] == [known.piece(token) for token in tokens]
    assert [other.grid(token) for token in again] == [known.grid(token) for token in tokens]


@given(st.lists(st.integers(-3, 9), max_size=20))
def test_numbers_that_are_no_tokens_mean_nothing(numbers: list[int]) -> None:
    known = pictures()
    assert known.portable(known.known_again(numbers)) in ([], numbers)


@given(prompts, st.integers(0, 40))
def test_positions_and_tokens_belong_together(prompt: list[int | Part], cut: int) -> None:
    known = pictures()
    held = held_of(written(prompt, known), known)
    assert held.places == sorted(held.places)
    if held.tokens:
        assert held.count(held.places[-1]) == len(held.tokens)
        assert held.position(len(held.tokens)) > held.places[-1]
    assert held.count(-1) == 0
    whole = held.whole(min(cut, len(held.tokens)))
    held.cut(whole)
    assert len(held.tokens) == whole
    assert not held.tokens or held.count(held.position(whole) - 1) == whole


@given(prompts, prompts)
def test_text_matches_never_cut_an_image(before: list[int | Part], after: list[int | Part]) -> None:
    known = pictures()
    held, prompt = written(before, known), written([*before[: len(before) // 2], *after], known)
    raw = b"".join(known.piece(token) for token in prompt)
    found = held_of(held, known)
    count = found.match(raw, lambda rest: rest.startswith((b"\0", b"0")))
    assert b"".join(known.piece(token) for token in held[:count]) == raw[: found.ends[count - 1] if count else 0]
    assert count == found.whole(count)
