"""Texts for the renderer's tests: one of everything, and strategies that mix Markdown with what models get wrong."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

WIDTHS = st.integers(min_value=20, max_value=160)

EVERYTHING = """# Title

A paragraph with **bold**, *italic*, `code`, ~~gone~~ and a [link](https://example.org/a).
Second line of it.

1. First:
   - nested *one*
   - nested two
     1. deep
2. Second

   ```python
   def f(x: int) -> int:
       return x + 1
   ```

   after the code
3. Third

- [ ] open
- [x] done

> quoted **text**
> - in a list

| name | size | note |
|:-----|-----:|:----:|
| a    | 12.5 | x    |
| b    | 1024 | `y`  |

---

Setext
======

    indented code

$$
a_1 * b_2
$$

日本語のテキスト。「引用」もある。 Last \\* line with \\(x_1\\) and $y$.
"""

_WORDS = st.sampled_from(
    [
        "word", "**bold**", "*it*", "`code`", "~~s~~", "[a](http://b.c)", "**open", "`open",
        "1234567.89", "漢字かな", "한국어", "👩‍💻", "👍🏽", "🇩🇪", "é", "a" * 45, "[markup]", "[/x]",
        "<b>html</b>", "&amp;", "\\*", "$x_1$", "\\(y\\)", "|", "a|b", "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07", "\x00", "\u202e", "\ud800", "\ttab", "http://example.org/long/path?q=1",
        "snake_case_name",
    ]
)  # fmt: skip
_STARTS = st.sampled_from(
    [
        "", "", "", "# ", "### ", "- ", "* ", "1. ", "2) ", "10. ", "> ", "> - ", "  - ", "   ", "    ",
        "      - ", "- [ ] ", "- - ", "1. - ", "| ", "\t", "-", "+ ",
    ]
)  # fmt: skip
_SPECIAL = st.sampled_from(
    [
        "", "", "", "```", "```python", "~~~", "   ```", "- ```sh", "    ```", "````", "---", "***",
        "===", "|---|:-:|", "| a | b |", "| --- | --- |", "$$", "\\[", "\\]", "1.", "-", ">", "#", "  ",
        "```not a `fence`", "[a]: http://b",
    ]
)  # fmt: skip
_LINES = st.one_of(
    st.builds(lambda start, words: start + " ".join(words), _STARTS, st.lists(_WORDS, max_size=8)),
    _SPECIAL,
    st.text(max_size=30).map(lambda text: text.replace("\n", " ")),
)

MARKDOWN = st.lists(_LINES, max_size=25).map("\n".join)
"""Anything between clean Markdown and noise."""


@st.composite
def fragments(draw: st.DrawFn, texts: st.SearchStrategy[str] = MARKDOWN) -> tuple[str, list[str]]:
    """A text, and the same text in pieces as a model would stream it."""
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(min_value=0, max_value=len(text)), max_size=30)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return text, pieces
