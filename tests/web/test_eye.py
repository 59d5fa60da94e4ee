"""The page's eye under Node, beside the same networks and the same arithmetic in Python."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

import emotion_dj
from emotion_dj import affect, artifacts
from emotion_dj.domain import Box, Emotion, Face
from emotion_dj.vision import detectors, emotion, images, resting, search, yunet
from emotion_dj.web import eye

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]
STATIC = Path(emotion_dj.__file__).parent / "web" / "static"
HERE = Path(__file__).parent / "eye"
pytestmark = pytest.mark.needs_node

NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node") or "node"

CLOSE = 2e-5
"""What float sums in another order differ by at most, over the largest number of a layer."""


def node(script: str, *arguments: object, given: str = "") -> str:
    """Run a script under Node; return what it prints."""
    command = [NODE, "--no-warnings", str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(tmp_path: Path, *tasks: tuple[np.ndarray, dict[str, Any]]) -> list[Any]:
    """Return what the page's eye makes of images, each with its task."""
    pictures = []
    for number, (image, task) in enumerate(tasks):
        height, width, _ = image.shape
        path = tmp_path / f"{number}.rgba"
        np.dstack([image, np.full((height, width), 255, np.uint8)]).tofile(path)
        pictures.append({"path": str(path), "width": width, "height": height, **task})
    files = {role: str(path) for role, path in eye._paths().items()}
    given = {"modules": str(STATIC), "card": eye.card(), "files": files, "pictures": pictures}
    found: list[Any] = json.loads(node("look.mjs", given=json.dumps(given)))
    return found


@cache
def models() -> tuple[detectors.YuNet, emotion.EmotionReader]:
    """Return Python's eye."""
    return detectors.YuNet(), emotion.EmotionReader()


@pytest.fixture(scope="session")
def people(in_package: Callable[[str, str], Path]) -> list[np.ndarray]:
    """Pictures that everybody has: two people, one of them also larger, smaller and at the edge."""
    astronaut = images.load(in_package("skimage", "data/astronaut.png"))
    admiral = images.load(in_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"))
    large = np.asarray(Pillow.fromarray(astronaut).resize((1500, 1500)))
    small = np.asarray(Pillow.fromarray(admiral).resize((150, 177)))
    turned = [search.turn_image(astronaut, degrees) for degrees in (90, 180, 270, 30)]
    cut_off = astronaut[100:300, 170:]
    strip = np.tile(small, (1, 12, 1))
    return [astronaut, admiral, large, small, cut_off, strip, *turned]


def ramp(height: int, width: int) -> np.ndarray:
    """Return a picture of noise, in which nothing hides."""
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (emotion.ARTIFACT, (1, 48, 48, 1)),
        (yunet.ARTIFACT, (1, 256, 320, 3)),
        (yunet.ARTIFACT, (1, 96, 32, 3)),
    ],
)
def test_every_layer_is_what_litert_computes(
    name: str, shape: tuple[int, ...], people: list[np.ndarray], tmp_path: Path
) -> None:
    """Float layers are equal to rounding, and those with int8 weights quantise as LiteRT does."""
    path = artifacts.packaged(name).path
    picture = Pillow.fromarray(people[0][:200, 150:300]).resize((shape[2], shape[1]))
    given = np.asarray(picture.convert("L" if shape[3] == 1 else "RGB"), np.float32).reshape(shape)
    given = (given - given.mean()) / given.std() if shape[3] == 1 else given
    litert = _litert(path, given)
    tensors = [
        int(op["outputs"][0]) for op in litert._get_ops_details() if op["op_name"] != "DELEGATE"
    ]
    (tmp_path / "in").write_bytes(given.tobytes())
    places = (eye.KERNELS, path, tmp_path / "in", ",".join(map(str, shape)))
    shapes = json.loads(
        node("network.mjs", STATIC, *places, ",".join(map(str, tensors)), tmp_path / "out")
    )
    values = np.fromfile(tmp_path / "out", np.float32)
    ends = np.cumsum([np.prod(sides) for sides in shapes])
    for tensor, ours in zip(tensors, np.split(values, ends[:-1]), strict=True):
        theirs = litert.get_tensor(tensor).ravel()
        assert np.abs(ours - theirs).max() <= CLOSE * max(1, np.abs(theirs).max()), tensor


def _litert(path: Path, given: np.ndarray) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with pytest.warns(UserWarning, match="preserve_all_tensors"):
        made = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
    made.resize_tensor_input(made.get_input_details()[0]["index"], given.shape)
    made.allocate_tensors()
    made.set_tensor(made.get_input_details()[0]["index"], given)
    made.invoke()
    return made


def test_a_picture_is_made_smaller_as_pillow_does_it(tmp_path: Path) -> None:
    """Every byte is the same, with the quick first reduction and without, for odd sizes too."""
    tasks = [
        (ramp(*size), side) for size in ((641, 480), (77, 1999), (350, 333)) for side in (320, 100)
    ]
    found = seen(tmp_path, *((image, {"task": "shrink", "side": side}) for image, side in tasks))
    for (image, side), small in zip(tasks, found, strict=True):
        expected, factor = search.shrink(image, side)
        assert small["factor"] == factor
        assert np.array_equal(pixels(small), expected)


