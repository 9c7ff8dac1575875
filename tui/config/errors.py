"""What can be wrong with a settings file, as one kind of error that says everything a person needs to put it right.

Raised where a person asked for a change that cannot be made; collected as a value where a file is only read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class ConfigError(Exception):
    """One problem with one settings file, or with a value meant for it.

    `str()` names file, line, key, what is wrong, the nearest known key and what to do now. `what` is the same without
    the advice, for places that show the advice apart.
    """

    def __init__(
        self,
        message: str,
        *,
        file: Path | None = None,
        line: int | None = None,
        key: str = "",
        nearest: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        """What is wrong, without file and key."""
        self.file = file
        self.line = line
        """Line in the file, counted from 1; None where no line is to blame."""
        self.key = key
        """Dotted key, such as `load.n_ctx`; empty where the whole file is meant."""
        self.nearest = nearest
        """The known key or value that was probably meant; empty where nothing is near."""
        self.hint = hint
        """What the person can do now, as a sentence."""

    @property
    def what(self) -> str:
        """File, line, key, what is wrong and the nearest known name, without the advice."""
        place = str(self.file) if self.file is not None else ""
        if self.line is not None:
            place += f", line {self.line}"
        text = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{text}; did you mean {self.nearest}?" if self.nearest else text

    def __str__(self) -> str:
        what = self.what
        if not self.hint:
            return what
        return f"{what} {self.hint}" if what.endswith("?") else f"{what}. {self.hint}"


class ConfigUsageError(ConfigError):
    """A key that does not exist, or a text that is no value of the key's type at all: a slip in what was typed."""


def nearest_of(text: str, known: Iterable[str]) -> str:
    """The name in `known` that `text` was probably meant to be, or an empty text.

    A dotted name whose last part is exactly the last part of `text` wins: `theme` and `load.theme` mean `ui.theme`.
    """
    import difflib  # only needed when something is wrong

    names = list(known)
    last = text.rpartition(".")[2]
    same = [name for name in names if name.rpartition(".")[2] == last]
    if same:
        return same[0]
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    by_last = {name.rpartition(".")[2]: name for name in reversed(names)}
    close = difflib.get_close_matches(last, by_last, n=1, cutoff=0.75)
    return by_last[close[0]] if close else ""
