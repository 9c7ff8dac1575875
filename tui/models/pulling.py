"""What `MODEL` means to a download: something that is here already, or files of a repository to be queued. Blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.config.folders import absolute
from tui.config.paths import Paths
from tui.config.settings import DownloadSettings
from tui.hub.address import Address
from tui.hub.choice import address_of, choose
from tui.hub.client import Hub
from tui.hub.downloads.values import Item, beside, item_of
from tui.hub.files import repo_files
from tui.library.model import LibraryError, Model
from tui.library.remembered import remember
from tui.models.projectors import preference
from tui.models.resolve import ModelNotFound, names_repository, resolve


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be fetched for a model."""

    item: Item
    reason: str
    """Why this quantization, where the person left it open; empty where they did not."""
    projectors: tuple[Item, ...]
    """What lets it see or hear, each as an item that may be fetched beside it; the one to propose first."""


def here_already(text: str, models: Sequence[Model]) -> Model | None:
    """The sound model on this disk that `text` means; None where it has to be fetched.

    Raises ModelNotFound for what is not here and names nothing on the Hub.
    """
    try:
        model = resolve(text, models)
    except ModelNotFound as error:
        if not names_repository(text):
            raise ModelNotFound(f"{error}; to fetch a model, name it as org/repo or org/repo:QUANT") from error
        return None
    if model.problem is None:
        return model
    if not names_repository(text):
        raise ModelNotFound(f"{model.name}: {model.problem}; to fetch it anew, name it as org/repo:QUANT")
    return None


def order(hub: Hub, text: str, settings: DownloadSettings) -> Order:
    """The files on the Hub that `text` means, for the folder that the person chose, else the Hugging Face cache.

    One request. Raises HubError, which names what there is instead.
    """
    return order_at(hub, address_of(hub, text), settings)


def order_at(hub: Hub, address: Address, settings: DownloadSettings) -> Order:
    """The same for what is named already."""
    files = repo_files(hub, address.repo, address.revision)
    chosen = choose(files, address)
    folder = str(absolute(settings.folder)) if settings.folder else ""
    revision = address.revision
    projectors = sorted(files.projectors, key=lambda file: preference(file.path, file.size_bytes))
    return Order(
        item_of(chosen, folder, revision),
        chosen.reason,
        tuple(beside(files, file, folder, revision) for file in projectors if file.sha256 is not None),
    )


def keep_in_library(paths: Paths, item: Item) -> str:
    """Let the library know a folder that was fetched into; why it cannot, or an empty text."""
    if not item.folder:
        return ""
    try:
        remember(paths, Path(item.folder))
    except LibraryError as error:
        return str(error)
    return ""
