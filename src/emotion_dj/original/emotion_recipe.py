"""The original's recipe for faces, as its notebook has it, on Keras with the torch backend.

    emotion-dj train emotion --recipe original --data images/train --validate images/test --out o

A folder per emotion, as Kaggle's copy of FER2013 has them, or our Parquet files. Its notebook
claims 72 %, which is the accuracy on its training faces; on its 7,178 test faces it had 63.25 %.

Where bfloat16 is computed in hardware, it trains in that and with channels first: 260 against 110
faces a second on two cores. Weights and sums stay in float32, and so do the files.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emotion_dj.artifacts import write_atomically
from emotion_dj.original.face_recognition import LABELS, SIDE, FaceRecognition, load_keras
from emotion_dj.training import metrics, plots
from emotion_dj.training.emotion_views import is_half_fast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_data import LabelledFaces

    Report = Callable[[int, int], None]

EPOCHS: Final = 100
BATCH: Final = 128
ARCHITECTURE: Final = "emotiondetector.json"
WEIGHTS: Final = "emotiondetector.weights.h5"


def train(
    faces: LabelledFaces,
    held: LabelledFaces,
    out: Path,
    *,
    epochs: int = EPOCHS,
    report: Report = lambda _d, _t: None,
) -> JsonObject:
    """Train as the original did, write its two files, and return its figures on the held faces.

    Accuracy after each epoch goes into ``log.csv``. Killed training continues with the same call.
    """
    keras = load_keras()
    keras.utils.set_random_seed(7)
    learner = network(keras, quick=is_half_fast())
    learner.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    out.mkdir(parents=True, exist_ok=True)
    shape = (-1, *learner.input_shape[1:])
    x, y = _examples(keras, faces, shape)
    learner.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=epochs,
        validation_data=_examples(keras, held, shape),
        verbose=0,
        callbacks=[
            keras.callbacks.BackupAndRestore(str(out / "backup"), delete_checkpoint=False),
            keras.callbacks.CSVLogger(str(out / "log.csv"), append=True),
            _teller(keras, report, epochs, steps=-(-len(x) // BATCH)),
        ],
    )
    model = network(keras)
    model.set_weights(learner.get_weights())
    write_atomically(out / ARCHITECTURE, model.to_json().encode())
    model.save_weights(out / WEIGHTS)
    return _measure(out, held)


def network(keras: Any, *, quick: bool = False) -> Any:
    """Return the original's network: grey faces (n, 48, 48, 1) to seven probabilities.

    The ``quick`` one has the same weights, takes (n, 1, 48, 48) and computes in bfloat16.
    """
    layers = keras.layers
    how = {"dtype": "mixed_bfloat16" if quick else "float32"}
    axes = {"data_format": "channels_first" if quick else "channels_last"}
    parts = [layers.Input((1, SIDE, SIDE) if quick else (SIDE, SIDE, 1))]
    for width in (128, 256, 512, 512):
        parts += [layers.Conv2D(width, 3, activation="relu", **how, **axes)]
        parts += [layers.MaxPooling2D(2, **how, **axes), layers.Dropout(0.4, **how)]
    parts += [layers.Flatten(**how)]
    for width, dropped in ((512, 0.4), (256, 0.3)):
        parts += [layers.Dense(width, activation="relu", **how), layers.Dropout(dropped, **how)]
    return keras.Sequential([*parts, layers.Dense(len(LABELS), activation="softmax")])


def _teller(keras: Any, report: Report, epochs: int, *, steps: int) -> Any:
    """Return the callback that reports every batch."""
    past = [0]

    def begin(epoch: int, logs: object = None) -> None:  # noqa: ARG001 - its form
        past[0] = epoch * steps

    def tell(batch: int, logs: object = None) -> None:  # noqa: ARG001 - its form
        report(past[0] + batch + 1, epochs * steps)

    return keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_batch_end=tell)


def _examples(keras: Any, faces: LabelledFaces, shape: tuple[int, ...]) -> tuple[Any, Any]:
    pixels = faces.pixels.reshape(shape).astype(np.float32) / 255
    return pixels, keras.utils.to_categorical(faces.labels, len(LABELS))


def _measure(out: Path, held: LabelledFaces) -> JsonObject:
    reader = FaceRecognition(out / ARCHITECTURE, out / WEIGHTS)
    probabilities = reader.model.predict(held.pixels[..., np.newaxis] / np.float32(255), verbose=0)
    figures = metrics.report(np.asarray(probabilities, np.float64), held.labels, LABELS)
    write_atomically(out / "metrics.json", (json.dumps(figures, indent=2) + "\n").encode())
    write_atomically(out / "confusion.png", plots.confusion(figures))
    write_atomically(out / "curves.png", plots.curves(out / "log.csv"))
    return figures
