"""The recipe of the face reader, in reading order: data, schedule, epochs, the best weights.

    emotion-dj train emotion --data T.parquet --validate V.parquet --out runs/1
    emotion-dj train emotion --data T.parquet --validate V.parquet --out runs/2 --teacher runs/1

Every face is asked about twice: what FER2013's label is, and how FER+'s ten annotators voted. The
two agree on two faces of three, so one answer cannot serve both, but what the votes teach about a
face helps to tell its label; `emotion_card.publish` folds both answers into one network of seven.

A run lives in a folder: `checkpoint.pt` (everything needed to go on exactly, the shape of the
network included) and `log.csv` (one line per epoch). Killed training continues with the same
command. The same recipe runs on a CPU and on an accelerator, in bfloat16 where that is fast.
"""

from __future__ import annotations

import csv
import dataclasses
import os
from dataclasses import dataclass, field
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emotion_dj.errors import DataError
from emotion_dj.training import emotion_data
from emotion_dj.training.augment import Augmentation, standardise
from emotion_dj.training.emotion_net import EmotionNet
from emotion_dj.training.muon import Muon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from emotion_dj.training.emotion_data import LabelledFaces

    Report = Callable[[int, int], None]

_CONVOLUTION: Final = 4
"""Dimensions of a convolution's weight."""

COLUMNS: Final = (
    *("epoch", "side", "lr", "loss", "accuracy", "accuracy_mirrored", "nll"),
    "agreement_with_votes",
)
QUESTIONS: Final = 2
"""FER2013's label, and FER+'s votes."""

GENTLE: Final = 0.4
"""Share of the variation that is left in the last epochs."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a run.

    ``widths`` and ``blocks`` shape the network (see `EmotionNet`). ``sides`` are (share of the
    run, side in pixels): small faces first, since early epochs learn coarse things and cost a
    third there. ``rate`` is Muon's, for the convolutions, ``rate_of_rest`` SGD's, for the other
    weights; both rise for ``warmup`` epochs, hold, and fall linearly to 0 from ``decay_from`` (a
    share of the run) on. Then come ``settle`` of the run's length more, from ``rate_settling`` of
    the rates down to 0, with GENTLE variation, since the faces that will be read are not varied (He
    et al. 2019, "Data augmentation revisited"). ``votes`` is the weight of the second question's
    loss (the votes) against the first's (the label). ``distil`` is the weight, in both, of the
    teachers' opinion of the very same varied face against those targets (Hinton et al. 2015; Beyer
    et al. 2022).
    """

    widths: tuple[int, ...] = (32, 64, 128, 160)
    blocks: tuple[int, ...] = (1, 2, 3, 1)
    epochs: int = 75
    batch: int = 128
    rate: float = 0.05
    rate_of_rest: float = 0.02
    warmup: int = 2
    decay_from: float = 0.35
    settle: float = 0.05
    rate_settling: float = 0.1
    sides: tuple[tuple[float, int], ...] = ((0.3, 32), (0.45, 40), (1.0, 48))
    votes: float = 0.5
    distil: float = 0.7
    average: float = 0.998
    seed: int = 7
    compiled: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def length(self) -> int:
        """Epochs in all."""
        return self.epochs + round(self.settle * self.epochs)


TEACHER: Final = Recipe(
    widths=(64, 128, 256, 512),
    blocks=(2, 2, 2, 2),
    epochs=47,
    batch=256,
    rate=0.06,
    rate_of_rest=0.03,
    average=0.997,
    augmentation=Augmentation(shift=0.1, scale=1.2, roll=15.0, covered=0.25),
)
"""Too large to ship: what it learns is distilled into the network that does. Varied more, since it
has room to know its faces by heart; 71.2 % of FER2013's public test (docs/log.md)."""

FURTHER: Final = Recipe(
    epochs=28,
    rate=0.015,
    rate_of_rest=0.006,
    warmup=1,
    decay_from=0.0,
    sides=((1.0, 48),),
    distil=0.8,
)
"""For a run that begins with trained weights: the last third of the way once more, under better
teachers. At the full rate those weights are forgotten within five epochs."""


