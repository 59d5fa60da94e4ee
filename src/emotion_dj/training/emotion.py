"""Training of the face reader, in reading order: data, epochs, the best weights.

    emotion-dj train emotion --data T.parquet --validate V.parquet --out runs/1
    emotion-dj train emotion --data T.parquet --validate V.parquet --out runs/2 --teacher runs/1

Every face is asked about three times: how FER+'s ten annotators voted, which is the truth that
counts; what FER2013's label is, which helps to tell the votes; and whether its mouth or its eyes
are hidden, which `hidden` fits again at the end. `emotion_card.publish` folds the first two answers
into one network of seven.

A run lives in a folder: `checkpoint.pt` (everything needed to go on exactly, the shape of the
network included) and `log.csv` (one line per epoch). Killed training continues with the same
command. The same recipe runs on a CPU and on an accelerator, in bfloat16 where that is fast.
"""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch.nn import functional

from emotion_dj.training import emotion_data, emotion_run, hidden, metrics, published
from emotion_dj.training.augment import standardise
from emotion_dj.training.emotion_views import Kept, Varied, answers, compiled, in_half

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from torch import nn

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_data import LabelledFaces
    from emotion_dj.training.emotion_net import EmotionNet
    from emotion_dj.training.emotion_run import Run
    from emotion_dj.training.emotion_views import Seen

    Report = Callable[[int, int], None]
    Source = Callable[[torch.Tensor, int], Seen]

COLUMNS: Final = (
    *("epoch", "side", "lr", "loss", "agreement_with_votes", "macro_recall", "nll"),
    "accuracy_on_labels",
)


def train(
    run: Run,
    faces: LabelledFaces,
    held: LabelledFaces,
    *,
    teachers: Sequence[nn.Module] = (),
    report: Report = lambda _d, _t: None,
) -> EmotionNet:
    """Train to the end of the recipe and return the averaged network, on the CPU.

    ``held`` chooses and is never trained on: faces pixel-identical to one of it are left out, and
    so are those in which most people saw none of the seven emotions. ``teachers`` are earlier
    networks of this recipe; they see every varied face anew. The network answers all questions:
    logits (n, 16), the votes' seven first, then the label's.
    """
    recipe = run.recipe
    run.save()  # what lies in the folder is of this recipe from now on; none of no epochs is lost
    pixels, targets = examples(faces, held)
    steps = len(pixels) // recipe.batch
    source = _source(run, pixels, teachers)
    while run.epoch < recipe.length:
        losses: list[torch.Tensor] = []
        for loss in _steps(run, source, targets):
            losses.append(loss)
            report(run.epoch * steps + len(losses), recipe.length * steps)
        run.epoch += 1
        _log(run, {"loss": float(sum(losses)) / len(losses), **evaluate(run.averaged(), held)})
        run.save()
    net = run.averaged().cpu()
    if recipe.length:
        hidden.refit(net, pixels, recipe.augmentation, seed=recipe.seed)
    return net


def begun(path: Path, faces: LabelledFaces, held: LabelledFaces) -> tuple[EmotionNet, JsonObject]:
    """Return the network that a run left in its folder, or the one of a reader's card, and its
    recipe. Raises DataError or ArtifactError.
    """
    return emotion_run.load(path) if path.is_dir() else published.load(path, *examples(faces, held))


