"""Image files that are opened, and those that are not: with a word why, and without their pixels being unpacked."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tui.llama.picture import MOST_BYTES, MOST_SIDE, PictureError, pixels_of, read_bytes, size_of

RED = (255, 0, 0)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_head(width: int, height: int) -> bytes:
    """A PNG that says it is as large as that, and has nothing more."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64))


def lying() -> bytes:
    """A camera that was turned: 30 × 20 pixels in the file, 20 × 30 as they are meant."""
    image = Image.new("RGB", (30, 20), RED)
    exif = image.getexif()
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif)


@pytest.mark.parametrize(
    ("make", "size", "corner"),
    [
        (lambda: encoded(Image.new("RGB", (30, 20), RED), "PNG"), (30, 20), RED),
        (lambda: encoded(Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "PNG"), (30, 20), (255, 255, 255)),
        (lambda: encoded(Image.new("P", (30, 20), 0), "GIF", transparency=0), (30, 20), (255, 255, 255)),
        (lambda: encoded(Image.new("L", (30, 20), 0), "BMP"), (30, 20), (0, 0, 0)),
        (lambda: encoded(Image.new("CMYK", (30, 20), (0, 255, 255, 0)), "JPEG"), (30, 20), None),
        (lambda: encoded(Image.new("I;16", (30, 20), 40000), "PNG"), (30, 20), None),
        (
            lambda: encoded(
                Image.new("RGB", (30, 20), RED), "GIF", save_all=True, append_images=[Image.new("RGB", (30, 20))]
            ),
            (30, 20),
            RED,
        ),
        (lambda: encoded(Image.new("RGB", (30, 20), RED), "WEBP", lossless=True), (30, 20), RED),
        (lying, (20, 30), None),
        (lambda: encoded(Image.new("RGB", (3 * MOST_SIDE, 3)), "PNG"), (MOST_SIDE, 1), (0, 0, 0)),
    ],
    ids=["rgb", "see-through", "palette", "grey", "cmyk", "16 bits", "animated", "webp", "turned", "wide"],
)
def test_an_image_comes_as_rgb_the_right_way_up(
    make: Callable[[], bytes], size: tuple[int, int], corner: tuple[int, int, int] | None
) -> None:
    data = make()
    pixels = pixels_of(data)
    assert (pixels.width, pixels.height) == size_of(data) == size
    assert len(pixels.rgb) == 3 * size[0] * size[1]
    if corner is not None:
        assert tuple(pixels.rgb[:3]) == corner


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no image that can be opened"),
        (b"plain text, whatever it is called", "no image that can be opened"),
        (b"%PDF-1.4 and so on", "no image that can be opened"),
        (encoded(Image.effect_noise((60, 60), 90), "PNG")[:1500], "is damaged"),
        (encoded(Image.effect_noise((60, 60), 90), "JPEG")[:700], "is damaged"),
        (png_head(30_000, 30_000), "more than 100 million pixels"),
        (png_head(2**31 - 1, 2**31 - 1), "more than 100 million"),
    ],
    ids=["empty", "text", "pdf", "cut png", "cut jpeg", "bomb", "absurd"],
)
def test_what_is_no_image_is_told(data: bytes, why: str) -> None:
    with pytest.raises(PictureError, match=why):
        pixels_of(data)


def test_files_are_read_within_bounds(tmp_path: Path) -> None:
    huge, pipe = tmp_path / "huge.png", tmp_path / "pipe.png"
    with huge.open("wb") as file:
        file.truncate(200 << 20)
    os.mkfifo(pipe)
    for path, why in (
        (huge, f"larger than {MOST_BYTES >> 20} MiB"),
        (pipe, "is no file"),
        (tmp_path, "is no file"),
        (tmp_path / "gone.png", "is not there"),
    ):
        with pytest.raises(PictureError, match=why):
            read_bytes(path)
