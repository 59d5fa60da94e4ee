"""The page's own files as the service sends them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import httpx
import patient
import pytest

from emotion_dj.web.bundle import bundles

STATIC = Path(str(files("emotion_dj.web"))) / "static"
MODULES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))


def test_modules_come_without_their_comments(demo_address: str) -> None:
    """As modules, with their marks: a browser that has them is told so."""
    for name in MODULES:
        sent = patient.get(f"{demo_address}/{name}")
        assert sent.headers["content-type"] == "text/javascript; charset=utf-8"
        assert sent.headers["cache-control"] == "no-cache"
        assert not re.search(r"^\s*(//|/\*)", sent.text, re.MULTILINE), name
        again = {"if-none-match": sent.headers["etag"]}
        assert patient.get(f"{demo_address}/{name}", headers=again).status_code == 304
    assert httpx.head(f"{demo_address}/js/main.js").status_code == 200
    assert patient.get(f"{demo_address}/js/none.js").status_code == 404


@pytest.mark.needs_node
def test_they_are_modules_still(demo_address: str, tmp_path: Path) -> None:
    """Node takes each of them."""
    for name in MODULES:
        path = tmp_path / "module.mjs"
        path.write_text(patient.get(f"{demo_address}/{name}").text)
        subprocess.run([node(), "--check", path], check=True)


def test_what_the_page_asks_for_needs_no_more_requests() -> None:
    """A bundle imports the page's first one at most, and each thread has each module once."""
    made = bundles(STATIC / "js")
    assert len(made) > 2
    for name, text in made.items():
        assert set(re.findall(r'\bfrom"([^"]+)"', text)) <= {"./main.js"}, name
    parts = {name: re.findall(r'\$\$\["([^"]+)"\]=\(', text) for name, text in made.items()}
    every = {f"js/{part}" for one in parts.values() for part in one}
    assert every == {*MODULES} - {"js/embed.js", "sw.js"}
    del parts["eye-worker.js"]
    assert max(Counter(part for one in parts.values() for part in one).values()) == 1


MAIN = """
import * as all from "./words.js";
import { two as other } from "./words.js";
import("./later.js").then(({ Own, more }) => console.log(all.one(), other, more(), new Own().name));
"""
WORDS = """
// A comment.
let count = 0;
export const two = 2;
export function one() {
  return (count += 1);
}
"""
LATER = """
import { one } from "./words.js";
import { Own } from "./own.js";
export { Own };
export const more = () => one() + new Own().name;
"""
OWN = 'export class Own {\n  name = "own";\n}\n'


@pytest.mark.needs_node
def test_a_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    """Every form of import and export that the page has, with one instance of what is shared."""
    modules = write(tmp_path / "modules", main=MAIN, words=WORDS, later=LATER, own=OWN)
    made = {name.removesuffix(".js"): text for name, text in bundles(modules).items()}
    assert set(made) == {"main", "later"}
    assert run(write(tmp_path / "bundles", **made)) == run(modules) == "1 2 2own own\n"


@pytest.mark.parametrize(
    ("main", "words", "said"),
    [
        ('import "./words.js";', "", 'main.js: cannot be put together with others: import "./'),
        ("export default 1;", "", "main.js: cannot be put together with others: export default"),
        ("export let one = 1;", "", "main.js: cannot be put together with others: export let"),
        (
            'import { a } from "./words.js";',
            'import { b } from "./main.js";',
            "main.js needs words.js needs main.js: no two modules may need each other",
        ),
    ],
)
def test_what_cannot_be_read_is_an_error(main: str, words: str, said: str, tmp_path: Path) -> None:
    """Never a page that does something else than its modules."""
    with pytest.raises(ValueError, match=re.escape(said)):
        bundles(write(tmp_path / "modules", main=main, words=words))


def write(folder: Path, **texts: str) -> Path:
    """Write modules into a new folder."""
    folder.mkdir()
    (folder / "package.json").write_text('{"type": "module"}')
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def run(folder: Path) -> str:
    """Return what the modules of a folder print."""
    return subprocess.check_output([node(), folder / "main.js"], text=True)


def node() -> str:
    """Return where Node is."""
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert found
    return found
