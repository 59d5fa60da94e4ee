"""The commands as their users run them: real photographs, real music, a process of their own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import command_line
import pytest
from PIL import Image as Pillow

from emotion_dj import __version__, artifacts

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)

    def fails(self, code: int, *words: str) -> None:
        """Assert one clear sentence on stderr, its exit code, and no traceback."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        sentences = self.err.strip().splitlines()
        assert len(sentences) == 1, self.err
        assert sentences[0].startswith("emotion-dj: ")
        for word in words:
            assert word in sentences[0]


def run(*arguments: str | Path, **environment: str) -> Outcome:
    """Run the command line."""
    done = command_line.run(*arguments, **environment)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def music(tmp_path: Path, demo_music: Path) -> Path:
    """Return a folder with six real tracks: three calm ones, three happy ones."""
    folder = tmp_path / "music"
    folder.mkdir()
    for mood in ("calm", "happy"):
        for path in sorted((demo_music / mood).glob("*.opus"))[:3]:
            shutil.copy(path, folder / f"{mood}-{path.name}")
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Return a photo with nobody in it."""
    Pillow.new("RGB", (320, 240), (90, 120, 200)).save(tmp_path / "sky.png")
    return tmp_path / "sky.png"


def test_read_prints_faces_affect_and_model(smiling_photo: Path) -> None:
    """`read --json` has the documented form, and the smile is happy."""
    found = run("read", smiling_photo, "--json").json
    assert set(found) == {"faces", "affect", "model"}
    (face,) = found["faces"]
    assert {"box", "score", "emotion", "abstained", "emotions", "turned", "reasons"} == set(face)
    assert face["emotion"] == "happy"
    assert len(face["box"]) == 4
    assert sum(face["emotions"].values()) == pytest.approx(1, abs=0.001)
    assert set(found["affect"]) == {"valence", "arousal", "uncertainty"}


def test_read_for_people_says_that_it_estimates(smiling_photo: Path) -> None:
    """Without --json there is a table, and the reading calls itself an estimate."""
    shown = run("read", smiling_photo)
    assert shown.code == 0
    assert "looks happy" in shown.out
    assert "estimate of the expression" in shown.out


def test_read_annotates_a_copy(smiling_photo: Path, tmp_path: Path) -> None:
    """--annotate writes a PNG of the same size, and the photo stays as it was."""
    before = smiling_photo.read_bytes()
    run("read", smiling_photo, "--annotate", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as drawn, Pillow.open(smiling_photo) as photo:
        assert drawn.size == photo.size
        assert drawn.convert("RGB").tobytes() != photo.convert("RGB").tobytes()
    assert smiling_photo.read_bytes() == before


def test_read_of_several_photos_goes_on_after_a_bad_one(smiling_photo: Path, plain: Path) -> None:
    """One bad photo of three is named; the others are read; the exit code tells."""
    outcome = run("read", smiling_photo, plain, smiling_photo, "--json")
    assert [entry["photo"] for entry in outcome.json] == [str(smiling_photo)] * 2
    assert outcome.code == 4
    assert f"passed over: {plain}" in outcome.err


def test_play_answers_a_smile_with_happy_music(smiling_photo: Path, music: Path) -> None:
    """`play --json` has the documented form, and the nearest song to a smile is a happy one."""
    played = run("play", smiling_photo, "--library", music, "-n", "3", "--json").json
    assert {"faces", "affect", "model", "plan", "picks"} <= set(played)
    assert played["plan"] == "match"
    first = played["picks"][0]
    assert {"uri", "title", "artists", "affect", "mood", "score", "reason"} <= set(first)
    assert "happy-" in first["uri"]
    assert first["reason"].startswith("you look happy")


def test_the_same_seed_plays_the_same_set(music: Path, tmp_path: Path) -> None:
    """Two runs with one seed agree to the last byte."""
    command = ("play", "--mood", "calm", "--library", music, "--json", "--seed", "5")
    database = str(tmp_path / "c.sqlite")
    first = run(*command, EMOTION_DJ_DATABASE=database)
    assert first.code == 0, first.err
    assert run(*command, EMOTION_DJ_DATABASE=database).out == first.out


def test_play_saves_a_playlist_that_players_open(music: Path, tmp_path: Path) -> None:
    """--save writes the picks, by their paths, in playing order."""
    outcome = run(
        "play", "--affect", "0.5,0.5", "--library", music, "--save", tmp_path / "set.m3u8", "--json"
    )
    lines = (tmp_path / "set.m3u8").read_text(encoding="utf-8").splitlines()
    paths = [line for line in lines if not line.startswith("#")]
    assert len(paths) == len(outcome.json["picks"])
    assert all((tmp_path / path).exists() for path in paths)


def test_analyse_counts_and_then_knows(music: Path, tmp_path: Path) -> None:
    """The second analysis of a folder is free; a bad file is named each time."""
    (music / "broken.mp3").write_bytes(b"no music")
    database = str(tmp_path / "c.sqlite")
    first = run("analyse", music, "--json", EMOTION_DJ_DATABASE=database)
    assert first.json["analysed"] == 6
    assert [failure["uri"] for failure in first.json["failed"]] == [(music / "broken.mp3").as_uri()]
    again = run("analyse", music, EMOTION_DJ_DATABASE=database)
    assert "0 analysed, 6 known already, 1 failed" in again.out
    assert "passed over" in again.err


def test_doctor_names_models_and_cures() -> None:
    """Doctor lists what is there, and for each thing missing the line that installs it."""
    checks = {check["name"]: check for check in run("doctor", "--json").json["checks"]}
    assert checks["face reader"]["detail"].startswith("face-")
    assert checks["audio model"]["ok"]
    for name, check in checks.items():
        if not check["ok"]:
            assert "pip install" in check["cure"], name
    assert "face reader" in run("doctor").out


def test_the_version_is_told() -> None:
    """--version says which one this is, and stops."""
    assert run("--version").out == f"emotion-dj {__version__}\n"


def test_help_groups_every_command_by_what_people_want() -> None:
    """--help is complete: each command stands under a heading of ours, listening first."""
    import typer

    from emotion_dj.cli import CARE, LISTEN, MODELS, MUSIC, YOU, app

    panels = (LISTEN, MUSIC, YOU, CARE, MODELS)
    shown = run("--help").out
    places = [shown.index(panel) for panel in panels]
    assert places == sorted(places)
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert command.rich_help_panel in panels, name
        assert f" {name} " in shown


def test_a_photo_without_a_face_is_said(plain: Path) -> None:
    """Nobody in the photo: exit code 4, never a guess."""
    run("read", plain).fails(4, "no face")
    run("play", plain, "--library", "demo").fails(4, "no face")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.jpg", b"This is not a photo."),
        ("empty.png", b""),
        ("cut.jpg", None),
    ],
)
def test_what_is_no_photo_is_refused(
    name: str, content: bytes | None, tmp_path: Path, smiling_photo: Path
) -> None:
    """Text, nothing at all, and a truncated file: exit code 3 and the file's name."""
    if content is None:
        with Pillow.open(smiling_photo) as photo:
            photo.convert("RGB").save(tmp_path / "whole.jpg")
        content = (tmp_path / "whole.jpg").read_bytes()[:4000]
    (tmp_path / name).write_bytes(content)
    run("read", tmp_path / name).fails(3, name)


