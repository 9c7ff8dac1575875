"""Writes settings out as TOML: `config.example.toml`, with every field's docstring, and what `puna config show` prints.

`python -m tui.config.example` writes the example file of a checkout anew; a test holds the committed one to it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import tomli_w

from tui.config import settings as settings_module
from tui.config.errors import ConfigError
from tui.config.fields import describe
from tui.config.files import write_atomic
from tui.config.paths import share
from tui.config.settings import Settings

_HEADING = """\
Every setting of puna with its default value. Copy the lines that you want to change, and the [section] above them, into
your own config.toml (`puna config path` says where it is), or let `puna config set KEY VALUE` do it.
"""
_ORIGIN = "Made from tui/config/settings.py by `python -m tui.config.example`; do not edit it by hand."
_WIDTH = 100
_TOLD_BY_THE_DEFAULT = frozenset(map(describe, (bool, int, float, str, tuple[str, ...])))


def to_toml(settings: Settings) -> str:
    """All settings as TOML, without comments."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    return tomli_w.dumps(plain)


def example() -> str:
    """The text of `config.example.toml`."""
    docs = _docs()
    lines = [*_comment(_HEADING), "#", *_comment(_ORIGIN)]
    for part in msgspec.structs.fields(Settings):
        struct = part.type if isinstance(part.type, type) and issubclass(part.type, msgspec.Struct) else None
        about = docs[struct.__name__] if struct else docs["Settings"]
        lines += ["", *_comment(about[""].partition("\n\n")[0] if struct else about[part.name]), f"[{part.name}]"]
        if struct is not None:
            lines += _keys(struct, about)
    return "\n".join(lines) + "\n"


def _keys(struct: type[msgspec.Struct], docs: Mapping[str, str]) -> Iterator[str]:
    for field in msgspec.structs.fields(struct):
        yield from _comment(docs[field.name])
        words = describe(field.type)
        if words not in _TOLD_BY_THE_DEFAULT:
            yield from _comment(f"Takes {words}.")
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        yield from tomli_w.dumps({field.name: default}).splitlines()
        yield ""


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield from (f"# {line}" for line in textwrap.wrap(" ".join(paragraph.split()), _WIDTH - 2))


def _docs() -> dict[str, dict[str, str]]:
    """Docstrings of the settings module by class and field; a class's own is under the empty name.

    A docstring below a field is not kept at run time, so it is read from the source.
    """
    docs: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(settings_module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        docs[node.name] = {"": ast.get_docstring(node) or ""}
        for field, below in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
                docs[node.name][field.target.id] = inspect.cleandoc(str(ast.literal_eval(below.value)))
    return docs


def main() -> int:
    """Write the example file."""
    try:
        write_atomic(share("config.example.toml"), example().encode())
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
