"""What people ask for that llama.cpp does not do, and what does it instead: an honest sentence in place of rows that
would not help. Values in, a sentence out.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class _Other(NamedTuple):
    """One thing that other programs do."""

    nouns: frozenset[str]
    """As a use case they mean it; in a query only together with making something."""
    phrases: tuple[str, ...]
    """In a query they mean nothing else."""
    sentence: str


_MAKES = frozenset({"generate", "generates", "generating", "generation", "generator", "create", "make", "draw"})
_WORD = re.compile(r"[a-z0-9]+")
_OTHERS = (
    _Other(
        frozenset({"video", "videos", "film", "films", "animation"}),
        ("text to video", "txt2vid", "image to video", "ltx video", "hunyuanvideo"),
        "llama.cpp runs language models and makes no videos; ComfyUI does, and stable-diffusion.cpp from the command"
        " line.",
    ),
    _Other(
        frozenset({"image", "images", "picture", "pictures", "photo", "photos", "drawing", "art"}),
        ("text to image", "txt2img", "img2img", "stable diffusion", "sdxl", "midjourney", "dall e", "flux 1", "flux"),
        "llama.cpp runs language models and makes no images; stable-diffusion.cpp does from the command line, and"
        " ComfyUI with a page of its own. Models that look at images are under vision.",
    ),
    _Other(
        frozenset({"transcription", "transcribe", "dictation", "asr", "stt", "subtitles"}),
        ("speech to text", "speech recognition", "whisper"),
        "puna runs language models and writes down no speech; whisper.cpp does.",
    ),
    _Other(
        frozenset({"speech", "voice", "voices", "tts", "audio", "speaking"}),
        ("text to speech", "tts", "voice cloning"),
        "puna runs language models and speaks no text; Piper and sherpa-onnx do. What writes down speech is"
        " whisper.cpp.",
    ),
    _Other(
        frozenset({"music", "song", "songs", "sound", "sounds"}),
        ("text to music", "text to audio"),
        "puna runs language models and makes no music; ComfyUI does.",
    ),
)


def beyond(query: str) -> str | None:
    """The sentence for a query that asks for images, videos, speech or music to be made; None for any other."""
    words = _WORD.findall(query.casefold())
    text = f" {' '.join(words)} "
    makes = not _MAKES.isdisjoint(words)
    for other in _OTHERS:
        asked = makes and not other.nouns.isdisjoint(words)
        if asked or any(f" {phrase} " in text for phrase in other.phrases):
            return other.sentence
    return None


def beyond_use_case(wish: str) -> str | None:
    """The same for the name of a use case, such as image, video-generation or tts."""
    words = frozenset(_WORD.findall(wish.casefold()))
    return next((other.sentence for other in _OTHERS if other.nouns & words), None) or beyond(wish)
