"""Images of messages that travel: their bytes stand in the message itself, as a data URI (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace

from tui.chat.attachments import joined, parted
from tui.chat.images import Images
from tui.config.errors import ConfigError
from tui.llama.picture import PictureError, digest_of, read_bytes

_BEGINS = "data:application/octet-stream;base64,"


def packed(content: str, images: Images | None) -> str:
    """A person's message with the bytes of its images, as far as they are here."""
    words, files = parted(content)
    if images is None or not any(file.digest for file in files):
        return content
    return joined(words, [replace(file, text=_uri(file.digest, images)) if file.digest else file for file in files])


def unpacked(content: str, images: Images | None) -> str:
    """The message as it is stored; its images are kept. What is no image, or not the one it says, stays out."""
    words, files = parted(content)
    if not any(file.digest for file in files):
        return content
    for file in files:
        if file.digest and images is not None:
            _keep(file.digest, file.text, images)
    return joined(words, [replace(file, text="") if file.digest else file for file in files])


def _uri(digest: str, images: Images) -> str:
    try:
        return f"{_BEGINS}{base64.b64encode(read_bytes(images.file(digest))).decode()}\n"
    except (OSError, PictureError):  # the reference travels alone
        return ""


def _keep(digest: str, uri: str, images: Images) -> None:
    try:
        data = base64.b64decode(uri.strip().removeprefix(_BEGINS), validate=True)
        if digest_of(data) == digest:
            images.keep(data)
    except (binascii.Error, ValueError, ConfigError, OSError):
        pass  # the message says that its image is not here
