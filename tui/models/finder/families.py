"""Which family a model belongs to: what people call its line, whoever trained it further. Values only."""

from __future__ import annotations

import re

from tui.hub.listing import Listing

_STARTS = {
    "qwen": ("qwen", "qwq", "qvq", "codeqwen"),
    "llama": ("llama", "codellama", "tinyllama", "vicuna", "alpaca", "deci"),
    "gemma": ("gemma", "codegemma", "medgemma", "shieldgemma", "translategemma", "functiongemma", "paligemma"),
    "mistral": (
        *("mistral", "mixtral", "ministral", "magistral", "mathstral"),
        *("devstral", "codestral", "pixtral", "voxtral"),
    ),
    "phi": ("phi", "phimoe"),
    "deepseek": ("deepseek",),
    "glm": ("glm", "chatglm", "codegeex", "autoglm"),
    "granite": ("granite",),
    "gpt-oss": ("gpt-oss", "gpt_oss"),
    "smollm": ("smollm", "smolvlm"),
    "falcon": ("falcon",),
    "olmo": ("olmo", "olmoe", "tulu"),
    "command": ("command-r", "command-a", "c4ai", "aya", "cohere"),
    "yi": ("yi",),
    "kimi": ("kimi",),
    "minimax": ("minimax",),
    "minicpm": ("minicpm",),
    "internlm": ("internlm", "internvl", "intern"),
    "nemotron": ("nemotron",),
    "exaone": ("exaone",),
    "hunyuan": ("hunyuan", "hy"),
    "lfm": ("lfm",),
    "ernie": ("ernie",),
    "jamba": ("jamba",),
    "starcoder": ("starcoder",),
    "stablelm": ("stablelm", "stable-code", "stablecode"),
    "seed": ("seed",),
    "ling": ("ling", "ring", "bailing"),
    "mimo": ("mimo",),
    "solar": ("solar",),
    "apertus": ("apertus",),
    "hermes": ("hermes", "deephermes"),
    "bge": ("bge",),
}
"""How a word of the name, or the architecture, begins."""
_WHOLE = 4
"""Letters up to which a beginning must be the whole word: yi, phi, seed."""
_FAMILY_OF = {start: family for family, starts in _STARTS.items() for start in starts}
_ANY = re.compile(
    r"(?<![a-z])(?:"
    + "|".join(
        re.escape(start) + ("(?![a-z])" if len(start) <= _WHOLE else "")
        for start in sorted(_FAMILY_OF, key=len, reverse=True)
    )
    + ")"
)
FAMILIES = tuple(_STARTS)
"""The families that have a name here."""


def family_of(listing: Listing) -> str:
    """The family in small letters: what the name begins with or names first, else the architecture's, else the
    architecture without its numbers; empty where nothing tells.
    """
    architecture = listing.architecture.casefold()
    found = _ANY.search(listing.name.casefold()) or _ANY.search(architecture)
    return _FAMILY_OF[found[0]] if found else re.split(r"[\d_.-]", architecture, maxsplit=1)[0]
