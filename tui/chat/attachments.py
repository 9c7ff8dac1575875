"""Files that go along with a prompt: `@path` in its words, and the file as a fenced block behind them.

The blocks are part of the message as it is stored, so that search, export and the model see them as they are; a line
such as ```py attached="src/a.py" tells where one came from, and parts them from the words again. An image's block is
empty: its line names the image by its SHA-256, ```image attached="cat.png" sha256=… pixels=640x480, and the bytes are
kept apart (`images`).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tui.chat.errors import ChatError
from tui.chat.images import Images
from tui.chat.text import title_from
from tui.config.errors import ConfigError
from tui.config.sizes import size
from tui.llama.picture import ENDINGS, PictureError, digest_of, read_bytes, size_of

MOST_BYTES: Final = 4 << 20
"""Of one file: about a million tokens, more than models hold."""
MOST_FILES: Final = 20
LONGEST_PASTE: Final = 1 << 13
"""Characters of a pasted text that may be a list of paths."""
LONGEST_WORDS: Final = 1 << 16
"""Characters; a longer prompt is a pasted text, and what looks like a path in it is none."""
_MOST_LISTED: Final = 500

_MENTION = re.compile(r"""(?<!\S)@(?:"([^"\n]+)"|([^\s"'`()<>\[\]{},;|*]++)(?![("'\[]))""")
_BEGUN = re.compile(r'(?<!\S)@(?:"([^"\n]*)|([^\s"]*))$')
_BLOCK = re.compile(
    r'(?:\A|\n\n)(`{3,})[\w+.-]* attached=("(?:[^"\\\n]|\\.)*")(?: sha256=([0-9a-f]{64}) pixels=(\d{1,6})x(\d{1,6}))?'
    r'\n(.*?)\1(?=\n\n`{3,}[\w+.-]* attached="|\Z)',
    re.DOTALL,
)


class AttachmentError(ChatError):
    """A file that cannot go along. The text says which, why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One file as it goes along. An image's bytes do not."""

    name: str
    """The path as the person wrote it."""
    text: str
    """Of an image its bytes where it travels, else empty."""
    digest: str = ""
    """SHA-256 of an image's file; empty for a text file."""
    pixels: tuple[int, int] = (0, 0)
    """An image's width and height."""

    @property
    def about(self) -> str:
        """What is said in its place: name, lines and size."""
        if self.digest:
            return f"{self.name}, {self.pixels[0]} x {self.pixels[1]} pixels"
        lines = self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))
        return f"{self.name}, {lines} {'line' if lines == 1 else 'lines'}, {size(len(self.text.encode()))}"


def mentioned(words: str) -> tuple[str, ...]:
    """The paths that a prompt mentions, each once and without the sign at the end of a sentence. Words that are no path
    (`@ana`) are among them."""
    if len(words) > LONGEST_WORDS or "@" not in words:
        return ()
    found = (quoted or plain.rstrip(".:!?") for quoted, plain in _MENTION.findall(words))
    return tuple(dict.fromkeys(name for name in found if name))[:MOST_FILES]


def is_path(name: str) -> bool:
    """Whether a mentioned word must be a path, so that a file that is not there is a mistake."""
    return "/" in name or "." in name.strip(".") or name.startswith("~")


def read(name: str, folder: Path) -> Attached | None:
    """The file that a word mentions, looked for in `folder` unless it says otherwise; None where it mentions none.
    Raises AttachmentError for a file that cannot go along. Waits for the disk."""
    path = located(name, folder)
    if not _is_there(path):
        if not is_path(name):
            return None
        raise AttachmentError(f"{name}: there is no such file in {folder}")
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            kind = "a folder" if path.is_dir() else "no regular file"
            raise AttachmentError(f"{name} is {kind}; only text files and images can go along")
        if Path(name).suffix.lower() in ENDINGS:
            return _image(name, folder)
        if about.st_size > MOST_BYTES:
            raise AttachmentError(
                f"{name} has {size(about.st_size)}; {size(MOST_BYTES)} is the most, about a million tokens"
            )
        data = path.read_bytes()
    except OSError as error:
        raise AttachmentError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AttachmentError(
            f"{name} is not text in UTF-8 (byte {error.start}); only text and images can go along"
        ) from error
    if "\0" in text:
        raise AttachmentError(f"{name} is a binary file; only text and images can go along")
    return Attached(name, text.replace("\r\n", "\n"))


def joined(words: str, files: Sequence[Attached]) -> str:
    """A prompt with its files, as it is sent and stored."""
    return "\n\n".join((words, *(_block(file) for file in files)))


