"""Chat templates as they come with models, and what is told when one of them fails."""

from __future__ import annotations

import contextlib
import re
import threading
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.protocol import ChatMessage, Role
from tui.engine.template import ChatTemplate
from tui.llama.errors import LlamaError

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' "
    "+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{% if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}"
    "{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
THINKING = (
    "{%- set ns = namespace(last=-1) %}{%- for message in messages %}{%- if message.role == 'user' %}"
    "{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}"
    "{%- for message in messages %}{%- set text = message.content %}"
    "{%- if message.role == 'assistant' and '</think>' in text and loop.index0 < ns.last %}"
    "{%- set text = text.split('</think>')[-1].lstrip('\\n') %}{%- endif %}"
    "{{- '<|im_start|>' + message.role + '\\n' + text + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is not defined or enable_thinking %}{{- '<think>\\n' }}{%- endif %}{%- endif %}"
)

SYSTEM, HELLO = ChatMessage("system", "Be brief."), ChatMessage("user", "Hello, {{ you }}! ")
ANSWER, MORE = ChatMessage("assistant", "Hi."), ChatMessage("user", "Täll me móre 🌍")


def render(source: str, *messages: ChatMessage) -> str:
    return ChatTemplate(source, bos="<s>", eos="</s>").render(messages)


def test_chatml() -> None:
    assert render(CHATML, SYSTEM, HELLO, ANSWER, MORE) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello, {{ you }}! <|im_end|>\n"
        "<|im_start|>assistant\nHi.<|im_end|>\n<|im_start|>user\nTäll me móre 🌍<|im_end|>\n<|im_start|>assistant\n"
    )


def test_llama_3() -> None:
    assert render(LLAMA3, SYSTEM, HELLO) == (
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHello, {{ you }}!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_a_template_without_a_system_role_gets_the_system_text_with_the_first_message() -> None:
    assert render(GEMMA, SYSTEM, HELLO, ANSWER, MORE) == (
        "<s><start_of_turn>user\nBe brief.\n\nHello, {{ you }}!<end_of_turn>\n<start_of_turn>model\nHi.<end_of_turn>\n"
        "<start_of_turn>user\nTäll me móre 🌍<end_of_turn>\n<start_of_turn>model\n"
    )
    assert render(MISTRAL, SYSTEM, HELLO) == "<s>[INST] Be brief.\n\nHello, {{ you }}!  [/INST]"
    assert render(MISTRAL, SYSTEM) == "<s>[INST] Be brief. [/INST]"


def test_mistral_closes_answers() -> None:
    assert (
        render(MISTRAL, HELLO, ANSWER, MORE)
        == "<s>[INST] Hello, {{ you }}!  [/INST]Hi.</s>[INST] Täll me móre 🌍 [/INST]"
    )


def test_a_thinking_template_drops_old_thoughts_and_opens_new_ones() -> None:
    old = ChatMessage("assistant", "<think>\nhm\n</think>\n\nHi.")
    assert render(THINKING, HELLO, old, MORE).endswith(
        "<|im_start|>assistant\nHi.<|im_end|>\n<|im_start|>user\nTäll me móre 🌍<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n"
    )


def test_what_templates_of_models_use_beyond_plain_jinja() -> None:
    assert render("{{ strftime_now('%Y') }}") == datetime.now().astimezone().strftime("%Y")
    assert render("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}") == "01"
    assert render("{% generation %}{{ messages[0].content }}{% endgeneration %}!", ANSWER) == "Hi.!"
    assert render("{{ messages | tojson }}", ChatMessage("user", "é <b>")) == '[{"role": "user", "content": "é <b>"}]'
    assert render("{{ messages | tojson(indent=1) }}", ANSWER) == (
        '[\n {\n  "role": "assistant",\n  "content": "Hi."\n }\n]'
    )
    assert render("{{ 1.26 | round(1) }} {{ tools is none }} {{ unknown is defined }}") == "1.3 True False"
    assert render("  {% if true %}\n  x\n  {% endif %}\n") == "  x\n"


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(max_size=30)), max_size=5))
def test_every_text_comes_through_as_it_is(messages: list[tuple[Role, str]]) -> None:
    made = [ChatMessage(role, text) for role, text in messages]
    expected = "".join(f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n" for m in made) + "<|im_start|>assistant\n"
    assert ChatTemplate(CHATML, bos="", eos="").render(made) == expected


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% if %}", "not valid"),
        ("{{ 'a' | nosuchfilter }}", "nosuchfilter"),
        ("{% for x in y %}", "not valid"),
        ("{% for a in [1] %}" * 30 + "{% endfor %}" * 30, "nested blocks"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "not valid"),
        ("{{ -" + "-" * 5000 + "1 }}", "not valid"),
    ],
)
def test_a_template_that_does_not_compile(source: str, words: str) -> None:
    with pytest.raises(LlamaError, match="the chat template is not valid") as caught:
        ChatTemplate(source, bos="", eos="")
    assert caught.value.kind == "template"
    assert words in str(caught.value)
    assert "chat_template" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ raise_exception('only in French') }}", "only in French"),
        ("{{ messages[5].content.text }}", "no element 5"),
        ("{{ nothing.at.all }}", "nothing"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ 'ab'[::0] }}", "ValueError"),
        ("{{ none + 1 }}", "TypeError"),
        ("{% include 'other' %}", "loader"),
        ("{% import '/etc/passwd' as x %}", "loader"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
        ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "recursion"),
        ("{{ strftime_now('\ud800') }}", "UnicodeEncodeError"),
    ],
)
def test_a_template_that_fails_while_it_runs(source: str, words: str) -> None:
    template = ChatTemplate(source, bos="", eos="")
    with pytest.raises(LlamaError, match="the chat template failed") as caught:
        template.render([HELLO])
    assert caught.value.kind == "template"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ (''|attr('__class__')).__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '{0[__class__]}'.format(messages) }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__code__.co_consts }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self._TemplateReference__context }}",
        "{{ self.__init__.__globals__ }}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
        "{{ lipsum.__globals__['os'] }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'role': 'x'}) }}",
        "{{ dict.mro() }}",
        "{% set x = messages.clear() %}{{ x }}",
        "{{ [].__reduce_ex__(2) }}",
        "{% macro m() %}{{ caller.__code__ }}{% endmacro %}{% call m() %}{% endcall %}",
    ],
)
def test_nothing_gets_out_of_the_sandbox(source: str) -> None:
    messages = [HELLO]
    text = ""  # refused, or rendered as something undefined: both are fine
    with contextlib.suppress(LlamaError):
        text = ChatTemplate(source, bos="", eos="").render(messages)
    assert not re.search("<|class|uid=|root", text), f"it saw an object: {text[:200]}"
    assert messages == [HELLO]


def test_a_loop_without_end_meets_the_time_limit_and_the_next_rendering_is_unharmed() -> None:
    loop = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    with pytest.raises(LlamaError, match=r"longer than 0\.1 seconds") as caught:
        ChatTemplate(loop, bos="", eos="").render([HELLO], time_limit_s=0.1)
    assert caught.value.kind == "template"
    for _ in range(200):  # no exception of an earlier rendering arrives late
        assert render(CHATML, HELLO)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("Timer") and thread.is_alive()][1:]
