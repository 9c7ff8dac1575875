"""Requests to prompts: through the model's chat template where there is one, else as the texts they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Self

from tui.engine.beginning import Beginning, beginning
from tui.engine.protocol import ChatMessage, CountTokens, Generate
from tui.engine.template import ChatTemplate
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel
from tui.llama.settings import LoadSettings


class TemplatePrompts:
    """Makes the prompts of one loaded model."""

    def __init__(self, template: ChatTemplate | None, source: Literal["model", "settings"] | None) -> None:
        """`source` is where the template comes from."""
        self._template = template
        self.source = source

    @classmethod
    def of(cls, model: LoadedModel, settings: LoadSettings, warn: Callable[[str], None]) -> Self:
        """Take the template of the settings or else the model's own.

        A broken one in the settings is a LlamaError. The model's own is nobody's to mend: it is told, and done without.
        """
        vocab, given = model.vocab, settings.chat_template
        source = given or model.own_template()
        if not source:
            return cls(None, None)
        bos, eos = vocab.bos.decode("utf-8", "replace"), vocab.eos.decode("utf-8", "replace")
        try:
            return cls(ChatTemplate(source, bos=bos, eos=eos), "settings" if given else "model")
        except LlamaError as error:
            if given:
                raise
            warn(f"{error}; your text is continued as it is")
            return cls(None, None)

    @property
    def thinking_switch(self) -> bool:
        """Whether thinking can be switched on and off."""
        return self._template is not None and self._template.thinking_switch

    def beginning(self, request: Generate) -> Beginning:
        """What the model goes on from. Raises LlamaError (kind template)."""
        if request.prompt is not None:
            return Beginning(request.prompt)
        rendered = self._rendered(request.messages or (), request.think)
        return beginning(rendered, answer=request.answer, thinking=request.thinking)

    def counted(self, request: CountTokens) -> str:
        """The text whose tokens are asked for. Raises LlamaError (kind template)."""
        return request.text if request.text is not None else self._rendered(request.messages or (), None)

    def _rendered(self, messages: Sequence[ChatMessage], think: bool | None) -> str:
        if self._template is not None:
            return self._template.render(messages, think=think)
        return "\n\n".join(message.content for message in messages)
