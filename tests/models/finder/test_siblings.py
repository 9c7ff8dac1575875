"""What another quantization of the same repository would take, by the header of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.fit import closed_form
from tui.fit.from_header import shape_of_layout
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.gguf.layout import read_layout
from tui.gguf.stripped import strip
from tui.hub.files import ModelRow, RemoteFile
from tui.hub.header import RemoteStart
from tui.llama.settings import LoadSettings
from tui.models.finder.siblings import Pattern, pattern_of_header, pattern_of_start, upper_end
from tui.models.headers import known_of

GIB = 1 << 30
SETTINGS = LoadSettings(n_gpu_layers="all", n_ctx=2048)
MACHINE = Machine(
    devices=(DeviceSpec(name="CUDA0", total_bytes=GIB, free_bytes=GIB),),
    host_total_bytes=GIB,
    host_available_bytes=GIB,
)


@dataclass(frozen=True)
class Published:
    """One quantization with its file."""

    path: Path
    row: ModelRow

    @property
    def exact(self) -> Prediction:
        return closed_form.predict(shape_of_layout(read_layout(self.path)), SETTINGS, MACHINE)

    def pattern(self, *, whole: bool) -> Pattern:
        layout = read_layout(self.path)
        if whole:
            return pattern_of_header(self.row, known_of(layout, strip(layout)))
        return pattern_of_start(self.row, RemoteStart(layout.header, self.row.file_bytes, 1 << 16))


def published(folder: Path, quant: str, n_expert: int) -> Published:
    path = tiny_model(folder / f"m-{quant}.gguf", n_embd=128, n_layer=3, n_expert=n_expert, quant=quant)  # type: ignore[arg-type]
    return Published(path, ModelRow(quant, (RemoteFile(path.name, path.stat().st_size, None),), 1))


@pytest.fixture(scope="module", params=[0, 4], ids=["dense", "experts"])
def quants(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Published]:
    folder = tmp_path_factory.mktemp("published")
    return {quant: published(folder, quant, request.param) for quant in ("F16", "Q8_0", "Q4_0")}


@pytest.mark.parametrize(("known", "other"), [("F16", "Q4_0"), ("Q4_0", "F16"), ("Q8_0", "Q4_0")])
@pytest.mark.parametrize("whole", [True, False])
def test_of_another_quantization_the_context_is_exact_and_the_weights_are_near(
    quants: dict[str, Published], known: str, other: str, whole: bool
) -> None:
    shape = quants[known].pattern(whole=whole).shape_for(quants[other].row)
    made = closed_form.predict(shape, SETTINGS, MACHINE)
    exact = quants[other].exact
    assert made.devices[0].context_bytes == exact.devices[0].context_bytes
    assert made.devices[0].compute_bytes == pytest.approx(exact.devices[0].compute_bytes, rel=0.05)
    together = [sum(part.weights_bytes for part in (*one.devices, one.host)) for one in (made, exact)]
    assert together[0] == pytest.approx(together[1], rel=0.05)
    assert shape.file_bytes == quants[other].row.file_bytes


def test_its_own_shape_is_that_of_its_header(quants: dict[str, Published]) -> None:
    one = quants["Q8_0"]
    assert one.pattern(whole=True).shape_for(one.row).exact
    assert not one.pattern(whole=False).shape_for(one.row).exact


async def test_the_upper_end_is_the_whole_by_its_spread(quants: dict[str, Published]) -> None:
    shape = quants["F16"].pattern(whole=True).shape_for(quants["Q4_0"].row)
    middle = closed_form.predict(shape, SETTINGS, MACHINE)
    most = await upper_end(shape, MACHINE)(SETTINGS)
    assert middle.spread > 0
    assert most.devices[0].sum_bytes == pytest.approx(middle.devices[0].sum_bytes * (1 + middle.spread), rel=1e-6)
    assert most.source == "estimate"


def test_a_file_smaller_than_its_header_is_no_weights(quants: dict[str, Published]) -> None:
    row = ModelRow("Q2_K", (RemoteFile("m-Q2_K.gguf", 5, None),), 1)
    assert quants["F16"].pattern(whole=True).shape_for(row).weights_bytes == 0
