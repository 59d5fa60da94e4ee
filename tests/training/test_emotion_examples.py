"""Data sets as people bring them: how labels are written and where pictures lie."""

from __future__ import annotations

import json
import sys
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Pillow

from emotion_dj.errors import DataError, LabelError, MissingExtra
from emotion_dj.training import emotion_examples, evaluation

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def photograph(smiling_photo: Path) -> bytes:
    """Return a real photograph of a smile, 512x512."""
    with Pillow.open(smiling_photo) as photo, BytesIO() as file:
        photo.convert("RGB").save(file, "JPEG")
        return file.getvalue()


@pytest.fixture(scope="module")
def face(smiling_photo: Path) -> bytes:
    """Return its face as FER2013 has faces: grey, 48x48, forehead to chin."""
    with Pillow.open(smiling_photo) as photo, BytesIO() as file:
        photo.convert("L").crop((172, 58, 278, 164)).resize((48, 48)).save(file, "PNG")
        return file.getvalue()


def table(path: Path, images: list[object], labels: list[object], column: str = "emotion") -> Path:
    """Write a Parquet file of pictures and labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": images, column: labels}), path)
    return path


def folders(root: Path, face: bytes, *places: str) -> Path:
    """Write the face to each of these places below the root."""
    for place in places:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(face)
    return root


def names(examples: emotion_examples.Examples) -> list[str]:
    """Return the labels as words."""
    return [emotion_examples.LABELS[label].value for label in examples.labels]


def test_photographs_in_a_table_are_cropped_as_those_in_folders_are(
    photograph: bytes, tmp_path: Path
) -> None:
    """A photograph in a row of a table: its face is found and cropped, the photo not squeezed."""
    rows = table(tmp_path / "t.parquet", [photograph] * 2, ["happy"] * 2)
    files = folders(tmp_path / "f", photograph, "happy/a.jpg", "happy/b.jpg")
    of_table, of_folders = map(evaluation.evaluate_emotion, (rows, files))
    assert of_table["per_class"]["happy"]["recall"] == 1
    assert {**of_table, "ms_per_face": 0} == {**of_folders, "ms_per_face": 0}


def test_no_face_in_a_table_is_counted(photograph: bytes, tmp_path: Path) -> None:
    """A dark photograph in a table is not a face of which anything could be read."""
    with BytesIO() as file:
        Pillow.new("RGB", (640, 480)).save(file, "PNG")
        night = file.getvalue()
    figures = evaluation.evaluate_emotion(table(tmp_path / "t", [photograph, night], [3, 3]))
    assert (figures["n"], figures["no_face"]) == (1, 1)


@pytest.mark.needs_shared
def test_cut_out_faces_score_the_same_in_folders_and_in_a_table(
    shared: Path, tmp_path: Path
) -> None:
    """Four hundred of FER2013's faces as PNG files: the figures of the table, to the last digit."""
    import pyarrow.parquet as pq

    some = pq.read_table(shared / "data/faces/fer2013-public.parquet").slice(0, 400)
    pq.write_table(some, tmp_path / "t.parquet")
    for row, data in enumerate(some.to_pylist()):
        folders(tmp_path / "f", data["image"], f"{data['emotion']}/{row}.png")
    of_table = evaluation.evaluate_emotion(tmp_path / "t.parquet")
    of_folders = evaluation.evaluate_emotion(tmp_path / "f")
    assert of_table["confusion"] == of_folders["confusion"]
    assert of_table["n"] == 400


@pytest.mark.parametrize("column", ["emotion", "label"])
def test_numbers_mean_what_they_mean_in_fer2013(face: bytes, column: str, tmp_path: Path) -> None:
    """0 to 6 are the published coding, whether the column is called emotion or label."""
    found = emotion_examples.find(table(tmp_path / "t", [face] * 7, list(range(7)), column))
    assert names(found) == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def test_numbers_follow_the_names_that_lie_beside_the_table(face: bytes, tmp_path: Path) -> None:
    """Hugging Face writes into a table what its numbers mean; that is believed before FER2013."""
    import pyarrow.parquet as pq

    rows = pq.read_table(table(tmp_path / "t", [face] * 2, [0, 1], "label"))
    features = {"label": {"names": ["surprise", "sadness"], "_type": "ClassLabel"}}
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(rows.replace_schema_metadata(told), tmp_path / "t")
    assert names(emotion_examples.find(tmp_path / "t")) == ["surprise", "sad"]


def test_pictures_as_hugging_face_keeps_them(face: bytes, tmp_path: Path) -> None:
    """A column of {"bytes", "path"} holds pictures too."""
    path = table(tmp_path / "t", [{"bytes": face, "path": "a.png"}], ["happy"])
    assert emotion_examples.find(path).pictures == [face]


def test_rows_without_one_of_the_seven_are_counted_and_left_out(
    face: bytes, tmp_path: Path
) -> None:
    """An empty label, and contempt, which is not a disgust: neither is scored, both are counted."""
    path = table(tmp_path / "t", [face] * 4, ["happy", None, "contempt", "happy"])
    figures = evaluation.evaluate_emotion(path)
    assert (figures["n"], figures["unlabelled"]) == (2, 2)
    kept = folders(tmp_path / "f", face, "happy/a.png", "contempt/b.png", "contempt/c.png")
    figures = evaluation.evaluate_emotion(kept)
    assert (figures["n"], figures["unlabelled"]) == (1, 2)


@pytest.mark.parametrize("wrong", ["smirk", 7])
def test_an_unknown_label_names_file_and_row(face: bytes, wrong: object, tmp_path: Path) -> None:
    """A word that nobody knows and a number that FER2013 does not have: where it stands is said."""
    right = "happy" if isinstance(wrong, str) else 3
    path = table(tmp_path / "faces.parquet", [face] * 3, [right, right, wrong])
    with pytest.raises(LabelError, match=r"faces\.parquet, row 3: .*" + str(wrong)):
        emotion_examples.find(path)


def test_a_table_without_pyarrow_names_the_line_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pyarrow is absent a Parquet file asks for its extra."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match=r"needs an extra: run  .*tables"):
        emotion_examples.find(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    "places",
    [
        ("test/happy/1.png", "test/Anger/2.png"),
        ("happy/1.png", "angry/2.png", ".ipynb_checkpoints/3.png", "happy/.hidden.png"),
        ("3/1.png", "0/2.png"),
        ("3_happy/1.png", "0-angry/2.png"),
        ("happy/subject 1/session/1.PNG", "angry/2.png", "happy/Thumbs.db", "happy/notes.txt"),
    ],
)
def test_folders_are_taken_as_people_keep_them(
    face: bytes, places: tuple[str, ...], tmp_path: Path
) -> None:
    """One level deeper, numbered, with hidden folders and files that are no pictures, nested."""
    figures = evaluation.evaluate_emotion(folders(tmp_path, face, *places))
    assert (figures["n"], figures["damaged"]) == (2, 0)
    assert figures["per_class"]["happy"]["n"] == figures["per_class"]["angry"]["n"] == 1


def test_several_sets_in_one_folder_are_not_mixed(face: bytes, tmp_path: Path) -> None:
    """A folder of train and test asks which of them is meant."""
    root = folders(tmp_path, face, "train/happy/1.png", "test/happy/2.png")
    with pytest.raises(DataError, match=r"several sets \(test, train\)"):
        emotion_examples.find(root)
