"""A photo as clients send it: a file in a form, or the file alone as the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Json, TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from emotion_dj.web.read_faces import Resting
from emotion_dj.web.validation import OURS

if TYPE_CHECKING:
    from starlette.datastructures import FormData

FIELD: Final = "photo"
_RESTING: Final = "resting"
_FILE: Final = {"type": "string", "format": "binary"}
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

DOCUMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "JPEG, PNG, WebP ..., at most 20 MB; in a form it may have the listener's "
        "resting face beside it",
        "content": {"multipart/form-data": {"schema": _FORM}, "image/*": {"schema": _FILE}},
    }
}
"""What the OpenAPI document says of a route that takes a photo."""


class Sent(NamedTuple):
    """A photo's bytes, and the probabilities of the listener's resting face beside it."""

    photo: bytes
    resting: dict[str, float] | None = None


async def sent(request: Request) -> Sent:
    """Return the photo that a request carries. Raises RequestValidationError for none, or two."""
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("image/"):
        return Sent(await request.body())
    async with request.form() as form:
        return Sent(await _only(form).read(), _resting(form))


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


def _invalid(error: dict[str, Any]) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", FIELD), **error}])
