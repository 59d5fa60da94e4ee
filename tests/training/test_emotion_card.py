"""From a trained face reader to what ships: its file, its card, and back to training."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.domain import Emotion
from emotion_dj.errors import ArtifactError, DataError
from emotion_dj.training import metrics

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.training.emotion_data import LabelledFaces

pytestmark = [pytest.mark.needs_shared, pytest.mark.needs_train]


@pytest.fixture(scope="module")
def held(shared: Path) -> LabelledFaces:
    """Return the public test set."""
    from emotion_dj.training import emotion_data

    return emotion_data.read(shared / "data/faces/fer2013-public.parquet")


def test_training_and_serving_agree_on_real_faces(held: LabelledFaces, tmp_path: Path) -> None:
    """PyTorch and the exported LiteRT file give the same logits from the same pixels (parity)."""
    import torch

    from emotion_dj.artifacts import Artifact
    from emotion_dj.training import emotion, emotion_card, export
    from emotion_dj.training.emotion_net import EmotionNet
    from emotion_dj.vision.emotion import EmotionReader, prepare

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1)).eval()
    served = export.WithMirror(export.without_shuffle(net)).eval()
    (tmp_path / "w").write_bytes(export.to_litert(served, torch.zeros(1, 48, 48, 1)))
    card = emotion_card.describe(b"", recipe={})
    reader = EmotionReader(Artifact(tmp_path / "w", card))
    faces = held.pixels[:64]
    plain, mirrored = emotion.logits(net, faces)
    expected = ((plain + mirrored) / 2).numpy()
    found = [reader.logits(prepare(face, emotion_card.EPSILON)) for face in faces]
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_what_is_hidden_is_a_second_output_of_the_file(held: LabelledFaces) -> None:
    """The served file gives the seven scores first, as the reader takes them, then the parts'."""
    import torch
    from ai_edge_litert.interpreter import Interpreter

    from emotion_dj.training import emotion, emotion_card, export
    from emotion_dj.training.emotion_net import EmotionNet
    from emotion_dj.vision.emotion import prepare

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1), classes=9).eval()
    served = export.WithMirror(export.without_shuffle(net)).eval()
    interpreter = Interpreter(model_content=export.to_litert(served, torch.zeros(1, 48, 48, 1)))
    interpreter.allocate_tensors()
    face = prepare(held.pixels[0], emotion_card.EPSILON)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], face[None, :, :, None])
    interpreter.invoke()
    found = [interpreter.get_tensor(part["index"])[0] for part in interpreter.get_output_details()]
    plain, mirrored = emotion.logits(net, held.pixels[:1])
    wanted = ((plain + mirrored) / 2)[0].split([7, 2])
    for part, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(part, expected.numpy(), atol=2e-4)


def test_two_answers_are_folded_into_one(held: LabelledFaces) -> None:
    """The first seven logits are the weighted mean of both answers', the others stay."""
    import torch

    from emotion_dj.training import emotion, export
    from emotion_dj.training.emotion_net import EmotionNet

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1), classes=16).eval()
    votes, label, parts = emotion.logits(net, held.pixels[:16])[0].split([7, 7, 2], dim=1)
    folded, _ = emotion.logits(export.folded(net, 0.3), held.pixels[:16])
    torch.testing.assert_close(folded, torch.cat([0.3 * votes + 0.7 * label, parts], dim=1))


def test_the_share_of_votes_is_chosen_by_the_truth() -> None:
    """By the votes what agrees best; by labels the largest share within the tolerance."""
    from emotion_dj.training import emotion_card

    shares = {0.0: (0.690, 0.7), 0.1: (0.692, 0.72), 0.2: (0.691, 0.76), 0.3: (0.680, 0.76)}
    assert emotion_card.choose(shares, "votes") == 0.3
    assert emotion_card.choose(shares, "label") == 0.2


def test_what_is_rare_is_read_more_often_when_the_prior_is_taken_back(held: LabelledFaces) -> None:
    """Moving the logits of a network moves what it reads, and leaves the network as it was."""
    import torch

    from emotion_dj.training import emotion, emotion_data, export
    from emotion_dj.training.emotion_net import EmotionNet

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1), classes=7).eval()
    few = held.rows(np.arange(64))
    before, _ = emotion.logits(net, few.pixels)
    by = -np.log(emotion_data.prior(held))
    after, _ = emotion.logits(export.shifted(net, by), few.pixels)
    assert by.argmax() == emotion_data.LABELS.index("disgust")
    assert torch.allclose(after, before + torch.from_numpy(by).float(), atol=1e-5)


def test_publishing_writes_weights_that_fit_their_card(held: LabelledFaces, tmp_path: Path) -> None:
    """What `train emotion` writes loads as the reader does, and its figures are in the card."""
    import torch

    from emotion_dj import artifacts
    from emotion_dj.training import emotion_card, emotion_data, votes
    from emotion_dj.training.emotion_net import EmotionNet
    from emotion_dj.vision.emotion import EmotionReader

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1), classes=16).eval()
    few = held.rows(np.arange(200))
    prior = emotion_data.prior(few)
    card = emotion_card.publish(net, few, tmp_path, recipe={"seed": 0}, prior=prior)
    reader = EmotionReader(artifacts.load(tmp_path / "face-6.json"))
    assert reader.read_crop(held.pixels[0]).model == card["id"]
    assert card["metrics"]["fer2013-public"]["n"] == 200
    clear, seen = votes.majority(few.votes)
    assert card["metrics"]["votes"]["n"] == clear.sum()
    assert card["truth"]["name"] == "votes"
    rows, truth = emotion_data.judged(few, "votes")
    assert (rows.tolist(), truth.tolist()) == (clear.nonzero()[0].tolist(), seen[clear].tolist())
    assert set(card["hidden"]) == {"mouth_hidden", "eyes_hidden"}


