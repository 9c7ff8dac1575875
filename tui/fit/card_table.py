"""Common GPUs with their memory, its bandwidth and their arithmetic, as their vendors publish them. Data only.

Sources: data sheets and product pages of NVIDIA, AMD, Intel and Apple. Bandwidth is the peak of the memory. `tflops` is
dense FP16 matrix arithmetic (of cards without matrix units the 8-bit rate, which llama.cpp uses there). Both are what
a card could do at best: what of it is reached is for `tui.fit.speed` to say.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One product."""

    name: str
    """Short name, as people type it. Several sizes are told apart by a number after it: A100-80."""
    words: str
    """Words that a driver's name of it has; the product with the most of them is meant."""
    description: str
    sizes_gib: tuple[int, ...]
    """Memory as it is sold; the first is what the bare name means."""
    gb_s: tuple[float, ...]
    """Bandwidth in 10^9 bytes a second: for each size, or one for all."""
    tflops: float
    kind: str = "gddr"
    """Key of `KEPT`."""


KEPT = {"gddr": 0.98, "ecc": 0.91, "hbm": 0.984, "amd": 0.99, "intel": 0.95, "unified": 0.9, "apple": 0.75}
"""What a driver lets programs have of the memory that is on a card, as a share. The rest is what it keeps for itself;
GDDR memory with error correction gives up a sixteenth for that; Metal's working set is three quarters of the RAM.
Each share is that of the card of its kind that keeps most, so a described card is a little smaller than a real one.
"""
SMALL_MAC_GIB, SMALL_MAC_KEPT = 32, 2 / 3
"""Up to so much RAM Metal's working set is two thirds."""

