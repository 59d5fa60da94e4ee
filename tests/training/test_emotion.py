"""Training the face reader on real faces (FER2013, beside the checkout), and measuring it."""

from __future__ import annotations

import csv
import dataclasses
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError, LabelError

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.training.emotion_data import LabelledFaces

pytestmark = [pytest.mark.needs_shared, pytest.mark.needs_train]


@pytest.fixture(scope="module")
def held(shared: Path) -> LabelledFaces:
    """Return the public test set."""
    from emotion_dj.training import emotion_data

    return emotion_data.read(shared / "data/faces/fer2013-public.parquet")


def tiny(**changes: object) -> object:
    """Return a recipe of seconds."""
    from emotion_dj.training.emotion_recipe import Recipe

    small = Recipe(
        widths=(4, 8), blocks=(1, 1), epochs=2, batch=32, sides=((0.5, 32), (1.0, 48)),
        warmup=0, settle=0, compiled=False,
    )  # fmt: skip
    return dataclasses.replace(small, **changes)  # type: ignore[arg-type]


def test_a_killed_run_goes_on_to_the_same_weights(held: LabelledFaces, tmp_path: Path) -> None:
    """Two epochs and one of settling at once, or interrupted: equal to the last bit."""
    import torch

    from emotion_dj.training import emotion, emotion_run

    few, other = held.rows(np.arange(256)), held.rows(np.arange(3000, 3100))

    class Killed(Exception):
        pass

    def kill(done: int, _total: int) -> None:
        if done > 8:
            raise Killed

    recipe = tiny(settle=1)
    straight = emotion.train(emotion_run.Run(recipe, tmp_path / "a"), few, other)
    with pytest.raises(Killed):
        emotion.train(emotion_run.Run(recipe, tmp_path / "b"), few, other, report=kill)
    torch.manual_seed(99)
    resumed = emotion.train(emotion_run.Run(recipe, tmp_path / "b"), few, other)
    for one, two in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)
    with (tmp_path / "b" / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]


def test_a_small_network_learns_from_a_teacher(held: LabelledFaces, tmp_path: Path) -> None:
    """Distillation changes what is learnt, and a run can be loaded as a teacher."""
    import torch

    from emotion_dj.training import emotion, emotion_run

    few, other = held.rows(np.arange(128)), held.rows(np.arange(3000, 3100))
    plain = emotion.train(emotion_run.Run(tiny(), tmp_path / "a"), few, other)
    teacher, told = emotion_run.load(tmp_path / "a")
    assert told["epochs"] == tiny().epochs
    taught = emotion.train(emotion_run.Run(tiny(), tmp_path / "b"), few, other, teachers=[teacher])
    assert any(
        not torch.equal(one, two)
        for one, two in zip(plain.parameters(), taught.parameters(), strict=True)
    )


def test_a_run_begins_with_the_mean_of_others(held: LabelledFaces, tmp_path: Path) -> None:
    """Its first weights lie in the middle of theirs; weights of another shape are refused."""
    import torch

    from emotion_dj.training import emotion, emotion_run

    few = held.rows(np.arange(64))
    nets = [
        emotion.train(
            emotion_run.Run(tiny(epochs=1, seed=seed), tmp_path / str(seed)), few, few.rows([0])
        )
        for seed in (1, 2)
    ]
    begun = emotion_run.Run(tiny(seed=9), tmp_path / "b", start=nets)
    for one, two, mean in zip(*(net.parameters() for net in (*nets, begun.net)), strict=True):
        assert torch.allclose((one + two) / 2, mean)
    with pytest.raises(DataError, match="other shapes"):
        emotion_run.Run(tiny(widths=(8, 8)), tmp_path / "c", start=nets)


def test_rare_faces_are_drawn_more_often_where_a_recipe_says_so() -> None:
    """Of a hundred faces the five of disgust come twice as often; as many are drawn in all."""
    import torch

    from emotion_dj.training import emotion

    shares = torch.zeros(100, 7)
    shares[:5, 1], shares[5:, 3] = 1, 1
    torch.manual_seed(0)
    plain = emotion._drawn(shares, 0.0)
    assert sorted(plain.tolist()) == list(range(100))
    often = [(emotion._drawn(shares, 0.3) < 5).sum() for _ in range(50)]
    expected = 100 * 0.05**0.7 / (0.05**0.7 + 0.95**0.7)
    assert float(torch.stack(often).float().mean()) == pytest.approx(expected, abs=0.3)


def test_hidden_parts_are_told_once_the_last_layer_is_fitted_to_them(held: LabelledFaces) -> None:
    """Of masks most are found, of plain faces few are said to wear one; the answers stay."""
    import torch

    from emotion_dj.training import emotion_run, hidden
    from emotion_dj.training.augment import Augmentation, standardise
    from emotion_dj.training.covers import Covers

    torch.manual_seed(0)
    net = emotion_run.network((16, 32), (1, 1)).eval()
    pixels = torch.from_numpy(held.pixels[:2000]).unsqueeze(1)
    before = net.head[-1].weight.clone()
    hidden.refit(net, pixels, Augmentation(covers=Covers(masked=0.12)), seed=1)
    assert torch.equal(net.head[-1].weight[:14], before[:14])
    faces = pixels[1000:].float() / 255
    masked, truth = Covers(masked=1.0, shaded=0.0, erased=0.0)(faces)
    with torch.no_grad():
        told, plain = (net(standardise(some))[:, 14] > 0 for some in (masked, faces))
    assert told[truth[:, 0] == 1].float().mean() > 3 * plain.float().mean()


