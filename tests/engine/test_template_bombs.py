"""Templates made to take all memory or all time: each is refused in words, or at the very least ends the process that
renders it and nothing else. They run in processes of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

MEMORY_BYTES = 128 << 20
SLACK_BYTES = 64 << 20
"""What a process needs besides: the interpreter's own tables and what it frees late."""

DOUBLING = (
    "{%% set ns = namespace(x=%s) %%}{%% for i in range(60) %%}{%% set ns.x = %s %%}{%% endfor %%}{{ ns.x|length }}"
)

MEMORY_BOMBS = [
    "{{ 'a' * 10**10 }}",
    "{{ 10**10 * 'a' }}",
    "{{ [1] * 10**10 }}",
    "{{ (1,) * 10**10 }}",
    "{{ 'a'.encode() * 10**10 }}",
    "{{ 'a'|center(10**9) }}",
    "{{ 'a'|center(1000000000) }}",  # a constant: Jinja computes it while compiling
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.zfill(1000000000) }}",
    "{{ '\t'.expandtabs(10**9) }}",
    "{{ '{:>1000000000}'.format('a') }}",
    "{{ '{:>{}}'.format('a', 1000000000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '%*d'|format(1000000000, 1) }}",
    "{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}",
    "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
    "{{ ('b' * 1000000).join('a' * 1000000)|length }}",
    "{{ ('a' * 1000000)|list|join('b' * 1000000)|length }}",
    "{{ [1]|tojson(indent=10**9) }}",
    "{{ 'a\nb'|indent(10**9) }}",
    "{{ [1]|batch(10**9, 1)|list|length }}",
    "{{ ('a' * 1000000).split('').__len__() }}",
    DOUBLING % ("'a'", "ns.x ~ ns.x"),
    DOUBLING % ("'a'", "ns.x + ns.x"),
    DOUBLING % ("[1]", "ns.x + ns.x"),
    DOUBLING % ("'a'", "[ns.x, ns.x]|join"),
    DOUBLING % ("'a'", "ns.x|replace('a', 'aa')"),
    DOUBLING % ("'a'", "ns.x|urlencode ~ ns.x|upper"),
    "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = ns.l + [('a'*1000000) ~ i] %}{% endfor %}",
    "{% set x %}{% for a in range(99999) %}{% for b in range(99999) %}"
    + "a" * 9999
    + "{% endfor %}{% endfor %}{% endset %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}" + "a" * 9999 + "{% endfor %}{% endfor %}",
]
TIME_BOMBS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(9) %}{% endfor %}{% endfor %}{% endfor %}",
    "{{ lipsum(n=10000000) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{{ ((((10**64)**64)**64)**64)**64 }}",
    "{% set ns = namespace(x=10) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x > 1 }}",
    "{{ 5|round(-1000000000) }}",
    "{{ 5|round(1000000000, 'floor') }}",
    "{{ range(10**12)|list|length }}",
]
TOWER = (
    "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
    "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}"
)
NATIVE_BOMBS = [TOWER + "{{ ns.x == ns.y }}", TOWER + "{{ ns.x|string|length }}", TOWER + "{{ ns.x|tojson|length }}"]
"""Each is one native operation that goes on for longer than anybody lives."""


def render(templates: list[str], time_limit_s: float) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[str]]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.render_templates", str(time_limit_s), str(MEMORY_BYTES)],
        input=json.dumps(templates),
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()], ran


def test_memory_bombs_are_refused_and_never_get_the_memory() -> None:
    answers, ran = render(MEMORY_BOMBS, 2.0)
    assert ran.returncode == 0, ran.stderr
    assert [answer["template"] for answer in answers] == MEMORY_BOMBS
    for answer in answers:
        assert "error" in answer, answer
        assert answer["error"].startswith("the chat template ")
        assert answer["grown"] < MEMORY_BYTES + SLACK_BYTES, answer


def test_time_bombs_are_refused() -> None:
    answers, ran = render(TIME_BOMBS, 0.2)
    assert ran.returncode == 0, ran.stderr
    assert [answer["template"] for answer in answers] == TIME_BOMBS
    for answer in answers:
        assert "error" in answer, answer


@pytest.mark.parametrize("template", NATIVE_BOMBS, ids=["compare", "to text", "to JSON"])
def test_what_cannot_be_interrupted_ends_its_process_which_says_why(template: str) -> None:
    answers, ran = render([template], 0.2)
    assert answers == []
    assert ran.returncode == 1
    assert "Timeout" in ran.stderr
