"""Back from the file that ships to a network that can learn: its int8 weights as a start.

A file holds no batch normalisation and one answer of seven where a run's network has three, so the
normalisation is put back without changing what the network computes, and the last layer is fitted
anew to both truths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from emotion_dj import artifacts
from emotion_dj.errors import DataError
from emotion_dj.training.augment import standardise
from emotion_dj.training.covers import PARTS
from emotion_dj.training.emotion_run import QUESTIONS, network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_net import EmotionNet

_STEM: Final = 6
"""Side of the first convolution in the file: `export.without_shuffle` made it of 3x3 over 2x2."""

_SAMPLE: Final = 4096
_FLOAT32: Final = 0
_WEIGHED: Final = frozenset({3, 4, 9})
"""LiteRT's operators with weights: convolution, depthwise convolution, fully connected."""


def load(card: Path, pixels: torch.Tensor, targets: torch.Tensor) -> tuple[EmotionNet, JsonObject]:
    """Return the network of a card that ships, ready to learn, and the card's recipe.

    ``pixels`` (n, 1, 48, 48) and ``targets`` (n, 2, 7) are those of `emotion.examples`. Raises
    ArtifactError, and DataError where the file is not of a network of ours.
    """
    artifact = artifacts.load(card)
    recipe = dict(artifact.card["recipe"])
    net = network(recipe["widths"], recipe["blocks"]).eval()
    try:
        _fill(net, list(_weights(artifact.path.read_bytes())))
    except (ValueError, RuntimeError) as error:
        msg = f"{artifact.path} does not hold the network that its card describes: {error}"
        raise DataError(msg) from error
    _normalise(net, _prepared(pixels[torch.randperm(len(pixels))[:_SAMPLE]]))
    _refit(net, pixels, targets)
    return net, recipe


def _weights(file: bytes) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield weight and bias of each layer, in order, as float32."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file, 0))
    graph = model.subgraphs[0]
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) in _WEIGHED:
            weight, bias = (
                _numbers(graph.tensors[index], model.buffers, file)
                for index in operator.inputs[1:3]
            )
            yield torch.from_numpy(weight), torch.from_numpy(bias)


def _numbers(tensor: Any, buffers: Any, file: bytes) -> np.ndarray:
    buffer = buffers[tensor.buffer]
    start = buffer.offset
    data = file[start : start + buffer.size] if buffer.data is None else bytes(buffer.data)
    if tensor.type == _FLOAT32:
        return np.frombuffer(data, np.float32).reshape(tensor.shape).copy()
    scale = np.array(tensor.quantization.scale, np.float32)
    shape = [1] * len(tensor.shape)
    shape[tensor.quantization.quantizedDimension] = -1
    return np.frombuffer(data, np.int8).reshape(tensor.shape) * scale.reshape(shape)


def _fill(net: EmotionNet, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Put the weights into convolutions whose normalisation does nothing but add the bias; of the
    last layer only what tells the hidden parts, the answers are fitted anew.
    """
    convolutions = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    norms = [part for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    below, heads = layers[: len(convolutions)], layers[len(convolutions) :]
    for convolution, norm, (weight, bias) in zip(convolutions, norms, below, strict=True):
        convolution.weight.data.copy_(_as_trained(weight))
        norm.bias.data.copy_(bias)
        norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
    for weight, bias in heads:
        if len(weight) == len(PARTS):
            net.head[-1].weight.data[-len(PARTS) :] = weight  # type: ignore[operator]
            net.head[-1].bias.data[-len(PARTS) :] = bias  # type: ignore[operator]


def _as_trained(weight: torch.Tensor) -> torch.Tensor:
    """Return a convolution's weight (out, in, h, w) from LiteRT's order of axes."""
    if weight.shape[1] != _STEM:
        return weight.permute(0, 3, 1, 2)
    out = weight.shape[3]
    blocks = (
        weight[0].permute(2, 0, 1).reshape(out, 3, 2, 3, 2)
    )  # of (row, column) in (row, column)
    return blocks.permute(0, 2, 4, 1, 3).reshape(out, 4, 3, 3)


@torch.no_grad()
def _normalise(net: EmotionNet, faces: torch.Tensor) -> None:
    """Give each normalisation the statistics of these faces without changing what it computes."""
    sums: dict[nn.BatchNorm2d, list[torch.Tensor]] = {}

    def note(norm: nn.Module, inputs: tuple[torch.Tensor, ...], _output: object) -> None:
        x = inputs[0].double()
        parts = torch.stack([x.mean(dim=(0, 2, 3)), (x * x).mean(dim=(0, 2, 3))])
        sums.setdefault(norm, []).append(parts)  # type: ignore[arg-type]

    norms = [part for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    hooks = [norm.register_forward_hook(note) for norm in norms]
    for part in faces.split(len(faces) // 16 or 1):
        net(part)
    for hook in hooks:
        hook.remove()
    for norm, parts in sums.items():
        mean, square = torch.stack(parts).mean(dim=0).float()
        _restate(norm, mean, (square - mean**2).clamp(min=1e-6))


def _restate(norm: Any, mean: torch.Tensor, variance: torch.Tensor) -> None:
    """Write the same function over other statistics."""
    slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    offset = norm.bias - slope * norm.running_mean
    norm.weight.copy_(slope * torch.sqrt(variance + norm.eps))
    norm.bias.copy_(offset + slope * mean)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


def _refit(net: EmotionNet, pixels: torch.Tensor, targets: torch.Tensor) -> None:
    """Fit the last layer's two answers to the targets, everything else as it is (L-BFGS)."""
    with torch.no_grad():
        seen = torch.cat(
            [net.features(_prepared(part)).mean(dim=(2, 3)) for part in pixels.split(256)]
        )
    classes = targets.shape[2]
    for question in range(QUESTIONS):
        layer = nn.Linear(seen.shape[1], classes)
        optimiser = torch.optim.LBFGS(
            layer.parameters(), max_iter=150, line_search_fn="strong_wolfe"
        )
        optimiser.step(_closure(optimiser, layer, seen, targets[:, question]))
        rows = slice(question * classes, (question + 1) * classes)
        net.head[-1].weight.data[rows] = layer.weight.data  # type: ignore[operator]
        net.head[-1].bias.data[rows] = layer.bias.data  # type: ignore[operator]


def _closure(
    optimiser: torch.optim.Optimizer, layer: nn.Linear, seen: torch.Tensor, targets: torch.Tensor
) -> Any:
    def loss() -> float:
        optimiser.zero_grad()
        value = functional.cross_entropy(layer(seen), targets)
        value = value + 1e-5 * layer.weight.square().sum()
        value.backward()
        return float(value.detach())

    return loss


def _prepared(pixels: torch.Tensor) -> torch.Tensor:
    return standardise(pixels.float() / 255).to(memory_format=torch.channels_last)
