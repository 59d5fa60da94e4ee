"""What the README and the documents say to type works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import patient
import pytest
import typer

from emotion_dj import cli
from emotion_dj.app import settings
from emotion_dj.testing.deezer import DeezerStandIn, Song
from emotion_dj.testing.jellyfin import PASSWORD, USER, JellyfinStandIn
from emotion_dj.testing.subsonic import SubsonicStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click
    import httpx

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLAYLIST = 908622995
BASH = shutil.which("bash") or "/bin/bash"

ELSEWHERE = {
    r"\./scripts/demo": "scripts/test-fresh types it on a bare system",
    r"\./scripts/test": "it runs this",
    r"git clone |cd |python3 -m venv ": "scripts/test-fresh, too",
    r"(env/bin/python -m )?pip install ": "scripts/test-wheel installs so",
    r"env/bin/python -m streamlit": "tests/test_examples.py",
    r"export ": "sets what the lines after it are run with",
    r"sudo ": "changes the system",
    r"emotion-dj (train|evaluate) ": "tests/cli/test_training_commands.py; needs `train` and data",
    r"emotion-dj analyse .*--address": "needs a cluster: tests/analysis/test_cluster.py has one",
    r"emotion-dj .*mpd": "needs an MPD: tests/sources/test_mpd.py runs one",
    r"emotion-dj serve --database .*--port ": "tests/web/test_replicas.py runs two at a PostgreSQL",
    r"emotion-dj .*spotify": "needs an account: tests/sources/spotify, with a stand-in",
}
"""Commands that are not run here, and by what instead."""

_COMMAND = re.compile(
    r"(\w+=\S+ )*"
    r"(emotion-dj|\./scripts/|git|cd|pip|pipx|uv|python3|env/bin/|export|sudo|curl|keyring)\b"
)


def blocks(kind: str, pages: list[Path] = PAGES) -> Iterator[str]:
    """Yield the fenced blocks of a kind."""
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        yield from (block for named, block in fenced if named == kind)


def lines() -> list[str]:
    """Return every command of the documents once, without its remark."""
    typed = (line for block in blocks("") for line in block.splitlines())
    bare = (re.split(r"\s+#\s", line)[0] for line in typed if _COMMAND.match(line))
    return list(dict.fromkeys(bare))


def is_elsewhere(line: str) -> bool:
    """Tell whether a command is run by something else."""
    return any(re.match(pattern, line) for pattern in ELSEWHERE)


HERE = [line for line in lines() if not is_elsewhere(line)]


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, demo_music: Path, smiling_photo: Path
) -> Iterator[dict[str, str]]:
    """Make a listener's home: music, photos, a table, a server, a plug-in; give its environment."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "Music").mkdir()
    songs = sorted(demo_music.glob("*/*.opus"))[::5]
    for song in songs:
        shutil.copy(song, folder / "Music")
    (folder / "evening.m3u8").write_text("\n".join(map(str, songs[:2])), encoding="utf-8")
    for name in ("me.jpg", "party.jpg", "others.jpg"):
        shutil.copy(smiling_photo, folder / name)
    table = "uri,title,artist,energy,danceability,valence,acousticness,tempo\n"
    table += "x:1,One,A,0.5,0.4,0.3,0.2,100\n"
    (folder / "export.csv").write_text(table, encoding="utf-8")
    with ExitStack() as stack:
        yield _environment(stack, folder, songs)


def _environment(stack: ExitStack, folder: Path, songs: list[Path]) -> dict[str, str]:
    program = folder / "bin" / "emotion-dj"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m emotion_dj "$@"\n')
    program.chmod(0o755)
    previews = [Song(i, song.stem, audio=song.read_bytes()) for i, song in enumerate(songs, 1)]
    deezer = stack.enter_context(
        DeezerStandIn(previews, playlists={PLAYLIST: [song.id for song in previews]})
    )
    server = SubsonicStandIn(
        [{"id": f"s{i}", "title": song.stem, "size": i} for i, song in enumerate(songs)]
    )
    server.audio = {f"s{i}": song.read_bytes() for i, song in enumerate(songs)}
    stack.enter_context(server)
    jellyfin = JellyfinStandIn([{"Id": f"j{i}", "Name": song.stem} for i, song in enumerate(songs)])
    jellyfin.audio = {f"j{i}": song.read_bytes() for i, song in enumerate(songs)}
    stack.enter_context(jellyfin)
    return {
        **os.environ,
        "HOME": str(folder),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(_plugin(folder)), os.environ.get("PYTHONPATH", "")]),
        **{f"XDG_{kind}_HOME": str(folder / kind) for kind in ("DATA", "CACHE", "CONFIG")},
        "EMOTION_DJ_WORKERS": "1",
        "EMOTION_DJ_DEEZER_API": deezer.address,
        "EMOTION_DJ_RECCOBEATS_API": "",
        "EMOTION_DJ_AUDIUS_API": "http://127.0.0.1:9",
        "EMOTION_DJ_SUBSONIC_URL": server.address,
        "EMOTION_DJ_SUBSONIC_API_KEY": server.key,
        "EMOTION_DJ_JELLYFIN_URL": jellyfin.address,
        "EMOTION_DJ_JELLYFIN_USER": USER,
        "EMOTION_DJ_JELLYFIN_PASSWORD": PASSWORD,
    }


