"""The library drawn on the valence-arousal plane: in characters, as PNG and as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj import affect
from emotion_dj.artifacts import write_atomically
from emotion_dj.domain import Affect, Mood
from emotion_dj.errors import DataError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from emotion_dj.domain import Candidates

UNCERTAINTY_RADIUS: Final = 60
HEIGHT: Final = 21
SHADES: Final = " .:*#@"


def counts(candidates: Candidates) -> dict[str, int]:
    """Return how many tracks stand in the region of each mood."""
    number = np.bincount(moods(candidates.valence, candidates.arousal), minlength=len(Mood))
    return {mood.value: int(count) for mood, count in zip(Mood, number, strict=True)}


def moods(
    valence: npt.NDArray[np.floating], arousal: npt.NDArray[np.floating]
) -> npt.NDArray[np.intp]:
    """Return the mood of each of n points, as `affect.mood` has it: its number in Mood (n,)."""
    words = np.array([place for _, *place in affect.MOOD_WORDS])
    across, up = valence[:, None] - words[:, 0], arousal[:, None] - words[:, 1]
    nearest = (across**2 + affect.AROUSAL_WEIGHT * up**2).argmin(1)
    of_word = np.array([list(Mood).index(mood) for mood, *_ in affect.MOOD_WORDS], np.intp)
    return np.asarray(of_word[nearest])


def drawing(candidates: Candidates) -> str:
    """Return the plane as lines of characters, darker where more tracks stand."""
    shade = np.ceil(_density(candidates, HEIGHT, UNCERTAINTY_RADIUS) * (len(SHADES) - 1))
    lines = ["".join(SHADES[int(value)] for value in line) for line in shade[::-1]]
    return "\n".join(
        [
            "lively".center(UNCERTAINTY_RADIUS + 2),
            "+" + "-" * UNCERTAINTY_RADIUS + "+",
            *(f"|{line}|" for line in lines),
            "+" + "-" * UNCERTAINTY_RADIUS + "+",
            "dark" + "calm".center(UNCERTAINTY_RADIUS - 8) + "bright",
        ]
    )


SIDE: Final = 640
CELLS: Final = 64
COLOURS: Final = {
    Mood.HAPPY: (240, 170, 30),
    Mood.SAD: (70, 110, 200),
    Mood.CALM: (60, 165, 120),
    Mood.ENERGETIC: (215, 70, 80),
}
"""One per mood, told apart also by place: no reader depends on the colour."""


def save(candidates: Candidates, path: Path) -> Path:
    """Draw the plane into a .png or .svg file: each cell in its mood's colour, darker where more
    tracks stand. Raises SettingsError for another suffix, DataError where it cannot be written.
    """
    makers = {".png": _png, ".svg": _svg}
    if path.suffix.lower() not in makers:
        msg = f"'{path.name}' is not a picture that can be drawn: name a .png or .svg file"
        raise SettingsError(msg)
    try:
        return write_atomically(path, makers[path.suffix.lower()](candidates))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise DataError(msg) from error


def _density(candidates: Candidates, rows: int, columns: int) -> npt.NDArray[np.float64]:
    """Count tracks per cell on a logarithmic scale, in [0, 1], arousal upwards."""
    edges = [np.linspace(-1, 1, rows + 1), np.linspace(-1, 1, columns + 1)]
    table, _, _ = np.histogram2d(candidates.arousal, candidates.valence, bins=edges)
    return np.asarray(np.log1p(table) / max(np.log1p(table.max()), 1e-9))


def _cells(candidates: Candidates) -> list[tuple[int, int, str]]:
    """Return the filled cells as (x, y, colour) in cells, y downwards."""
    density = _density(candidates, CELLS, CELLS)
    cells = []
    for row, column in np.argwhere(density > 0):
        middle = Affect(2 * (column + 0.5) / CELLS - 1, 2 * (row + 0.5) / CELLS - 1)
        share = 0.25 + 0.75 * density[row, column]
        mixed = [round(255 - share * (255 - part)) for part in COLOURS[affect.mood(middle)]]
        cells.append((int(column), CELLS - 1 - int(row), "#{:02x}{:02x}{:02x}".format(*mixed)))
    return cells


def _labels() -> list[tuple[float, float, str]]:
    """Return the words on the picture with their middles, in shares of the side."""
    moods = [
        ((valence + 1) / 2, (1 - arousal) / 2, mood.value)
        for mood, (valence, arousal) in affect.MOOD_AFFECT.items()
    ]
    return [*moods, (0.5, 0.025, "lively"), (0.5, 0.975, "calm"), (0.04, 0.475, "dark"),
            (0.955, 0.475, "bright")]  # fmt: skip


def _png(candidates: Candidates) -> bytes:
    from io import BytesIO

    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(picture)
    cell = SIDE // CELLS
    for x, y, colour in _cells(candidates):
        draw.rectangle((x * cell, y * cell, (x + 1) * cell - 1, (y + 1) * cell - 1), fill=colour)
    for line in ((0, SIDE // 2, SIDE, SIDE // 2), (SIDE // 2, 0, SIDE // 2, SIDE)):
        draw.line(line, fill="#888888")
    font = ImageFont.load_default(16)
    for across, down, word in _labels():
        draw.text(
            (across * SIDE, down * SIDE),
            word,
            "#222222",
            font,
            anchor="mm",
            stroke_width=3,
            stroke_fill="white",
        )
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _svg(candidates: Candidates) -> bytes:
    cell = SIDE // CELLS
    squares = "".join(
        f'<rect x="{x * cell}" y="{y * cell}" width="{cell}" height="{cell}" fill="{colour}"/>'
        for x, y, colour in _cells(candidates)
    )
    words = "".join(
        f'<text x="{x * SIDE:.0f}" y="{y * SIDE:.0f}">{word}</text>' for x, y, word in _labels()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" role="img">'
        f"<title>{len(candidates)} tracks on the valence-arousal plane</title>"
        f'<rect width="{SIDE}" height="{SIDE}" fill="#fff"/>{squares}'
        f'<path d="M0 {SIDE / 2}H{SIDE}M{SIDE / 2} 0V{SIDE}" stroke="#888"/>'
        '<g font-family="sans-serif" font-size="16" text-anchor="middle" fill="#222" '
        'dominant-baseline="middle" stroke="#fff" stroke-width="3" paint-order="stroke">'
        f"{words}</g></svg>\n"
    ).encode()
