"""Everything that travels between a front end and an engine host, as typed values.

The same events come from an engine on this machine and from a remote one. This module must never import llama_cpp.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tui.llama.receipt import Receipt
from tui.llama.settings import LoadSettings, SamplingSettings

Role = Literal["system", "user", "assistant"]
Channel = Literal["answer", "thinking"]
DoneReason = Literal["eog", "stop", "length", "context", "cancelled", "failed"]
FailedKind = Literal[
    "load",  # the file or llama.cpp refused to load
    "memory",  # an allocation failed
    "cancelled",  # the load was cancelled
    "settings",  # a setting that this model cannot take
    "template",  # the chat template failed or ran out of time
    "context",  # the prompt does not fit the context
    "input",  # a request that makes no sense
    "state",  # a conversation's state could not be kept or read
    "decode",  # llama_decode returned an error
    "died",  # the engine process ended; made by the client
]


class ImageFile(msgspec.Struct, frozen=True):
    """An image that a message carries: its bytes stay in their file."""

    digest: str
    """SHA-256 of the file in hexadecimal digits; the same digest is the same image, wherever it lies."""
    path: bytes
    """Absolute, as the file system has it."""


class ChatMessage(msgspec.Struct, frozen=True):
    """One turn as the chat template sees it."""

    role: Role
    content: str
    thinking: str = ""
    """Thinking before an answer; most templates leave it out of later turns."""
    images: tuple[ImageFile, ...] = ()
    """Images that come before its text, in order."""


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """How long one generation took. Rates are None when nothing was measured."""

    prompt_tokens: int = 0
    """Tokens of the whole prompt."""
    prefilled_tokens: int = 0
    """Prompt tokens that had to be computed; the rest was reused."""
    completion_tokens: int = 0
    ttft_s: float | None = None
    """Seconds from the request to the first token."""
    prefill_tok_s: float | None = None
    decode_tok_s: float | None = None
    n_ctx_used: int = 0
    """Tokens of the context in use afterwards."""
    n_ctx: int = 0


# ---- requests -----------------------------------------------------------------------------------------------------


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load the model; the first request that a host gets, and only once."""

    path: bytes
    """Absolute, as the file system has it: a file's name need not be text."""
    settings: LoadSettings
    name: str
    """What the person calls this model; shown by `puna ps`."""


class Generate(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer `messages` (through the chat template) or continue `prompt` (as it is); one of the two is given."""

    id: int
    messages: tuple[ChatMessage, ...] | None = None
    prompt: str | None = None
    sampling: SamplingSettings
    max_tokens: int | None = None
    """None is until the model ends or the context is full."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer; not part of it."""
    ignore_end: bool = False
    """Go on after the model's end token; for measurements."""
    pane: int = 0
    """Sequence to use; 0 to panes - 1."""
    answer: str = ""
    """The beginning of the answer to `messages`, to be gone on with."""
    thinking: str = ""
    """Thinking before that, or thinking to be gone on with where `answer` is empty."""
    think: bool | None = None
    """Whether the model is to think, where its template has a switch for that; None leaves it to the template."""


class CountTokens(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How many tokens a prompt of these messages (or this text) has."""

    id: int
    messages: tuple[ChatMessage, ...] | None = None
    text: str | None = None


STATE_ENDING = ".state"
"""How the names of files end in which an engine keeps what a pane held."""


class SaveState(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Keep what a pane holds, to go on with it later. It waits for an answer that is being written there."""

    id: int
    folder: bytes
    name: str
    """Part of a file's name; the engine adds what the state depends on."""
    pane: int = 0


class RestoreState(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Have a pane hold again what was kept under a name."""

    id: int
    folder: bytes
    name: str
    pane: int = 0


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop request `id`; id 0 is the load."""

    id: int


class Quit(msgspec.Struct, frozen=True, tag=True):
    """Free the model and end."""


Work = Generate | CountTokens | SaveState | RestoreState
"""What an engine with a model does."""
Request = Load | Work | Cancel | Quit

# ---- events -------------------------------------------------------------------------------------------------------


class LoadProgress(msgspec.Struct, frozen=True, tag=True):
    """Share of the file read, 0.0 to 1.0."""

    fraction: float
    projector: str = ""
    """Name of the projector's file, while that is the one being read."""


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """The model is ready."""

    receipt: Receipt
    thinking_switch: bool = False
    """Whether the chat template can switch thinking on and off."""


class PromptProgress(msgspec.Struct, frozen=True, tag=True):
    """Prompt tokens in the context so far, of all; reused ones count as done."""

    id: int
    done: int
    total: int
    looking: bool = False
    """What comes next is part of an image: for seconds nothing more may be told."""


class Delta(msgspec.Struct, frozen=True, tag=True):
    """A piece of the answer; never cut inside a character."""

    id: int
    text: str
    channel: Channel = "answer"


class Done(msgspec.Struct, frozen=True, tag=True):
    """The last event of a generation, cancelled ones included."""

    id: int
    reason: DoneReason
    timings: Timings


class TokenCount(msgspec.Struct, frozen=True, tag=True):
    """Answer to CountTokens."""

    id: int
    tokens: int


class StateSaved(msgspec.Struct, frozen=True, tag=True):
    """Answer to SaveState."""

    id: int
    n_bytes: int
    """0 when the pane holds nothing."""


class StateRestored(msgspec.Struct, frozen=True, tag=True):
    """Answer to RestoreState."""

    id: int
    tokens: int
    """Tokens that the pane holds now; 0 when nothing of use was kept."""


class Failed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A request that could not be carried out; the last event of it. id 0 is the load."""

    id: int = 0
    kind: FailedKind
    message: str
    """What happened, to which file or setting."""
    hint: str = ""
    """What the person can do now."""
    log: tuple[str, ...] = ()
    """Last lines of llama.cpp's own log."""


class Log(msgspec.Struct, frozen=True, tag=True):
    """A line that a person may want to see."""

    level: Literal["debug", "info", "warning", "error"]
    text: str


Event = LoadProgress | Loaded | PromptProgress | Delta | Done | TokenCount | StateSaved | StateRestored | Failed | Log
