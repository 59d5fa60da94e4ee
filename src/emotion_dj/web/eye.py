"""What the page needs to read faces by itself: the kernels, both networks and every number.

The page's modules (static/js/eye) hold the arithmetic and no number of their own: the card that is
served here is written from the cards of the networks and from the tables that Python reads by.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route

from emotion_dj import affect, artifacts
from emotion_dj.domain import Emotion
from emotion_dj.vision import emotion, images, resting, search, smoothing, visibility, yunet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from emotion_dj.json_types import Json

KERNELS: Final = Path(str(files("emotion_dj.web") / "static" / "eye" / "eye.wasm"))
KINDS: Final = {".wasm": "application/wasm", ".tflite": "application/octet-stream"}

FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
"""A name holds a digest of what it names; so even without a service worker all is fetched once."""


def routes() -> Mount:
    """Return /eye: `eye.json`, and beside it the files that it names."""
    return Mount("/eye", routes=[Route("/eye.json", _card), Route("/{name}", _file)])


@cache
def card() -> Mapping[str, Json]:
    """Return what the page's eye reads by; ``files`` are names beside it."""
    return {
        "files": {role: _name(path) for role, path in _paths().items()},
        "photo": _photo(),
        "search": _search(),
        "reader": _reader(),
        "live": smoothing.RULES._asdict(),
        "affect": {
            "emotions": affect.EMOTION_AFFECT,
            "arousal_weight": affect.AROUSAL_WEIGHT,
            "certain": affect.CERTAIN,
        },
    }


@cache
def _paths() -> Mapping[str, Path]:
    return {
        "kernels": KERNELS,
        "detector": artifacts.packaged(yunet.ARTIFACT).path,
        "reader": artifacts.packaged(emotion.ARTIFACT).path,
    }


@cache
def _name(path: Path) -> str:
    return f"{path.stem}-{artifacts.digest(path.read_bytes())[:16]}{path.suffix}"


def _photo() -> Mapping[str, Json]:
    """A JPEG may be as large as Pillow opens one: too large ones are halved, here as there."""
    return {
        "max_bytes": images.MAX_BYTES,
        "max_pixels": {"jpeg": images.MAX_JPEG_PIXELS, "other": images.MAX_PIXELS},
        "enough": images.ENOUGH,
    }


def _search() -> Mapping[str, Json]:
    return {
        "sides": search.SIDES,
        "frame": search.FRAME,
        "min_score": search.MIN_SCORE,
        "hint": search.HINT,
        "sure": search.SURE,
        "quarters": search.QUARTERS,
        "turns": search.TURNS,
        "turned_score": search.TURNED_SCORE,
        "gain": search.GAIN,
        "wide": search.WIDE,
        "surer": search.SURER,
        "coarsest": search.COARSEST,
        "finer": search.FINER,
        "worth": search.WORTH,
        "same": search.SAME,
        "gap": search.GAP,
        "overlap": yunet.OVERLAP,
        "multiple": yunet.MULTIPLE,
        "strides": yunet.STRIDES,
    }


def _reader() -> Mapping[str, Json]:
    contract = emotion.Contract.of(artifacts.packaged(emotion.ARTIFACT).card)
    return {
        "id": contract.id,
        "labels": list(Emotion),
        "side": contract.side,
        "crop": contract.crop,
        "reach": emotion.DIAGONAL,
        "epsilon": contract.epsilon,
        "temperature": contract.temperature,
        "abstain_below": contract.abstain_below,
        "hidden": contract.hidden,
        "visibility": _visibility(),
        "resting": _resting(),
    }


def _resting() -> Mapping[str, Json]:
    return {
        "smile": resting.SMILE,
        "strength": resting.STRENGTH,
        "floor": resting.FLOOR,
        "calm": resting.CALM,
    }


def _visibility() -> Mapping[str, Json]:
    return {
        "low_score": visibility.LOW_SCORE,
        "scores": visibility.SCORES,
        "trusts": visibility.TRUSTS,
        "chin": visibility.CHIN,
        "forehead": visibility.FOREHEAD,
        "outside": visibility.OUTSIDE,
        "trust": visibility.TRUST,
        "abstain": sorted(visibility.ABSTAIN),
    }


async def _card(_: Request) -> Response:
    headers = {"cache-control": "no-cache"}
    return Response(json.dumps(card()), media_type="application/json", headers=headers)


async def _file(request: Request) -> Response:
    named = {_name(path): path for path in _paths().values()}
    path = named.get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type=KINDS[path.suffix], headers=FOR_EVER)
