"""Answers to questions, made by llama.cpp: the inside of the dry-run process, and of no other."""

from __future__ import annotations

import sys
from collections import OrderedDict

from tui.fit import self_test
from tui.fit.questions import (
    Answered,
    AskedDevice,
    DeviceList,
    HeaderMissing,
    KeepHeader,
    KnownDevice,
    NotTried,
    ProjectorAnswered,
    ProjectorQuestion,
    Question,
    Ready,
    Reply,
    WasRefused,
)
from tui.fit.values import Prediction
from tui.llama.devices import gpu_devices
from tui.llama.dry import AdapterBytes, DryModels, LaidOut
from tui.llama.dry_projector import lay_out_projector
from tui.llama.dry_question import Devices, DryQuestion, HeaderBytes
from tui.llama.errors import LlamaError
from tui.llama.log import NativeLog
from tui.llama.measure import layers_on_devices, output_bytes, sum_of
from tui.llama.standin import StandIns, StandInSpec
from tui.process.child import limit_memory

MAX_CELLS = 1 << 23
"""Most cells of a KV cache, in tokens of all panes: llama.cpp keeps some 50 bytes of its own for each, here too."""
_HEADERS_BYTES = 64 << 20
"""Bytes of headers that are kept; one has 15 to 44 KB."""
_MACHINES = 8
"""Sets of stand-in devices that are kept."""
_MOST_BYTES = 4 << 30
"""The state of recurrent models is really allocated: 74 MB of published ones, but a header may claim any size."""
_UNREADABLE = "what llama.cpp would allocate cannot be read on this platform"


class Layouts:
    """Keeps headers, devices and models, and answers from them."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        sys.unraisablehook = self._take_fault
        self._log = NativeLog(at_least="warning")
        self._log.install()
        self._models = DryModels(self._log)
        self._headers: OrderedDict[str, HeaderBytes] = OrderedDict()
        self._machines: OrderedDict[tuple[AskedDevice, ...], StandIns] = OrderedDict()
        self._real = {device.name: device for device in gpu_devices()}
        if not self._real:  # a GPU's driver reserves address space by the terabyte
            limit_memory(_MOST_BYTES)

    def ready(self) -> Ready:
        """What the self-test found."""
        return Ready(self._doubt())

    def devices(self, request_id: int) -> DeviceList:
        """The GPUs of the installed llama.cpp as they are now."""
        return DeviceList(
            request_id,
            tuple(
                KnownDevice(device.name, device.description, device.total_bytes, device.free_bytes)
                for device in gpu_devices()
            ),
        )

    def keep(self, message: KeepHeader) -> None:
        """Remember a header; the one that was used least lately goes when there is no room."""
        self._headers[message.digest] = HeaderBytes(message.digest, message.data, message.data_bytes)
        while len(self._headers) > 1 and sum(len(each.data) for each in self._headers.values()) > _HEADERS_BYTES:
            self._headers.popitem(last=False)

    def answer(self, question: Question | ProjectorQuestion) -> Reply:
        """Ask llama.cpp. It may end the process instead.

        A rule of the stand-in devices that raises is answered for with 0 or no, which looks like an answer; so does all
        that follows, even a refusal. None of it is told.
        """
        reply = self._answer(question)
        if not self._faults:
            return reply
        return NotTried(question.id, f"a rule of its stand-in devices failed: {self._faults[-1]}", is_last=True)

    def _answer(self, question: Question | ProjectorQuestion) -> Reply:
        header = self._headers.get(question.digest)
        if header is None:
            return HeaderMissing(question.id)
        self._headers.move_to_end(question.digest)
        missing = [asked.name for asked in question.devices if asked.profile == "real" and asked.name not in self._real]
        if missing:
            return NotTried(question.id, f"the installed llama.cpp has no device {missing[0]}")
        try:
            if isinstance(question, ProjectorQuestion):
                return self._projector(header, question)
            return self._model(header, question)
        except LlamaError as error:
            reason = str(error)
            return NotTried(question.id, reason) if error.kind == "memory" else WasRefused(question.id, reason)

    def _model(self, header: HeaderBytes, question: Question) -> Reply:
        n_ctx = question.settings.n_ctx
        if not isinstance(n_ctx, str) and n_ctx * question.settings.panes > MAX_CELLS:
            return NotTried(question.id, f"a cache of more than {MAX_CELLS} tokens is not tried")
        laid_out = self._lay_out(header, question)
        if laid_out is None:
            return NotTried(question.id, _UNREADABLE)
        return Answered(question.id, _prediction(question, laid_out))

    def _projector(self, header: HeaderBytes, question: ProjectorQuestion) -> Reply:
        stand_ins = self._stand_ins(tuple(asked for asked in question.devices if asked.profile != "real"))
        there = (*(self._real[asked.name] for asked in question.devices if asked.profile == "real"), *stand_ins.devices)
        found = lay_out_projector(header, there[0] if there else None, stand_ins)
        if found is None:
            return NotTried(question.id, _UNREADABLE)
        on_host = found.pop(None, 0)
        return ProjectorAnswered(question.id, sum(found.values()), on_host)

    def _lay_out(self, header: HeaderBytes, question: Question) -> LaidOut | None:
        stand_ins = self._stand_ins(tuple(asked for asked in question.devices if asked.profile != "real"))
        there = {**self._real, **{device.name: device for device in stand_ins.devices}}
        devices: Devices = tuple(there[asked.name] for asked in question.devices)
        if devices and devices == tuple(self._real.values()):
            devices = None  # as an engine is started: llama.cpp chooses among them
        adapters = tuple(
            tuple(AdapterBytes(tensor.adapts, tensor.n_bytes) for tensor in adapter) for adapter in question.lora
        )
        return self._models.lay_out(DryQuestion(header, question.settings, devices, stand_ins), adapters)

    def _take_fault(self, fault: sys.UnraisableHookArgs) -> None:
        self._faults.append(f"{fault.exc_value!r}")

    def _stand_ins(self, asked: tuple[AskedDevice, ...]) -> StandIns:
        found = self._machines.pop(asked, None)
        if found is None:
            specs = [StandInSpec(each.name, each.profile, each.total_bytes, each.free_bytes) for each in asked]
            found = StandIns(specs)
            while len(self._machines) >= _MACHINES:
                self._machines.popitem(last=False)
        self._machines[asked] = found
        return found

    def _doubt(self) -> str:
        header = self_test.header()
        self.keep(header)
        answers: list[Prediction] = []
        for question in self_test.questions():
            reply = self.answer(question)
            if not isinstance(reply, Answered):
                return reply.reason if isinstance(reply, NotTried) else f"its self-test was not answered: {reply}"
            answers.append(reply.prediction)
        self._headers.pop(header.digest)
        return self_test.doubt_about(tuple(answers))


def _prediction(question: Question, laid_out: LaidOut) -> Prediction:
    settings = question.settings
    used = [asked for asked in question.devices if not settings.devices or asked.name in settings.devices]
    return Prediction(
        devices=tuple(sum_of(asked.name, "", laid_out.buffers) for asked in question.devices),
        host=sum_of(None, "", laid_out.buffers),
        output_bytes=output_bytes(laid_out.n_vocab, settings),
        source="dry-run",
        n_ctx=laid_out.n_ctx,
        n_gpu_layers=layers_on_devices(laid_out.n_layer, settings) if used else 0,
        flash_attn="on" if laid_out.flash_attn else "off",
    )
