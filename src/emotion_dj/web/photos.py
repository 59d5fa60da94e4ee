"""What a face is read from: a photo, a file in a form or alone; or numbers, read elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Json, TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from emotion_dj.json_types import JsonObject
from emotion_dj.web.read_faces import Readings, Resting
from emotion_dj.web.validation import OURS

if TYPE_CHECKING:
    from starlette.datastructures import FormData

FIELD: Final = "photo"
_RESTING: Final = "resting"
_FILE: Final = {"type": "string", "format": "binary"}
_FACES: Final = {
    "type": "array",
    "maxItems": 100,
    "items": {"$ref": "#/components/schemas/ReadFace"},
}
_NUMBERS: Final = {
    "type": "object",
    "required": ["faces"],
    "properties": {"faces": _FACES},
    "additionalProperties": False,
}
_AS_JSON: Final[TypeAdapter[dict[str, float]]] = TypeAdapter(Json[Resting])
_FORM: Final = {
    "type": "object",
    "required": [FIELD],
    "properties": {
        FIELD: _FILE,
        _RESTING: {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": TypeAdapter(Resting).json_schema(),
        },
    },
}

DOCUMENT: Final[JsonObject] = {
    "requestBody": {
        "required": True,
        "description": "JPEG, PNG, WebP ..., at most 20 MB; in a form it may have the listener's "
        "resting face beside it. Or faces that were read elsewhere",
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "image/*": {"schema": _FILE},
            "application/json": {"schema": _NUMBERS},
        },
    }
}
"""What the OpenAPI document says of a route that takes a photo."""


class Sent(NamedTuple):
    """A photo's bytes, and the probabilities of the listener's resting face beside it."""

    photo: bytes
    resting: dict[str, float] | None = None


async def sent(request: Request) -> Sent | Readings:
    """Return the photo that a request carries, or the faces. Raises RequestValidationError for
    none, or two photos.
    """
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("application/json"):
        return _numbers(await request.body())
    if kind.startswith("image/"):
        return Sent(await request.body())
    async with request.form() as form:
        return Sent(await _only(form).read(), _resting(form))


def _numbers(body: bytes) -> Readings:
    try:
        return Readings.model_validate_json(body)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from error


def _only(form: FormData) -> UploadFile:
    parts = form.getlist(FIELD)
    if not parts:
        raise _invalid({"type": "missing"})
    if len(parts) > 1:
        msg = "one photo at a time: there are several in this form"
        raise _invalid({"type": OURS, "msg": msg})
    if not isinstance(parts[0], UploadFile):
        raise _invalid({"type": "value_error"})
    return parts[0]


def _resting(form: FormData) -> dict[str, float] | None:
    if _RESTING not in form:
        return None
    try:
        return _AS_JSON.validate_python(form[_RESTING])
    except ValidationError as error:
        first = error.errors()[0]
        raise _invalid({**first, "loc": ("body", _RESTING, *first["loc"])}) from error


def _invalid(error: JsonObject) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", FIELD), **error}])
