"""emotion-dj doctor: what is installed, which models, what is missing and how to get it."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.cli.console import Json, out, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

EXTRAS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "demo": (("immich_memories_music",), "28 tracks to try it with"),
    "heic": (("pillow_heif",), "photos in HEIC, as iPhones take them"),
    "web": (("fastapi", "uvicorn"), "the page and the HTTP service"),
    "opencv": (("cv2",), "the detector haar"),
    "tables": (("pyarrow",), "Parquet files"),
    "keyring": (("keyring",), "credentials in the system's keyring"),
    "train": (("torch", "litert_torch", "keras"), "training our models"),
}
"""Extra -> (the modules that it brings, what it is for)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; ``cure`` is the exact line that mends it, where there is one."""

    name: str
    fine: bool
    detail: str
    cure: str = ""


def doctor(*, as_json: Json = False) -> None:
    """Check this installation."""
    checks = [*_base(), *_models(), *_extras()]
    if as_json:
        print_json({"checks": [_as_json(check) for check in checks]})
        return
    console = out()
    for check in checks:
        sign = "[green]ok[/]     " if check.fine else "[yellow]missing[/]"
        console.print(f"{sign} {check.name}: {check.detail}", soft_wrap=True)
        if check.cure:
            console.print(f"          {check.cure}", markup=False, soft_wrap=True)


def _base() -> list[Check]:
    from emotion_dj import __version__
    from emotion_dj.app import settings

    database = settings.load().database or str(settings.default_database())
    return [
        Check(
            "emotion-dj", fine=True, detail=f"{__version__} on Python {platform.python_version()}"
        ),
        Check("settings", fine=True, detail=str(settings.config_file())),
        Check("catalogue", fine=True, detail=database),
    ]


def _models() -> list[Check]:
    from emotion_dj.app import model_registry
    from emotion_dj.errors import EmotionDJError

    checks = []
    for what, build in model_registry.MODELS.items():
        try:
            checks.append(Check(what, fine=True, detail=build()))
        except (EmotionDJError, ImportError) as error:
            checks.append(Check(what, fine=False, detail=str(error)))
    return checks


def _extras() -> list[Check]:
    checks = []
    for extra, (modules, purpose) in EXTRAS.items():
        fine = all(find_spec(module) is not None for module in modules)
        cure = "" if fine else f"{sys.executable} -m pip install 'emotion-dj[{extra}]'"
        checks.append(Check(f"extra {extra}", fine=fine, detail=purpose, cure=cure))
    return checks


def _as_json(check: Check) -> dict[str, Any]:
    return {"name": check.name, "ok": check.fine, "detail": check.detail, "cure": check.cure}