def test_missing_files_and_folders_are_said(tmp_path: Path) -> None:
    """A photo that is not there, a folder as a photo, an empty library: exit code 3."""
    run("read", tmp_path / "nowhere.jpg").fails(3, "nowhere.jpg")
    run("read", tmp_path).fails(3)
    run("play", "--mood", "happy", "--library", tmp_path).fails(3, str(tmp_path))
    run("analyse", tmp_path / "nowhere").fails(3, "nowhere")


def test_a_library_that_is_not_there_is_not_served(tmp_path: Path) -> None:
    """A folder with a slip in its name: said at once, nothing listens."""
    run("serve", "--port", "0", "--library", tmp_path / "Musik").fails(3, "Musik does not exist")


@pytest.mark.parametrize(
    ("option", "value", "code", "word"),
    [
        ("--plan", "lfit", 2, "lift"),
        ("--save", "set.txt", 3, ".m3u8"),
        ("--mix", "set.txt", 2, ".opus"),
        ("--to", "foo", 2, "subsonic"),
        ("--on", "foo", 2, "spotify"),
        ("--library", "nowhere", 3, "nowhere does not exist"),
    ],
)
def test_mistakes_are_told_before_the_work(
    music: Path, tmp_path: Path, option: str, value: str, code: int, word: str
) -> None:
    """What is not valid is refused before a single track is heard."""
    database = tmp_path / "c.sqlite"
    command = ("play", "--mood", "calm", "--library", music, "--database", database)
    run(*command, option, value).fails(code, word)
    assert run("library", "stats", "--json", "--database", database).json["tracks"] == 0


def test_a_setting_out_of_its_range_is_said(music: Path) -> None:
    """No songs at all, as the environment says, are no set: exit code 2 and the range."""
    said = run("play", "--mood", "calm", "--library", music, EMOTION_DJ_N="0")
    said.fails(2, "the setting 'n' in the environment is 0", "from 1 to 1000")


def test_words_that_are_none_list_all_that_could_be_meant(
    smiling_photo: Path, music: Path, tmp_path: Path
) -> None:
    """A number for a point, a word for an emotion, a part of what has none, no name at all."""
    run("play", "--affect", "1", "--library", music).fails(2, "'1'", "happy", "V,A")
    told = run("play", smiling_photo, "--correct", "foo", "--library", music)
    told.fails(2, "'foo'", "angry", "calm", "V,A")
    run("play", "--mood", "calm", "--library", "demo:foo").fails(2, "'demo:foo'", "demo alone")
    run("play", "--mood", "calm", "--library", "").fails(2, "named by a folder")
    run("analyse", "").fails(2, "named by a folder")
    run("evaluate", "emotion", tmp_path, "--model", smiling_photo).fails(7, "not a model card")


