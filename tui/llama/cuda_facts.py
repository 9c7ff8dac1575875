"""Numbers of the CUDA backend (and, by the same source, ROCm's) that the dry run and the closed form both reckon with.
Values only: it never imports llama_cpp.

From `ggml-cuda.cu` and `fattn.cu` of the pinned llama.cpp, for a card with tensor cores.
"""

from __future__ import annotations

CUDA_ALIGNMENT = 128
"""Bytes that every tensor in a buffer starts at a multiple of."""
CUDA_ROW = 512
"""MATRIX_ROW_PADDING, in values: rows of quantized tensors are padded to so many, as kernels read whole tiles."""
CUDA_HEADS = frozenset({40, 64, 72, 80, 96, 112, 128, 256})
"""Head sizes that flash attention has kernels for where keys and values are of one length, whatever the grouping."""
CUDA_GROUPED_HEADS = {192: (128, 8), 320: (256, 32), 512: (512, 1), 576: (512, 1)}
"""Keys' length to (values' length, multiple that query heads a key head must be): only with grouped queries
(`ggml_cuda_get_best_fattn_kernel`).
"""
