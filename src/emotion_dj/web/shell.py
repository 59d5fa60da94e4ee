"""The page's own files, as they are but for its modules, which go without their comments: a third
of what they weigh on the wire.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import rjsmin
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

if TYPE_CHECKING:
    import os

    from starlette.types import Scope

_KEPT = ("etag", "last-modified")


class Shell(StaticFiles):
    """Serves the page's files."""

    def __init__(self) -> None:
        """Serve what is in the package."""
        super().__init__(directory=str(files("emotion_dj.web") / "static"), html=True)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, a module without comments, or that it is the one that the browser has."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        if Path(full_path).suffix != ".js" or answer.status_code != status_code:
            return answer
        kept = {name: answer.headers[name] for name in _KEPT}
        text = _without_comments(Path(full_path), stat_result.st_mtime_ns)
        return Response(text, status_code, kept, media_type="text/javascript")


@lru_cache(maxsize=256)
def _without_comments(path: Path, _mtime_ns: int) -> str:
    return str(rjsmin.jsmin(path.read_text(encoding="utf-8")))
