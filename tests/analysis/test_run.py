"""The analysis run on real folders: everything heard once, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from emotion_dj.analysis import Run, Summary
from emotion_dj.app import model_registry
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Track
from emotion_dj.errors import CatalogueError, LibraryError
from emotion_dj.executors import InProcess, WorkerProcesses
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from emotion_dj.domain import AnalysisResult
    from emotion_dj.interfaces import Executor

IN_PROCESS = InProcess()
SCAN = """
import sys
from pathlib import Path
from emotion_dj.app import model_registry
from emotion_dj.analysis import Run
from emotion_dj.catalogue import Catalogue
from emotion_dj.executors import InProcess
from emotion_dj.sources.local import Local
catalogue = Catalogue(sys.argv[1])
run = Run(catalogue, model_registry.audio_model, model_registry.audio_model_id(), InProcess())
run([Local((Path(sys.argv[2]),))], lambda done, total: print(done, total, flush=True))
"""


@pytest.fixture
def music(tmp_path: Path, demo_music: Path) -> Path:
    """Return a folder with three real tracks."""
    folder = tmp_path / "music"
    folder.mkdir()
    for path in sorted((demo_music / "calm").glob("*.opus"))[:3]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Return a new catalogue."""
    return Catalogue(tmp_path / "catalogue.sqlite")


def scan(catalogue: Catalogue, folder: Path, workers: int = 1) -> Summary:
    """Run the analysis as the product does."""
    return run_with(catalogue, WorkerProcesses(workers))([Local((folder,))])


def run_with(catalogue: Catalogue, executor: Executor = IN_PROCESS) -> Run:
    """Return a run of our analyser."""
    make, analyser = model_registry.audio_model, model_registry.audio_model_id()
    return Run(catalogue, make, analyser, executor)


def test_the_second_run_is_free(catalogue: Catalogue, music: Path) -> None:
    """What was heard once is known from then on."""
    first, second = scan(catalogue, music), scan(catalogue, music)
    assert (first.analysed, first.known) == (3, 0)
    assert (second.analysed, second.known) == (0, 3)


def test_moved_and_copied_files_are_known_by_their_content(
    catalogue: Catalogue, music: Path
) -> None:
    """A renamed file and a copy are not heard again."""
    scan(catalogue, music)
    first = min(music.iterdir())
    shutil.copy(first, music / "copy.opus")
    first.rename(music / "renamed.opus")
    summary = scan(catalogue, music)
    assert (summary.analysed, summary.known) == (0, 4)


def test_a_changed_file_is_heard_again(catalogue: Catalogue, music: Path) -> None:
    """New content under an old name is new music."""
    scan(catalogue, music)
    a, b, _ = sorted(music.iterdir())
    shutil.copy(b, a)
    with a.open("ab") as file:
        file.write(bytes(10))
    assert scan(catalogue, music).analysed == 1


def test_bad_files_are_reported_and_the_rest_is_heard(catalogue: Catalogue, music: Path) -> None:
    """Text, nothing and a dead link among music: each is named, and not tried again in vain."""
    (music / "text.mp3").write_text("not music\n" * 100)
    (music / "empty.flac").write_bytes(b"")
    (music / "dead.mp3").symlink_to(music / "gone.mp3")
    summary = scan(catalogue, music)
    assert summary.analysed == 3
    why = {Path(failure.uri).name: failure.why for failure in summary.failed}
    assert set(why) == {"dead.mp3", "empty.flac", "text.mp3"}
    assert "dead cannot be read: No such file" in why["dead.mp3"]
    assert all("not audio" in why[name] for name in ("empty.flac", "text.mp3"))
    again = scan(catalogue, music)
    assert (again.analysed, again.known, len(again.failed)) == (0, 3, 3)


