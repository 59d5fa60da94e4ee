"""What is parsed from JSON or written as it, named alike in every room."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any value of JSON; where it comes from elsewhere nothing is known of it until it is checked."""

JsonObject: TypeAlias = dict[str, Json]
