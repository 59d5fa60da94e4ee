"""From a trained PyTorch network to the LiteRT files that serve: int8, and fp32 to compare."""

from __future__ import annotations

import copy
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from emotion_dj.domain import Emotion

if TYPE_CHECKING:
    import numpy as np

    from emotion_dj.training.emotion_net import EmotionNet


class WithMirror(nn.Module):
    """A face reader that looks twice: the mean of the logits of a face and its mirror image.

    One file and one call: batch 1 in, batch 2 inside.
    """

    def __init__(self, net: EmotionNet, classes: int = len(Emotion)) -> None:
        """Wrap a network whose first ``classes`` logits are one output, and the rest another."""
        super().__init__()
        self.features = net.features
        last = cast("nn.Linear", net.head[-1])
        parts = [part for part in (slice(classes), slice(classes, None)) if len(last.weight[part])]
        self.answers = nn.ModuleList(_rows(last, part) for part in parts)

    def forward(self, face: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Map a face (1, h, w, 1) to logits (1, classes) and to the others, if there are any."""
        face = face.permute(0, 3, 1, 2)
        pooled = self.features(torch.cat([face, face.flip(3)])).mean(dim=(2, 3))
        return tuple(answer(pooled).mean(dim=0, keepdim=True) for answer in self.answers)


def folded(net: EmotionNet, share: float) -> EmotionNet:
    """Return a copy whose first seven logits are one answer, ``share`` of it the first question's.

    A weighted mean of logits is a product of powers of probabilities (a logarithmic opinion pool),
    and since both answers are linear in the same features, the mean of their weights is one layer.
    What follows both answers stays.
    """
    net = copy.deepcopy(net)
    last = cast("nn.Linear", net.head[-1])
    both = 2 * len(Emotion)
    one = nn.Linear(last.in_features, last.out_features - len(Emotion))
    for new, old in zip(one.parameters(), last.parameters(), strict=True):
        (first, second), rest = old.data[:both].chunk(2), old.data[both:]
        new.data = torch.cat([torch.lerp(second, first, share), rest])
    net.head[-1] = one
    return net.eval()


def shifted(net: EmotionNet, by: np.ndarray) -> EmotionNet:
    """Return a copy whose first logits are moved by so much, (classes,)."""
    net = copy.deepcopy(net)
    last = cast("nn.Linear", net.head[-1])
    last.bias.data[: len(by)] += torch.from_numpy(by).to(last.bias)
    return net


def _rows(layer: nn.Linear, rows: slice) -> nn.Linear:
    part = nn.Linear(layer.in_features, len(layer.bias[rows]))
    part.weight.data, part.bias.data = layer.weight.data[rows], layer.bias.data[rows]
    return part


def without_shuffle(net: EmotionNet) -> EmotionNet:
    """Return a copy in which space-to-depth and the convolution after it are one convolution.

    A 3x3 convolution over 2x2 blocks is a 6x6 convolution of stride 2 over pixels with the same
    weights in another order, which LiteRT runs without moving memory about.
    """
    net = copy.deepcopy(net)
    layers = list(net.features)
    weight = layers[1].get_parameter("weight").data  # (out, 4, 3, 3), 4 being (row, column)
    out = len(weight)
    first = nn.Conv2d(1, out, kernel_size=6, stride=2, padding=2, bias=False)
    blocks = weight.view(out, 2, 2, 3, 3).permute(0, 3, 1, 4, 2)
    first.weight.data = blocks.reshape(out, 1, 6, 6).contiguous()
    net.features = nn.Sequential(first, *layers[2:])
    return net.eval()


def to_litert(net: nn.Module, sample: torch.Tensor) -> bytes:
    """Convert a network in evaluation mode to a fp32 LiteRT file.

    The converter's chatter goes to stderr, since stdout is for results.
    """
    import litert_torch

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        path = Path(folder) / "model.tflite"
        litert_torch.convert(net.eval(), (sample,)).export(str(path))
        return path.read_bytes()


def to_int8(model: bytes) -> bytes:
    """Quantise the weights to int8, one scale per channel; activations at run time."""
    from ai_edge_quantizer import quantizer, recipe

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "fp32.tflite", Path(folder) / "int8.tflite"
        source.write_bytes(model)
        tool = quantizer.Quantizer(str(source))
        tool.load_quantization_recipe(recipe.dynamic_wi8_afp32())
        tool.quantize().export_model(str(target))
        return target.read_bytes()
