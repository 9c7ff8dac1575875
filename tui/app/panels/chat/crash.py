"""An engine that stopped, as the card in the pane tells it: what happened, what is kept, and how to go on from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tui.app.text import clean, plural, size, thousands
from tui.llama.settings import UNQUANTIZED_KV, LoadSettings

if TYPE_CHECKING:
    from tui.engine.errors import EngineError
    from tui.library import Model
    from tui.llama.receipt import Receipt

Q8_SAVING = 1 - 34 / 64
"""Share of an f16 KV cache that q8_0 does without: 34 bytes for 32 values instead of 64 (ggml `block_q8_0`)."""
LEAST_CONTEXT = 2048
"""Halving stops here, in tokens."""


@dataclass(frozen=True, slots=True)
class Safer:
    """Settings that need less memory, and how to say it."""

    settings: LoadSettings
    words: str


@dataclass(frozen=True)
class Crash:
    """What the card tells."""

    message: str
    model: Model
    settings: LoadSettings
    safer: Safer | None
    kept_tokens: int = 0
    suspects: tuple[str, ...] = ()
    """Sentences about what took memory meanwhile."""

    @classmethod
    def of(
        cls,
        error: EngineError,
        model: Model,
        settings: LoadSettings,
        receipt: Receipt | None,
        kept_tokens: int = 0,
        suspects: tuple[str, ...] = (),
        *,
        for_memory: bool,
    ) -> Crash:
        """The card of an error. Safer settings are offered where it may have been `for_memory`: they cost quality or
        room, and help against nothing else."""
        less = safer(settings, receipt) if for_memory else None
        return cls(clean(error.message), model, settings, less, kept_tokens, suspects)

    def lines(self, safer_key: str, same_key: str, log_key: str) -> list[str]:
        """The card's text, with the keys that go on from here."""
        message = self.message[:1].upper() + self.message[1:]
        kept = f" and the first {plural(self.kept_tokens, 'token')} or so of the answer" if self.kept_tokens else ""
        if self.safer is None:
            only, keys = "", f"**{safer_key}** reload   **{log_key}** the log"
        else:
            only = " Other settings count for this load only."
            keys = f"**{safer_key}** reload {self.safer.words}   **{same_key}** as before   **{log_key}** the log"
        return [
            message if message[-1:] in ".!?" else f"{message}.",
            *self.suspects,
            f"Your words{kept} are kept.{only}",
            "",
            keys,
        ]


def safer(settings: LoadSettings, receipt: Receipt | None) -> Safer | None:
    """The next cheaper settings: a smaller KV cache, then half the context, then fewer layers on GPUs, then smaller
    batches. None when all of that is done."""
    change = msgspec.structs.replace
    wide = {name: "q8_0" for name in ("type_k", "type_v") if getattr(settings, name) in UNQUANTIZED_KV}
    if wide:
        held = sum(device.context_bytes for device in (*receipt.devices, receipt.host)) if receipt else 0
        both = settings.type_k == settings.type_v == "f16"  # else the receipt does not say how much each of them holds
        less = f" (needs about {size(round(held * Q8_SAVING))} less)" if held and both else ""
        which = "" if len(wide) == 2 else (" for keys" if "type_k" in wide else " for values")
        flash = "auto" if settings.flash_attn == "off" else settings.flash_attn
        return Safer(change(settings, **wide, flash_attn=flash), f"with KV cache q8_0{which}{less}")
    n_ctx = receipt.n_ctx if receipt else settings.n_ctx
    if isinstance(n_ctx, int) and n_ctx >= 2 * LEAST_CONTEXT:
        return Safer(change(settings, n_ctx=n_ctx // 2), f"with n_ctx {thousands(n_ctx // 2)}")
    layers = receipt.n_gpu_layers if receipt else settings.n_gpu_layers
    if isinstance(layers, int) and layers > 0:
        return Safer(
            change(settings, n_gpu_layers=layers * 3 // 4), f"with {plural(layers * 3 // 4, 'layer')} on the GPU"
        )
    if settings.n_ubatch > 128:
        return Safer(change(settings, n_ubatch=128), "with smaller batches (n_ubatch 128)")
    return None
