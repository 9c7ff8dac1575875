"""Images on the command line: looked at before a model is loaded for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tui.cli.loading import Chosen
from tui.cli.main import CommandError
from tui.config.folders import absolute
from tui.config.plain import clean
from tui.engine.protocol import ImageFile
from tui.llama.picture import PictureError, digest_of, pixels_of, read_bytes
from tui.models.projectors import NO_MTMD, has_mtmd, may_see


def images_of(asked: Chosen, files: Sequence[str]) -> tuple[ImageFile, ...]:
    """The images that the arguments name. Raises CommandError for a file that is none, and for a model that could not
    see them.
    """
    images = tuple(_image(absolute(file)) for file in files)
    if images and not has_mtmd():
        raise CommandError(f"{NO_MTMD}; install one that has it")
    if images and not may_see(asked.model.path, asked.wished):
        model = asked.model
        fetch = f"`puna pull {model.repo} --projector` fetches one" if model.repo else "--mmproj names one elsewhere"
        lies = "mmproj is none" if asked.wished.mmproj != "auto" else "no projector lies beside it"
        raise CommandError(f"{clean(model.name)} cannot see images: {lies}; {fetch}")
    return images


def _image(path: Path) -> ImageFile:
    try:
        data = read_bytes(path)
        pixels_of(data)
    except PictureError as error:
        raise CommandError(f"{clean(str(path))} {error}") from error
    except OSError as error:
        raise CommandError(f"{clean(str(path))} cannot be read: {(error.strerror or str(error)).lower()}") from error
    return ImageFile(digest_of(data), os.fsencode(path))
