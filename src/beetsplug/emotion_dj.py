"""A plug-in for beets (https://beets.io): mood, bpm, initial_key, valence and arousal by ear.

    plugins: emotion_dj
    emotion_dj:
        auto: no     # hear what is imported
        force: no    # also what was heard before
        write: no    # also write the tags into the files

``beet emotiondj [QUERY]`` hears what the query finds; then ``beet ls mood:calm arousal:..-0.3``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from beets import ui
from beets.dbcore import types
from beets.plugins import BeetsPlugin

from emotion_dj import affect
from emotion_dj.app import model_registry
from emotion_dj.errors import EmotionDJError
from emotion_dj.sources import tag_forms, tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from beets.importer import ImportSession, ImportTask
    from beets.library import Item, Library

    from emotion_dj.domain import Analysis
    from emotion_dj.interfaces import AudioAnalyser

FIELDS = {
    "mood": tag_forms.MOOD,
    "bpm": tag_forms.BPM,
    "initial_key": tag_forms.KEY,
    "valence": tags.VALENCE,
    "arousal": tags.AROUSAL,
}
"""beets's name of a field -> the name of the tag in a file."""


class EmotionDJPlugin(BeetsPlugin):
    """Fills the five fields of items with what our ear hears."""

    item_types = {  # noqa: RUF012 - beets reads it from the class
        "mood": types.STRING,
        "valence": types.FLOAT,
        "arousal": types.FLOAT,
    }

    def __init__(self) -> None:
        """Hear imported music only where the user's configuration says ``auto: yes``."""
        super().__init__("emotion_dj")
        self.config.add({"auto": False, "force": False, "write": False})
        if self.config["auto"].get(bool):
            self.import_stages = [self.imported]

    @cached_property
    def audio_model(self) -> AudioAnalyser:
        """Our analyser, loaded with the first item."""
        return model_registry.audio_model()

    def commands(self) -> list[ui.Subcommand]:
        """Offer ``beet emotiondj``."""
        command = ui.Subcommand("emotiondj", help="hear mood, tempo and key of music")
        for short, name, words in (
            ("-f", "force", "hear again what was heard before"),
            ("-w", "write", "also write the tags into the files"),
        ):
            command.parser.add_option(short, f"--{name}", action="store_true", help=words)
        command.func = self._command
        return [command]

    def _command(self, library: Library, options: Any, query: list[str]) -> None:
        self.config.set_args(options)
        self.fill(library.items(query))

    def imported(self, _session: ImportSession, task: ImportTask) -> None:
        """Hear what is being imported."""
        self.fill(task.imported_items())

    def fill(self, items: Iterable[Item]) -> None:
        """Hear items and keep what was heard; what cannot be heard or tagged is named."""
        heard = failed = 0
        for item in items:
            if "valence" in item and not self.config["force"].get(bool):
                continue
            try:
                self._fill(item, self.audio_model.analyse(item.filepath))
                heard += 1
            except EmotionDJError as error:
                failed += 1
                self._log.warning("passed over: {}", error)
        self._log.info("{} heard, {} failed", heard, failed)

    def _fill(self, item: Item, analysis: Analysis) -> None:
        fields = tags.heard(analysis, affect.mood(analysis.affect))
        for name, tag in FIELDS.items():
            if tag in fields:
                item.set_parse(name, fields[tag])
        if self.config["write"].get(bool) and tags.write(item.filepath, fields):
            item.mtime = item.current_mtime()
        item.store()
