"""What decides a run of the face reader's training; `emotion` carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from emotion_dj.training.augment import Augmentation


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a run.

    ``widths`` and ``blocks`` shape the network (see `EmotionNet`). ``sides`` are (share of the
    run, side in pixels): small faces first, since early epochs learn coarse things and cost a
    third there. ``rate`` is Muon's, for the convolutions, ``rate_of_rest`` SGD's, for the other
    weights; both rise for ``warmup`` epochs, hold, and fall linearly to 0 from ``decay_from`` (a
    share of the run) on. Then come ``settle`` epochs more, from ``rate_settling`` of the rates
    down to 0, with gentler variation, since the faces that will be read are not varied (He et al.
    2019, "Data augmentation revisited").

    The votes count 1 in the loss, ``label`` is the weight of FER2013's label, a second question,
    and ``hidden`` that of what is hidden, the third. ``distil`` is the weight, in the first two,
    of the teachers' opinion of the very same varied face against those targets (Hinton et al.
    2015; Beyer et al. 2022); they are asked in a share of the steps, ``taught``, by lot, since
    asking costs half as much as learning. ``balance`` draws faces of rare emotions more often, by
    so much of the logarithm of the votes' prior (0: every face once in an epoch). ``average`` is
    the share of itself that the average of the weights keeps at each step.

    The first ``frozen`` levels keep the weights that a run begins with. Where ``views`` is not 0,
    that many varied views of each face, and some gentler ones for the settling, are put through
    those levels once and for all: an epoch then costs what the upper levels cost. What they said is
    varied again: ``noise`` on each channel, for a share of the batches a shift by one place
    (``shifted``), for a share of the faces a block that is made flat (``blocked``).
    """

    widths: tuple[int, ...] = (32, 64, 128, 160)
    blocks: tuple[int, ...] = (1, 2, 3, 1)
    epochs: int = 75
    batch: int = 128
    rate: float = 0.05
    rate_of_rest: float = 0.02
    warmup: float = 2.0
    decay_from: float = 0.35
    settle: int = 4
    rate_settling: float = 0.1
    sides: tuple[tuple[float, int], ...] = ((0.3, 32), (0.45, 40), (1.0, 48))
    label: float = 0.2
    hidden: float = 0.1
    distil: float = 0.7
    taught: float = 1.0
    balance: float = 0.0
    average: float = 0.998
    seed: int = 7
    compiled: bool = True
    frozen: int = 0
    views: int = 0
    noise: float = 0.0
    shifted: float = 0.0
    blocked: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def length(self) -> int:
        """Epochs in all."""
        return self.epochs + self.settle

    def side(self, epoch: int) -> int:
        """Return the side of the faces, in pixels, in an epoch."""
        reached = [side for until, side in self.sides if epoch < until * self.epochs]
        return (*reached, self.sides[-1][1])[0]

    def share_of_rate(self, epoch: float) -> float:
        """Return the share of both rates at a moment of the run, counted in epochs."""
        if epoch >= self.epochs:
            return self.rate_settling * max(0.0, 1 - (epoch - self.epochs) / max(1, self.settle))
        rising = epoch / self.warmup if self.warmup else 1.0
        falling = (1 - epoch / self.epochs) / (1 - self.decay_from)
        floor = self.rate_settling if self.settle else 0.0
        return min(1.0, rising, max(floor, falling))


TEACHER: Final = Recipe(
    widths=(64, 128, 256, 512),
    blocks=(2, 2, 2, 2),
    epochs=47,
    batch=256,
    rate=0.06,
    rate_of_rest=0.03,
    average=0.997,
)
"""Too large to ship: what it learns is distilled into the network that does (docs/log.md)."""

FURTHER: Final = Recipe(
    epochs=12,
    rate=0.02,
    rate_of_rest=0.008,
    warmup=0.3,
    decay_from=0.0,
    settle=2,
    sides=((1.0, 48),),
    frozen=2,
    views=8,
    noise=0.1,
    shifted=0.5,
    blocked=0.2,
)
"""For a run that begins with trained weights: those of the lower levels stay, so that two busy
cores are enough. At the full rate the others are forgotten within five epochs."""

FRESH: Final = Recipe(
    epochs=30,
    rate=0.03,
    rate_of_rest=0.01,
    warmup=0.5,
    decay_from=0.0,
    settle=3,
    sides=((1.0, 48),),
    distil=0.8,
    taught=0.5,
    balance=0.3,
    seed=11,
    frozen=1,
)
"""For a run that begins with trained weights and sees every face anew, under teachers: what
`FURTHER` cannot learn is in views that it never saw. An hour of one core."""
