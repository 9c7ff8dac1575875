"""Chat messages to a prompt, through the model's own Jinja template. Runs in the engine process only.

A template is code from a stranger: it runs in Jinja's immutable sandbox, with bounds on the text it may build and a
time limit, because the sandbox bounds neither nested loops nor memory.
"""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import jinja2
import jinja2.exceptions
import jinja2.ext
import jinja2.sandbox

from tui.engine.protocol import ChatMessage
from tui.llama.errors import LlamaError

TIME_LIMIT_S = 5.0
MAX_PROMPT_CHARS = 64 << 20
_MAX_REPEAT = 1 << 20
"""Longest text or list that a template may build by multiplication."""


class _Refused(Exception):
    """The template's own `raise_exception`."""


class _TimeUp(Exception):
    """Thrown into the rendering thread."""


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Jinja's sandbox with bounds on the operators that can ask for gigabytes in one step."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*" and (isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple)):
            sequence, count = (left, right) if isinstance(left, str | list | tuple) else (right, left)
            if isinstance(count, int) and len(sequence) * count > _MAX_REPEAT:
                raise jinja2.exceptions.SecurityError("it builds too long a text")
        if operator == "**" and isinstance(right, int) and right > 64:
            raise jinja2.exceptions.SecurityError("it builds too large a number")
        if operator == "%" and isinstance(left, str):
            raise jinja2.exceptions.SecurityError("it formats text with %")
        return super().call_binop(context, operator, left, right)


class ChatTemplate:
    """One compiled template."""

    def __init__(self, source: str, *, bos: str, eos: str) -> None:
        """Compile `source`; raises LlamaError (kind template) when it is not valid Jinja."""
        self._special = {"bos_token": bos, "eos_token": eos}
        environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = _now
        try:
            self._template = environment.from_string(source)
        except (jinja2.TemplateError, RecursionError, ValueError) as error:
            raise LlamaError(
                "template",
                f"the chat template is not valid: {error}",
                "set chat_template for this model to one that works",
            ) from error

    def render(self, messages: Sequence[ChatMessage], *, time_limit_s: float = TIME_LIMIT_S) -> str:
        """The prompt up to where the assistant's answer begins.

        A template that knows no system role gets the system text at the head of the first user message.
        Raises LlamaError (kind template) when it fails, takes too long or builds too much.
        """
        try:
            return self._render(messages, time_limit_s)
        except _Refused as error:
            if not messages or messages[0].role != "system":
                raise _failed(str(error)) from error
        try:
            return self._render(_without_system(messages), time_limit_s)
        except _Refused as error:
            raise _failed(str(error)) from error

    def _render(self, messages: Sequence[ChatMessage], time_limit_s: float) -> str:
        variables: Mapping[str, Any] = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "add_generation_prompt": True,
            "tools": None,
            **self._special,
        }
        try:
            return _within_time(lambda: self._collect(variables), time_limit_s)
        except _Refused:
            raise
        except _TimeUp:
            raise _failed(f"it took longer than {time_limit_s:g} seconds") from None
        except (jinja2.TemplateError, RecursionError, MemoryError, OverflowError) as error:
            raise _failed(str(error) or type(error).__name__) from error
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, ZeroDivisionError) as error:
            raise _failed(f"{type(error).__name__}: {error}") from error

    def _collect(self, variables: Mapping[str, Any]) -> str:
        parts, length = [], 0
        for part in self._template.generate(variables):
            length += len(part)
            if length > MAX_PROMPT_CHARS:
                raise jinja2.exceptions.SecurityError("it builds too long a text")
            parts.append(part)
        return "".join(parts)


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


def _within_time(work: Callable[[], str], time_limit_s: float) -> str:
    """Run `work` in this thread; after `time_limit_s` an exception is thrown into it between two bytecodes."""
    thread = ctypes.c_ulong(threading.get_ident())
    lock, over = threading.Lock(), False

    def throw() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TimeUp))

    timer = threading.Timer(time_limit_s, throw)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        with lock:
            over = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # one that was thrown but has not yet arrived
        timer.cancel()


def _to_json(value: Any, indent: int | None = None, **_options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> str:
    raise _Refused(message)


def _now(format_text: str) -> str:
    return datetime.now().astimezone().strftime(format_text)
