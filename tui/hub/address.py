"""How a person names something on the Hub: `org/repo`, `org/repo:QUANT`, an address out of a browser. Asks nobody."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_HOSTS = r"(?:www\.)?(?:huggingface\.co|hf\.co)"
_PLACE = (
    r"(?P<repo>[^/?#\s]+/[^/?#:\s]+)"
    r"(?::(?P<quant>[^/?#\s]+))?"
    r"(?:/(?:blob|resolve|raw|tree)/(?P<revision>[^/?#\s]+)(?:/(?P<file>[^?#\s]+))?)?/?(?:[?#]\S*)?"
)
_REPO = re.compile(r"(?P<repo>[^/\s:]+/[^/\s:]+)(?::(?P<quant>[^/\s:]+))?")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository, and what of it is meant as far as that was said."""

    repo: str
    quant: str | None = None
    revision: str | None = None
    file: str | None = None
    """A file's path in the repository, or a folder's."""


def own_endpoint(environ: Mapping[str, str] | None = None) -> str:
    """The hub that `environ` (default: this process's) names in HF_ENDPOINT, without a slash at the end; empty where
    the public one counts."""
    said = os.environ if environ is None else environ
    return (said.get("HF_ENDPOINT") or "").rstrip("/")


def web_address(text: str, endpoint: str = "") -> Address | None:
    """What an address of the public hub, or of the one at `endpoint`, leads to; None for any other text."""
    hosts = f"(?:{_HOSTS}|{re.escape(endpoint.rpartition('://')[2])})" if endpoint else _HOSTS
    found = re.fullmatch(rf"(?:https?://)?{hosts}/{_PLACE}", text, re.IGNORECASE)
    if found is None:
        return None
    revision, file = (unquote(part) if part else None for part in (found["revision"], found["file"]))
    return Address(found["repo"], found["quant"], revision, file)


def repo_address(text: str) -> Address | None:
    """What `org/repo` or `org/repo:QUANT` means; None for any other text."""
    found = _REPO.fullmatch(text)
    return Address(found["repo"], found["quant"]) if found is not None else None


def named(text: str, endpoint: str = "") -> str:
    """What is looked for in names: of an address the repository that it leads to, and any other text as it is."""
    address = web_address(text.strip(), endpoint) or repo_address(text.strip())
    return address.repo if address is not None else text