class Run:
    """One training run in its folder; `train` drives it."""

    def __init__(self, recipe: Recipe, folder: Path, *, start: Sequence[nn.Module] = ()) -> None:
        """Begin, or go on from the folder's checkpoint.

        ``start`` are earlier networks, from the mean of whose weights a new run begins (Wortsman et
        al. 2022, "Model soups"). Raises DataError where checkpoint or networks do not fit.
        """
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder = recipe, folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        net = _network(recipe.widths, recipe.blocks)
        if start:
            _average(start, net)
        net = self.net = net.to(self.device)
        self.average = AveragedModel(
            net, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True
        )
        self.optimisers = (
            Muon([p for p in net.parameters() if p.ndim == _CONVOLUTION], lr=recipe.rate),
            torch.optim.SGD(
                [p for p in net.parameters() if p.ndim != _CONVOLUTION],
                lr=recipe.rate_of_rest,
                momentum=0.9,
                weight_decay=5e-4,
                nesterov=True,
            ),
        )
        self.epoch = 0
        folder.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            self._resume()

    @property
    def _file(self) -> Path:
        return self.folder / "checkpoint.pt"

    def save(self) -> None:
        """Write the checkpoint whole or not at all, so that a full disk keeps the last good one."""
        new = self._file.with_suffix(".new")
        torch.save(
            {
                "recipe": dataclasses.asdict(self.recipe),
                "epoch": self.epoch,
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "random": _random(),
            },
            new,
        )
        new.replace(self._file)

    def _resume(self) -> None:
        state = torch.load(self._file, weights_only=True, map_location=self.device)
        if state["recipe"] != dataclasses.asdict(self.recipe):
            msg = f"{self._file} belongs to another recipe: give another --out, or remove it"
            raise DataError(msg)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        here, *accelerators = state["random"]
        torch.set_rng_state(here.cpu())
        torch.cuda.set_rng_state_all([there.cpu() for there in accelerators])
        self.epoch = state["epoch"]


def _average(nets: Sequence[nn.Module], into: nn.Module) -> None:
    states = [net.state_dict() for net in nets]
    try:
        mean = {
            name: torch.stack([state[name].float() for state in states]).mean(dim=0)
            for name in into.state_dict()
        }
        into.load_state_dict(mean)
    except (RuntimeError, KeyError) as error:
        msg = "the runs to start from have other shapes than this recipe's network"
        raise DataError(msg) from error


def _random() -> list[torch.Tensor]:
    """Return the state of the random numbers: this machine's, then each accelerator's."""
    return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]


def train(
    run: Run,
    faces: LabelledFaces,
    held: LabelledFaces,
    *,
    teachers: Sequence[nn.Module] = (),
    report: Report = lambda _d, _t: None,
) -> EmotionNet:
    """Train to the end of the recipe and return the averaged network, on the CPU.

    ``held`` chooses and is never trained on: faces pixel-identical to one of it are left out.
    ``teachers`` are earlier networks of this recipe; they see every varied face anew. The network
    answers both questions: logits (n, 14), the label's seven first.
    """
    recipe = run.recipe
    pixels, targets = _examples(faces, held)
    steps = len(pixels) // recipe.batch
    while run.epoch < recipe.length:
        losses: list[torch.Tensor] = []
        for loss in _steps(run, pixels.to(run.device), targets.to(run.device), teachers):
            losses.append(loss)
            report(run.epoch * steps + len(losses), recipe.length * steps)
        run.epoch += 1
        _log(run, {"loss": float(sum(losses)) / steps, **evaluate(averaged(run), held)})
        run.save()
    run.save()  # one of no epochs, too, may be a teacher or a start
    return averaged(run).cpu()


def load(folder: Path) -> tuple[EmotionNet, dict[str, Any]]:
    """Return the averaged network of a run and its recipe.

    The run may be unfinished. Raises DataError.
    """
    path = folder / "checkpoint.pt"
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        recipe = state["recipe"]
        net = _network(recipe["widths"], recipe["blocks"])
        average = AveragedModel(net)
        average.load_state_dict(state["average"])
    except (OSError, RuntimeError, KeyError, UnpicklingError) as error:
        msg = f"{path} is not a checkpoint of this recipe: {error}"
        raise DataError(msg) from error
    return cast("EmotionNet", average.module.eval()), recipe


def averaged(run: Run) -> EmotionNet:
    """Return the averaged network of a run, for evaluation."""
    net: Any = run.average.module
    return cast("EmotionNet", net.eval())


def _network(widths: Sequence[int], blocks: Sequence[int]) -> EmotionNet:
    return EmotionNet(widths, blocks, classes=QUESTIONS * len(emotion_data.LABELS))


def is_half_fast() -> bool:
    """Tell whether bfloat16 is computed in hardware: 1,253 against 796 faces a second there."""
    return torch.cuda.is_available() or bool(torch.cpu.get_capabilities().get("avx512_bf16"))


