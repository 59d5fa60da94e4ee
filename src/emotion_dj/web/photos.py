"""What a face is read from: a photo, a file in a form or alone; or numbers, read elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.datastructures import UploadFile

from emotion_dj.web.models import ReadFace
from emotion_dj.web.validation import OURS, Body

if TYPE_CHECKING:
    from starlette.datastructures import FormData

FIELD: Final = "photo"
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
_FORM: Final = {"type": "object", "required": [FIELD], "properties": {FIELD: _FILE}}

DOCUMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "JPEG, PNG, WebP ..., at most 20 MB; or faces that were read elsewhere",
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "image/*": {"schema": _FILE},
            "application/json": {"schema": _NUMBERS},
        },
    }
}
"""What the OpenAPI document says of a route that takes a photo."""


class Readings(Body):
    """Faces that were read elsewhere, as by a phone that is the eye of another screen; none says
    that nobody is to be seen.
    """

    faces: Annotated[list[ReadFace], Field(max_length=100)]


async def sent(request: Request) -> bytes | Readings:
    """Return the photo that a request carries, or the faces. Raises RequestValidationError for
    none, or two photos.
    """
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("application/json"):
        return _numbers(await request.body())
    if kind.startswith("image/"):
        return await request.body()
    async with request.form() as form:
        return await _only(form).read()


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


def _invalid(error: dict[str, Any]) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", FIELD), **error}])
