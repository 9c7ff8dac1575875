"""The plain roofline against runs of llama.cpp that others published: each must lie within the predicted range.

Figures: github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference. Llama 3 of May 2024, tg 512 and pp 512 of llama-bench,
and Llama 2 of December 2023, of which the decode rates are still those of today. The mixture of experts: gpt-oss-20b at
pavlokhmel.com, "LLM throughput benchmark on 13 GPUs and 10 models", June 2026, single requests.
"""

from __future__ import annotations

import pytest

from tests.fit.shapes import Even, gpu_machine, laid_out
from tui.fit.cards import card_named
from tui.fit.speed import estimate
from tui.llama.settings import LoadSettings

PARAMETERS = {"7B": 6_740_000_000, "8B": 8_030_000_000, "70B": 70_550_000_000}
LAYERS = {"7B": 32, "8B": 32, "70B": 80}
READ_BYTES = {
    ("7B", "Q4_0"): 4_030_000_000,
    ("7B", "F16"): 13_210_000_000,
    ("70B", "Q4_0"): 38_700_000_000,
    ("8B", "Q4_K_M"): 4_625_000_000,
    ("8B", "F16"): 15_010_000_000,
    ("70B", "Q4_K_M"): 41_900_000_000,
    ("70B", "F16"): 139_000_000_000,
}
"""The file's size without the token embeddings, of which one row is read."""
RUNS = [
    ("A100PCIE-80", 1, "7B", "Q4_0", 136.24, None),
    ("A100PCIE-80", 1, "7B", "F16", 73.83, None),
    ("A100PCIE-80", 1, "70B", "Q4_0", 25.68, None),
    ("H100PCIE", 1, "7B", "Q4_0", 133.77, None),
    ("H100PCIE", 1, "7B", "F16", 83.32, None),
    ("H100PCIE", 1, "70B", "Q4_0", 25.88, None),
    ("A6000", 1, "7B", "Q4_0", 111.57, None),
    ("RTX6000ADA", 1, "70B", "Q4_0", 17.02, None),
    ("3070", 1, "8B", "Q4_K_M", 72.79, 2402.51),
    ("3080", 1, "8B", "Q4_K_M", 109.57, 3728.86),
    ("3080ti", 1, "8B", "Q4_K_M", 110.60, 3690.30),
    ("4070ti", 1, "8B", "Q4_K_M", 83.50, 3936.29),
    ("4080", 1, "8B", "Q4_K_M", 108.15, 5389.74),
    ("4080", 1, "8B", "F16", 40.58, 7246.97),
    ("3090", 1, "8B", "Q4_K_M", 115.42, 4030.40),
    ("3090", 1, "8B", "F16", 47.40, 4444.65),
    ("4090", 1, "8B", "Q4_K_M", 130.58, 7138.99),
    ("4090", 1, "8B", "F16", 54.84, 9382.00),
    ("3090", 2, "8B", "Q4_K_M", 111.67, 3336.37),
    ("3090", 2, "8B", "F16", 47.72, 4122.66),
    ("4090", 2, "70B", "Q4_K_M", 19.22, 839.43),
    ("3090", 4, "70B", "Q4_K_M", 17.07, None),
    ("4090", 4, "70B", "Q4_K_M", 19.80, 834.74),
    ("3090", 6, "70B", "F16", 5.85, 579.00),
    ("4090", 8, "70B", "F16", 6.47, 1183.87),
    ("M1Max-64", 1, "8B", "Q4_K_M", 35.73, 408.23),
    ("M1Max-64", 1, "8B", "F16", 18.75, 517.34),
    ("M1Max-64", 1, "70B", "Q4_K_M", 4.34, 34.96),
    ("M2Ultra-192", 1, "8B", "Q4_K_M", 78.81, 994.04),
    ("M2Ultra-192", 1, "8B", "F16", 36.90, 1175.40),
    ("M2Ultra-192", 1, "70B", "Q4_K_M", 12.48, 118.79),
    ("M2Ultra-192", 1, "70B", "F16", 4.76, 147.58),
    ("M3Max-64", 1, "8B", "Q4_K_M", 48.97, 693.32),
    ("M3Max-64", 1, "8B", "F16", 22.04, 769.84),
    ("M3Max-64", 1, "70B", "Q4_K_M", 7.65, 70.19),
]
"""Card, how many, model, quantization, decode and prefill in tok/s. None for prefill: llama.cpp reads prompts much
faster since, or (four 3090) they were held up by the bus between the cards, which this does not know of.
"""


@pytest.mark.parametrize(("name", "count", "model", "quant", "decode", "prefill"), RUNS)
def test_a_published_run_lies_in_the_range(
    name: str, count: int, model: str, quant: str, decode: float, prefill: float | None
) -> None:
    card = card_named(name)
    assert card is not None
    read, layers = READ_BYTES[model, quant], LAYERS[model]
    shape = Even(n_layer=layers, parameters=PARAMETERS[model], layer_bytes=read // layers, output_bytes=0)
    machine = gpu_machine(*(card.spec(f"{index}") for index in range(count)))
    weights = [(device.name, read // count) for device in machine.devices]
    speed = estimate(shape, LoadSettings(), laid_out(layers + 1, *weights), machine)
    assert speed is not None
    low, high = speed.decode_tok_s
    assert low <= decode <= high
    assert high < 4 * low
    if prefill is not None:
        assert speed.prefill_tok_s is not None
        assert speed.prefill_tok_s[0] <= prefill <= speed.prefill_tok_s[1]


@pytest.mark.parametrize(
    ("name", "decode"),
    [("V100-32", 138), ("A100-40", 180), ("A100-80", 189), ("4080", 210), ("4090", 266), ("H100", 286), ("H200", 292)],
)
def test_a_mixture_of_experts_lies_in_the_range(name: str, decode: float) -> None:
    card = card_named(name)
    assert card is not None
    experts = 10_150_000_000 // 24
    shape = Even(
        architecture="gpt-oss",
        n_layer=24,
        parameters=20_900_000_000,
        active=3_600_000_000,
        layer_bytes=18_000_000,
        expert_bytes=experts,
        expert_share=4 / 32,
        output_bytes=600_000_000,
    )
    speed = estimate(shape, LoadSettings(), laid_out(25, ("CUDA0", 1)), gpu_machine(card.spec("CUDA0")))
    assert speed is not None
    assert speed.decode_tok_s[0] <= decode <= speed.decode_tok_s[1] < 6 * speed.decode_tok_s[0]
