"""Files that go along with a prompt: what is mentioned, read, refused, joined to the words and parted from them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.chat.attachments import (
    LONGEST_WORDS,
    Attached,
    AttachmentError,
    begun,
    completions,
    first_words,
    joined,
    mentioned,
    parted,
    quoted,
    read,
)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Look at @src/a.py and @b.txt", ("src/a.py", "b.txt")),
        ('@"my notes.txt" and @~/x', ("my notes.txt", "~/x")),
        ("@a.py, @a.py. And @a.py?", ("a.py",)),
        ("mail ana@example.org", ()),
        ("@functools.cache(f) and @app.route('/x')", ()),
        ("@", ()),
        ("no path at all", ()),
        ("@x.py " + "y" * LONGEST_WORDS, ()),
    ],
)
def test_paths_behind_an_at_are_mentioned(words: str, names: tuple[str, ...]) -> None:
    assert mentioned(words) == names


def test_a_file_is_read_wherever_it_is_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    for name in ("a.txt", "./a.txt", "~/a.txt", str(tmp_path / "a.txt")):
        assert read(name, tmp_path) == Attached(name, "one\ntwo")
    assert read("ana", tmp_path) is None, "a word is no path"
    assert Attached("a.txt", "one\ntwo").about == "a.txt, 2 lines, 7 B"


def test_what_cannot_go_along_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "folder.d").mkdir()
    (tmp_path / "binary.bin").write_bytes(b"GGUF\0\0\0")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(200 << 20)
    os.mkfifo(tmp_path / "pipe.txt")
    for name, words in (
        ("missing.txt", "there is no such file"),
        ("folder.d", "is a folder"),
        ("binary.bin", "is a binary file"),
        ("latin.txt", "not text in UTF-8"),
        ("huge.txt", "200 MiB; 4 MiB is the most"),
        ("pipe.txt", "no regular file"),
        ("a/" + "x" * 300, "there is no such file"),
    ):
        with pytest.raises(AttachmentError, match=words) as caught:
            read(name, tmp_path)
        assert name in str(caught.value)


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
TEXTS = st.lists(st.sampled_from(["`", "```", "\n", "a", ' attached="x"', "```py", "\\", "é"]), max_size=20).map(
    "".join
)


@given(TEXTS, st.lists(st.tuples(NAMES, TEXTS), max_size=3))
def test_words_and_files_come_apart_as_they_were(words: str, files: list[tuple[str, str]]) -> None:
    attached = tuple(Attached(name, text if text.endswith("\n") else f"{text}\n") for name, text in files)
    if "attached" not in words:
        assert parted(joined(words, attached)) == (words, attached)


def test_a_message_without_files_is_all_words() -> None:
    for content in ("", "plain", '```py attached="x"\nnot closed', '```py attached="x"\nprint()\n```\n\nand more'):
        assert parted(content) == (content, ())


def test_a_path_is_completed_from_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("src/one.py", "src/only.py", "readme.md", ".hidden"):
        (tmp_path / name).touch()
    assert completions("", tmp_path) == ("readme.md", "src/")
    assert completions("src/on", tmp_path) == ("src/one.py", "src/only.py")
    assert completions(".h", tmp_path) == (".hidden",)
    assert completions("nowhere/x", tmp_path) == ()


@pytest.mark.parametrize(
    ("line", "path"),
    [("see @src/a", "src/a"), ("@", ""), ("see", None), ("@a b", None), ('@"a b', "a b"), ("x@y", None)],
)
def test_the_path_at_the_end_of_a_line_is_begun(line: str, path: str | None) -> None:
    assert begun(line) == path


def test_a_path_with_blanks_is_quoted() -> None:
    assert quoted("a b.txt") == '"a b.txt"'
    assert quoted("src/a.txt") == "src/a.txt"


def test_a_conversation_is_called_by_the_words_and_not_by_what_goes_along() -> None:
    prompt = joined("What is @a.py?", [Attached("a.py", "import os\n")])
    assert first_words(prompt) == "What is @a.py?"
