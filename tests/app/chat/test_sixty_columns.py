"""Tables, lists, long lines and mathematics as they look at 60 columns, the width of half a usual screen."""

from __future__ import annotations

from tests.app.chat.rendered import shown

ANSWER = r"""
It needs **less memory than its size says**, see also https://example.org/a/rather/long/path?with=a&query=in-it here.

1. Weights are mapped, so that the pages which nobody reads never count.
   - a bullet under a number that is itself long enough to be wrapped once
2. The KV cache grows with `n_ctx`.

| setting | default | what it does |
|:--------|--------:|:-------------|
| `n_ctx` | 4096 | tokens that the model can look back on, prompt and answer together |
| `type_k` | f16 | how keys are kept |

The cost is $O(n^2 \cdot d)$ and in display:

$$
\mathrm{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V
$$
"""

SHOWN = r"""
It needs less memory than its size says, see also
https://example.org/a/rather/long/path?with=a&query=in-it
here.

1. Weights are mapped, so that the pages which nobody reads
   never count.
   • a bullet under a number that is itself long enough to
     be wrapped once
2. The KV cache grows with n_ctx.

setting  default  what it does
───────  ───────  ──────────────────────────────────────────
n_ctx       4096  tokens that the model can look back on,
                  prompt and answer together

type_k       f16  how keys are kept

The cost is $O(n^2 \cdot d)$ and in display:

$$
\mathrm{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V
$$
"""


def test_an_answer_of_every_kind() -> None:
    assert "\n".join(["", *shown(ANSWER), ""]) == SHOWN