@torch.no_grad()
def logits(net: nn.Module, pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits (n, classes) of uint8 faces (n, 48, 48) and of their mirror images."""
    device = next(net.parameters()).device
    faces = standardise(torch.from_numpy(pixels).unsqueeze(1).float() / 255)
    faces = faces.to(device, memory_format=torch.channels_last)
    plain = torch.cat([net(part) for part in faces.split(256)])
    mirrored = torch.cat([net(part.flip(3)) for part in faces.split(256)])
    return plain.cpu(), mirrored.cpu()


def evaluate(net: nn.Module, held: LabelledFaces) -> dict[str, float]:
    """Return, of a network that answers both questions, over faces: the label's accuracy plain and
    mirrored (the mean of both) and log loss, and how often the most votes were foreseen.
    """  # noqa: D205
    labels, asked = torch.from_numpy(held.labels), torch.from_numpy(held.votes.sum(axis=1) > 0)
    majority = torch.from_numpy(held.votes.argmax(axis=1))
    plain, mirrored = logits(net, held.pixels)
    label, votes = ((plain + mirrored) / 2).chunk(QUESTIONS, dim=1)
    return {
        "accuracy": _accuracy(plain.chunk(QUESTIONS, dim=1)[0], labels),
        "accuracy_mirrored": _accuracy(label, labels),
        "nll": float(functional.cross_entropy(label, labels)),
        "agreement_with_votes": _accuracy(votes[asked], majority[asked]),
    }


def _examples(faces: LabelledFaces, held: LabelledFaces) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pixels (n, 1, 48, 48) and targets (n, 2, 7): the label and the votes."""
    allowed = emotion_data.without(faces, held.digests())
    targets = np.stack([emotion_data.labels(allowed), emotion_data.votes(allowed)], axis=1)
    pixels, targets = emotion_data.merge_identical(allowed, targets)
    return torch.from_numpy(pixels).unsqueeze(1), torch.from_numpy(targets)


def _steps(
    run: Run, pixels: torch.Tensor, targets: torch.Tensor, teachers: Sequence[nn.Module]
) -> Iterator[torch.Tensor]:
    """Train for one epoch; yield the loss of each step, which nobody waits for."""
    recipe, side = run.recipe, _side(run.recipe, run.epoch)
    vary = recipe.augmentation
    if run.epoch >= recipe.epochs:
        vary = vary.gentler(GENTLE)
    net = _compiled(run.net.train(), recipe)
    masters = [_compiled(teacher.to(run.device).eval(), recipe) for teacher in teachers]
    order = torch.randperm(len(pixels)).to(run.device)
    batches = list(_batches(order, recipe.batch))
    for step, rows in enumerate(batches):
        _set_rate(run, run.epoch + step / len(batches))
        faces = vary(pixels[rows].float() / 255, side)
        faces = standardise(faces).to(memory_format=torch.channels_last)
        with torch.autocast(run.device.type, torch.bfloat16, enabled=is_half_fast()):
            wanted = _with_opinions(faces, targets[rows], masters, recipe.distil)
            answers = _answers(net(faces))
        label, votes = -(wanted * answers).sum(dim=2).mean(dim=0)
        loss = label + recipe.votes * votes
        run.net.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in run.optimisers:
            optimiser.step()
        run.average.update_parameters(run.net)
        yield loss.detach()


def _compiled(net: nn.Module, recipe: Recipe) -> Callable[[torch.Tensor], torch.Tensor]:
    compiled: Any = torch.compile(net, dynamic=False) if recipe.compiled else net
    return cast("Callable[[torch.Tensor], torch.Tensor]", compiled)


@torch.no_grad()
def _with_opinions(
    faces: torch.Tensor,
    targets: torch.Tensor,
    masters: Sequence[Callable[[torch.Tensor], torch.Tensor]],
    share: float,
) -> torch.Tensor:
    """Blend the targets (n, 2, 7) with the teachers' mean answers to the same faces."""
    if not masters:
        return targets
    opinion = torch.stack([_answers(master(faces)) for master in masters]).mean(0).softmax(2)
    return (1 - share) * targets + share * opinion


def _answers(logits: torch.Tensor) -> torch.Tensor:
    """Return the log probabilities (n, 2, 7) of logits (n, 14), each question for itself."""
    return logits.float().view(len(logits), QUESTIONS, -1).log_softmax(dim=2)


def _batches(order: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Yield whole batches only: a compiled network is made for one shape."""
    yield from order[: len(order) // size * size].split(size)


def _side(recipe: Recipe, epoch: int) -> int:
    reached = [side for until, side in recipe.sides if epoch < until * recipe.epochs]
    return (*reached, recipe.sides[-1][1])[0]


def _set_rate(run: Run, epoch: float) -> None:
    share = _share_of_rate(run.recipe, epoch)
    rates = (run.recipe.rate, run.recipe.rate_of_rest)
    for optimiser, rate in zip(run.optimisers, rates, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = rate * share


def _share_of_rate(recipe: Recipe, epoch: float) -> float:
    if epoch >= recipe.epochs:
        return recipe.rate_settling * (recipe.length - epoch) / (recipe.length - recipe.epochs)
    rising = epoch / recipe.warmup if recipe.warmup else 1.0
    return min(1.0, rising, (1 - epoch / recipe.epochs) / (1 - recipe.decay_from))


def _accuracy(scores: torch.Tensor, labels: torch.Tensor) -> float:
    return float((scores.argmax(dim=1) == labels).float().mean())


def _log(run: Run, figures: dict[str, float]) -> None:
    path = run.folder / "log.csv"
    is_new = not path.exists()
    row = {
        "epoch": run.epoch,
        "side": _side(run.recipe, run.epoch - 1),
        "lr": round(run.optimisers[0].param_groups[0]["lr"], 5),
        **{name: round(value, 4) for name, value in figures.items()},
    }
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
        file.flush()
        os.fsync(file.fileno())
