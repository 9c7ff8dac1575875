"""Chat messages to a prompt, through the model's own Jinja template. Runs in the engine process only.

A template is code from a stranger: it runs in Jinja's immutable sandbox, and within limits of time and memory, because
the sandbox bounds neither. Compiling it is running it, too: Jinja computes constant expressions while it compiles.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jinja2
import jinja2.exceptions
import jinja2.ext
import jinja2.filters
import jinja2.meta
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

from tui.engine.limits import TimeUp, bounded
from tui.engine.protocol import ChatMessage
from tui.llama.errors import LlamaError

TIME_LIMIT_S = 5.0
MAX_PROMPT_CHARS = 64 << 20
_MAX_REPEAT = 1 << 20
"""Longest text or list that a template may build by multiplication."""
_MAX_BITS = 1 << 14
"""Largest number that a template may compute; arithmetic on huge ones cannot be interrupted."""
_MAX_DIGITS = 300


class _Refused(Exception):
    """The template's own `raise_exception`."""


class _GenerationTag(jinja2.ext.Extension):
    """`{% generation %}`: some models mark what they were trained to write; for a prompt it means nothing."""

    tags: set[str] = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Jinja's sandbox with bounds on the operators that can ask for gigabytes in one step."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*" and (isinstance(left, _REPEATABLE) or isinstance(right, _REPEATABLE)):
            sequence, count = (left, right) if isinstance(left, _REPEATABLE) else (right, left)
            if isinstance(count, int) and len(sequence) * count > _MAX_REPEAT:
                raise jinja2.exceptions.SecurityError("it builds too long a text")
        elif operator != "%" and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            if bits > _MAX_BITS:
                raise jinja2.exceptions.SecurityError("it builds too large a number")
        if operator == "%" and isinstance(left, str | bytes):
            raise jinja2.exceptions.SecurityError("it formats text with %")
        return super().call_binop(context, operator, left, right)


SWITCHES = frozenset({"enable_thinking", "thinking"})
"""Variables by which templates are told whether the model is to think: Qwen, GLM and most others; DeepSeek, Granite."""


class ChatTemplate:
    """One compiled template."""

    def __init__(self, source: str, *, bos: str, eos: str, time_limit_s: float = TIME_LIMIT_S) -> None:
        """Compile `source`; raises LlamaError (kind template) when it is not valid Jinja."""
        self._special = {"bos_token": bos, "eos_token": eos}
        environment = _environment()
        try:
            self._template = bounded(lambda: environment.from_string(source), time_limit_s=time_limit_s)
            self._switches = bounded(lambda: _switches(environment, source), time_limit_s=time_limit_s)
        except TimeUp:
            raise _invalid(f"compiling it took longer than {time_limit_s:g} seconds") from None
        except Exception as error:  # Python's compiler refuses some of what Jinja makes, in its own ways
            raise _invalid(str(error) or type(error).__name__) from error

    def render(
        self, messages: Sequence[ChatMessage], *, think: bool | None = None, time_limit_s: float = TIME_LIMIT_S
    ) -> str:
        """The prompt up to where the assistant's answer begins. `think` is for a template that has a switch.

        A template that knows no system role gets the system text at the head of the first user message.
        Raises LlamaError (kind template) when it fails, takes too long or builds too much.
        """
        try:
            return self._render(messages, think, time_limit_s)
        except _Refused as error:
            if not messages or messages[0].role != "system":
                raise _failed(str(error)) from error
        try:
            return self._render(_without_system(messages), think, time_limit_s)
        except _Refused as error:
            raise _failed(str(error)) from error

    @property
    def thinking_switch(self) -> bool:
        """Whether thinking can be switched on and off."""
        return bool(self._switches)

    def _render(self, messages: Sequence[ChatMessage], think: bool | None, time_limit_s: float) -> str:
        switches = {} if think is None else dict.fromkeys(self._switches, think)
        variables: Mapping[str, Any] = {
            **switches,
            "messages": [_variables(message) for message in messages],
            "add_generation_prompt": True,
            "tools": None,
            **self._special,
        }
        try:
            return bounded(lambda: self._collect(variables), time_limit_s=time_limit_s)
        except _Refused:
            raise
        except TimeUp:
            why = f"it took longer than {time_limit_s:g} seconds"
        except MemoryError:
            why = "it asks for too much memory"
        except jinja2.TemplateError as error:
            why = str(error) or type(error).__name__
        except Exception as error:  # whatever a stranger's code raises is the template's failure, not the engine's
            why = f"{type(error).__name__}: {error}"
        gc.collect()  # the traceback is a cycle that holds all that was built
        raise _failed(why)

    def _collect(self, variables: Mapping[str, Any]) -> str:
        parts, length = [], 0
        for part in self._template.generate(variables):
            length += len(part)
            if length > MAX_PROMPT_CHARS:
                raise jinja2.exceptions.SecurityError("it builds too long a text")
            parts.append(part)
        return "".join(parts)


_REPEATABLE = (str, bytes, list, tuple)


def _environment() -> _Sandbox:
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols, _GenerationTag])
    environment.filters["tojson"] = _to_json
    environment.filters["round"] = _round
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = _now
    return environment


def _switches(environment: _Sandbox, source: str) -> frozenset[str]:
    return SWITCHES & jinja2.meta.find_undeclared_variables(environment.parse(source))


def _variables(message: ChatMessage) -> dict[str, str]:
    """A message as templates know it. Those that show thinking, or part of it, look for one of two names."""
    thinking = {"reasoning_content": message.thinking, "thinking": message.thinking} if message.thinking else {}
    return {"role": message.role, "content": message.content, **thinking}


def _invalid(why: str) -> LlamaError:
    return LlamaError(
        "template", f"the chat template is not valid: {why}", "set chat_template for this model to one that works"
    )


def _failed(why: str) -> LlamaError:
    return LlamaError(
        "template", f"the chat template failed: {why}", "set chat_template for this model to one that works"
    )


def _without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    system, *rest = messages
    for index, message in enumerate(rest):
        if message.role == "user":
            joined = ChatMessage("user", f"{system.content}\n\n{message.content}")
            return [*rest[:index], joined, *rest[index + 1 :]]
    return [ChatMessage("user", system.content), *rest]


def _to_json(value: Any, indent: int | None = None, **_options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _round(value: Any, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > _MAX_DIGITS:
        raise jinja2.exceptions.SecurityError("it rounds to too many digits")
    return jinja2.filters.do_round(value, precision, method)


def _refuse(message: str) -> str:
    raise _Refused(message)


def _now(format_text: str) -> str:
    return datetime.now().astimezone().strftime(format_text)
