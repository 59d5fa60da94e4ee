"""Moods in the listener's own words, in four languages."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.affect import words
from emotion_dj.affect.words import understand
from emotion_dj.errors import Contradiction, NotUnderstood

if TYPE_CHECKING:
    from emotion_dj.domain import Affect

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.mark.parametrize(
    "text",
    [
        "tired, but I want something warm",
        "Müde, aber ich will etwas Warmes!",
        "je suis fatigué mais je voudrais quelque chose de chaleureux",
        "estoy cansada, pero quiero algo cálido",
    ],
)
def test_a_state_and_a_wish_are_told_apart(text: str) -> None:
    """In all four languages it is understood who is tired, and that they want what is warm."""
    heard = [(term.concept, term.role) for term in understand(text).terms]
    assert heard == [("tired", "is"), ("warm", "wants")]


@pytest.mark.parametrize(
    ("text", "valence", "arousal"),
    [
        ("happy", 1, 1),
        ("not sad", 1, 0),
        ("keine traurige Musik", 1, 0),
        ("no quiero nada triste", 1, 0),
        ("pas calme", 0, 1),
        ("traurig bin ich nicht", 1, 0),
        ("musique pour danser", 1, 1),
        ("etwas Ruhiges zum Lernen", 1, -1),
        ("remonte-moi le moral", 1, 1),
        ("I\u2019m feeling a bit melancholic", -1, -1),
    ],
)
def test_words_lead_to_their_side_of_the_plane(text: str, valence: int, arousal: int) -> None:
    """Phrases, negations and inflected words land where they are meant."""
    understood = understand(text)
    place = understood.wish or understood.state
    assert place is not None
    for value, sign in ((place.valence, valence), (place.arousal, arousal)):
        assert np.sign(value) == sign, place


def test_degrees_go_farther_or_less_far() -> None:
    """Very sad is sadder than sad, and that sadder than a little sad."""

    def place(text: str) -> Affect:
        wish = understand(text).wish
        assert wish is not None
        return wish

    little, plain, very = (place(f"{degree} sad") for degree in ("a little", "just", "very"))
    assert very.valence < plain.valence < little.valence < 0


def test_what_was_said_is_said_back_as_it_was_written() -> None:
    """Terms keep the listener's own spelling, with what colours them."""
    said = [term.said for term in understand("I'm not very HAPPY, calm me down").terms]
    assert said == ["not very HAPPY", "calm me down"]


@pytest.mark.parametrize(
    "text", ["", "  ", "xyzzy", "voglio qualcosa di caldo", "悲しい", "12,5 !"]
)
def test_words_of_no_mood_are_asked_about(text: str) -> None:
    """What is understood in none of the languages is one question that names them."""
    with pytest.raises(NotUnderstood, match="English, German, French or Spanish"):
        understand(text)


@pytest.mark.parametrize(
    "text", ["happy sad", "ich bin wütend und entspannt", "play calm, aggressive music"]
)
def test_contradictions_are_asked_about(text: str) -> None:
    """Two words that pull apart are named, and nothing is made of their middle."""
    with pytest.raises(Contradiction, match="pull apart") as raised:
        understand(text)
    assert len(raised.value.values["said"]) == 2


def test_feelings_that_go_together_do_not_contradict() -> None:
    """Sad and calm, or tired and wanting to dance, are no contradictions."""
    assert understand("sad but calm").wish
    mixed = understand("I am tired but I want to dance")
    assert mixed.state
    assert mixed.wish


def test_every_word_of_the_lexicon_means_its_concept() -> None:
    """Each word, said alone, is understood, and no two concepts share a whole word."""
    seen: dict[str, str] = {}
    for word, concept in words.entries():
        key = words.folded(word)
        assert seen.setdefault(key, concept.name) == concept.name, word
        assert understand(word.rstrip("*")).terms, word
        assert abs(concept.valence) <= 1
        assert abs(concept.arousal) <= 1


@pytest.mark.needs_shared
def test_places_agree_with_what_others_have_rated() -> None:
    """The words that a public list of rated mood words shares with ours stand in its order."""
    with (SHARED / "data/music/moodtag-va-56.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    name, *axes = list(rows[0])[:3]
    pairs = []
    for row in rows:
        try:
            understood = understand(row[name])
        except NotUnderstood:
            continue
        place = understood.wish or understood.state
        assert place is not None
        pairs.append([*(float(row[axis]) for axis in axes), place.valence, place.arousal])
    ranks = np.array(pairs).argsort(0).argsort(0)
    assert len(pairs) >= 25
    for axis in (0, 1):
        assert np.corrcoef(ranks[:, axis], ranks[:, axis + 2])[0, 1] > 0.6
