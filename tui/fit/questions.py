"""What the dry-run child is asked and what it answers: the messages on its socket. Values only."""

from __future__ import annotations

import msgspec

from tui.fit.values import Prediction, Profile
from tui.llama.settings import LoadSettings


class Question(msgspec.Struct, frozen=True, tag=True):
    """Where would this model lie?"""

    id: int
    digest: str
    """Of a header that this child has been sent."""
    settings: LoadSettings
    """Resolved."""
    devices: tuple[AskedDevice, ...]
    lora: tuple[tuple[AdapterTensor, ...], ...] = ()
    """Of each adapter the tensors."""


class ProjectorQuestion(msgspec.Struct, frozen=True, tag=True):
    """What would this projector take?"""

    id: int
    digest: str
    """Of a header that this child has been sent."""
    devices: tuple[AskedDevice, ...] = ()
    """The one that it lies on; none is the host."""


class AskedDevice(msgspec.Struct, frozen=True):
    """A device of the machine, as far as a layout depends on it."""

    name: str
    profile: Profile
    total_bytes: int
    free_bytes: int


class AdapterTensor(msgspec.Struct, frozen=True):
    """One tensor of a LoRA adapter."""

    adapts: str
    """Name of the model's tensor whose place it shares."""
    n_bytes: int


class KeepHeader(msgspec.Struct, frozen=True, tag=True):
    """Keep these bytes for questions to come. Not answered."""

    digest: str
    data: bytes
    data_bytes: int


class ListDevices(msgspec.Struct, frozen=True, tag=True):
    """Which GPUs does the installed llama.cpp have, and what is free on them now?"""

    id: int


Request = KeepHeader | Question | ProjectorQuestion | ListDevices


class KnownDevice(msgspec.Struct, frozen=True):
    """A GPU of the installed llama.cpp."""

    name: str
    description: str
    total_bytes: int
    free_bytes: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The first message: whether the answers can be trusted."""

    doubt: str = ""
    """Why a dry run is not to be had in this installation; empty after a self-test that was passed."""
    serves: bool = True
    """False where llama.cpp cannot even say which GPUs it has: the process ends now."""


class DeviceList(msgspec.Struct, frozen=True, tag=True):
    """The GPUs, in llama.cpp's order."""

    id: int
    devices: tuple[KnownDevice, ...]


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The answer."""

    id: int
    prediction: Prediction


class ProjectorAnswered(msgspec.Struct, frozen=True, tag=True):
    """All that a projector would take on its device, and on the host."""

    id: int
    device_bytes: int
    host_bytes: int


class WasRefused(msgspec.Struct, frozen=True, tag=True):
    """llama.cpp would not load that; `reason` is its own."""

    id: int
    reason: str


class NotTried(msgspec.Struct, frozen=True, tag=True):
    """The child did not ask llama.cpp, and says why: only an estimate is to be had."""

    id: int
    reason: str
    is_last: bool = False
    """True where the process can no more be believed, and ends now."""


class HeaderMissing(msgspec.Struct, frozen=True, tag=True):
    """The child does not have that header, or has it no more: send it and ask again."""

    id: int


Reply = Ready | DeviceList | Answered | ProjectorAnswered | WasRefused | NotTried | HeaderMissing