def test_a_checkpoint_of_another_recipe_is_refused(held: LabelledFaces, tmp_path: Path) -> None:
    """Another shape or length asks for another folder; a file that is none is named."""
    from emotion_dj.training import emotion, emotion_run

    few = held.rows(np.arange(64))
    emotion.train(emotion_run.Run(tiny(epochs=1), tmp_path), few, few.rows(np.arange(8)))
    with pytest.raises(DataError, match="another recipe"):
        emotion_run.Run(tiny(widths=(8, 8)), tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(DataError, match="not a checkpoint"):
        emotion_run.load(tmp_path)


def test_a_full_disk_keeps_the_last_checkpoint(
    held: LabelledFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving fails: what was saved before is still whole."""
    import torch

    from emotion_dj.training import emotion, emotion_run

    run = emotion_run.Run(tiny(epochs=1), tmp_path)
    few = held.rows(np.arange(64))
    emotion.train(run, few, few.rows(np.arange(8)))
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(_state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        run.save()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_kept_views_train_the_upper_levels_alone(held: LabelledFaces, tmp_path: Path) -> None:
    """The frozen level stays to the last bit, the others move; killed, it goes on to the same."""
    import torch

    from emotion_dj.training import emotion, emotion_run

    few, other = held.rows(np.arange(96)), held.rows(np.arange(3000, 3050))
    begun = emotion_run.Run(tiny(), tmp_path / "0").net
    recipe = tiny(frozen=1, views=2, settle=1, noise=0.1, shifted=0.5, blocked=0.2)

    def train(name: str) -> list[torch.Tensor]:
        run = emotion_run.Run(recipe, tmp_path / name, start=[begun])
        return list(emotion.train(run, few, other).state_dict().values())

    class Killed(Exception):
        pass

    def kill(done: int, _total: int) -> None:
        if done > 4:
            raise Killed

    straight = train("a")
    run = emotion_run.Run(recipe, tmp_path / "b", start=[begun])
    with pytest.raises(Killed):
        emotion.train(run, few, other, report=kill)
    torch.manual_seed(99)
    resumed = train("b")
    assert all(torch.equal(one, two) for one, two in zip(straight, resumed, strict=True))
    lower = len(begun.features[: begun.ends[1]].state_dict())
    kept = [
        torch.equal(one, two)
        for one, two in zip(begun.state_dict().values(), straight, strict=True)
    ]
    assert all(kept[:lower])
    assert not all(kept[lower:])


def test_faces_of_the_test_set_are_never_trained_on(shared: Path, held: LabelledFaces) -> None:
    """Training faces that are pixel-identical to a test face are left out."""
    from emotion_dj.training import emotion_data

    table = emotion_data.read(shared / "data/faces/fer2013-train.parquet")
    allowed = emotion_data.without(table, held.digests())
    assert len(table) - len(allowed) >= 280
    assert not set(allowed.digests()) & set(held.digests())


def test_copies_that_disagree_share_their_labels(held: LabelledFaces) -> None:
    """Pixel-identical faces become one, whose target is the mean of theirs."""
    from emotion_dj.training import emotion_data

    twice = emotion_data.LabelledFaces(
        held.pixels[[0, 0, 1]], np.array([0, 3, 2]), np.zeros((3, 10), np.float32)
    )
    pixels, targets = emotion_data.merge_identical(twice, emotion_data.labels(twice))
    assert len(pixels) == 2
    assert targets[0].tolist() == [0.5, 0, 0, 0.5, 0, 0, 0]


def write_table(
    path: Path, images: list[bytes], labels: list[str], column: str = "emotion"
) -> Path:
    """Write a Parquet file of labelled pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": images, column: labels}), path)
    return path


def test_damaged_pictures_are_counted_and_passed_over(tmp_path: Path) -> None:
    """Two good pictures around a bad one: two faces, one passed over."""
    from emotion_dj.training import emotion_data

    good = BytesIO()
    Pillow.new("L", (48, 48), 99).save(good, "PNG")
    images = [good.getvalue(), b"broken", good.getvalue()]
    path = write_table(tmp_path / "t.parquet", images, ["happy", "sad", "Angry"])
    faces = emotion_data.read(path)
    assert (len(faces), faces.passed_over) == (2, 1)
    assert faces.labels.tolist() == [3, 0]


def test_tables_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    """No column, an unknown label, no Parquet at all, nothing to decode: each says so."""
    from emotion_dj.training import emotion_data

    with pytest.raises(DataError, match="no column emotion"):
        emotion_data.read(write_table(tmp_path / "a", [b""], ["happy"], column="mood"))
    with pytest.raises(LabelError, match="surprise"):
        emotion_data.read(write_table(tmp_path / "b", [b""], ["hungry"]))
    with pytest.raises(DataError, match="no picture"):
        emotion_data.read(write_table(tmp_path / "c", [b""], ["happy"]))
    (tmp_path / "d").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="Parquet"):
        emotion_data.read(tmp_path / "d")


def test_photographs_in_folders_are_found_cropped_and_read(
    tmp_path: Path, smiling_photo: Path
) -> None:
    """Folders named by emotion: a smiling portrait, a cut-out face, a damaged file, a landscape."""
    from emotion_dj.training import evaluation

    (tmp_path / "happiness").mkdir()
    with Pillow.open(smiling_photo) as photo:
        photo.convert("RGB").save(tmp_path / "happiness" / "portrait.jpg")
        photo.convert("L").crop((180, 60, 270, 150)).save(tmp_path / "happiness" / "cut.png")
    (tmp_path / "happiness" / "broken.png").write_bytes(b"x")
    Pillow.new("RGB", (640, 480)).save(tmp_path / "happiness" / "night.png")
    figures = evaluation.evaluate_emotion(tmp_path)
    assert (figures["n"], figures["damaged"], figures["no_face"]) == (2, 1, 1)
    assert figures["per_class"]["happy"]["recall"] == 1
    (tmp_path / "hungry").mkdir()
    with pytest.raises(LabelError, match="hungry"):
        evaluation.evaluate_emotion(tmp_path)


def write_folders(root: Path, faces: LabelledFaces) -> Path:
    """Write faces as Kaggle's copy of FER2013 has them: a folder per emotion."""
    names = [emotion.value for emotion in Emotion]
    for row, (pixels, label) in enumerate(zip(faces.pixels, faces.labels, strict=True)):
        path = root / names[label] / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(pixels).save(path)
    return root


def test_folders_become_faces_and_a_data_frame(held: LabelledFaces, tmp_path: Path) -> None:
    """The same pixels and labels as in the table; damaged files are counted; none is refused."""
    from emotion_dj.training import emotion_data

    few = held.rows(np.arange(20))
    root = write_folders(tmp_path / "train", few)
    (root / "sad").mkdir(exist_ok=True)
    (root / "sad" / "broken.jpg").write_bytes(b"x")
    read = emotion_data.read(root)
    assert (len(read), read.passed_over) == (20, 1)
    assert set(read.digests()) == set(few.digests())
    table = emotion_data.frame(root)
    assert list(table.columns) == ["image", "label"]
    assert len(table) == 21
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no folders named by emotion"):
        emotion_data.read(tmp_path / "empty")


def test_squeezing_resembles_real_jpeg(held: LabelledFaces) -> None:
    """Our cosine transform loses about as much as a real encoder of middling quality."""
    import torch

    from emotion_dj.training import augment

    face = held.pixels[0]
    with BytesIO() as file:
        Pillow.fromarray(face).save(file, "JPEG", quality=40)
        real = np.abs(np.asarray(Pillow.open(file), float) - face).mean() / 255
    torch.manual_seed(0)
    faces = torch.from_numpy(face).float().div(255).expand(256, 1, 48, 48)
    ours = float((augment._squeeze(faces) - faces).abs().mean())
    assert ours == pytest.approx(real, rel=0.35)


def test_the_original_trains_saves_and_reads(
    held: LabelledFaces, tmp_path: Path, smiling_photo: Path
) -> None:
    """Its two files, its class on a real photograph, its place in `evaluate`; a missing file."""
    from emotion_dj.original import emotion_recipe
    from emotion_dj.original.face_recognition import FaceRecognition
    from emotion_dj.training import evaluation

    few, other = held.rows(np.arange(256)), held.rows(np.arange(3000, 3100))
    figures = emotion_recipe.train(few, other, tmp_path, epochs=1)
    files = tmp_path / "emotiondetector.json", tmp_path / "emotiondetector.weights.h5"
    reader = FaceRecognition(*map(str, files))
    with Pillow.open(smiling_photo) as photo:
        grey = np.asarray(photo.convert("L"))
    ((x, y, w, h), label), *_ = reader.recognize_emotion(grey)
    assert label in {emotion.value for emotion in Emotion}
    assert 150 < x + w / 2 < 300
    assert 50 < y + h / 2 < 200
    assert reader.extract_features(other.pixels[0]).shape == (1, 48, 48, 1)
    assert reader.recognize_emotion(np.zeros((200, 200), np.uint8)) == []
    root = write_folders(tmp_path / "faces", other)
    assert evaluation.evaluate_emotion(root, model=tmp_path)["n"] == 100
    again = evaluation.open_reader(tmp_path).read_crop(other.pixels[0])
    assert sum(again.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert figures["n"] == 100
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FileNotFoundError, match="--recipe original"):
        FaceRecognition("none.json", files[1])
    files[1].write_bytes(b"x")
    with pytest.raises(DataError, match="do not fit"):
        FaceRecognition(*files)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no trained reader"):
        evaluation.open_reader(tmp_path / "empty")
