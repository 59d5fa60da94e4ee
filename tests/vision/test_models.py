"""Other face readers: a file of weights and its card, and nothing else is touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from emotion_dj import affect
from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.artifacts import digest
from emotion_dj.domain import Emotion
from emotion_dj.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path


def network(shape: tuple[int, ...], weights: np.ndarray, bias: np.ndarray) -> bytes:
    """Return a LiteRT file: one dense layer, from an input of this shape to so many outputs."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    arrays = [weights.astype(np.float32), bias.astype(np.float32)]
    model.buffers = [schema.BufferT() for _ in range(3)]
    graph.tensors = []
    shapes = [shape, weights.shape, bias.shape, (1, len(bias))]
    for i, size in enumerate(shapes):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = f"t{i}".encode(), list(size), 0
        tensor.buffer = i if i in (1, 2) else 0
        graph.tensors.append(tensor)
    for buffer, array in zip(model.buffers[1:], arrays, strict=True):
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
    dense = schema.OperatorT()
    dense.inputs, dense.outputs, dense.opcodeIndex = [0, 1, 2], [3], 0
    dense.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    dense.builtinOptions = schema.FullyConnectedOptionsT()
    graph.inputs, graph.outputs, graph.operators = [0], [3], [dense]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def card(folder: Path, weights: bytes, **parts: Any) -> str:
    """Write a reader's weights and card; return the name that a setting gives it."""
    (folder / "mine.tflite").write_bytes(weights)
    form = {
        "id": "mine-1",
        "file": "mine.tflite",
        "sha256": digest(weights),
        "labels": [emotion.value for emotion in Emotion],
        "preprocessing": {"crop": 1.3, "epsilon": 0.001},
        "calibration": {"temperature": 1.0, "abstain_below": 0.2},
        **parts,
    }
    (folder / "mine.json").write_text(json.dumps(form))
    return str(folder / "mine.json")


@pytest.mark.parametrize(("shape", "order"), [((1, 32, 32, 3), "NHWC"), ((1, 3, 32, 32), "NCHW")])
def test_a_reader_of_colours_is_a_card(
    smiling_photo: Path, tmp_path: Path, shape: tuple[int, ...], order: str
) -> None:
    """32 pixels to a side in red, green and blue, either order: who is redder is angry to it."""
    redder = np.zeros((7, *shape[1:]), np.float32)
    if order == "NHWC":
        redder[0, :, :, 0] = 1 / 1024
    else:
        redder[0, 0] = 1 / 1024
    weights = network(shape, redder.reshape(7, -1), np.zeros(7))
    name = card(tmp_path, weights, input={"side": 32, "channels": 3, "order": order})
    dj = EmotionDJ(settings=Settings(reader=name))
    (reading,) = dj.read(smiling_photo).readings
    assert (reading.model, reading.emotion) == ("mine-1", Emotion.ANGRY)
    assert reading.probabilities[Emotion.ANGRY] > 0.15


def test_a_reader_of_the_plane_is_a_card(smiling_photo: Path, tmp_path: Path) -> None:
    """Its two outputs are where the face stands; the emotion named is the one nearest there."""
    weights = network((1, 16, 16, 1), np.zeros((2, 256)), np.array([0.75, 0.5]))
    name = card(
        tmp_path,
        weights,
        labels=["valence", "arousal"],
        output="affect",
        input={"side": 16},
    )
    analysis = EmotionDJ(settings=Settings(reader=name)).read(smiling_photo)
    assert analysis.readings[0].emotion is Emotion.HAPPY
    assert (analysis.affect.valence, analysis.affect.arousal) == pytest.approx((0.75, 0.5))
    assert affect.describe(analysis.affect) == ("bright", "lively")


def test_weights_of_another_shape_than_the_card_says_are_refused(tmp_path: Path) -> None:
    """Grey weights under a card that promises colours: one sentence, at load."""
    weights = network((1, 16, 16, 1), np.zeros((7, 256)), np.zeros(7))
    name = card(tmp_path, weights, input={"side": 16, "channels": 3})
    with pytest.raises(ArtifactError, match="do not fit their card"):
        EmotionDJ(settings=Settings(reader=name)).read(np.zeros((9, 9, 3), np.uint8))


def test_an_audio_model_is_named_by_its_card(tmp_path: Path) -> None:
    """A setting chooses the model that hears; what ours placed counts where it has not heard."""
    from emotion_dj import artifacts
    from emotion_dj.app import model_registry

    ours = artifacts.packaged(artifacts.AUDIO_MODEL)
    (tmp_path / ours.path.name).write_bytes(ours.path.read_bytes())
    (tmp_path / "mine.json").write_text(json.dumps({**ours.card, "id": "mine-2"}))
    name = str(tmp_path / "mine.json")
    assert model_registry.audio_model(name=name).id == "mine-2"
    ids = model_registry.analyser_ids(name)
    assert ids[:2] == ["mine-2+whole", "mine-2"]
    assert ours.card["id"] in ids[2:]
