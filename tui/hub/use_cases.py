"""What a model is for, out of what is said of it: the Hub's pipeline and tags, its name, what a catalogue says.

One set of rules for catalogue and search, so that a model means the same in both. A card's words are taken as a hint
and never as proof; what llama.cpp does not do at all has sentences of its own. Values in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from tui.hub.listing import USE_CASES, UseCase

LONG_CONTEXT = 32_768
"""Tokens from which on a model can summarise long texts."""
_WORD = re.compile(r"[a-z]+|\d+")
_EMBEDDING_PIPELINES = frozenset({"feature-extraction", "sentence-similarity", "text-ranking", "sentence-transformers"})
_VISION_PIPELINES = frozenset(
    {"image-text-to-text", "visual-question-answering", "image-to-text", "video-text-to-text", "multimodal", "vision"}
)
_OTHER_PIPELINES = frozenset(
    {
        *("text-to-image", "image-to-image", "text-to-video", "image-to-video", "image-to-3d", "text-to-3d"),
        *("text-to-speech", "text-to-audio", "automatic-speech-recognition", "audio-to-audio", "audio-classification"),
        *("text-classification", "token-classification", "image-classification", "object-detection"),
    }
)
"""Pipelines of models that answer nobody in words."""
_EMBEDDING = frozenset({"embed", "embedding", "embeddings", "embedder", "bge", "gte", "rerank", "reranker", "minilm"})
_VISION = frozenset({"vision", "visual", "llava", "pixtral", "moondream"})
_VISION_ENDS = ("vl", "vlm", "_vl_moe", "llava")
"""Ends of a word of the name, or of an architecture among the tags."""
_READER_ENDS = ("ocr", "docling")
"""They read pages, and talk about nothing."""
_CODE = frozenset({"code", "coder", "coding", "swe", "sql", "devstral", "codestral", "starcoder", "deepcoder"})
_CODE_PREFIX = ("code", "stablecode", "starcoder")
_REASONING = frozenset(
    {"reasoning", "reasoner", "reason", "think", "thinker", "thinking", "qwq", "qvq", "magistral", "math", "prover"}
)
_THINKS = ("deepseek-r1", "gpt-oss", "glm-z1", "exaone-deep", "deephermes", "openthinker", "deepcoder")
_THINKS_UNLESS = (
    *("qwen3-", "qwen3.", "glm-4.5", "glm-4.6", "glm-4.7", "glm-5", "deepseek-v3.1", "deepseek-v3.2", "deepseek-v4"),
    *("minimax-m", "smollm3", "hermes-4", "nemotron-3-", "mimo-v2", "gemma-4"),
)
"""Families that think before they answer, unless the name says that one was taught otherwise."""
_JUDGES = frozenset({"guard", "guardian", "safety", "safeguard", "judge", "reward", "classifier", "prm", "shieldgemma"})
"""They judge what others wrote."""
_UNTAUGHT = frozenset({"base", "pretrain", "pretrained", "foundation"})
"""They go on with a text and were not taught to answer."""
_TAUGHT = frozenset({"instruct", "chat", "it", "assistant", "sft", "dpo", "devstral", "codestral", "deepcoder"})
_SPEAKERS = frozenset({"tts", "outetts", "whisper", "asr", "kokoro"})


def use_cases(
    *,
    name: str,
    context_length: int | None,
    pipeline: str | None = None,
    tags: Sequence[str] = (),
    said: str = "",
    capabilities: Sequence[str] = (),
) -> tuple[UseCase, ...]:
    """What the model called `name` is for, in the order of `USE_CASES`; nothing for one that only judges texts, or of
    which llama.cpp makes no use.

    `context_length` in tokens; `pipeline` and `tags` as the Hub has them; `said` and `capabilities` a catalogue's words
    about it. A general model chats and writes; one with a long context summarises, too.
    """
    plain = name.rpartition("/")[2].lower()
    words, said_words = frozenset(_WORD.findall(plain)), frozenset(_WORD.findall(said.lower()))
    marks = {mark.lower() for mark in (*tags, *capabilities, pipeline or "")}
    if words & _EMBEDDING or "embeddings" in said_words or marks & _EMBEDDING_PIPELINES:
        return ("embedding",)
    if words & (_JUDGES | _SPEAKERS) or (pipeline or "").lower() in _OTHER_PIPELINES:
        return ()
    if _ends(words, _READER_ENDS):
        return ("vision",)
    found: set[UseCase] = set()
    if marks & _VISION_PIPELINES or words & _VISION or "vision" in said_words or _ends(words | marks, _VISION_ENDS):
        found.add("vision")
    if _codes(words) or {"code", "generation"} <= said_words or "code" in marks:
        found.add("code")
    if _reasons(plain, words | said_words, "code" in found) or "reasoning" in marks:
        found.add("reasoning")
    found |= _talks(words, codes="code" in found)
    if (context_length or 0) >= LONG_CONTEXT and found & {"chat", "writing"}:
        found.add("summarising")
    return tuple(use for use in USE_CASES if use in found)


def _ends(words: Set[str], ends: tuple[str, ...]) -> bool:
    return any(word.endswith(ends) for word in words)


def _codes(words: Set[str]) -> bool:
    return bool(words & _CODE) or any(word.startswith(_CODE_PREFIX) for word in words)


def _reasons(plain: str, words: Set[str], codes: bool) -> bool:
    if words & _REASONING or any(part in plain for part in _THINKS):
        return True
    otherwise = codes or words & _UNTAUGHT or "instruct" in words
    return not otherwise and plain.startswith(_THINKS_UNLESS)


def _talks(words: Set[str], *, codes: bool) -> set[UseCase]:
    """Whether it chats, and writes: a coder answers questions, but nobody's letters are its business."""
    untaught = bool(words & _UNTAUGHT) or ("gemma" in words and "pt" in words)
    if codes:
        return {"chat"} if words & _TAUGHT and not untaught else set()
    return {"writing"} if untaught else {"chat", "writing"}
