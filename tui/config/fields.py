"""What the settings structs say about each key: its type in words, whether a value fits it, what a typed text means.

Works from the structs alone (`msgspec.inspect`), so that a new field needs no second description anywhere. Knows
nothing of files.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import inspect

_TRUE = frozenset({"true", "on", "yes", "1"})
_FALSE = frozenset({"false", "off", "no", "0"})


class WrongValue(ValueError):
    """A value of a wrong type or outside the limits. `index` is the element to blame in a list, None otherwise."""

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class Unparsable(ValueError):
    """A typed text that cannot be read as the key's type at all."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of the settings."""

    section: str
    name: str
    annotation: Any
    """The type as written, with its limits."""
    default: Any

    @property
    def key(self) -> str:
        """Dotted key, such as `load.n_ctx`."""
        return f"{self.section}.{self.name}"


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the settings: with known keys, or (`entry` is set) with free ones whose values are all alike."""

    name: str
    fields: Mapping[str, Field]
    entry: Any = None
    """Type of every value in a table of free keys."""

    def field(self, name: str) -> Field | None:
        """The key of that name, or None when this table cannot hold it."""
        if self.entry is not None:
            return Field(self.name, name, self.entry, msgspec.UNSET) if name else None
        return self.fields.get(name)


@cache
def sections_of(settings: type[msgspec.Struct]) -> dict[str, Section]:
    """The tables of a settings struct, in order: fields that are structs, and fields that are dicts."""
    sections = {}
    for part in msgspec.structs.fields(settings):
        if isinstance(part.type, type) and issubclass(part.type, msgspec.Struct):
            inner = msgspec.structs.fields(part.type)
            known = {f.name: Field(part.name, f.name, f.type, f.default) for f in inner}
            sections[part.name] = Section(part.name, known)
        else:
            sections[part.name] = Section(part.name, {}, entry=get_args(part.type)[1])
    return sections


def known_keys(settings: type[msgspec.Struct]) -> list[str]:
    """Every dotted key, and the bare name of every table."""
    sections = sections_of(settings).values()
    return [field.key for section in sections for field in section.fields.values()] + [s.name for s in sections]


def words_of(annotation: Any) -> list[str]:
    """The texts that a field takes besides, or instead of, other values, in the order written: auto, on, off."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return [word for part in get_args(annotation) for word in words_of(part)]
    return []


def describe(annotation: Any) -> str:
    """The type in words: `a whole number from 1 to 16`, `"auto" or a whole number`."""
    words = [json.dumps(word) for word in words_of(annotation)]
    match inspect.type_info(annotation):
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() as kind:
            return f"a whole number{_limits(kind)}"
        case inspect.FloatType() as kind:
            return f"a number{_limits(kind)}"
        case inspect.StrType():
            return "text in quotes"
        case inspect.LiteralType():
            return _listed(words)
        case inspect.UnionType():
            return _listed(words + [describe(part) for part in get_args(annotation) if not words_of(part)])
        case inspect.VarTupleType():
            return "a list of texts in quotes"
    raise TypeError(f"settings cannot hold {annotation}")


def convert(annotation: Any, value: Any) -> Any:
    """The value as the field holds it. Raises WrongValue with what was expected and what was found."""
    kind = inspect.type_info(annotation)
    try:
        result = msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        if isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
            index = next(i for i, element in enumerate(value) if not isinstance(element, str))
            raise WrongValue(f"expects text in quotes here, not {shown(value[index])}", index) from None
        raise WrongValue(f"expects {describe(annotation)}, not {shown(value)}") from None
    if isinstance(result, float) and not math.isfinite(result):
        raise WrongValue(f"expects {describe(annotation)}, not {shown(value)}")
    if isinstance(result, int) and not -(2**63) <= result < 2**63:  # what TOML promises, and C can take
        raise WrongValue(f"expects {describe(annotation)}, and {shown(value)} does not fit 64 bits")
    return result


def parse_text(annotation: Any, text: str) -> Any:
    """What a text typed on a command line means for this type; the limits are not checked here.

    Raises Unparsable when it is no value of the type: `abc` for a number.
    """
    word = text.strip()
    try:
        match inspect.type_info(annotation):
            case inspect.BoolType():
                return _parse_bool(word)
            case inspect.IntType():
                return int(word)
            case inspect.FloatType():
                return float(word)
            case inspect.LiteralType():
                return word
            case inspect.UnionType():
                return word if word in words_of(annotation) else int(word)
            case inspect.VarTupleType():
                return _parse_list(word)
    except ValueError:
        raise Unparsable(f"expects {describe(annotation)}, not {shown(text)}") from None
    return text


def shown(value: Any, limit: int = 60) -> str:
    """A value as it would stand in the file, cut off after `limit` characters; tables and dates by their kind only."""
    if isinstance(value, str | bool):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, int) and abs(value) >= 10**30:
        text = "a huge number"
    elif isinstance(value, int | float):
        text = repr(value)
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(shown(element, limit) for element in value[:limit])}]"
    else:
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _parse_bool(word: str) -> bool:
    if word.lower() in _TRUE:
        return True
    if word.lower() in _FALSE:
        return False
    raise ValueError


def _parse_list(word: str) -> list[Any]:
    """`a, b` or, where an element holds a comma, a TOML list."""
    if word.startswith("["):
        value = tomllib.loads(f"value = {word}")
        if set(value) != {"value"}:
            raise ValueError
        return list(value["value"])
    return [part.strip() for part in word.split(",") if part.strip()]


def _limits(kind: inspect.IntType | inspect.FloatType) -> str:
    least, most = (f"{limit:.12g}" if limit is not None else "" for limit in (kind.ge, kind.le))
    if least and most:
        return f" from {least} to {most}"
    if least:
        return f" of at least {least}"
    return f" of at most {most}" if most else ""


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
