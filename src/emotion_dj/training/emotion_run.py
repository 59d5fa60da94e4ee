"""A run of the face reader's training: its folder, its checkpoint, what others take from it."""

from __future__ import annotations

import dataclasses
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final, cast

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError
from emotion_dj.training.covers import PARTS
from emotion_dj.training.emotion_net import EmotionNet
from emotion_dj.training.muon import Muon

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_recipe import Recipe

_CONVOLUTION: Final = 4
"""Dimensions of a convolution's weight."""

QUESTIONS: Final = 2
"""FER+'s votes, and FER2013's label; what is hidden comes after both."""

OUTPUTS: Final = QUESTIONS * len(Emotion) + len(PARTS)
"""Logits of a network that learns: the votes' seven, the label's seven, one for each part."""


class Run:
    """One training run in its folder; `emotion.train` drives it."""

    def __init__(self, recipe: Recipe, folder: Path, *, start: Sequence[nn.Module] = ()) -> None:
        """Begin, or go on from the folder's checkpoint.

        ``start`` are earlier networks, from the mean of whose weights a new run begins (Wortsman et
        al. 2022, "Model soups"). Raises DataError where checkpoint or networks do not fit.
        """
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder = recipe, folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        net = network(recipe.widths, recipe.blocks)
        if start:
            _average(start, net)
        net = self.net = net.to(self.device)
        self.lower, self.upper = net.divided(recipe.frozen)
        self.average = AveragedModel(
            net, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True
        )
        self.optimisers = _optimisers(self.upper, recipe)
        self.epoch = 0
        folder.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            self._resume()

    @property
    def _file(self) -> Path:
        return self.folder / "checkpoint.pt"

    def set_rate(self, epoch: float) -> None:
        """Give both optimisers their rates for a moment of the run, counted in epochs."""
        share = self.recipe.share_of_rate(epoch)
        rates = (self.recipe.rate, self.recipe.rate_of_rest)
        for optimiser, rate in zip(self.optimisers, rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * share

    def learn(self, loss: torch.Tensor) -> None:
        """Take one step down, and take the weights into their average."""
        self.net.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in self.optimisers:
            optimiser.step()
        self.average.update_parameters(self.net)

    def averaged(self) -> EmotionNet:
        """Return the averaged network, for evaluation."""
        net: Any = self.average.module
        return cast("EmotionNet", net.eval())

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


def load(folder: Path) -> tuple[EmotionNet, JsonObject]:
    """Return the averaged network of a run and its recipe.

    The run may be unfinished. Raises DataError.
    """
    path = folder / "checkpoint.pt"
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        recipe = state["recipe"]
        net = network(recipe["widths"], recipe["blocks"])
        average = AveragedModel(net)
        average.load_state_dict(state["average"])
    except (OSError, RuntimeError, KeyError, UnpicklingError) as error:
        msg = f"{path} is not a checkpoint of this recipe: {error}"
        raise DataError(msg) from error
    return cast("EmotionNet", average.module.eval()), recipe


def network(widths: Sequence[int], blocks: Sequence[int]) -> EmotionNet:
    """Return a new network that answers all questions of a run."""
    return EmotionNet(widths, blocks, classes=OUTPUTS)


def _optimisers(
    net: nn.Module, recipe: Recipe
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    weights = list(net.parameters())
    return (
        Muon([p for p in weights if p.ndim == _CONVOLUTION], lr=recipe.rate),
        torch.optim.SGD(
            [p for p in weights if p.ndim != _CONVOLUTION],
            lr=recipe.rate_of_rest,
            momentum=0.9,
            weight_decay=5e-4,
            nesterov=True,
        ),
    )


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
