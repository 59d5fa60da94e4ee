"""Requests and answers held against an OpenAPI description (needs PyYAML).

It knows as much of OpenAPI 3.0 as descriptions of music services use: paths, parameters, JSON
bodies, and schemas of type, required, properties, items, enum, minimum, maximum, allOf, nullable.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from emotion_dj.json_types import Json, JsonObject

TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class Contract:
    """An OpenAPI description in a YAML file."""

    def __init__(self, path: Path) -> None:
        """Keep where it is; it is read when it is needed."""
        self._path = path

    def request(self, method: str, path: str, query: Mapping[str, str], body: Json) -> list[str]:
        """Return what is wrong with a request, a sentence each; an empty list where nothing is."""
        template = self._template(path)
        operation = self._document["paths"].get(template, {}).get(method.lower())
        if operation is None:
            return [f"{method} {path} is not in the contract"]
        if operation.get("deprecated") and template not in STILL_ASKED:
            return [f"{method} {path} is deprecated"]
        return [*self._query(operation, query), *self._body(operation, body)]

    def answer(self, method: str, path: str, code: int, body: Json) -> list[str]:
        """Return what is wrong with an answer to a request that was right."""
        operation = self._document["paths"][self._template(path)][method.lower()]
        described = self._resolved(operation["responses"].get(str(code)))
        if described is None:
            return [f"HTTP {code} is not an answer to {method} {path}"]
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [] if body is None else [f"{method} {path} has no body in its answer"]
        return list(self._faults(schema, body, "the answer"))

    def scopes(self, method: str, path: str) -> set[str]:
        """Return the scopes of which a token needs one; none are needed where it is empty."""
        operation = self._document["paths"].get(self._template(path), {}).get(method.lower(), {})
        return {scope for one in operation.get("security", ()) for s in one.values() for scope in s}

    @property
    def _document(self) -> JsonObject:
        return _read(self._path)

    def _template(self, path: str) -> str:
        """Return the path of the description that fits, the literal before the variable one."""
        fitting = [t for t in self._document["paths"] if re.fullmatch(_pattern(t), path)]
        return min(fitting, key=lambda template: template.count("{"), default="")

    def _query(self, operation: Mapping[str, Json], query: Mapping[str, str]) -> Iterator[str]:
        described = [self._resolved(each) for each in operation.get("parameters", ())]
        known = {each["name"]: each for each in described if each["in"] == "query"}
        for name in query.keys() - known.keys():
            yield f"the parameter {name} is not in the contract"
        for name, each in known.items():
            if name in query:
                schema = self._resolved(each["schema"])
                yield from self._faults(schema, _typed(schema, query[name]), name)
            elif each.get("required"):
                yield f"the parameter {name} is missing"

    def _body(self, operation: Mapping[str, Json], body: Json) -> Iterator[str]:
        described = self._resolved(operation.get("requestBody"))
        if described is None:
            if body is not None:
                yield "the body is not in the contract"
            return
        schema = self._resolved(described["content"]["application/json"]["schema"])
        if body is None:
            if described.get("required"):
                yield "the body is missing"
            return
        for name in body.keys() - schema.get("properties", {}).keys():
            yield f"the member {name} is not in the contract"
        yield from self._faults(schema, body, "the body")

    def _faults(self, schema: Json, value: Json, where: str) -> Iterator[str]:
        """Yield what is wrong with a value. Null is let pass: the prose allows it in places."""
        schema = self._resolved(schema)
        if value is None:
            return
        choices = schema.get("oneOf", ())
        if choices and all(any(self._faults(each, value, where)) for each in choices):
            yield f"{where} is none of the things that it may be"
        for part in schema.get("allOf", ()):
            yield from self._faults(part, value, where)
        yield from _plain_faults(schema, value, where)
        if isinstance(value, list) and "items" in schema:
            for item in value:
                yield from self._faults(schema["items"], item, f"an entry of {where}")
        if isinstance(value, dict):
            for name, part in schema.get("properties", {}).items():
                yield from self._faults(part, value.get(name), f"{where}.{name}")

    def _resolved(self, part: Json) -> Json:
        while isinstance(part, dict) and "$ref" in part:
            place: Json = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                place = place[name]
            part = place
        return part


STILL_ASKED: Final = frozenset({"/audio-features"})
"""Deprecated, and there for the applications that had it before."""


@cache
def _read(path: Path) -> JsonObject:
    import yaml  # type: ignore[import-untyped]

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: JsonObject = yaml.load(path.read_bytes(), loader)  # noqa: S506 - safe
    return document


def _plain_faults(schema: Mapping[str, Json], value: Json, where: str) -> Iterator[str]:
    """Yield what is wrong with a value itself, whatever is in it."""
    kind = TYPES.get(schema.get("type", ""))
    if kind and not (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
        article = "an" if schema["type"][0] in "aeio" else "a"
        yield f"{where} is not {article} {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of {schema['enum']}"
    if isinstance(value, int | float) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{where} is out of bounds"
    if isinstance(value, dict):
        yield from (
            f"{where} lacks {name}" for name in schema.get("required", ()) if name not in value
        )


def _pattern(template: str) -> str:
    return re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))


def _typed(schema: Mapping[str, Json], text: str) -> Json:
    """Return a parameter's text as the type that its schema names, or the text itself."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text.split(",") if schema.get("type") == "array" else text