def pixels(picture: dict[str, Any]) -> np.ndarray:
    """Return a picture of the page's as an image."""
    size = picture["height"], picture["width"]
    return np.array(picture["data"], np.uint8).reshape(*size, 4)[:, :, :3]


def test_a_picture_is_turned_as_pillow_does_it(tmp_path: Path) -> None:
    """Every byte is the same, by quarters and by thirds of one."""
    tasks = [(ramp(41, 57), degrees) for degrees in search.TURNS]
    found = seen(tmp_path, *((image, {"task": "turn", "degrees": turn}) for image, turn in tasks))
    for (image, degrees), ours in zip(tasks, found, strict=True):
        assert np.array_equal(pixels(ours), search.turn_image(image, degrees)), degrees


def test_a_face_is_cut_out_as_python_cuts_it(people: list[np.ndarray], tmp_path: Path) -> None:
    """Every grey level is the same: beyond the edge, larger and smaller than what is wanted."""
    boxes = [(190.3, 70.7, 80.2, 101.9), (-20, -30.5, 300, 310), (480, 490, 30, 28), (5, 5, 1, 1)]
    faces = [{"box": box, "turned": turned} for box in boxes for turned in (0, *search.TURNS)]
    contract = models()[1].contract
    found = seen(tmp_path, *((people[0], {"task": "crop", **face}) for face in faces))
    for face, ours in zip(faces, found, strict=True):
        theirs = emotion.crop(people[0], Box(*face["box"]), contract, face["turned"]).ravel()
        assert np.array_equal(ours, theirs)


def test_faces_and_readings_are_those_of_python(people: list[np.ndarray], tmp_path: Path) -> None:
    """The same faces at the same places, the same probabilities, the same affect of the room."""
    for image, ours in zip(
        people, seen(tmp_path, *((image, {"task": "look"}) for image in people)), strict=True
    ):
        faces = models()[0].detect(image)
        same_look(ours, faces, models()[1].read(image, faces), within=0.002)


def test_a_face_beside_its_resting_face_is_read_as_python_reads_it(
    people: list[np.ndarray], tmp_path: Path
) -> None:
    """The first face is corrected, the others stay, and so the room; a smile is no resting face."""
    share = {Emotion.ANGRY: 0.5, Emotion.NEUTRAL: 0.3, Emotion.SAD: 0.2}
    own = {emotion: share.get(emotion, 0.0) for emotion in Emotion}
    pair = np.hstack([people[0], people[0]])
    pictures = [people[1], people[0], pair]
    found = seen(tmp_path, *((image, {"task": "rest", "resting": own}) for image in pictures))
    for image, ours in zip(pictures, found, strict=True):
        faces = models()[0].detect(image)
        first, *others = models()[1].read(image, faces)
        least = models()[1].contract.abstain_below
        beside = resting.relative(first, own, abstain_below=least)
        same_look(ours, faces, [beside, *others], within=0.005)
    assert [ours["restful"] for ours in found] == [True, False, False]


def same_look(
    ours: dict[str, Any],
    faces: Sequence[Face],
    readings: Sequence[Any],
    *,
    within: float,
    apart: float = 0.1,
) -> None:
    """Hold what the page saw against what Python saw."""
    assert len(ours["faces"]) == len(faces) > 0
    for face, reading, one in zip(faces, readings, ours["faces"], strict=True):
        assert one["box"] == pytest.approx(tuple(face.box), abs=apart)
        assert one["score"] == pytest.approx(face.score, abs=within)
        assert np.ravel(one["landmarks"]) == pytest.approx(np.ravel(face.landmarks), abs=apart)
        assert one["emotions"] == pytest.approx(reading.probabilities, abs=within)
        assert (one["emotion"], one["abstained"]) == (reading.emotion, reading.abstained)
        assert one["turned"] == face.turned
        assert [why["code"] for why in one["reasons"]] == [why.code for why in reading.reasons]
    room = affect.aggregate(faces, readings)
    expected = {"valence": room.valence, "arousal": room.arousal, "uncertainty": room.uncertainty}
    assert ours["affect"] == pytest.approx(expected, abs=within)
    assert ours["model"] == readings[0].model


def test_a_picture_of_nobody_is_said_to_be_one(tmp_path: Path) -> None:
    """No face is a fault with a code, as in Python, and the next picture is read all the same."""
    assert seen(tmp_path, (ramp(200, 300), {"task": "look"}))[0] == {"code": "no_face"}


@pytest.mark.needs_tree
def test_the_built_kernels_come_from_the_source(tmp_path: Path) -> None:
    """Compiling the C files again gives the file that ships, byte for byte."""
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("the compiler is not installed: pip install ziglang")
    script = ROOT / "scripts" / "build-eye.py"
    subprocess.run([sys.executable, script, tmp_path / "eye.wasm"], check=True)
    assert (tmp_path / "eye.wasm").read_bytes() == eye.KERNELS.read_bytes()
