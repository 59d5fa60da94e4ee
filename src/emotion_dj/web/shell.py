"""The page's own files, as they are but for its modules: those come put together, and without their
comments.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse

from emotion_dj import artifacts
from emotion_dj.web.bundle import bundles, minified

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from starlette.types import Scope

STATIC: Final = Path(str(files("emotion_dj.web") / "static")).resolve()
MODULES: Final = STATIC / "js"


class Shell(StaticFiles):
    """Serves the page's files."""

    def __init__(self) -> None:
        """Serve what is in the package."""
        super().__init__(directory=str(STATIC), html=True)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, a module with what it needs, or that it is the one that the browser has.

        A module is asked for anew each time: its parts are of one version.
        """
        path = Path(full_path)
        if path.suffix != ".js":
            return super().file_response(full_path, stat_result, scope, status_code)
        text = _module(path)
        kept = {"etag": f'"{artifacts.digest(text.encode())[:32]}"', "cache-control": "no-cache"}
        answer = Response(text, status_code, kept, media_type="text/javascript")
        known = self.is_not_modified(answer.headers, Headers(scope=scope))
        return NotModifiedResponse(answer.headers) if known else answer


def _module(path: Path) -> str:
    newest = max(one.stat().st_mtime_ns for one in MODULES.rglob("*.js"))
    name = path.relative_to(MODULES).as_posix() if path.is_relative_to(MODULES) else ""
    return _bundles(newest).get(name) or minified(path.read_text("utf-8"))


@lru_cache(maxsize=1)
def _bundles(_newest: int) -> Mapping[str, str]:
    return bundles(MODULES)
