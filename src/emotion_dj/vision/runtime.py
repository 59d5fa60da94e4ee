"""Opening networks in LiteRT: quietly, on one thread, and with a sentence where it is missing."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import MissingRuntime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_THREADS: Final = 1
"""More threads than one would compete with the other requests of a server for the same cores."""

_STDERR: Final = 2
_SILENCE: Final = threading.Lock()
_ANNOUNCED: Final = threading.Event()


def interpreter(weights: Path, shape: Sequence[int] | None = None) -> Any:
    """Return a LiteRT interpreter that is ready to run; it is not thread-safe by itself.

    ``shape`` is that of its input, where the file leaves it open. Raises MissingRuntime.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingRuntime from error
    with nullcontext() if _ANNOUNCED.is_set() else _quiet():
        made = Interpreter(str(weights), num_threads=_THREADS)
        if shape is not None:
            made.resize_tensor_input(made.get_input_details()[0]["index"], shape, strict=True)
        made.allocate_tensors()
    _ANNOUNCED.set()
    return made


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep native code off stderr: LiteRT announces its delegate once, and no switch stops it.

    One thread at a time, or one would put back what another one had silenced.
    """
    with _SILENCE, open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        kept = os.dup(_STDERR)
        os.dup2(nowhere.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
