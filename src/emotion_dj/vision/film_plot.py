"""A film's emotions over time, and its path on the plane, as one SVG picture. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from emotion_dj.domain import Emotion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emotion_dj.domain import Affect, Reading

_WIDTH: Final = 640
_HEIGHT: Final = 240
_MARGIN: Final = 24
_COLOURS: Final = {
    Emotion.ANGRY: "#d62728",
    Emotion.DISGUST: "#8c564b",
    Emotion.FEAR: "#9467bd",
    Emotion.HAPPY: "#e6a700",
    Emotion.NEUTRAL: "#7f7f7f",
    Emotion.SAD: "#1f77b4",
    Emotion.SURPRISE: "#2ca02c",
}


def svg(moments: Sequence[tuple[float, Reading, Affect]]) -> str:
    """Return the picture of (seconds, reading, affect) in order of time, one or more."""
    whole = max(moments[-1][0], 1e-9)
    times = [_MARGIN + _WIDTH * seconds / whole for seconds, _, _ in moments]
    lines = [_curve(times, moments, emotion) for emotion in Emotion]
    legend = [_name(i, emotion) for i, emotion in enumerate(Emotion)]
    width, height = _WIDTH + _HEIGHT + 3 * _MARGIN, _HEIGHT + 3 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [
            head,
            f"<title>Emotions over {whole:.0f} seconds, and their path on the plane</title>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            _frame(_MARGIN, _WIDTH),
            *lines,
            *legend,
            _frame(_PLANE_LEFT, _HEIGHT),
            *_path([affect for _, _, affect in moments]),
            "</svg>\n",
        ]
    )


_PLANE_LEFT: Final = _WIDTH + 2 * _MARGIN


def _curve(
    times: Sequence[float], moments: Iterable[tuple[float, Reading, Affect]], emotion: Emotion
) -> str:
    heights = [
        _MARGIN + _HEIGHT * (1 - reading.probabilities[emotion]) for _, reading, _ in moments
    ]
    return _line(zip(times, heights, strict=True), _COLOURS[emotion])


def _path(points: Iterable[Affect]) -> list[str]:
    """Return the way on the plane, with a dot where it ends; happy is right, lively is above."""
    places = [
        (
            _PLANE_LEFT + _HEIGHT * (1 + point.valence) / 2,
            _MARGIN + _HEIGHT * (1 - point.arousal) / 2,
        )
        for point in points
    ]
    x, y = places[-1]
    return [_line(places, "#333"), f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#333"/>']


def _line(points: Iterable[tuple[float, float]], colour: str) -> str:
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _frame(left: float, width: float) -> str:
    return (
        f'<rect x="{left}" y="{_MARGIN}" width="{width}" height="{_HEIGHT}" fill="none" '
        'stroke="#bbb"/>'
    )


def _name(place: int, emotion: Emotion) -> str:
    x, y = _MARGIN + place * _WIDTH / len(Emotion), _HEIGHT + 2 * _MARGIN
    return f'<text x="{x:.0f}" y="{y}" fill="{_COLOURS[emotion]}">{emotion.value}</text>'
