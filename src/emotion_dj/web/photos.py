"""A photo as clients send it: a file in a form, or the file alone as the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import UploadFile

from emotion_dj.web.validation import OURS

if TYPE_CHECKING:
    from starlette.datastructures import FormData

FIELD: Final = "photo"
_FILE: Final = {"type": "string", "format": "binary"}
_FORM: Final = {"type": "object", "required": [FIELD], "properties": {FIELD: _FILE}}

DOCUMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "JPEG, PNG, WebP ..., at most 20 MB",
        "content": {"multipart/form-data": {"schema": _FORM}, "image/*": {"schema": _FILE}},
    }
}
"""What the OpenAPI document says of a route that takes a photo."""


async def sent(request: Request) -> bytes:
    """Return the photo that a request carries. Raises RequestValidationError for none, or two."""
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("image/"):
        return await request.body()
    async with request.form() as form:
        return await _only(form).read()


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