def test_a_card_is_held_to_the_truth_that_it_promises(held: LabelledFaces, tmp_path: Path) -> None:
    """Chosen by labels the card says so; put beside other weights it is refused; no votes, no truth
    of votes.
    """
    import torch

    from emotion_dj import artifacts
    from emotion_dj.training import emotion_card, emotion_data
    from emotion_dj.training.emotion_net import EmotionNet
    from emotion_dj.vision.emotion import EmotionReader

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1), classes=16).eval()
    few = held.rows(np.arange(100))
    prior = emotion_data.prior(few)
    card = emotion_card.publish(net, few, tmp_path, recipe={}, prior=prior, truth="label")
    assert card["truth"]["name"] == "label"
    assert "votes" not in card["metrics"]
    card["truth"]["sha256"] = 64 * "0"
    (tmp_path / "face-6.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ArtifactError, match="promises label as the truth"):
        EmotionReader(artifacts.load(tmp_path / "face-6.json"))
    unasked = dataclasses.replace(few, votes=np.zeros((100, 10), np.float32))
    assert emotion_data.truth_of(unasked) == "label"
    with pytest.raises(DataError, match="--truth label"):
        emotion_data.truth_of(unasked, "votes")


def test_training_goes_on_from_what_ships(held: LabelledFaces, tmp_path: Path) -> None:
    """A file's network, made ready to learn again, sees what the file sees, and keeps its parts."""
    import torch

    from emotion_dj.artifacts import digest
    from emotion_dj.training import emotion, emotion_card, export, published
    from emotion_dj.training.emotion_net import EmotionNet

    torch.manual_seed(0)
    net = EmotionNet((8, 16), (1, 1), classes=9)
    few = held.rows(np.arange(64))
    net(torch.randn(64, 1, 48, 48))  # statistics that are not those of a new network
    net.eval()
    weights = export.to_litert(
        export.WithMirror(export.without_shuffle(net)).eval(), torch.zeros(1, 48, 48, 1)
    )
    card = emotion_card.describe(weights, recipe={"widths": (8, 16), "blocks": (1, 1)})
    assert card["sha256"] == digest(weights)
    (tmp_path / card["file"]).write_bytes(weights)
    (tmp_path / "face-6.json").write_text(json.dumps(card), encoding="utf-8")
    pixels, targets = emotion.examples(few, held.rows(np.arange(3000, 3001)))
    again, _ = published.load(tmp_path / "face-6.json", pixels, targets)
    expected, _ = emotion.logits(net, few.pixels)
    found, _ = emotion.logits(again, few.pixels)
    torch.testing.assert_close(found[:, -2:], expected[:, -2:], atol=2e-4, rtol=1e-3)
    read = found[:, :7].softmax(dim=1)
    assert float((read.mean(dim=0) - targets[:, 0].mean(dim=0)).abs().max()) < 0.02
    card["recipe"]["blocks"] = (2, 1)
    (tmp_path / "face-6.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(DataError, match="its card describes"):
        published.load(tmp_path / "face-6.json", pixels, targets)


def test_the_reader_keeps_what_its_card_says(shared: Path) -> None:
    """`evaluate emotion` on the public test gives what the card states, by labels and by votes."""
    from emotion_dj.training import evaluation
    from emotion_dj.vision.emotion import EmotionReader

    figures = evaluation.evaluate_emotion(shared / "data/faces/fer2013-public.parquet")
    stated = EmotionReader().card["metrics"]
    accuracy = stated["fer2013-public"]["accuracy"]
    assert figures["accuracy"] == pytest.approx(accuracy, abs=0.005)
    assert sum(row["n"] for row in figures["per_class"].values()) == figures["n"] == 3589
    seen = figures["votes"]
    assert seen["n"] == 3199
    for name, least in {"accuracy": 0.87, "macro_recall": 0.80}.items():
        assert seen[name] == pytest.approx(stated["votes"][name], abs=0.005)
        assert seen[name] >= least
    for name, most in {"ece": 0.025, "affect_distance": 0.14}.items():
        assert seen[name] == pytest.approx(stated["votes"][name], abs=0.01)
        assert seen[name] <= most


def test_calibration_figures_follow_their_definition() -> None:
    """A predictor that says 0.8 and is right in 8 of 10 has no calibration error."""
    chances = np.tile([0.8, 0.2], (10, 1))
    labels = np.array([0] * 8 + [1] * 2)
    assert metrics.ece(chances, labels) == pytest.approx(0)
    assert metrics.ece(chances, np.zeros(10, np.int64)) == pytest.approx(0.2)
    assert metrics.report(chances, labels, ["a", "b"])["accuracy"] == 0.8
    assert len(Emotion) == 7
