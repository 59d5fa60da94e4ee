"""What is wrong with a request, in plain words that name the field."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emotion_dj.json_types import Json

OURS: Final = "said"
"""The type of errors whose message is a sentence of ours."""

LONG: Final = 60
"""Characters of a field's name that are said back."""

TAGS: Final = frozenset({"(wish)", "(songs)"})
"""Parts of a place that name a form of body, which nobody wrote."""

WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "json_invalid": "is no JSON that can be read",
    "model_attributes_type": "must be a JSON object, sent as application/json",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_short": "must have {min_length} or more in it",
    "too_long": "must have {max_length} or fewer in it",
    "string_type": "must be text",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have {max_length} or fewer characters",
    "string_pattern_mismatch": "must look like {pattern}",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "value_error": "must be a file in a form, sent as multipart/form-data",
}
"""What we say of each type of error that our bodies, paths and queries can have."""


class Body(BaseModel):
    """The body of a request, of JSON's own types; fields that nobody knows are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _knows(cls, data: Json) -> Json:
        names = map(str, data) if isinstance(data, dict) else ()
        unknown = next((name for name in names if name not in cls.model_fields), None)
        if unknown is not None:
            near = get_close_matches(unknown, cls.model_fields, n=1)
            advice = f"did you mean '{near[0]}'?" if near else f"use {', '.join(cls.model_fields)}"
            msg = f"'{unknown[:LONG]}' is not known here: {advice}"
            raise mistake(msg)
        return data


def mistake(sentence: str) -> PydanticCustomError:
    """Return the error by which a body of ours says what is wrong with it."""
    return PydanticCustomError(OURS, "{sentence}", {"sentence": sentence})  # no braces are filled


def sentence(error: Mapping[str, Json]) -> str:
    """Return what to say of the first error that pydantic found."""
    place = ".".join(str(part)[:LONG] for part in error["loc"][1:] if part not in TAGS)
    if error["type"] == OURS:
        return f"'{place}': {error['msg']}" if place else str(error["msg"])
    if not place or (error["type"] == "json_invalid" and place.isdigit()):  # of the whole body
        name = f"the {error['loc'][0]}"
    else:
        name = f"'{place}'"
    return f"{name} {_words(error)}"


def _words(error: Mapping[str, Json]) -> str:
    context = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
    words = WORDS.get(error["type"])
    return words.format(**context) if words else f"is not valid: {error['msg']}"


def _plain(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value.is_integer() else value
