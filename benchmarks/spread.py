"""How benchmarks speak: every figure with its spread."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def spread(name: str, values: Sequence[float], unit: str, *, goal: str = "") -> None:
    """Print minimum, median and maximum of repeated measurements."""
    middle = statistics.median(values)
    aim = f"  (asked: {goal})" if goal else ""
    print(
        f"{name}: median {middle:.3g} {unit}, {min(values):.3g} to {max(values):.3g}, "
        f"n = {len(values)}{aim}"
    )