def test_where_nothing_could_be_heard_the_exit_code_tells(music: Path, tmp_path: Path) -> None:
    """All failed: each is named with its path, and the exit code is 3; one of two is no error."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "fake.wav").write_text("no music")
    for command in (("analyse", folder), ("library", "add", folder), ("analyse", folder, "--json")):
        done = run(*command)
        assert done.code == 3
        assert done.err.endswith("emotion-dj: none of 1 tracks could be heard\n")
    assert f"({folder / 'fake.wav'})" in run("analyse", folder).err
    shutil.copy(min(music.iterdir()), folder)
    assert run("analyse", folder).code == 0


def test_unknown_words_list_the_known_ones(music: Path) -> None:
    """A plan or a mood that nobody knows: exit code 2 and what is known."""
    run("play", "--mood", "furious", "--library", music).fails(2, "happy", "energetic")
    run("play", "--mood", "happy", "--plan", "dance", "--library", music).fails(2, "lift", "calm")


def test_a_catalogue_that_is_none_is_refused_and_kept(music: Path, tmp_path: Path) -> None:
    """A corrupt catalogue: exit code 6, and not a byte of it changed."""
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"these are my notes, not a database " * 100)
    before = path.read_bytes()
    run("analyse", music, "--database", path).fails(6, str(path))
    assert path.read_bytes() == before


def test_another_database_is_refused(smiling_photo: Path, tmp_path: Path) -> None:
    """Only SQLite and PostgreSQL are served: any other address is a setting that is not valid."""
    for address in ("mysql+pymysql://x", "sqlite://"):
        run("library", "stats", "--database", address).fails(2, "one SQLite file", address)
        run("play", smiling_photo, "--database", address).fails(2, "one SQLite file")
    file = tmp_path / "c.sqlite"
    assert run("taste", "show", "--database", f"sqlite:///{file}").code == 0
    assert file.is_file()


def test_only_known_engines_hear(music: Path, tmp_path: Path) -> None:
    """Another name, or a cluster at which none answers, is one sentence; nothing is stored."""
    to = ("--database", tmp_path / "c.sqlite")
    run("analyse", music, "--engine", "steam", *to).fails(2, "processes or ray")


def test_wrong_usage_exits_2(smiling_photo: Path) -> None:
    """No wish, two wishes, two photos to annotate: usage errors, told by Typer."""
    assert run("play").code == 2
    assert run("play", smiling_photo, "--mood", "sad").code == 2
    assert run("read", smiling_photo, smiling_photo, "--annotate", "x.png").code == 2


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    """An artifact that does not have its card's sha256 is never opened: ArtifactError."""
    (tmp_path / "card.json").write_text(json.dumps({"file": "w", "sha256": "0" * 64}))
    (tmp_path / "w").write_bytes(b"weights")
    with pytest.raises(artifacts.ArtifactError, match="damaged"):
        artifacts.load(tmp_path / "card.json")


def test_play_for_people_says_why(smiling_photo: Path, music: Path) -> None:
    """Without --json: what was read, the plan, and a reason for each song; failures are named."""
    (music / "broken.mp3").write_bytes(b"no music")
    played = run("play", smiling_photo, "--library", music, "--plan", "lift", "-n", "9")
    assert played.code == 0
    assert "To lift you: lift, 6 songs" in played.out
    assert "bpm" in played.out
    assert "passed over: broken" in played.err
    assert "note: there were only 6 tracks to choose from" in played.err


def test_features_without_audio_are_enough(tmp_path: Path) -> None:
    """Import a table, search it, see it, play from it, forget it: no audio file anywhere."""
    table = tmp_path / "export.csv"
    table.write_text(
        "title,artist,uri,energy,valence,acousticness,instrumentalness,loudness\n"
        + "".join(
            f"{word} {i},Band {i},test:{word}:{i},{energy},{valence},{1 - energy},0,-{loud}\n"
            for i in range(6)
            for word, energy, valence, loud in (
                ("Party [live]", 0.9, 0.9, 5),
                ("Lullaby", 0.1, 0.3, 22),
            )
        ),
        encoding="utf-8",
    )
    home = {"EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite")}
    assert run("library", "import", table, "--json", **home).json == {str(table): 12}
    assert "12 taken in" in run("library", "import", table, **home).out
    assert run("library", "stats", "--json", **home).json["tracks"] == 12
    assert "lively" in run("library", "stats", **home).out
    played = run("play", "--mood", "happy", "-n", "4", "--json", **home).json
    assert all(pick["title"].startswith("Party") for pick in played["picks"])
    assert "[live]" in run("play", "--mood", "happy", **home).out
    found = run("library", "search", "lullaby", "--json", **home).json
    assert len(found) == 6
    assert "Lullaby 0 — Band 0" in run("library", "search", "lullaby", **home).out
    uris = [track["uri"] for track in found]
    assert run("library", "forget", *uris, "--json", **home).json == {"forgotten": 6}
    assert run("library", "forget", *uris, **home).code == 3
    assert run("library", "stats", "--json", **home).json["tracks"] == 6