def test_files_without_permission_are_reported(
    catalogue: Catalogue, music: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    """A file that may not be read is named; the others are as they were."""
    scan(catalogue, music)
    (music / "secret.opus").write_bytes(b"secret")
    (music / "secret.opus").chmod(0)
    with unprivileged():
        summary = run_with(catalogue)([Local((music,))])
    assert (summary.analysed, summary.known, len(summary.failed)) == (0, 3, 1)
    assert "cannot be read: Permission denied" in summary.failed[0].why


def test_an_empty_folder_is_said(catalogue: Catalogue, tmp_path: Path) -> None:
    """A folder without any music is an error that names it."""
    (tmp_path / "nothing").mkdir()
    with pytest.raises(LibraryError, match=r"there is no music in .*nothing"):
        scan(catalogue, tmp_path / "nothing")


def test_several_processes_hear_what_one_hears(
    catalogue: Catalogue, demo_music: Path, tmp_path: Path
) -> None:
    """Two workers give the same catalogue as one, but for the order of sums in matrices."""
    alone = Catalogue(tmp_path / "alone.sqlite")
    folder = tmp_path / "many"
    folder.mkdir()
    for path in sorted(demo_music.glob("*/*.opus"))[:16]:
        shutil.copy(path, folder)
    assert scan(catalogue, folder, workers=2).analysed == 16
    assert scan(alone, folder, workers=1).analysed == 16
    together, one = (c.candidates([model_registry.audio_model_id()]) for c in (catalogue, alone))
    assert together.arousal.tolist() == pytest.approx(one.arousal.tolist(), abs=1e-4)
    assert [t.uri for t in together.load(range(16))] == [t.uri for t in one.load(range(16))]


def test_killed_and_started_again(catalogue: Catalogue, music: Path) -> None:
    """Kill -9 in the middle of a run: what was heard is kept, and the next run does the rest."""
    program = [sys.executable, "-c", SCAN, catalogue.address, str(music)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "1 3\n"
        run.send_signal(signal.SIGKILL)
    kept = len(Catalogue(catalogue.address).candidates([model_registry.audio_model_id()]))
    assert 1 <= kept <= 3
    summary = scan(catalogue, music)
    assert (summary.analysed, summary.known) == (3 - kept, kept)
    assert len(catalogue.candidates([model_registry.audio_model_id()])) == 3


def test_what_was_moved_keeps_its_likes(catalogue: Catalogue, music: Path) -> None:
    """A renamed file is the same track; one that is removed is no candidate until it is back."""
    scan(catalogue, music)
    first, second, _ = sorted(music.iterdir())
    catalogue.add_feedback(catalogue.numbers([first.as_uri()])[first.as_uri()], "like")
    moved = first.rename(music / "renamed.opus")
    kept = second.read_bytes()
    second.unlink()
    summary = scan(catalogue, music)
    assert (summary.analysed, summary.known, summary.gone) == (0, 2, 1)
    columns = catalogue.candidates([model_registry.audio_model_id()])
    assert len(columns) == 2
    assert catalogue.count() == 3
    assert [uri for _, _, uri, _ in catalogue.feedback_log()] == [moved.as_uri()]
    second.write_bytes(kept)
    assert scan(catalogue, music).gone == 0
    assert len(catalogue.candidates([model_registry.audio_model_id()])) == 3


FAULTY = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
left = int(sys.argv[3])
def commit(_connection):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Engine, "commit", commit)
from emotion_dj.app import model_registry
from emotion_dj.analysis import Run
from emotion_dj.catalogue import Catalogue
from emotion_dj.executors import InProcess
from emotion_dj.sources.local import Local
make, analyser = model_registry.audio_model, model_registry.audio_model_id()
run = Run(Catalogue(sys.argv[1]), make, analyser, InProcess())
print(run([Local((Path(sys.argv[2]),))]).analysed)
"""


@pytest.mark.slow
def test_killed_at_every_commit_nothing_is_lost_or_doubled(music: Path, tmp_path: Path) -> None:
    """The process dies at its first commit, its second, and so on, until one run gets through."""
    for commit in range(1, 20):
        address = tmp_path / f"{commit}.sqlite"
        command = [sys.executable, "-c", FAULTY, str(address), str(music), str(commit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        catalogue = Catalogue(address)
        assert catalogue.count() <= 3
        summary = scan(catalogue, music)
        assert summary.analysed + summary.known == 3
        assert (
            len(catalogue.candidates([model_registry.audio_model_id()])) == catalogue.count() == 3
        )
        if done.returncode == 0:
            break
    assert done.stdout == "3\n"
    assert commit > 4


def test_two_scans_at_once_make_one_catalogue(music: Path, tmp_path: Path) -> None:
    """Both end well, and every track is there once."""
    address = tmp_path / "both.sqlite"
    command = [sys.executable, "-c", SCAN, str(address), str(music)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    for run in runs:
        assert run.stdout is not None
        run.stdout.close()
    catalogue = Catalogue(address)
    assert catalogue.count() == len(catalogue.candidates([model_registry.audio_model_id()])) == 3


def test_names_of_every_kind_are_kept(catalogue: Catalogue, music: Path) -> None:
    """Other scripts, a line break, 255 bytes, bytes that are no UTF-8: heard and known again."""
    song = min(music.iterdir()).read_bytes()
    for path in music.iterdir():
        path.unlink()
    names = ["Кино.opus", "東京.opus", "شمس.opus", "a\nb.opus", "x" * 250 + ".opus", "#?%20 é.opus"]
    for number, name in enumerate([*(name.encode() for name in names), b"\xff\xfe.opus"]):
        (music / os.fsdecode(name)).write_bytes(song + bytes(number))
    first = scan(catalogue, music)
    assert (first.analysed, first.failed) == (7, ())
    assert scan(catalogue, music).known == 7
    tracks = catalogue.candidates([model_registry.audio_model_id()]).load(range(7))
    assert {track.path for track in tracks} == set(music.iterdir())


def test_a_full_disk_keeps_what_was_stored(catalogue: Catalogue, music: Path) -> None:
    """SQLite finds no more pages: one sentence; what was there before is still there."""
    scan(catalogue, music)
    full = Catalogue(catalogue.address)

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size instead

    event.listen(full._database._engine, "connect", limit)
    full._database._engine.dispose()
    rows = [(Track(f"x:{i}", "T" * 2000), "", "", "why" * 500) for i in range(200)]
    with pytest.raises(CatalogueError, match="is full: what was stored so far is kept"):
        full.store_all(rows, analyser="ear")
    assert Catalogue(catalogue.address).count() == 3


CRASHING = """
import os, signal
from emotion_dj.app import model_registry

class Fragile:
    id = model_registry.audio_model_id()

    def __init__(self):
        self.ear = model_registry.audio_model()

    def analyse(self, audio):
        if "poison" in audio.name:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.ear.analyse(audio)
"""


def test_a_file_that_kills_its_worker_is_found_and_named(
    catalogue: Catalogue, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that crashes takes its process along: the other files are heard all the same."""
    (tmp_path / "crashing.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("emotion_dj.executors.WORTH_A_PROCESS", 1)
    import crashing

    (music / "poison.opus").write_bytes(min(music.iterdir()).read_bytes() + b"0")
    workers = WorkerProcesses(2)
    run = Run(catalogue, crashing.Fragile, model_registry.audio_model_id(), workers)
    summary = run([Local((music,))])
    assert summary.analysed == 3
    assert [failure.why for failure in summary.failed] == [
        "poison: the decoder crashed in this file"
    ]


FROM_A_PIPE = """
import sys
from pathlib import Path
from emotion_dj import executors
from emotion_dj.analysis import Run
from emotion_dj.app import model_registry
from emotion_dj.catalogue import Catalogue
from emotion_dj.sources.local import Local
class Own:
    id = model_registry.audio_model_id()
    def __init__(self):
        self.analyse = model_registry.audio_model().analyse
executors.WORTH_A_PROCESS = 1
workers = executors.WorkerProcesses(2)
run = Run(Catalogue(sys.argv[1]), {make}, model_registry.audio_model_id(), workers)
print(run([Local((Path(sys.argv[2]),))]).analysed)
"""


def test_a_program_from_a_pipe_has_workers(catalogue: Catalogue, music: Path) -> None:
    """Workers begin without the program that wants them: it is not run again, nothing is said."""
    command = [sys.executable, "-", catalogue.address, str(music)]
    program = FROM_A_PIPE.format(make="model_registry.audio_model")
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_where_no_worker_can_begin_everything_is_heard_all_the_same(
    catalogue: Catalogue, music: Path
) -> None:
    """An analyser of the main module's own is not to be had in a worker: no file is blamed."""
    command = [sys.executable, "-", catalogue.address, str(music)]
    program = FROM_A_PIPE.format(make="Own")
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    assert done.stdout == "3\n"


class Unplugged(Local):
    """A folder on a disk that is pulled out after so many files were opened."""

    __slots__ = ("left",)

    def open(self, track: Track) -> AbstractContextManager[Path]:
        """Give the path, and take the disk away when it is time."""
        if self.left and self.left.pop() == "last":
            shutil.move(self.roots[0], self.roots[0].with_name("unplugged"))
            self.roots[0].mkdir()
        return Local.open(self, track)


@pytest.mark.needs_namespaces
def test_where_processes_cannot_share_locks_one_hears(demo_music: Path) -> None:
    """A /dev/shm that cannot be written to: every track is heard, and nothing is said of it."""
    hidden = 'mount -t tmpfs -o ro none /dev/shm && exec "$@"'
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hidden, "sh"),
            *(sys.executable, "-m", "emotion_dj", "analyse", demo_music, "--json"),
        ],
        env={**os.environ, "EMOTION_DJ_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["analysed"] == 28


def test_a_disk_that_vanishes_while_it_is_heard(catalogue: Catalogue, music: Path) -> None:
    """What was heard stays; what was not is not a lasting failure and is heard when it is back."""
    disk = Unplugged((music,))
    object.__setattr__(disk, "left", ["last", "first"])
    summary = run_with(catalogue)([disk])
    assert summary.analysed == 1
    assert all("went away" in failure.why for failure in summary.failed[:2])
    assert len(catalogue.candidates([model_registry.audio_model_id()])) == 1
    with pytest.raises(LibraryError, match="there is no music in"):
        scan(catalogue, music)
    assert len(catalogue.candidates([model_registry.audio_model_id()])) == 1
    music.rmdir()
    music.with_name("unplugged").rename(music)
    again = scan(catalogue, music)
    assert (again.analysed, again.known, again.failed) == (2, 1, ())


def test_one_of_two_folders_that_is_empty_all_at_once_keeps_what_was_known(
    catalogue: Catalogue, music: Path, tmp_path: Path
) -> None:
    """A second disk that is not there: its songs are not marked as gone, and that is said."""
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(max(music.iterdir()), other / "other.opus")
    both = Local((music, other))
    run = run_with(catalogue)
    run([both])
    (other / "other.opus").unlink()
    summary = run([both])
    assert summary.gone == 0
    assert [f"no music in {other} now" in failure.why for failure in summary.failed] == [True]
    assert len(catalogue.candidates([model_registry.audio_model_id()])) == 4


@pytest.mark.slow
def test_a_folder_of_a_hundred_thousand_entries(catalogue: Catalogue, music: Path) -> None:
    """Files without end that are no music, beside three songs: the songs are found and heard."""
    (music / "cover.jpg").touch()
    for number in range(100_000):
        os.symlink("cover.jpg", music / f"{number}.jpg")  # noqa: PTH211 - much faster
    assert scan(catalogue, music).analysed == 3


class Quirky(Local):
    """A folder in which a library trips over some files, in describing or in opening them."""

    def describe(self, track: Track) -> Track:
        """Describe a track, unless its tags are odd."""
        if "odd-tags" in track.uri:
            raise KeyError("TXXX")
        return Local.describe(self, track)

    def open(self, track: Track) -> AbstractContextManager[Path]:
        """Give the path, unless a decoder trips over it."""
        if "odd-sound" in track.uri:
            raise ZeroDivisionError
        return Local.open(self, track)


def test_whatever_a_library_raises_is_the_failure_of_that_file(
    catalogue: Catalogue, music: Path
) -> None:
    """Any exception in describing or hearing names its file; the rest is heard, both retried."""
    song = min(music.iterdir()).read_bytes()
    (music / "odd-tags.opus").write_bytes(song + b"0")
    (music / "odd-sound.opus").write_bytes(song + b"1")
    summary = run_with(catalogue)([Quirky((music,))])
    assert summary.analysed == 3
    assert {failure.why for failure in summary.failed} == {
        "odd-tags cannot be read: 'TXXX'",
        "odd-sound cannot be read: ZeroDivisionError",
    }
    again = scan(catalogue, music)
    assert (again.analysed, again.known, again.failed) == (2, 3, ())


def test_without_semaphores_one_process_hears(
    catalogue: Catalogue, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where /dev/shm cannot be written no worker is to be had: the music is heard all the same."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("emotion_dj.executors.WORTH_A_PROCESS", 1)
    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing.SemLock", refuse)
    assert scan(catalogue, music, workers=2).analysed == 3


class Tenfold:
    """An executor of somebody else's: ten tracks at a time, the last one first."""

    def map(
        self, function: Callable[[Track], AnalysisResult], tracks: Sequence[Track]
    ) -> Iterator[tuple[int, AnalysisResult]]:
        """Yield (place, result) from the last to the first."""
        for place in reversed(range(len(tracks))):
            yield place, function(tracks[place])


def test_another_executor_does_the_work(catalogue: Catalogue, music: Path) -> None:
    """A class with the one verb of an executor is all that a run needs."""
    assert run_with(catalogue, Tenfold())([Local((music,))]).analysed == 3


def mutated(path: Path, title: str) -> None:
    """Write a title into a file, as a tag editor does."""
    import mutagen

    file = mutagen.File(path)
    file["title"] = [title]
    file.save()


def test_an_edit_of_tags_is_read_and_nothing_is_heard(catalogue: Catalogue, music: Path) -> None:
    """The new title is known after the next scan, with the analysis that there was."""
    scan(catalogue, music)
    mutated(min(music.iterdir()), "Another title")
    summary = scan(catalogue, music)
    assert (summary.analysed, summary.known) == (0, 3)
    ((_, track),) = catalogue.search("Another title", limit=2)
    assert track.path == min(music.iterdir())
    assert len(catalogue.candidates([model_registry.audio_model_id()])) == 3


def test_a_full_run_looks_into_every_file(catalogue: Catalogue, music: Path) -> None:
    """Also where size and times are what they were, as after a program that sets them back; what
    failed is tried again.
    """
    (music / "text.opus").write_text("not music")
    scan(catalogue, music)
    path = min(music.iterdir())
    marks = catalogue.modification_tags(model_registry.audio_model_id())
    mutated(path, "Another title")
    now = Local((music,)).modification_tag(Track(path.as_uri(), ""))
    with catalogue._database.writing() as connection:  # as if the mark had not changed
        connection.exec_driver_sql(
            "UPDATE tracks SET stamp = ? WHERE uri = ?", (now, path.as_uri())
        )
    assert marks
    assert scan(catalogue, music).known == 3
    assert not catalogue.search("Another title", limit=2)
    make, analyser = model_registry.audio_model, model_registry.audio_model_id()
    full = Run(catalogue, make, analyser, IN_PROCESS, full=True)([Local((music,))])
    assert (full.analysed, full.known, len(full.failed)) == (0, 3, 1)
    assert len(catalogue.search("Another title", limit=2)) == 1


class Swapping:
    """An executor while whose first track is heard another file takes its place."""

    def __init__(self, path: Path, other: Path) -> None:
        """Keep which file is replaced by which."""
        self.path, self.other, self.heard = path, other, 0

    def map(
        self, function: Callable[[Track], AnalysisResult], tracks: Sequence[Track]
    ) -> Iterator[tuple[int, AnalysisResult]]:
        """Hear the tracks, then swap before the result of the first is told."""
        for place, track in enumerate(tracks):
            result = function(track)
            self.heard += 1
            if track.path == self.path and self.other.exists():
                self.other.replace(self.path)
            yield place, result


def test_a_file_that_is_replaced_while_it_is_heard_is_heard_again(
    catalogue: Catalogue, music: Path, tmp_path: Path
) -> None:
    """What was heard of the old content is not taken for the new, in the same run."""
    first, second, _ = sorted(music.iterdir())
    other = tmp_path / "other.opus"
    second.rename(other)
    library = Local((music,))
    wanted = library.fingerprint(Track(other.as_uri(), ""))
    executor = Swapping(first, other)
    summary = run_with(catalogue, executor)([library])
    assert (summary.analysed, summary.failed, executor.heard) == (2, (), 3)
    assert catalogue.analysis_of(wanted, model_registry.audio_model_id()) is not None
    ((track, _),) = catalogue.tracks_by_fingerprint([wanted])[wanted]
    assert track.path == first


def test_a_change_within_one_step_of_a_clock_is_seen(catalogue: Catalogue, music: Path) -> None:
    """On FAT two writes within two seconds have the same time: a file that is so new is looked
    into again, though its mark is what it was.
    """
    first, second, _ = sorted(music.iterdir())
    library = Local((music,))
    tag, analyser = "as it was", model_registry.audio_model_id()

    class Fat(Local):
        """A file system that shows no change of anything."""

        def modification_tag(self, track: Track) -> str:
            """Return the same mark for every file."""
            del track
            return tag

    run_with(catalogue)([Fat((music,))])
    wanted = library.fingerprint(Track(second.as_uri(), ""))
    shutil.copy(second, first)
    run_with(catalogue)([Fat((music,))])
    assert len(catalogue.tracks_by_fingerprint([wanted])[wanted]) == 2
    long_ago = 1_600_000_000
    for path in music.iterdir():
        os.utime(path, (long_ago, long_ago))
    run_with(catalogue)([Fat((music,))])
    assert {seen[0] for seen in catalogue.modification_tags(analyser).values()} == {tag}


def test_a_library_that_was_moved_costs_few_questions(
    catalogue: Catalogue, music: Path, tmp_path: Path
) -> None:
    """However many files there are, and their tags are not read again; likes go along."""
    for path in music.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    scan(catalogue, music)
    numbers = set(catalogue.numbers([path.as_uri() for path in music.iterdir()]).values())
    music.rename(tmp_path / "moved")
    statements: list[str] = []
    engine = catalogue._database._engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    class Told(Local):
        """A source whose files are not described."""

        def describe(self, track: Track) -> Track:
            """Fail."""
            raise AssertionError(track.uri)

    summary = run_with(catalogue)([Told((tmp_path / "moved",))])
    assert (summary.analysed, summary.known, summary.gone) == (0, 3, 0)
    uris = [path.as_uri() for path in (tmp_path / "moved").iterdir()]
    assert set(catalogue.numbers(uris).values()) == numbers
    assert len([s for s in statements if not s.startswith("PRAGMA")]) < 20
    assert catalogue.search("", limit=9)[0][1].duration