@torch.no_grad()
def logits(net: nn.Module, pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits (n, classes) of uint8 faces (n, 48, 48) and of their mirror images."""
    device = next(net.parameters()).device
    faces = standardise(torch.from_numpy(pixels).unsqueeze(1).float() / 255)
    faces = faces.to(device, memory_format=torch.channels_last)
    plain = torch.cat([net(part) for part in faces.split(256)])
    mirrored = torch.cat([net(part.flip(3)) for part in faces.split(256)])
    return plain.cpu(), mirrored.cpu()


def answered(net: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Return both answers of a network (n, 2, 7) as log probabilities, each the mean over a face
    and its mirror image.
    """
    plain, mirrored = logits(net, pixels)
    return answers((plain + mirrored) / 2).numpy()


def evaluate(net: nn.Module, held: LabelledFaces) -> dict[str, float]:
    """Return, of a network that answers all questions, over faces and their mirror images: how
    often it reads what most people saw, the mean recall and the log loss of that (of the labels,
    where nobody voted), and how often its other answer is FER2013's label.
    """
    votes, label = answered(net, held.pixels).swapaxes(0, 1)
    rows, seen = emotion_data.judged(held, emotion_data.truth_of(held))
    read, ours = votes[rows].argmax(axis=1), seen < len(emotion_data.LABELS)
    table = metrics.confusion(read[ours], seen[ours], classes=len(emotion_data.LABELS))
    return {
        "agreement_with_votes": float((read == seen).mean()),
        "macro_recall": metrics.macro_recall(table),
        "nll": -float(votes[rows][ours, seen[ours]].mean()),
        "accuracy_on_labels": float((label.argmax(axis=1) == held.labels).mean()),
    }


def examples(faces: LabelledFaces, held: LabelledFaces) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pixels (n, 1, 48, 48) and targets (n, 2, 7), the votes' shares and the label, of the
    faces that may be learnt from.
    """
    allowed = emotion_data.learnable(emotion_data.without(faces, held.digests()))
    targets = np.stack([emotion_data.shares(allowed), emotion_data.labels(allowed)], axis=1)
    pixels, targets = emotion_data.merge_identical(allowed, targets)
    return torch.from_numpy(pixels).unsqueeze(1), torch.from_numpy(targets)


def _source(run: Run, pixels: torch.Tensor, teachers: Sequence[nn.Module]) -> Source:
    is_kept = run.recipe.views and run.epoch < run.recipe.length
    return (Kept if is_kept else Varied)(run, pixels, teachers)


def _steps(run: Run, source: Source, targets: torch.Tensor) -> Iterator[torch.Tensor]:
    """Train for one epoch; yield the loss of each step, which nobody waits for."""
    recipe = run.recipe
    run.net.train()
    run.lower.eval()
    net = compiled(run.upper, recipe)
    order = _drawn(targets[:, 0], recipe.balance)
    batches = list(_batches(order, recipe.batch))
    for step, rows in enumerate(batches):
        run.set_rate(run.epoch + step / len(batches))
        seen = source(rows, run.epoch)
        wanted = _blended(targets[rows].to(run.device), seen.opinions, recipe.distil)
        with in_half(run.device):
            told = net(seen.inputs)
        loss = _loss(told, wanted, seen.hidden, run)
        run.learn(loss)
        yield loss.detach()


def _drawn(shares: torch.Tensor, balance: float) -> torch.Tensor:
    """Return about as many rows as there are, shuffled, a face the oftener the rarer what is seen
    in it: the whole part of its share always, the rest by lot.
    """
    weights = shares @ shares.mean(dim=0).clamp(min=1e-6) ** -balance
    expected = weights * (len(weights) / weights.sum())
    counts = (expected + torch.rand(len(weights))).floor().long()
    rows = torch.arange(len(weights)).repeat_interleave(counts)
    return rows[torch.randperm(len(rows))]


def _loss(told: torch.Tensor, wanted: torch.Tensor, truth: torch.Tensor, run: Run) -> torch.Tensor:
    votes, label = -(wanted * answers(told)).sum(dim=2).mean(dim=0)
    known = ~truth.isnan()
    parts = told.float()[:, -truth.shape[1] :][known]
    hides = functional.binary_cross_entropy_with_logits(parts, truth[known], reduction="sum")
    hides = hides / max(1, len(parts))
    loss: torch.Tensor = votes + run.recipe.label * label + run.recipe.hidden * hides
    return loss


def _blended(targets: torch.Tensor, opinions: torch.Tensor | None, share: float) -> torch.Tensor:
    """Blend the targets (n, 2, 7) with the teachers' mean answers to the same faces."""
    return targets if opinions is None else torch.lerp(targets, opinions, share)


def _batches(order: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Yield whole batches only: a compiled network is made for one shape."""
    yield from order[: len(order) // size * size].split(size)


def _log(run: Run, figures: dict[str, float]) -> None:
    path = run.folder / "log.csv"
    is_new = not path.exists()
    row = {
        "epoch": run.epoch,
        "side": run.recipe.side(run.epoch - 1),
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
