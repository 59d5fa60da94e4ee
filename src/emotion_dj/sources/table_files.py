"""Tables as files: CSV of any dialect and encoding, JSON, JSON lines and Parquet, row by row."""

from __future__ import annotations

import codecs
import csv
import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from emotion_dj.errors import DataError, MissingExtra
from emotion_dj.sources import text_guess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emotion_dj.json_types import Json, JsonObject

_MARKS: Final = ",;\t|"
"""What parts the cells of a row."""

_BOMS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How files begin that say their encoding; the longer of two is asked about first."""

_HEAD: Final = 4096
_BLOCK: Final = 1 << 20
_PLURAL: Final = re.compile(r"(?<=\w)\(s\)", re.IGNORECASE)
_BRACKET: Final = re.compile(r"[(\[{](?!(?:ms|s|sec|seconds|milliseconds)[)\]}])[^)\]}]*[)\]}]")
_HUMP: Final = re.compile(r"(?<=[a-z]{2})(?=[A-Z])")
_APART: Final = re.compile(r"[\W_]+")
_UNIT: Final = re.compile(r"_(?:bpm|dbfs|db|lufs|percent|pct|0_1|0_100)$")


def named_rows(path: Path) -> Iterator[JsonObject]:
    """Yield the rows of a table by the names of its columns as `plain` has them; at least one.

    Raises DataError or MissingExtra.
    """
    readers = {".parquet": _parquet, ".json": _json, ".jsonl": _json, ".ndjson": _json}
    rows = readers.get(path.suffix.lower(), _csv)(path)
    first = next(rows, None)
    if first is None:
        msg = f"{path} holds no track"
        raise DataError(msg)
    yield from chain([first], rows)


def plain(name: str) -> str:
    """Return a column's name in lower case, its words parted by "_", without brackets and units; of
    units only those of time tell what a number means, and stay.
    """
    words = _HUMP.sub("_", _BRACKET.sub(" ", _PLURAL.sub("s", name)))
    return _UNIT.sub("", _APART.sub("_", words.casefold()).strip("_"))


def cells(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a CSV file, that of the names first. Raises DataError."""
    try:
        with path.open(newline="", encoding=encoding_of(path)) as file:
            yield from csv.reader(file, delimiter=_delimiter(file.readline(), file.seek))
    except (OSError, UnicodeError, csv.Error) as error:
        msg = f"{path} cannot be read as a CSV file: {error}"
        raise DataError(msg) from error


def documents(data: str) -> Iterator[Json]:
    """Yield the value of a JSON text, or one for each of its lines. Raises ValueError."""
    try:
        try:
            yield json.loads(data)
        except json.JSONDecodeError:
            lines = [line for line in data.splitlines() if line.strip()]
            if len(lines) < 2:  # noqa: PLR2004 - one line was tried
                raise
            yield from map(json.loads, lines)
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise ValueError(msg) from error


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file: that it says, UTF-8 where it is, else the likeliest.

    Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if said := encoding_by_head(head):
            return said
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for block in iter(lambda: file.read(_BLOCK), b""):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return text_guess.encoding_of(path.read_bytes())
    return "utf-8"


def encoding_by_head(head: bytes) -> str | None:
    """Return the encoding that the first bytes of a text tell, None where they tell none."""
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name
    if b"\0" not in head:
        return None
    return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"


def _delimiter(line: str, seek: Callable[[int], object]) -> str:
    """Return what parts the cells of a table, by its first line, which is read again where it is
    more than the word on this that Excel writes.
    """
    word, _, mark = line.strip().partition("=")
    if word.lower() == "sep" and len(mark) == 1:
        return mark
    seek(0)
    return max(_MARKS, key=lambda one: len(next(csv.reader([line], delimiter=one), [])))


def _csv(path: Path) -> Iterator[JsonObject]:
    rows = cells(path)
    names = [plain(name) for name in next(rows, [])]
    for row in rows:
        if any(row):
            yield {name: cell for name, cell in zip(names, row, strict=False) if name}


def _json(path: Path) -> Iterator[JsonObject]:
    try:
        text = path.read_text(encoding=encoding_of(path))
        for value in documents(text):
            for row in value if isinstance(value, list) else [value]:
                yield {plain(name): cell for name, cell in row.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        msg = f"{path} cannot be read as a JSON list of tracks: {error}"
        raise DataError(msg) from error


def _parquet(path: Path) -> Iterator[JsonObject]:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("tables", "a Parquet file") from error
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                yield {plain(name): value for name, value in row.items()}
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as a Parquet file: {error}"
        raise DataError(msg) from error
