"""The service keeps its own OpenAPI document: Schemathesis asks, over a real socket."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import patient
import pytest

if TYPE_CHECKING:
    from pathlib import Path

JUDGED_BY_CONTENT = (
    *("POST /readings", "POST /sets", "POST /playlists/{form}"),
    *("POST /corrections", "POST /sources/{name}/playlists", "GET /folders"),
    *("POST /library/places", "POST /library/servers", "POST /library/tables"),
)
"""Where a well-formed request may still be refused: nobody in the photo, nobody logged in, no such
folder.
"""

SETTINGS = "".join(
    f"""
[[operations]]
include-name = "{name}"
checks.positive_data_acceptance.expected-statuses = ["2xx", 403, 404, 422]
"""
    for name in JUDGED_BY_CONTENT
)
SETTINGS += """
[[operations]]
include-name = "GET /readings/live/{key}"
enabled = false
"""  # it has no end; tests/web/test_live.py


@pytest.mark.needs_dev
def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    """Examples, the corners of every field and random requests get what the document says."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(settings), "run", f"{address}/api/v1/openapi.json"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "5"),
            *("--seed", "1", "--generation-database", "none", "--no-color"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]


def test_every_operation_shows_an_example_and_its_problems(address: str) -> None:
    """Bodies and answers in JSON come with an example; refusals are problem documents."""
    document = patient.get(f"{address}/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name in ("SetRequest", "Taste", "PhotoAnalysis", "Pick", "Problem", "Source", "Written"):
        assert schemas[name]["examples"], name
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path != "/metrics":
                told = operation["responses"]["4XX"]["content"]["application/problem+json"]
                assert told["schema"] == {"$ref": "#/components/schemas/Problem"}
