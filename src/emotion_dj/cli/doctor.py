"""emotion-dj doctor: what is installed, which models, what is missing and how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emotion_dj.cli.console import Json, out, print_json
from emotion_dj.json_types import JsonObject

if TYPE_CHECKING:
    from emotion_dj.checkup import Check


def doctor(*, as_json: Json = False) -> None:
    """Check this installation."""
    from emotion_dj import checkup

    checks = checkup.checks()
    if as_json:
        print_json({"checks": [_as_json(check) for check in checks]})
        return
    console = out()
    for check in checks:
        sign = "[green]ok[/]     " if check.fine else "[yellow]missing[/]"
        console.print(f"{sign} ", end="")
        console.print(f"{check.name}: {check.detail}", markup=False, soft_wrap=True)
        if check.cure:
            console.print(f"          {check.cure}", markup=False, soft_wrap=True)


def _as_json(check: Check) -> JsonObject:
    return {"name": check.name, "ok": check.fine, "detail": check.detail, "cure": check.cure}
