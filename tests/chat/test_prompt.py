"""What a model is sent of a conversation."""

from __future__ import annotations

from tui.chat.prompt import prompt_messages
from tui.chat.values import Message
from tui.engine.protocol import ChatMessage, Role


def message(role: Role, content: str, thinking: str = "") -> Message:
    return Message(1, 1, None, role, content, thinking, "", 0.0, "done", None)


def test_the_system_prompt_comes_first_and_thinking_goes_along_apart() -> None:
    path = [message("user", "Why?"), message("assistant", "Because.", thinking="let me see"), message("user", "And?")]
    assert prompt_messages("Be brief.", path) == (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Why?"),
        ChatMessage("assistant", "Because.", "let me see"),
        ChatMessage("user", "And?"),
    )
    assert prompt_messages("", path)[0] == ChatMessage("user", "Why?")


def test_turns_alternate_when_an_answer_failed_before_its_first_word() -> None:
    path = [message("user", "Why?"), message("assistant", ""), message("user", "Please, why?")]
    assert prompt_messages("", path) == (ChatMessage("user", "Why?\n\nPlease, why?"),)


def test_a_stored_system_message_joins_the_system_prompt() -> None:
    path = [message("system", "Speak French."), message("user", "Hello")]
    assert prompt_messages("Be brief.", path) == (
        ChatMessage("system", "Be brief.\n\nSpeak French."),
        ChatMessage("user", "Hello"),
    )
