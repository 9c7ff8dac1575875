"""Models of some thirty architectures for tests: tiny ones that have weights, published ones as headers over a hole.

A tiny model loads in llama.cpp within milliseconds, so that what it really allocates can be compared. A published one
has the sizes and the quantization mix of a model that people run, and takes kilobytes of disk: its weights are a hole
in a sparse file. Only tests and benchmarks import this package.
"""

from tests.rigs.architectures.published import PUBLISHED
from tests.rigs.architectures.writing import RECIPES, published_model, tiny_architecture

__all__ = ["PUBLISHED", "RECIPES", "published_model", "tiny_architecture"]
