"""Pictures of a run: how it went, and what is taken for what. PNG bytes, without a display."""

from __future__ import annotations

import csv
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def curves(log: Path) -> bytes:
    """Draw every figure of a run's log.csv over its epochs: losses on top, accuracies below."""
    with log.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure = Figure(figsize=(7, 6), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    for name in rows[0]:
        shares = "accuracy" in name
        if shares or "loss" in name or name == "nll":
            values = [float(row[name]) for row in rows]
            (lower if shares else upper).plot(epochs, values, label=name.replace("_", " "))
    upper.set_ylabel("log loss")
    lower.set_ylabel("accuracy")
    lower.set_xlabel("epoch")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return _png(figure)


def confusion(figures: Mapping[str, Any]) -> bytes:
    """Draw the confusion table of `metrics.report`: a row per true label, in shares of the row."""
    labels = figures["confusion"]["labels"]
    table = np.array(figures["confusion"]["rows_true_columns_read"], float)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"  # noqa: PLR2004 - the middle of the colours
        axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("read as")
    axes.set_ylabel("labelled")
    axes.set_title(f"accuracy {figures['accuracy']:.1%}, n = {figures['n']}")
    return _png(figure)


def coverage(figures: Mapping[str, Any]) -> bytes:
    """Draw the accuracy among the surest share of the faces, from `metrics.report`."""
    points = sorted((float(share), value) for share, value in figures["coverage_at"].items())
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*points, strict=True), marker="o")
    axes.set_xlabel("share of the faces that are named, surest first")
    axes.set_ylabel("accuracy among them")
    axes.grid(alpha=0.3)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
