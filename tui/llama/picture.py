"""Image files as pixels, opened within bounds: a file may be cut off, huge, a bomb, or no image at all.

Both sides of an engine use it: a front end to look at what is attached, the engine's process to look at what it is
sent. It imports no llama_cpp, and Pillow only when the first image is opened.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 64 << 20
"""Of a file. A photograph has 5 MiB, a scan of a page 30."""
MOST_PIXELS = 100_000_000
"""As the file says before they are unpacked: 300 MB in memory. The largest cameras have as many."""
MOST_SIDE = 4096
"""Pixels of a side beyond which an image is made smaller: vision towers look at 2048 or less."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""Those that are opened. Pillow knows forty more, some of which start other programs."""
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm"})
"""How names of image files end."""
_MODULES = ("Png", "Jpeg", "WebP", "Gif", "Bmp", "Tiff", "Ppm")
_NAMES = "PNG, JPEG, WebP, GIF, BMP and TIFF"


class PictureError(ValueError):
    """A file that is no image which can be used; the text says why, for a person who knows which file is meant."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image, or the first one of several, the right way up."""

    width: int
    height: int
    rgb: bytes
    """Three bytes a pixel, row after row."""


def digest_of(data: bytes) -> str:
    """What an image file is known by: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises PictureError; OSError where it cannot be read."""
    if not path.is_file():  # opening a pipe would wait for ever
        raise PictureError("is not there" if not path.exists() else "is no file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise PictureError(f"is larger than {MOST_BYTES >> 20} MiB")
    return data


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as `pixels_of` gives them, from the file's head alone. Raises PictureError."""
    with _opened(data) as image:
        return _target(image, (MOST_SIDE, MOST_SIDE))


def pixels_of(data: bytes) -> Pixels:
    """All of it, unpacked: what is transparent lies on white, and one that is too large is made smaller.

    Raises PictureError.
    """
    image = picture_of(data)
    return Pixels(image.width, image.height, image.tobytes())


def picture_of(data: bytes, most: tuple[int, int] = (MOST_SIDE, MOST_SIDE)) -> Image:
    """The same as a Pillow image of mode RGB, at most `most` pixels wide and high. Raises PictureError."""
    from PIL import Image, ImageOps

    with _opened(data) as image:
        target = _target(image, most)
        try:
            if image.format == "JPEG":
                image.draft("RGB", (max(target), max(target)))  # unpacked at a half or a quarter, where that is enough
            flat = _on_white(ImageOps.exif_transpose(image))
            return flat if target == flat.size else flat.resize(target, Image.Resampling.BICUBIC)
        except (
            Exception
        ) as error:  # decoders of damaged data raise whatever comes up: OSError, struct.error, IndexError
            raise PictureError(f"is damaged: {_first_line(error)}") from error


def _opened(data: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    for kind in _MODULES:
        importlib.import_module(f"PIL.{kind}ImagePlugin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own word on bombs and odd metadata; the bound here is below it
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError:
            raise PictureError(f"is no image that can be opened: {_NAMES} can") from None
        except Image.DecompressionBombError:
            raise PictureError(f"has more than {MOST_PIXELS // 1_000_000} million pixels") from None
        except Exception as error:
            raise PictureError(f"is damaged: {_first_line(error)}") from error
    if image.width * image.height > MOST_PIXELS:
        raise PictureError(
            f"has {image.width} × {image.height} pixels; more than {MOST_PIXELS // 1_000_000} million are not unpacked"
        )
    if not image.width or not image.height:
        raise PictureError("has no pixels")
    return image


def _on_white(image: Image) -> Image:
    from PIL import Image as Images

    if image.mode in ("I", "I;16", "I;16B", "F"):  # more than a byte a pixel: a plain conversion would cut it off
        low, high = (float(value) for value in image.convert("F").getextrema() if not isinstance(value, tuple))
        spread = 255.0 / (high - low) if high > low else 0.0
        return image.convert("F").point(lambda value: value * spread - low * spread).convert("L").convert("RGB")
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    ground = Images.new("RGBA", seen.size, (255, 255, 255, 255))
    ground.alpha_composite(seen)
    return ground.convert("RGB")


def _target(image: Image, most: tuple[int, int]) -> tuple[int, int]:
    width, height = image.size
    try:
        lies = image.getexif().get(_ORIENTATION) in _LYING
    except Exception:  # damaged metadata is no reason to refuse an image
        lies = False
    if lies:
        width, height = height, width
    share = min(1.0, most[0] / width, most[1] / height)
    return max(1, round(width * share)), max(1, round(height * share))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:100]


_ORIENTATION = 0x0112
"""The tag of Exif that says how a camera was held (Exif 2.32, 4.6.4)."""
_LYING = frozenset({5, 6, 7, 8})
