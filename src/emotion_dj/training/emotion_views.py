"""What a step of the training sees: faces varied anew each time, or views that were kept."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np
import torch
from torch.nn import functional

from emotion_dj.domain import Emotion
from emotion_dj.training.augment import standardise
from emotion_dj.training.emotion_run import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from torch import nn

    from emotion_dj.training.emotion_recipe import Recipe
    from emotion_dj.training.emotion_run import Run

    Network = Callable[[torch.Tensor], torch.Tensor]
    Stored = npt.NDArray[Any]

GENTLE: Final = 0.5
"""Share of the variation that is left while a run settles."""

GENTLE_VIEWS: Final = 3
"""How many gentler views of each face are kept beside the varied ones."""

_BLOCK: Final = 3
_CHUNK: Final = 256


class Seen(NamedTuple):
    """A batch: ``inputs`` of the levels that learn, what is ``hidden`` of each face (n, 2), and the
    teachers' ``opinions`` (n, 2, 7), if there are teachers.
    """

    inputs: torch.Tensor
    hidden: torch.Tensor
    opinions: torch.Tensor | None


class Varied:
    """Faces that are varied anew each time, seen through the levels that do not learn."""

    def __init__(self, run: Run, pixels: torch.Tensor, teachers: Sequence[nn.Module]) -> None:
        """Take uint8 faces (n, 1, 48, 48)."""
        self._run, self._pixels = run, pixels.to(run.device)
        self._lower = compiled(run.lower.eval(), run.recipe)
        self._teachers = [compiled(net.to(run.device).eval(), run.recipe) for net in teachers]

    @torch.no_grad()
    def __call__(self, rows: torch.Tensor, epoch: int) -> Seen:
        """Return the faces of these rows as an epoch sees them."""
        recipe = self._run.recipe
        gently = epoch >= recipe.epochs
        vary = recipe.augmentation.gentler(GENTLE) if gently else recipe.augmentation
        faces, hidden = vary(self._pixels[rows].float() / 255, recipe.side(epoch))
        faces = standardise(faces).to(memory_format=torch.channels_last)
        with in_half(self._run.device):
            inputs = self._lower(faces) if recipe.frozen else faces
            return Seen(inputs, hidden, self._opinions(faces))

    def _opinions(self, faces: torch.Tensor) -> torch.Tensor | None:
        recipe = self._run.recipe
        if not self._teachers or (not recipe.views and torch.rand(()) >= recipe.taught):
            return None
        told = [answers(teacher(faces)) for teacher in self._teachers]
        return torch.stack(told).mean(dim=0).softmax(dim=2)


class Kept:
    """Views of each face, put once through the levels that do not learn.

    They lie in the folder of the run, 18 kB each; killed, it goes on with the view it was at.
    """

    def __init__(self, run: Run, pixels: torch.Tensor, teachers: Sequence[nn.Module]) -> None:
        """See all views of uint8 faces (n, 1, 48, 48)."""
        self._recipe, self._device = run.recipe, run.device
        varied = Varied(run, pixels, teachers)
        self._views: list[list[Stored]] = []
        for view in range(run.recipe.views + GENTLE_VIEWS):
            folder = run.folder / f"view-{view}"
            if not folder.exists():
                self._keep(folder, varied, view, len(pixels))
            self._views.append([np.load(path, mmap_mode="r") for path in _files(folder)])

    def __call__(self, rows: torch.Tensor, epoch: int) -> Seen:
        """Return one of the views of each of these rows, gentle ones while the run settles."""
        many = self._recipe.views
        views = self._views[many:] if epoch >= self._recipe.epochs else self._views[:many]
        chosen = torch.randint(len(views), (len(rows),)).tolist()
        drawn = [
            [part[row] for part in views[view]]
            for view, row in zip(chosen, rows.tolist(), strict=True)
        ]
        inputs, *others = (
            torch.from_numpy(np.stack(part)).to(self._device, torch.float32)
            for part in zip(*drawn, strict=True)
        )
        inputs = inputs.permute(0, 3, 1, 2)  # kept as channels last
        if epoch < self._recipe.epochs:
            inputs = _jittered(inputs, self._recipe)
        return Seen(inputs, others[0], others[1] if len(others) > 1 else None)

    def _keep(self, folder: Path, varied: Varied, view: int, count: int) -> None:
        """Write one view of all faces, whole or not at all."""
        epoch = self._recipe.epochs if view >= self._recipe.views else 0
        with torch.random.fork_rng():
            torch.manual_seed(self._recipe.seed + view)
            seen = [varied(rows, epoch) for rows in torch.arange(count).split(_CHUNK)]
        new = folder.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        inputs = torch.cat([part.inputs.permute(0, 2, 3, 1).half().cpu() for part in seen])
        np.save(new / "0-inputs.npy", inputs.numpy())
        np.save(new / "1-hidden.npy", torch.cat([part.hidden for part in seen]).cpu().numpy())
        if seen[0].opinions is not None:
            told = [part.opinions.cpu() for part in seen if part.opinions is not None]
            np.save(new / "2-opinions.npy", torch.cat(told).numpy())
        new.rename(folder)


def _jittered(inputs: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Vary what the lower levels answered, (n, channels, h, w), so that few views are not learnt by
    heart.
    """
    noise = torch.randn(*inputs.shape[:2], 1, 1, device=inputs.device)
    inputs = inputs * (1 + recipe.noise * noise)
    if torch.rand(()) < recipe.shifted:
        down, across = torch.randint(3, (2,)).tolist()
        height, width = inputs.shape[2:]
        wider = functional.pad(inputs, (1, 1, 1, 1), mode="replicate")
        inputs = wider[:, :, down : down + height, across : across + width].contiguous(
            memory_format=torch.channels_last
        )
    blocks = tuple(max(1, side - _BLOCK + 1) for side in inputs.shape[2:])
    for row in (torch.rand(len(inputs)) < recipe.blocked).nonzero()[:, 0].tolist():
        top, left = (int(torch.randint(many, ())) for many in blocks)
        face = inputs[row]
        flat = face.mean(dim=(1, 2), keepdim=True)
        face[:, top : top + _BLOCK, left : left + _BLOCK] = flat
    return inputs


def answers(logits: torch.Tensor) -> torch.Tensor:
    """Return the log probabilities (n, 2, 7) of both questions, each for itself."""
    asked = logits.float()[:, : QUESTIONS * len(Emotion)]
    return asked.view(len(logits), QUESTIONS, -1).log_softmax(dim=2)


def compiled(net: nn.Module, recipe: Recipe) -> Network:
    """Return a network that is compiled where the recipe says so."""
    if not recipe.compiled or not list(net.parameters()):
        return cast("Network", net)
    return cast("Network", torch.compile(net, dynamic=False))


def is_half_fast() -> bool:
    """Tell whether bfloat16 is computed in hardware: 1,253 against 796 faces a second there."""
    return torch.cuda.is_available() or bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def in_half(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 inside of this, where that is fast."""
    return torch.autocast(device.type, torch.bfloat16, enabled=is_half_fast())


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.npy"))
