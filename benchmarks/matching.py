"""How often `matching` is right: precision and recall on tests/data/matching.csv.

The rows fall into two halves by a checksum of their titles. Rules are changed by looking at the
half called dev only (``--errors`` shows its errors); the figure that counts is that of the half
called held.
"""

from __future__ import annotations

import csv
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asked import parser

from emotion_dj.domain import Track
from emotion_dj.matching import same

if TYPE_CHECKING:
    from collections.abc import Iterable

LIST = Path(__file__).parents[1] / "tests" / "data" / "matching.csv"


class Pair(NamedTuple):
    """Two descriptions, whether they are of one recording, and what makes it hard."""

    a: Track
    b: Track
    same: bool
    kind: str


class Score(NamedTuple):
    """Shares, and how many pairs they were counted on."""

    precision: float
    recall: float
    pairs: int


def pairs(half: str) -> list[Pair]:
    """Return the rows of a half, dev or held."""
    with LIST.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if _half(row) == half]
    return [
        Pair(_track(row, "a"), _track(row, "b"), row["same"] == "1", row["kind"]) for row in rows
    ]


def score(judged: Iterable[tuple[bool, bool]]) -> Score:
    """Return precision and recall of (said, true)."""
    counts = Counter(judged)
    right = counts[True, True]
    said, true = right + counts[True, False], right + counts[False, True]
    return Score(right / max(said, 1), right / max(true, 1), counts.total())


def _half(row: dict[str, str]) -> str:
    return ("dev", "held")[zlib.crc32(f"{row['title_a']}\n{row['title_b']}".encode()) % 2]


def _track(row: dict[str, str], side: str) -> Track:
    seconds = row[f"seconds_{side}"]
    return Track(
        uri=f"test:{side}",
        title=row[f"title_{side}"],
        artists=tuple(row[f"artists_{side}"].split(";")),
        duration=float(seconds) if seconds else None,
        isrc=row[f"isrc_{side}"] or None,
    )


def main() -> None:
    """Print both halves."""
    options = parser(__doc__)
    options.add_argument("--errors", action="store_true", help="show what goes wrong in dev")
    wanted = options.parse_args()
    for half in ("dev", "held"):
        listed = pairs(half)
        found = score((same(pair.a, pair.b), pair.same) for pair in listed)
        print(f"{half:5} {found.pairs} pairs: precision {found.precision:.3f}, ", end="")
        print(f"recall {found.recall:.3f}")
        if half == "dev" and wanted.errors:
            for pair in listed:
                if same(pair.a, pair.b) != pair.same:
                    print(f"  {pair.kind}: {pair.a.title} / {pair.b.title}")


if __name__ == "__main__":
    main()
