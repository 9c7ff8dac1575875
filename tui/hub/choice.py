"""From what a person typed to one model of a repository, and the quantization that is proposed where none was named."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from tui.config.plain import one_line
from tui.gguf.names import same_quant
from tui.hub.address import Address, repo_address, web_address
from tui.hub.client import Hub
from tui.hub.errors import NoModel, NotFound
from tui.hub.files import ModelRow, RepoFiles, repo_files

PROPOSED = "Q4_K_M"

_BITS = {
    "TQ1_0": 1.69, "IQ1_S": 2.00, "TQ2_0": 2.06, "IQ1_M": 2.15, "IQ2_XXS": 2.38, "IQ2_XS": 2.59, "IQ2_S": 2.74,
    "IQ2_M": 2.93, "Q2_K_S": 2.97, "Q2_K": 3.16, "IQ3_XXS": 3.25, "IQ3_XS": 3.50, "Q3_K_S": 3.64, "IQ3_S": 3.66,
    "IQ3_M": 3.76, "Q3_K_M": 4.00, "Q3_K_L": 4.30, "MXFP4": 4.25, "IQ4_XS": 4.46, "Q4_0": 4.5, "NVFP4": 4.5,
    "Q4_K_S": 4.67, "IQ4_NL": 4.68, "Q4_K_M": 4.89, "Q4_1": 5.0, "Q5_0": 5.5, "Q5_K_S": 5.57, "Q5_K_M": 5.70,
    "Q5_1": 6.0, "Q6_K": 6.56, "Q8_0": 8.50, "F16": 16.0, "BF16": 16.0, "F32": 32.0,
}  # fmt: skip
"""Bits a weight: of an 8B model as llama.cpp's `tools/quantize` lists them, of the others by their blocks."""

_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that was meant, and where it is."""

    files: RepoFiles
    row: ModelRow
    reason: str
    """Why this one, where the person left it open; empty where they did not."""

    @property
    def name(self) -> str:
        """As `name_of` has it."""
        return name_of(self.files, self.row)


def name_of(files: RepoFiles, row: ModelRow) -> str:
    """`org/repo:QUANT`, or with the file's name where it has no quantization."""
    return f"{files.repo}:{row.quant or row.path}"


def address_of(hub: Hub, text: str) -> Address:
    """What a person typed. Raises NotFound for what names no repository."""
    wanted = text.strip()
    found = web_address(wanted, hub.endpoint) or repo_address(wanted)
    if found is None:
        raise NotFound(f"'{one_line(wanted)[:100]}' names no repository; write org/repo or org/repo:{PROPOSED}")
    return found


def locate(hub: Hub, text: str) -> Chosen:
    """The model that `org/repo`, `org/repo:QUANT` or an address in the web means. Blocks for one request.

    Raises HubError; NoModel names what there is instead.
    """
    address = address_of(hub, text)
    return choose(repo_files(hub, address.repo, address.revision), address)


def choose(files: RepoFiles, address: Address) -> Chosen:
    """The row that an address means: by its file or folder, by its quantization, else the recommended one.

    Raises NoModel when there is none, when several could be meant, and when the one that is meant is of no use.
    """
    if not files.rows:
        raise NoModel(nothing_there(files))
    found = [row for row in files.rows if _fits(row, address)]
    if not found:
        wanted = one_line(address.file or address.quant or "")
        raise NoModel(f"{files.repo} has no {wanted}{_near(wanted, files.rows)} there is {_listed(files.rows)}")
    if len(found) == 1 and (address.quant or address.file):
        return _usable(Chosen(files, found[0], ""))
    row, reason = recommended(found)
    if row is None:
        raise NoModel(f"{files.repo}: {reason}")
    return Chosen(files, row, reason)


def recommended(rows: Sequence[ModelRow]) -> tuple[ModelRow | None, str]:
    """The row to propose and the reason in words: Q4_K_M, else the nearest to it in bits a weight; None, and why,
    when none stands out.
    """
    sound = [row for row in rows if row.problem is None]
    if not sound:
        return None, f"{rows[0].quant or rows[0].path} {rows[0].problem}" if rows else "there is no model"
    if len(sound) == 1:
        return sound[0], "the only one there"
    wanted = bits_of(PROPOSED) or 0.0
    known = [(abs(bits - wanted), row) for row in sound if (bits := bits_of(row.quant)) is not None]
    if not known:
        return None, f"several models, and none says how it is quantized; name one by its address: {_listed(sound)}"
    nearest = min(distance for distance, _ in known)
    best = [row for distance, row in known if distance == nearest]
    plain = [row for row in best if not (row.quant or "").startswith("UD-")]
    best = plain or best
    if len(best) > 1:
        return (
            None,
            f"several models of {best[0].quant}; name one by its address: {', '.join(row.path for row in best)}",
        )
    same = same_quant(best[0].quant or "", PROPOSED)
    return best[0], "a good balance of size and quality" if same else f"the nearest to {PROPOSED} there"


def bits_of(quant: str | None) -> float | None:
    """Bits a weight of a quantization, roughly; None for one that is not known.

    Variants with larger outer layers (`_L`, `_XL`) count as the plain one.
    """
    label = (quant or "").removeprefix("UD-").removesuffix("_MOE")
    for known in (label, label.removesuffix("_XL") + "_M", label.removesuffix("_L") + "_M", label[:4]):
        if known in _BITS:
            return _BITS[known]
    return None


def _usable(chosen: Chosen) -> Chosen:
    if chosen.row.problem is not None:
        raise NoModel(f"{chosen.name}: {chosen.row.problem}; there is {_listed(chosen.files.rows)}")
    return chosen


def _fits(row: ModelRow, address: Address) -> bool:
    if address.file:
        wanted = address.file.casefold().rstrip("/")
        return any(wanted == path or path.startswith(f"{wanted}/") for path in (f.path.casefold() for f in row.files))
    return address.quant is None or (row.quant is not None and same_quant(row.quant, address.quant))


def nothing_there(files: RepoFiles) -> str:
    """Why a repository without a row is of no use, and what to do."""
    if files.projectors or files.imatrices:
        return (
            f"{files.repo} holds only what belongs to models, and no model; choose the repository of the model itself"
        )
    name = files.repo.partition("/")[2]
    return f"{files.repo} has no GGUF file, which llama.cpp needs; look for '{name} GGUF'"


def _near(wanted: str, rows: Sequence[ModelRow]) -> str:
    names = [row.quant for row in rows if row.quant]
    close = difflib.get_close_matches(wanted.upper(), names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ";"


def _listed(rows: Sequence[ModelRow]) -> str:
    names = list(dict.fromkeys(row.quant or row.path for row in rows if row.problem is None))
    if not names:
        return "nothing that is whole"
    return ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    )