def parted(content: str) -> tuple[str, tuple[Attached, ...]]:
    """The words of a stored prompt, and the files behind them."""
    blocks = list(_BLOCK.finditer(content)) if ' attached="' in content else []
    if not blocks or blocks[-1].end() != len(content):
        return content, ()
    return content[: blocks[0].start()], tuple(_attached(block) for block in blocks)


def first_words(content: str) -> str:
    """What a conversation is called that begins with this prompt: by its words, whatever goes along with them."""
    return title_from(parted(content)[0])


def begun(line: str) -> str | None:
    """The path that is being written at the end of `line`; None where none is."""
    found = _BEGUN.search(line)
    return None if found is None else found[1] if found[1] is not None else found[2]


def completions(begun: str, folder: Path) -> tuple[str, ...]:
    """The paths that begin so, in order of their names; a folder ends with a slash. Waits for the disk."""
    parent, _, start = begun.rpartition("/")
    place = begun[: len(parent) + 1] if "/" in begun else ""
    try:
        with os.scandir(located(place or ".", folder)) as entries:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(start) and (start.startswith(".") or not entry.name.startswith("."))
            )
    except OSError:
        return ()
    return tuple(place + name for name in names[:_MOST_LISTED])


def pasted(text: str) -> str | None:
    """What is written in the place of a pasted text that is nothing but addresses of files (`file://…`) or paths of
    images, as a terminal gives what is dropped on it: they are mentioned. None for any other text.
    """
    if len(text) > LONGEST_PASTE or not text.lstrip().startswith(("file://", "/", "~/", "'/", '"/')):
        return None
    try:
        words = [word for line in text.splitlines() for word in shlex.split(line)]
    except ValueError:  # a quote that is not closed
        return None
    names = [_path_of(word) for word in words]
    return "".join(f"@{quoted(name)} " for name in names if name) if names and all(names) else None


def _path_of(word: str) -> str | None:
    """The path that a pasted word means; None for a word that is none."""
    if word.startswith("file://"):
        path = unquote(word.removeprefix("file://").removeprefix("localhost"))
        return path if path.startswith("/") and path.isprintable() else None
    is_image = word.startswith(("/", "~/")) and Path(word).suffix.lower() in ENDINGS
    return word if is_image and word.isprintable() else None


def quoted(path: str) -> str:
    """A path as it is written behind the @."""
    return f'"{path}"' if _MENTION.fullmatch(f"@{path}") is None else path


def image_bytes(name: str, folder: Path) -> bytes:
    """All of an image file that can go along. Raises AttachmentError. Waits for the disk."""
    try:
        data = read_bytes(located(name, folder))
        size_of(data)
    except PictureError as error:
        raise AttachmentError(f"{name} {error}") from error
    except OSError as error:
        raise AttachmentError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from error
    return data


def keep(file: Attached, folder: Path, images: Images) -> None:
    """Keep the bytes of an image that was read. Raises AttachmentError. Waits for the disk."""
    try:
        kept = images.keep(image_bytes(file.name, folder))
    except (PictureError, ConfigError) as error:
        raise AttachmentError(f"{file.name} {error}" if isinstance(error, PictureError) else str(error)) from error
    if kept != file.digest:
        raise AttachmentError(f"{file.name} changed while it was read; send it again")


def _image(name: str, folder: Path) -> Attached:
    """Its head is looked at here; that all of it can be unpacked shows when it is kept."""
    data = image_bytes(name, folder)
    return Attached(name, "", digest_of(data), size_of(data))


def _attached(block: re.Match[str]) -> Attached:
    name, digest = json.loads(block[2]), block[3] or ""
    return Attached(name, block[6], digest, (int(block[4]), int(block[5])) if digest else (0, 0))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file system takes
        return False


def located(name: str, folder: Path) -> Path:
    """Where a mentioned file is looked for."""
    return folder / os.path.expanduser(name)  # noqa: PTH111 - Path.expanduser raises for an unknown user


def _block(file: Attached) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", file.text)), default=0))
    language = Path(file.name).suffix.removeprefix(".")
    language = language if re.fullmatch(r"[\w+-]{1,16}", language) else ""
    name = json.dumps(file.name, ensure_ascii=False).replace("`", "\\u0060")  # none may stand in such a line
    if file.digest:
        return f"```image attached={name} sha256={file.digest} pixels={file.pixels[0]}x{file.pixels[1]}\n{file.text}```"
    text = file.text if file.text.endswith("\n") else f"{file.text}\n"
    return f"{fence}{language} attached={name}\n{text}{fence}"
