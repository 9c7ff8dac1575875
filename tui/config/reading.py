"""From the plain tables of a settings file to typed settings, with every problem told and none of them in the way.

A wrong key costs that key its value, which is then the default; everything else in the file still counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from tui.config.document import Document
from tui.config.errors import ConfigError, nearest_of
from tui.config.fields import Section, WrongValue, convert, known_keys, sections_of, shown, words_of

S = TypeVar("S", bound=msgspec.Struct)

_DEFAULT_COUNTS = "Correct the value; until then the default counts."
_NOT_READ = "Correct the name or delete the line; until then it is not read."


def read_struct(settings: type[S], document: Document) -> tuple[S, tuple[ConfigError, ...]]:
    """The settings that the document means, and what is wrong in it, in the order of its lines."""
    problems: list[ConfigError] = []
    good: dict[str, Any] = {}
    sections = sections_of(settings)
    for name, table in document.table.items():
        section = sections.get(name)
        if section is None:
            problems.append(_unknown(settings, document, (name,)))
        elif not isinstance(table, dict):
            problems.append(_no_table(document, name, table))
        else:
            good[name] = _read_section(settings, section, table, document, problems)
    parts = {part.name: part.type for part in msgspec.structs.fields(settings)}
    whole = {name: parts[name](**values) if sections[name].fields else values for name, values in good.items()}
    return settings(**whole), tuple(sorted(problems, key=lambda problem: problem.line or 0))


def flat(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The leaves of a table of free keys; TOML takes the name `chat.stop` without quotes for a table in a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, name))
        else:
            yield (*path, name), value


def _read_section(
    settings: type[msgspec.Struct],
    section: Section,
    table: Mapping[str, Any],
    document: Document,
    problems: list[ConfigError],
) -> dict[str, Any]:
    """The good values of one table; the others are added to `problems`."""
    good: dict[str, Any] = {}
    entries = flat(table) if section.entry is not None else (((name,), value) for name, value in table.items())
    for path, value in entries:
        field = section.field(".".join(path))
        if field is None:
            problems.append(_unknown(settings, document, (section.name, *path)))
            continue
        try:
            good[field.name] = convert(field.annotation, value)
        except WrongValue as error:
            place = (section.name, *path, *(() if error.index is None else (error.index,)))
            problems.append(
                ConfigError(
                    str(error),
                    file=document.file,
                    line=document.line_of(*place),
                    key=field.key,
                    nearest=_nearest_value(field.annotation, value),
                    hint=_DEFAULT_COUNTS,
                )
            )
    return good


def _unknown(settings: type[msgspec.Struct], document: Document, path: tuple[str, ...]) -> ConfigError:
    key = ".".join(part or '""' for part in path)
    return ConfigError(
        "there is no such setting",
        file=document.file,
        line=document.line_of(*path),
        key=key,
        nearest=nearest_of(key, known_keys(settings)),
        hint=_NOT_READ,
    )


def _no_table(document: Document, name: str, value: Any) -> ConfigError:
    return ConfigError(
        f"expects a table, not {shown(value)}",
        file=document.file,
        line=document.line_of(name),
        key=name,
        hint=f"Write [{name}] on a line of its own and its keys below; until then the defaults count.",
    )


def _nearest_value(annotation: Any, value: Any) -> str:
    """The allowed word that a wrong text was probably meant to be."""
    near = nearest_of(value, words_of(annotation)) if isinstance(value, str) else ""
    return shown(near) if near else ""
