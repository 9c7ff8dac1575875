"""Changing one value in a TOML text and nothing else: the person's comments, order and spacing stay as they are.

Every edit is read back with tomllib before it is handed out; one that would change anything besides the asked-for value
is refused, so that no slip of an editor library can reach a person's file.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import MutableMapping, Sequence
from typing import Any

import tomlkit
import tomlkit.items

from tui.config.document import Document, canonical
from tui.config.errors import ConfigError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def with_value(document: Document, path: tuple[str, ...], value: Any) -> str:
    """The document's text with the key at `path` (table first) set to `value`, byte order mark included.

    Raises ConfigError when the file is built in a way that does not allow it.
    """
    expected = copy.deepcopy(document.table)
    try:
        _put(expected, path, value)
    except TypeError:
        raise _refused(document, path, "a value stands where a table is needed") from None
    for edit in (_replaced, _inserted):
        try:
            text = edit(document, path, value)
            if text is not None and canonical(tomllib.loads(text)) == canonical(expected):
                return document.mark + text
        except Exception:  # tomlkit raises KeyError and worse on layouts that it cannot edit; the other way may work
            continue
    raise _refused(document, path, "the file is laid out in a way that puna cannot edit")


def _put(table: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise TypeError
    table[path[-1]] = value


def _refused(document: Document, path: tuple[str, ...], reason: str) -> ConfigError:
    return ConfigError(
        f"cannot be changed: {reason}",
        file=document.file,
        line=document.line_of(*path),
        key=".".join(path),
        hint="Change it in an editor; the file is as it was.",
    )


def _replaced(document: Document, path: tuple[str, ...], value: Any) -> str | None:
    """The text with a value replaced that is there already, or added to a table without a header of its own."""
    tree = tomlkit.parse(document.text)
    table: Any = tree
    for name in path[:-1]:
        table = table.get(name)
        if not isinstance(table, MutableMapping):
            return None
    old = table.get(path[-1])
    if old is None and _header_line(document, path[:-1]) is not None:
        return None
    if isinstance(old, tomlkit.items.Array):
        _change_array(old, value)
    else:
        table[path[-1]] = value
    return tomlkit.dumps(tree)


def _change_array(array: tomlkit.items.Array, wanted: Sequence[Any]) -> None:
    """Take away and add single elements, so that comments beside the others stay; start anew if that is not enough."""
    for index in range(len(array) - 1, -1, -1):
        if array[index] not in wanted:
            del array[index]
    for element in wanted:
        if element not in array:
            array.append(element)
    if array.unwrap() != list(wanted):
        array.clear()
        array.extend(wanted)


def _inserted(document: Document, path: tuple[str, ...], value: Any) -> str | None:
    """The text with a new line below the last key of the table, or with the table added at the end."""
    newline = "\r\n" if "\r\n" in document.text else "\n"
    lines = re.findall(r"[^\n]*\n|[^\n]+", document.text)  # splitlines() would also break at U+2028 and the like
    statement = f"{_key(path[-1])} = {tomlkit.item(value).as_string()}".replace("\n", newline)
    header = _header_line(document, path[:-1])
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    if header is None:
        gap = [newline] if lines and lines[-1].strip() else []
        title = ".".join(_key(name) for name in path[:-1])
        return "".join([*lines, *gap, f"[{title}]{newline}", statement, newline])
    last = header
    for other, span in document.spans.items():
        if other[: len(path) - 1] == path[:-1] and len(other) == len(path) and not _is_header(lines[span.first - 1]):
            last = max(last, span.last)
    indent = re.match(r"[ \t]*", lines[last - 1])
    lines.insert(last, f"{indent[0] if indent else ''}{statement}{newline}")
    return "".join(lines)


def _header_line(document: Document, table: tuple[str, ...]) -> int | None:
    """The line of `[table]`, or None where the table is written another way (dotted keys, inline) or not at all."""
    span = document.spans.get(table)
    if span is None:
        return None
    line = document.text.split("\n")[span.first - 1]
    match = re.match(r"\s*\[\s*([^\[\]#]+?)\s*\]", line)
    try:
        return span.first if match and tomllib.loads(f"[{match[1]}]") == _nested(table) else None
    except tomllib.TOMLDecodeError:
        return None


def _nested(path: tuple[str, ...]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name in reversed(path):
        table = {name: table}
    return table


def _is_header(line: str) -> bool:
    return line.lstrip().startswith("[")


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else tomlkit.key(name).as_string()
