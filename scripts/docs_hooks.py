"""What MkDocs is told of this project: pages made from the code, and links to files of the tree.

The references of commands, settings and HTTP are made when the site is built, so they are never
behind the code: a page of the folder `reference` says in a comment where its part goes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import reference

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[1]
TREE: Final = "https://github.com/emotion-dj/emotion-dj/blob/main"
"""Where files of the tree are read that are no pages of the site."""

_MADE: Final = re.compile(r"^<!-- made: (\w+) -->$", re.MULTILINE)
_LINK: Final = re.compile(r"\]\((\.\.?/[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Put in what is made from the code, and lead links out of docs/ to the tree."""
    made = _MADE.sub(lambda match: reference.PARTS[match[1]](), markdown)
    here = Path(page.file.abs_src_path or "").parent
    return _LINK.sub(lambda match: f"]({_target(here, match[1])}{match[2] or ''})", made)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Look for changes in the code as well, where the site is served while somebody writes."""
    config.watch.append(str(ROOT / "src"))
    return config


def _target(here: Path, link: str) -> str:
    """Return an address of the tree for a file outside docs/ that is there; else the link."""
    file = (here / link).resolve()
    outside = file.is_relative_to(ROOT) and not file.is_relative_to(ROOT / "docs")
    return f"{TREE}/{file.relative_to(ROOT)}" if outside and file.exists() else link
