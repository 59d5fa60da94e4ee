"""How much of the prior is taken back, so that rare emotions are named where they are seen.

A network learns that rare emotions are rare, and errs against them where it is unsure (logit
adjustment: Menon et al. 2021, eq. 9). Taking the prior of all emotions back costs accuracy where
common ones meet, sad and neutral above all; taken back of the rare ones alone it costs a fifth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from emotion_dj.training import metrics, votes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Numbers = npt.NDArray[np.floating]

RECALL: Final = 0.81
"""Macro-recall that is asked for: 0.80, and a little since it rests on few rare faces."""


class Tilt(NamedTuple):
    """``share`` of the log of the prior that is taken back, of emotions ``rarer_than`` a share of
    the votes, and only as far as that; 1 means all emotions.
    """

    share: float
    rarer_than: float


class Measured(NamedTuple):
    """What a tilt makes of faces whose truth is known."""

    accuracy: float
    macro_recall: float


TILTS: Final = tuple(
    Tilt(round(0.1 * step, 1), rarer_than) for rarer_than in (0.05, 0.1, 1.0) for step in range(13)
)
"""All that are tried."""


def offsets(tilt: Tilt, prior: Numbers) -> Numbers:
    """Return what a tilt adds to the logits, (7,), by the ``prior`` of each emotion."""
    return np.asarray(tilt.share * np.maximum(0, np.log(tilt.rarer_than) - np.log(prior)))


def measured(scores: Numbers, seen: npt.NDArray[np.int64], prior: Numbers) -> dict[Tilt, Measured]:
    """Return what each of TILTS makes of logits (n, 7) of faces that show ``seen`` (n,), indices
    into `votes.EIGHT`.
    """

    def of(tilt: Tilt) -> Measured:
        read = (scores + offsets(tilt, prior)).argmax(axis=1)
        ours = metrics.confusion(read, seen, classes=len(votes.EIGHT))[: votes.SEVEN]
        recall = metrics.macro_recall(ours)
        return Measured(metrics.rounded((read == seen).mean()), metrics.rounded(recall))

    return {tilt: of(tilt) for tilt in TILTS}


def choose(tilts: Mapping[Tilt, Measured]) -> Tilt:
    """Return the tilt that keeps the most accuracy among those that bring the macro-recall to
    RECALL; where none does, the one with the best sum of both. Of equals the least.
    """
    enough = [tilt for tilt, made in tilts.items() if made.macro_recall >= RECALL]
    if not enough:
        return max(tilts, key=lambda tilt: (sum(tilts[tilt]), -tilt.share))
    return max(enough, key=lambda tilt: (tilts[tilt].accuracy, -tilt.share))


def described(tilts: Mapping[Tilt, Measured], chosen: Tilt) -> dict[str, object]:
    """Return what the card says of them."""
    return {
        "towards_rare_emotions": chosen.share,
        "rarer_than": chosen.rarer_than,
        "tried": [{**tilt._asdict(), **made._asdict()} for tilt, made in tilts.items()],
    }
