"""What the finder asks the rest of the app for: a model to be fetched."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class PullWanted(Message):
    """One quantization of a repository is to be fetched."""

    repo: str
    """`org/name`."""
    quant: str = ""
    """Empty for the one that is recommended."""
    file: str = ""
    """Its path in the repository, of several shards the first; empty where only the quantization is known."""

    @property
    def name(self) -> str:
        """As a person would type it: `org/name:QUANT`."""
        return f"{self.repo}:{self.quant}" if self.quant else self.repo
