"""Music made a little faster or slower, its pitch held: Signalsmith's library, the extra `mix`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float32]

RATE: Final = 48_000
MOST: Final = 0.04
"""Share by which tempo is changed at most: more is heard."""

SPLICE: Final = RATE // 50
"""Samples over which stretched music goes over into music as it is."""


def can_stretch() -> bool:
    """Say whether the library is there."""
    return find_spec("python_stretch") is not None


def stretched(samples: Floats, length: int) -> Floats:
    """Return stereo samples (2, n) at RATE stretched to a length."""
    from python_stretch import Signalsmith

    stretch: Any = Signalsmith.Stretch()
    stretch.preset(len(samples), RATE)
    stretch.setTimeFactor(samples.shape[1] / length)
    new = np.asarray(stretch.process(np.ascontiguousarray(samples)), np.float32)[:, :length]
    return np.pad(new, ((0, 0), (0, length - new.shape[1])))
