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
    """Each word, said alone with any ending that it may have; no two concepts share a word."""
    seen: dict[str, str] = {}
    for word, concept in words.entries():
        key = words.folded(word)
        assert seen.setdefault(key, concept.name) == concept.name, word
        said = understand(word.replace("*", "zz")).terms
        assert [term.concept for term in said] == [concept.name], word
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


HAPPY, SAD, CALM, TIRED = (0.80, 0.45), (-0.65, -0.35), (0.35, -0.60), (-0.20, -0.65)


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("happy", "happy", HAPPY),
        ("very happy", "very happy", (1, 0.63)),
        ("so much sleep", "so much sleep", (0.28, -1)),
        ("really very sad", "really very sad", (-0.91, -0.49)),
        ("so terribly sad", "so terribly sad", (-0.91, -0.49)),
        ("so very terribly awfully sad", "so very terribly awfully sad", SAD),
        ("a bit sad", "bit sad", (-0.3575, -0.1925)),
        ("slightly more sad", "slightly more sad", (-0.3575, -0.1925)),
        ("slightly much sad", "slightly much sad", (-0.91, -0.49)),
        ("not sad", "not sad", (0.325, 0)),
        ("not very sad", "not very sad", (0.325, 0)),
        ("not at all that sad", "not at all that sad", (0.325, 0)),
        ("not in any way that sad", "not in any way that sad", SAD),
        ("not calm", "not calm", (0, 0.3)),
        ("not background", "not background", (-0.15, 0)),
        ("happy not", "happy", (-0.4, 0)),
        ("happy I am not", "happy", (-0.4, 0)),
        ("happy this is surely not", "happy", (-0.4, 0)),
        ("happy if this is surely not", "happy", HAPPY),
        ("calm me down", "calm me down", (0.45, -0.60)),
        ("not bad", "not bad", (0.65, 0)),
        ("m'endormir", "m'endormir", (0.20, -0.85)),
        ("light-hearted", "light hearted", (0.60, 0.25)),
    ],
)
def test_what_a_term_means(text: str, said: str, place: tuple[float, float]) -> None:
    """Degrees reach two words far, a "not" four words before and after, and goes before them; it
    turns the axis that a word is about by half, and the longest phrase counts.
    """
    (term,) = understand(text).terms
    assert term.said == said
    assert (term.valence, term.arousal) == pytest.approx(place)


def test_what_colours_a_term_stands_behind_the_one_before() -> None:
    """A "not" before one term does not reach the next one, nor does a degree."""
    terms = understand("not sad calm").terms
    assert [(term.said, term.denied) for term in terms] == [("not sad", True), ("calm", False)]
    assert (terms[1].valence, terms[1].arousal) == CALM
    very = understand("very sad tired").terms
    assert (very[1].said, very[1].valence, very[1].arousal) == ("tired", *TIRED)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("sad", ["wants"]),
        ("I am sad", ["is"]),
        ("sad but I want calm", ["is", "wants"]),
        ("I am sad, tired", ["is", "is"]),
        ("I am sad. I want calm, tired", ["is", "wants", "wants"]),
        ("I want calm; I am tired", ["wants", "is"]),
        ("I feel like something sad", ["wants"]),
        ("sad. tired! I need calm", ["is", "is", "wants"]),
        ("I am tired, dance", ["is", "wants"]),
        ("today, tired, sad", ["is", "is"]),
        ("sad, today tired", ["wants", "is"]),
        ("tired then sad", ["wants", "wants"]),
        ("tired\u2026 please, calm", ["is", "wants"]),
    ],
)
def test_a_term_takes_the_role_of_its_clause(text: str, roles: list[str]) -> None:
    """Else that of the clause before; before any, a wish, or the state where a wish follows."""
    assert [term.role for term in understand(text).terms] == roles


def test_terms_of_one_role_meet_in_the_middle() -> None:
    """As wide as a mood; a role of which nothing is said has no place."""
    heard = understand("I am sad and tired but I want calm")
    assert heard.state is not None
    assert (heard.state.valence, heard.state.arousal) == pytest.approx((-0.425, -0.5))
    assert heard.state.uncertainty == 0.25
    assert heard.wish is not None
    assert (heard.wish.valence, heard.wish.arousal) == pytest.approx(CALM)
    assert understand("sad").state is None
    assert understand("I am sad").wish is None


def test_words_pull_apart_within_a_role_alone() -> None:
    """From a cosine of -0.7 on; who is sad may want what is happy."""
    with pytest.raises(Contradiction) as asked:
        understand("very happy, calm, a bit sad")
    assert asked.value.values == {"said": ["very happy", "bit sad"]}
    assert understand("I am sad but I want something happy").wish
    assert words._cosine(*understand("neutral, happy").terms) == 0
    assert words._cosine(*understand("happy, calm").terms) == pytest.approx(0.0158, abs=1e-3)


def test_what_names_no_mood_is_said_back() -> None:
    """No more than eighty letters of it, with the languages that are understood."""
    with pytest.raises(NotUnderstood) as asked:
        understand(f"  {'x' * 90} ")
    assert str(asked.value) == (
        f"no mood is in '{'x' * 80}': use words of English, German, French or Spanish such as "
        "tired or warm"
    )


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        ("\u00c9t\u00c9", "ete"),
        ("doux-amer", "doux amer"),
        ("j'ai", "jai"),
        ("GRO\u00dfE", "grosse"),
    ],
)
def test_words_are_compared_without_their_marks(word: str, plain: str) -> None:
    """Without case, accents, apostrophes and hyphens."""
    assert words.folded(word) == plain


def test_the_first_meaning_of_a_word_counts_and_the_longest_beginning() -> None:
    """As the lexicon lists them: `content` is happy before it is grateful, `munter mich` a wish."""
    (happy,) = understand("contents").terms
    assert happy.concept == "happy"
    for text, concept in (
        ("heitere", "happy"),
        ("munter", "energetic"),
        ("munter mich", "cheer_up"),
    ):
        assert [term.concept for term in understand(text).terms] == [concept]
