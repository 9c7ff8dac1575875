"""Requests to prompts: through the model's chat template where there is one, else as the texts they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Self

from tui.engine.beginning import Beginning, beginning
from tui.engine.pictures import mark, unmarked
from tui.engine.protocol import ChatMessage, CountTokens, Generate, ImageFile
from tui.engine.template import ChatTemplate
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel
from tui.llama.settings import LoadSettings


class TemplatePrompts:
    """Makes the prompts of one loaded model."""

    def __init__(
        self, template: ChatTemplate | None, source: Literal["model", "settings"] | None, *, sees: bool = True
    ) -> None:
        """`source` is where the template comes from; a model that `sees` is told of images."""
        self._template, self._sees = template, sees
        self.source = source

    @classmethod
    def of(cls, model: LoadedModel, settings: LoadSettings, warn: Callable[[str], None]) -> Self:
        """Take the template of the settings or else the model's own.

        A broken one in the settings is a LlamaError. The model's own is nobody's to mend: it is told, and done without.
        """
        vocab, given, sees = model.vocab, settings.chat_template, model.projector is not None
        source = given or model.own_template()
        if not source:
            return cls(None, None, sees=sees)
        bos, eos = vocab.bos.decode("utf-8", "replace"), vocab.eos.decode("utf-8", "replace")
        try:
            return cls(ChatTemplate(source, bos=bos, eos=eos), "settings" if given else "model", sees=sees)
        except LlamaError as error:
            if given:
                raise
            warn(f"{error}; your text is continued as it is")
            return cls(None, None, sees=sees)

    @property
    def thinking_switch(self) -> bool:
        """Whether thinking can be switched on and off."""
        return self._template is not None and self._template.thinking_switch

    def beginning(self, request: Generate) -> Beginning:
        """What the model goes on from. Raises LlamaError (kind template)."""
        if request.prompt is not None:
            return Beginning(unmarked(request.prompt))
        rendered = self._rendered(request.messages or (), request.think)
        return beginning(rendered, answer=unmarked(request.answer), thinking=unmarked(request.thinking))

    def counted(self, request: CountTokens) -> str:
        """The text whose tokens are asked for. Raises LlamaError (kind template)."""
        return unmarked(request.text) if request.text is not None else self._rendered(request.messages or (), None)

    def _rendered(self, messages: Sequence[ChatMessage], think: bool | None) -> str:
        marked = [_marked(message) if self._sees else _unseen(message) for message in messages]
        if self._template is None:
            return "\n\n".join(message.content for message in marked)
        rendered = self._template.render(marked, think=think)
        images = [mark(image.digest) for message in messages for image in message.images] if self._sees else []
        if any(rendered.count(one) < images.count(one) for one in set(images)):
            raise LlamaError(
                "template",
                "the chat template leaves out a message that carries an image",
                "set chat_template for this model to one that keeps it, or take the image out",
            )
        return rendered


def images_of(request: Generate | CountTokens) -> tuple[ImageFile, ...]:
    """The images that a request carries."""
    return tuple(image for message in request.messages or () for image in message.images)


def asks_to_see(request: Generate | CountTokens) -> bool:
    """Whether the message that is to be answered carries an image."""
    return bool(request.messages and request.messages[-1].images)


def _unseen(message: ChatMessage) -> ChatMessage:
    """For a model that sees nothing: a word in the place of each image of a conversation that another one began."""
    words = "(an image that you cannot see)\n" * len(message.images)
    return ChatMessage(message.role, words + unmarked(message.content), unmarked(message.thinking))


def _marked(message: ChatMessage) -> ChatMessage:
    """The message with marks in its text for what it carries, as mtmd's own front ends place them: before the text."""
    marks = "".join(mark(image.digest) for image in message.images)
    return ChatMessage(message.role, marks + unmarked(message.content), unmarked(message.thinking))