def _plugin(folder: Path) -> Path:
    """Install the example of a plug-in, as docs/plugins.md says, from a copy."""
    shutil.copytree(ROOT / "examples" / "source-plugin", folder / "plugin")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(folder / "site"), str(folder / "plugin")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site"


def shell(line: str, home: dict[str, str]) -> None:
    """Type a line in the home; it has to end well."""
    done = subprocess.run(
        [BASH, "-c", line], cwd=home["HOME"], env=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def serving(line: str, home: dict[str, str]) -> Iterator[str]:
    """Type a line that serves, at any free port; give the address that it prints."""
    command = [BASH, "-c", f"exec env {line} --port 0"]
    with subprocess.Popen(
        command,
        cwd=home["HOME"],
        env=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_every_command_has_its_place() -> None:
    """Each is run here or names what runs it; none of those is left over."""
    typed = lines()
    assert len(HERE) >= 25
    for pattern in ELSEWHERE:
        assert any(re.match(pattern, line) for line in typed), pattern


def _leaf(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words name, and what follows its name."""
    command: Any = typer.main.get_command(cli.app)
    while words and hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_every_option_that_is_named_is_there() -> None:
    """Also inside sentences: the command exists, and so does each of its options."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES if page.name != "log.md"]
    inline = [code for text in texts for code in re.findall(r"`(emotion-dj [a-z][^`\n]*)`", text)]
    typed = [re.sub(r"^(\w+=\S+ )+", "", line) for line in lines()]
    for line in [*inline, *(one for text in typed for one in text.split("; "))]:
        program, *words = shlex.split(line.replace("…", ""))
        if program != "emotion-dj" or not words or words[0].isupper():
            continue
        command, rest = _leaf(words)
        options = {name for each in command.params for name in (*each.opts, "--help")}
        unknown = {word for word in rest if re.match(r"--?[a-z]", word)} - options
        assert not unknown, line


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in HERE if " serve" in line])
def test_what_serves_answers(line: str, home: dict[str, str]) -> None:
    """It prints an address at which it says that it is well."""
    with serving(line, home) as address:
        # its certificate is its own
        answer = patient.get(f"{address}/api/v1/health", verify=False)
        assert answer.status_code == 200


@pytest.mark.slow
def test_what_is_asked_over_http_is_answered(home: dict[str, str]) -> None:
    """Each line of curl, against a server over folders, a Subsonic server and the demo."""
    asked = [line for line in HERE if line.startswith("curl")]
    serve = "emotion-dj serve --library ~/Music --library subsonic"
    shell("emotion-dj analyse subsonic ~/Music", home)
    with serving(serve, home) as address:
        for line in asked:
            answer = _curl(line, address, Path(home["HOME"]))
            assert answer.status_code == 200, (line, answer.text)


def _curl(line: str, address: str, folder: Path) -> httpx.Response:
    """Ask as curl would with -F, -H and -d."""
    words = iter(shlex.split(line)[1:])
    where, given = "", dict[str, str]()
    for word in words:
        if word in {"-F", "-H", "-d"}:
            given[word] = next(words)
        else:
            where = re.sub(r"^(http://)?[\w.]+:8765", address, word)
    if "-F" in given:
        name, _, file = given["-F"].partition("=@")
        return patient.post(where, files={name: (folder / file).read_bytes()})
    if "-d" in given:
        return patient.post(where, json=json.loads(given["-d"]))
    return patient.get(where)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", [line for line in HERE if not re.match(r"curl|.* serve|keyring", line)]
)
def test_what_is_typed_works(line: str, home: dict[str, str]) -> None:
    """Exit code 0, in a home with music, photos, a table, a server and a plug-in."""
    shell(line, home)


@pytest.mark.slow
@pytest.mark.parametrize("code", [*blocks("python", [ROOT / "docs" / "start" / "python.md"])])
def test_the_quick_start_of_python_runs(code: str, home: dict[str, str]) -> None:
    """Each block as a script of its own, over the demo library."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home["HOME"],
        env={**home, "EMOTION_DJ_DATABASE": f"{home['HOME']}/python.sqlite"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_settings_file_of_the_reference_is_valid(tmp_path: Path) -> None:
    """What docs/reference/settings.md shows is taken as it stands."""
    shown, *_ = blocks("toml", [ROOT / "docs" / "reference" / "settings.md"])
    (tmp_path / "config.toml").write_text(shown, encoding="utf-8")
    loaded = settings.load(file=tmp_path / "config.toml", environment={})
    assert (loaded.n, loaded.plan) == (tomllib.loads(shown)["n"], "lift")