NVIDIA = (
    Row("B200", "b200", "NVIDIA B200", (180,), (8000,), 2250, "hbm"),
    Row("B300", "b300", "NVIDIA B300", (270,), (8000,), 2250, "hbm"),
    Row("GH200", "gh200", "NVIDIA GH200", (96, 144), (4000, 4900), 989, "hbm"),
    Row("H200", "h200", "NVIDIA H200", (141,), (4800,), 989, "hbm"),
    Row("H100", "h100", "NVIDIA H100 SXM", (80,), (3350,), 989, "hbm"),
    Row("H100PCIE", "h100 pcie", "NVIDIA H100 PCIe", (80,), (2000,), 756, "hbm"),
    Row("H100NVL", "h100 nvl", "NVIDIA H100 NVL", (94,), (3900,), 835, "hbm"),
    Row("A100", "a100", "NVIDIA A100", (40, 80), (1555, 2039), 312, "hbm"),
    Row("A100PCIE", "a100 pcie", "NVIDIA A100 PCIe", (40, 80), (1555, 1935), 312, "hbm"),
    Row("A30", "a30", "NVIDIA A30", (24,), (933,), 165, "hbm"),
    Row("V100", "v100", "NVIDIA V100", (16, 32), (900,), 125, "hbm"),
    Row("P100", "p100", "NVIDIA P100", (16,), (732,), 18.7, "hbm"),
    Row("L40S", "l40s", "NVIDIA L40S", (48,), (864,), 362, "ecc"),
    Row("L40", "l40", "NVIDIA L40", (48,), (864,), 181, "ecc"),
    Row("L4", "l4", "NVIDIA L4", (24,), (300,), 121, "ecc"),
    Row("A40", "a40", "NVIDIA A40", (48,), (696,), 150, "ecc"),
    Row("A10", "a10", "NVIDIA A10", (24,), (600,), 125, "ecc"),
    Row("A10G", "a10g", "NVIDIA A10G", (24,), (600,), 125, "ecc"),
    Row("T4", "t4", "NVIDIA T4", (16,), (320,), 65, "ecc"),
    Row("P40", "p40", "NVIDIA P40", (24,), (347,), 47, "ecc"),
    Row("RTXPRO6000", "rtx pro 6000", "NVIDIA RTX PRO 6000 Blackwell", (96,), (1792,), 500),
    Row("RTX6000ADA", "rtx 6000 ada", "NVIDIA RTX 6000 Ada Generation", (48,), (960,), 364),
    Row("RTX5000ADA", "rtx 5000 ada", "NVIDIA RTX 5000 Ada Generation", (32,), (576,), 261),
    Row("RTX4500ADA", "rtx 4500 ada", "NVIDIA RTX 4500 Ada Generation", (24,), (432,), 158),
    Row("RTX4000ADA", "rtx 4000 ada", "NVIDIA RTX 4000 Ada Generation", (20,), (360,), 107),
    Row("A6000", "rtx a6000", "NVIDIA RTX A6000", (48,), (768,), 155),
    Row("A5000", "rtx a5000", "NVIDIA RTX A5000", (24,), (768,), 111),
    Row("A4500", "rtx a4500", "NVIDIA RTX A4500", (20,), (640,), 95),
    Row("A4000", "rtx a4000", "NVIDIA RTX A4000", (16,), (448,), 77),
    Row("A2000", "rtx a2000", "NVIDIA RTX A2000", (6, 12), (288,), 64),
    Row("5090", "rtx 5090", "NVIDIA GeForce RTX 5090", (32,), (1792,), 419),
    Row("5080", "rtx 5080", "NVIDIA GeForce RTX 5080", (16,), (960,), 225),
    Row("5070ti", "rtx 5070 ti", "NVIDIA GeForce RTX 5070 Ti", (16,), (896,), 176),
    Row("5070", "rtx 5070", "NVIDIA GeForce RTX 5070", (12,), (672,), 123),
    Row("5060ti", "rtx 5060 ti", "NVIDIA GeForce RTX 5060 Ti", (8, 16), (448,), 95),
    Row("5060", "rtx 5060", "NVIDIA GeForce RTX 5060", (8,), (448,), 77),
    Row("4090", "rtx 4090", "NVIDIA GeForce RTX 4090", (24,), (1008,), 330),
    Row("4080super", "rtx 4080 super", "NVIDIA GeForce RTX 4080 SUPER", (16,), (736,), 209),
    Row("4080", "rtx 4080", "NVIDIA GeForce RTX 4080", (16,), (717,), 195),
    Row("4070tisuper", "rtx 4070 ti super", "NVIDIA GeForce RTX 4070 Ti SUPER", (16,), (672,), 176),
    Row("4070ti", "rtx 4070 ti", "NVIDIA GeForce RTX 4070 Ti", (12,), (504,), 160),
    Row("4070super", "rtx 4070 super", "NVIDIA GeForce RTX 4070 SUPER", (12,), (504,), 142),
    Row("4070", "rtx 4070", "NVIDIA GeForce RTX 4070", (12,), (504,), 117),
    Row("4060ti", "rtx 4060 ti", "NVIDIA GeForce RTX 4060 Ti", (8, 16), (288,), 88),
    Row("4060", "rtx 4060", "NVIDIA GeForce RTX 4060", (8,), (272,), 60),
    Row("3090ti", "rtx 3090 ti", "NVIDIA GeForce RTX 3090 Ti", (24,), (1008,), 160),
    Row("3090", "rtx 3090", "NVIDIA GeForce RTX 3090", (24,), (936,), 142),
    Row("3080ti", "rtx 3080 ti", "NVIDIA GeForce RTX 3080 Ti", (12,), (912,), 136),
    Row("3080", "rtx 3080", "NVIDIA GeForce RTX 3080", (10, 12), (760, 912), 119),
    Row("3070ti", "rtx 3070 ti", "NVIDIA GeForce RTX 3070 Ti", (8,), (608,), 87),
    Row("3070", "rtx 3070", "NVIDIA GeForce RTX 3070", (8,), (448,), 81),
    Row("3060ti", "rtx 3060 ti", "NVIDIA GeForce RTX 3060 Ti", (8,), (448,), 65),
    Row("3060", "rtx 3060", "NVIDIA GeForce RTX 3060", (12,), (360,), 51),
    Row("3050", "rtx 3050", "NVIDIA GeForce RTX 3050", (8,), (224,), 36),
    Row("2080ti", "rtx 2080 ti", "NVIDIA GeForce RTX 2080 Ti", (11,), (616,), 108),
    Row("2080", "rtx 2080", "NVIDIA GeForce RTX 2080", (8,), (448,), 81),
    Row("2070", "rtx 2070", "NVIDIA GeForce RTX 2070", (8,), (448,), 60),
    Row("2060", "rtx 2060", "NVIDIA GeForce RTX 2060", (6, 12), (336,), 52),
    Row("1080ti", "gtx 1080 ti", "NVIDIA GeForce GTX 1080 Ti", (11,), (484,), 45),
    Row("1080", "gtx 1080", "NVIDIA GeForce GTX 1080", (8,), (320,), 35),
    Row("1070", "gtx 1070", "NVIDIA GeForce GTX 1070", (8,), (256,), 26),
    Row("1060", "gtx 1060", "NVIDIA GeForce GTX 1060", (6,), (192,), 17),
    Row("GB10", "gb10", "NVIDIA GB10 (DGX Spark)", (128,), (273,), 125, "unified"),
)
AMD = (
    Row("MI325X", "mi325x", "AMD Instinct MI325X", (256,), (6000,), 1307, "amd"),
    Row("MI300X", "mi300x", "AMD Instinct MI300X", (192,), (5300,), 1307, "amd"),
    Row("MI210", "mi210", "AMD Instinct MI210", (64,), (1638,), 181, "amd"),
    Row("MI100", "mi100", "AMD Instinct MI100", (32,), (1229,), 184, "amd"),
    Row("MI60", "mi60", "AMD Instinct MI60", (32,), (1024,), 29, "amd"),
    Row("MI50", "mi50", "AMD Instinct MI50", (16, 32), (1024,), 26, "amd"),
    Row("9070XT", "9070 xt", "AMD Radeon RX 9070 XT", (16,), (645,), 195, "amd"),
    Row("9070", "rx 9070", "AMD Radeon RX 9070", (16,), (645,), 145, "amd"),
    Row("7900XTX", "7900 xtx", "AMD Radeon RX 7900 XTX", (24,), (960,), 123, "amd"),
    Row("7900XT", "7900 xt", "AMD Radeon RX 7900 XT", (20,), (800,), 103, "amd"),
    Row("7900GRE", "7900 gre", "AMD Radeon RX 7900 GRE", (16,), (576,), 92, "amd"),
    Row("7800XT", "7800 xt", "AMD Radeon RX 7800 XT", (16,), (624,), 74, "amd"),
    Row("7700XT", "7700 xt", "AMD Radeon RX 7700 XT", (12,), (432,), 70, "amd"),
    Row("7600XT", "7600 xt", "AMD Radeon RX 7600 XT", (16,), (288,), 45, "amd"),
    Row("7600", "rx 7600", "AMD Radeon RX 7600", (8,), (288,), 43, "amd"),
    Row("6900XT", "6900 xt", "AMD Radeon RX 6900 XT", (16,), (512,), 46, "amd"),
    Row("6800XT", "6800 xt", "AMD Radeon RX 6800 XT", (16,), (512,), 41, "amd"),
    Row("6700XT", "6700 xt", "AMD Radeon RX 6700 XT", (12,), (384,), 26, "amd"),
    Row("W7900", "w7900", "AMD Radeon PRO W7900", (48,), (864,), 123, "amd"),
    Row("W7800", "w7800", "AMD Radeon PRO W7800", (32,), (576,), 90, "amd"),
)
INTEL = (
    Row("B580", "b580", "Intel Arc B580", (12,), (456,), 117, "intel"),
    Row("B570", "b570", "Intel Arc B570", (10,), (380,), 101, "intel"),
    Row("A770", "a770", "Intel Arc A770", (16,), (560,), 138, "intel"),
    Row("A750", "a750", "Intel Arc A750", (8,), (512,), 122, "intel"),
)
APPLE = (
    Row("M1", "m1", "Apple M1", (8, 16), (68,), 2.6, "apple"),
    Row("M1Pro", "m1 pro", "Apple M1 Pro", (16, 32), (200,), 5.3, "apple"),
    Row("M1Max", "m1 max", "Apple M1 Max", (32, 64), (400,), 10.6, "apple"),
    Row("M1Ultra", "m1 ultra", "Apple M1 Ultra", (64, 128), (800,), 21, "apple"),
    Row("M2", "m2", "Apple M2", (8, 16, 24), (100,), 3.6, "apple"),
    Row("M2Pro", "m2 pro", "Apple M2 Pro", (16, 32), (200,), 6.8, "apple"),
    Row("M2Max", "m2 max", "Apple M2 Max", (32, 64, 96), (400,), 13.6, "apple"),
    Row("M2Ultra", "m2 ultra", "Apple M2 Ultra", (64, 128, 192), (800,), 27.2, "apple"),
    Row("M3", "m3", "Apple M3", (8, 16, 24), (100,), 4.1, "apple"),
    Row("M3Pro", "m3 pro", "Apple M3 Pro", (18, 36), (150,), 7.4, "apple"),
    Row("M3Max", "m3 max", "Apple M3 Max", (36, 48, 64, 96, 128), (300, 400, 400, 300, 400), 14.2, "apple"),
    Row("M3Ultra", "m3 ultra", "Apple M3 Ultra", (96, 256, 512), (819,), 28.4, "apple"),
    Row("M4", "m4", "Apple M4", (16, 24, 32), (120,), 4.3, "apple"),
    Row("M4Pro", "m4 pro", "Apple M4 Pro", (24, 48, 64), (273,), 8.5, "apple"),
    Row("M4Max", "m4 max", "Apple M4 Max", (36, 48, 64, 128), (410, 546, 546, 546), 18, "apple"),
    Row("M5", "m5", "Apple M5", (16, 24, 32), (153,), 4.5, "apple"),
)
