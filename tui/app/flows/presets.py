"""Presets: chosen in a dialog, kept with the conversation, and what follows from one for the next turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.chat.presets import Preset
    from tui.config.errors import ConfigError

USUAL = "as usual"
ABOUT_USUAL = "the system prompt and sampling of config.toml"


@dataclass
class PresetsRead(Message):
    """The presets that there are, and what is wrong with the files of others."""

    presets: tuple[Preset, ...]
    problems: tuple[ConfigError, ...]


class PresetFlow:
    """Reads the files each time they are asked for, so that a changed one counts at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def name(self) -> str:
        """Name of the preset that the next turn is sent with; empty for none."""
        talk = self._desk.chatting.talk
        return talk.session.preset.name if talk is not None and talk.session.preset is not None else ""

    def sampling(self, pane: Pane) -> Mapping[str, Any]:
        """The sampling settings that the preset of a pane's conversation names."""
        talk = pane.turns.talk
        return talk.session.preset.sampling if talk is not None and talk.session.preset is not None else {}

    def choose(self) -> None:
        """Read the presets, then have one chosen."""
        folder = self._desk.paths.presets_dir

        def work() -> None:
            from tui.chat.presets import read_presets

            self._desk.app.post_message(PresetsRead(*read_presets(folder)))

        self._desk.background.thread(work, "presets", "read the presets")

    def on_presets_read(self, event: PresetsRead) -> None:
        """Have one chosen; broken files are told of."""
        from tui.app.screens.choose import ChooseScreen, Option
        from tui.chat.presets import Preset

        self._desk.tell("\n".join(str(problem) for problem in event.problems), "warning")
        options = [Option(Preset(""), USUAL, ABOUT_USUAL)]
        options += [Option(one, one.name, clean(one.about or one.system), _brief(one)) for one in event.presets]
        at = next((place for place, option in enumerate(options) if option.value.name == self.name), 0)
        screen = ChooseScreen("How the next answers are made", options, self._desk.keymap, at=at)
        self._desk.app.push_screen(screen, self._take)

    async def _take(self, preset: Preset | None) -> None:
        from tui.chat.errors import StoreError

        desk, talk = self._desk, self._desk.chatting.talk
        if preset is None or talk is None:
            return
        usual = desk.settings.chat.system if desk.settings is not None else ""
        try:
            await talk.set_preset(preset.choice if preset.name else None, preset.system or usual)
        except StoreError as error:
            desk.tell(str(error), "error")
            return
        desk.chatting.recount()
        how = f"by the preset {preset.name}" if preset.name else USUAL
        desk.tell(f"Answers in this conversation are made {how} from now on.")


def _brief(preset: Preset) -> str:
    """The one figure that says most about a preset."""
    return f"temperature {preset.sampling['temperature']:g}" if "temperature" in preset.sampling else ""
