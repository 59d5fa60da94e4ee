"""Writes docs/cards/*.md from the cards that ship beside the weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion_dj import artifacts
from emotion_dj.music.audio_model import ARTIFACT as EAR
from emotion_dj.music.mood_from_features import ARTIFACT as MOOD
from emotion_dj.vision.emotion import ARTIFACT as FACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CARDS = Path(__file__).resolve().parents[1] / "docs" / "cards"


PUBLIC = (
    "It was not trained on them, but they chose among recipes and fitted the temperature "
    "(cross-fitted over five folds)."
)
VOTES = (
    "FER2013's label is what most of FER+'s ten annotators said for {label_is_majority:.0%} of "
    "these faces. The network learns both, and its reading takes {share} of the second: {chosen}."
)
TILT = (
    "A network learns that disgust is rare and errs against it where it is unsure. So "
    "{towards_rare_emotions} of the logarithm of how often each emotion occurs in the training "
    "faces is taken back (fp32, {chosen})."
)
GROUPS = (
    "FER2013 has no such labels, and no face set with them could be used here, so behaviour over "
    "skin tone, age and gender is **not measured**. The tests of light (gamma, light from a side) "
    "say how it takes dark and uneven pictures; they are no substitute. Web photographs of 2013 "
    "under-represent dark skin, old people and small children: expect more errors there."
)


def main() -> None:
    """Write all pages."""
    CARDS.mkdir(exist_ok=True)
    pages = {"emotion": (emotion, FACE), "audio_model": (audio_model, EAR), "mood": (mood, MOOD)}
    for page, (write, artifact) in pages.items():
        text = write(artifacts.packaged(artifact).card)
        (CARDS / f"{page}.md").write_text(text, encoding="utf-8")


def emotion(card: Mapping[str, Any]) -> str:
    """Return the page of the face reader."""
    metrics, calibration = card["metrics"], card["calibration"]
    public = metrics["fer2013-public"]
    accuracy = public["accuracy"]
    by_share = card["votes"]["accuracy_and_agreement_by_share"]
    by_tilt = card["tilt"]["accuracy_and_macro_f1_by_tilt"]
    return "\n".join(
        [
            f"# The face reader, {card['id']}",
            "",
            f"{card['task'].capitalize()}: {', '.join(card['labels'])}.",
            f"{card['bytes']:,} bytes, LiteRT, int8 weights. {card['licence']}.",
            f"sha256 `{card['sha256']}`.",
            "",
            "**It estimates an expression, not a feeling.** "
            + card["limits"].removeprefix("Estimates an expression, not a feeling. "),
            "",
            "## Data",
            "",
            card["data"],
            "",
            *taught(card["recipe"]),
            "## What it reaches on FER2013's public test",
            "",
            f"{public['n']} faces. {PUBLIC}",
            "",
            *table(
                ("figure", "value"),
                [
                    ("accuracy", f"{accuracy:.2%}"),
                    ("accuracy of the fp32 network", f"{metrics['accuracy_fp32']:.2%}"),
                    ("macro-F1", public["macro_f1"]),
                    ("log loss", public["nll"]),
                    ("expected calibration error, 15 bins", public["ece"]),
                    (
                        "agreement with the FER+ majority",
                        f"{metrics['agreement_with_fer_plus_majority']:.2%}",
                    ),
                    ("temperature", calibration["temperature"]),
                    ("abstains below a probability of", calibration["abstain_below"]),
                ],
            ),
            "",
            "### Two truths",
            "",
            VOTES.format(**card["votes"]),
            "",
            *table(
                ("share of the votes", "accuracy", "agreement with the FER+ majority"),
                [
                    (share, f"{accuracy:.2%}", f"{agreement:.2%}")
                    for share, (accuracy, agreement) in by_share.items()
                ],
            ),
            "",
            "### Rare emotions",
            "",
            TILT.format(**card["tilt"]),
            "",
            *table(
                ("share taken back", "accuracy", "macro-F1"),
                [
                    (tilt, f"{accuracy:.2%}", macro_f1)
                    for tilt, (accuracy, macro_f1) in by_tilt.items()
                ],
            ),
            "",
            "### By emotion",
            "",
            *table(
                ("emotion", "faces", "precision", "recall", "F1"),
                [
                    (name, row["n"], row["precision"], row["recall"], row["f1"])
                    for name, row in public["per_class"].items()
                ],
            ),
            "",
            "### If only the surest are named",
            "",
            *table(
                ("share named", "accuracy"),
                [(share, f"{value:.2%}") for share, value in public["coverage_at"].items()],
            ),
            "",
            "### When the picture gets worse",
            "",
            *table(
                ("what", "accuracy", "lost"),
                [
                    (name, f"{value:.2%}", f"{card['robustness']['as it is'] - value:+.2%}")
                    for name, value in card["robustness"].items()
                ],
            ),
            "",
            "## Skin tone, age, gender",
            "",
            GROUPS,
            "",
        ]
    )


def taught(recipe: Mapping[str, Any]) -> list[str]:
    """Return what is to be said of the runs that a network learnt from, if there were any."""
    if begun := recipe.get("start"):
        lengths = " and ".join(f"{run['epochs']} epochs" for run in begun)
        further = f"went on for {recipe['epochs']} epochs from" if recipe["epochs"] else "are"
        told = (
            f"Its weights {further} the mean of those of earlier runs ({lengths}), which do not "
            "ship. What they learnt from stands in docs/log.md."
        )
        return [told, ""]
    if not recipe["teachers"]:
        return []
    runs = ", ".join(f"{teacher['epochs']} epochs" for teacher in recipe["teachers"])
    told = (
        f"Trained for {recipe['epochs']} epochs and a settling, and taught by earlier runs of the "
        f"same recipe ({runs}), which do not ship."
    )
    return [told, ""]


LESSONS = (
    "Learnt from {pieces} pieces of music that a teacher heard: {teacher}. R2 is against the "
    "teacher, on files not learnt from."
)


SOUNDS = (
    "A network in the ear learnt, from {patches} patches of three seconds, what teachers say of "
    "them: {teacher}. It tells the {outputs} principal components of their {answers} answers, "
    "which together count for {counts_for_inputs:.0f} inputs of the regression. R2 over all of "
    "them, on patches of tracks that it never heard: "
    "{r2_against_the_teachers_five_fold_by_track}; of genres that it never heard: "
    "{r2_against_the_teachers_genre_held_out}."
)

GENRES = (
    "R2 against the mean of that genre alone. Below zero: the genre's own mean would have been the "
    "better guess."
)


PLACES = (
    "A set goes by a track's place on the plane, so this is what the DJ plays by. What listeners "
    "felt and what is expected of them are placed by one line: the mean of the 300 tracks in the "
    "middle, one deviation at {reach}. The percentile is that of what listeners felt, along the "
    "direction of a mood, among the ten tracks nearest to it; the last line is the correlation of "
    "the listeners' arousal of the songs of sets with the arousal that was asked for, over six "
    "plans, seven beginnings and three seeds."
)


def placed(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of how places agree with listeners."""
    return [
        *((f"rank correlation, {axis}", f"{rho:.2f}") for axis, rho in figures["spearman"].items()),
        ("quadrant right", f"{figures['quadrant']:.2f}"),
        ("mood right", f"{figures['mood']:.2f}"),
        *(
            (f"percentile of the ten first, {mood}", f"{p:.0f}")
            for mood, p in figures["top10"].items()
        ),
        ("arousal along the asked path", f"{figures['path_correlation']:.2f}"),
    ]


def audio_model(card: Mapping[str, Any]) -> str:
    """Return the page of the ear."""
    metrics = card["metrics"]
    folds = {name: value for name, value in metrics.items() if name.startswith("r2")}
    rows = [(name, *(f"{fold[name]:+.3f}" for fold in folds.values())) for name in card["targets"]]
    by_genre = card["r2_inside_each_genre"]
    return "\n".join(
        [
            *head("The ear", card),
            "## R2 on Emotify, by what was held out",
            "",
            card["held_back"],
            "",
            *table(("target", *folds), rows),
            "",
            "## Places against listeners",
            "",
            PLACES.format(**card["plane"]),
            "",
            *table(("figure", "five folds"), placed(metrics["placed_five_fold"])),
            "",
            "### Inside one genre",
            "",
            GENRES,
            "",
            *table(
                ("genre", *next(iter(by_genre.values()))),
                [(genre, *(f"{v:+.3f}" for v in r2.values())) for genre, r2 in by_genre.items()],
            ),
            "",
            "## What taggers would say",
            "",
            SOUNDS.format(**card["sounds"]),
            "",
            "## Spotify's scales",
            "",
            LESSONS.format(**card["scales"]),
            "",
            *table(
                ("scale", "R2"),
                card["scales"]["r2_against_the_teacher_five_fold_by_file"].items(),
            ),
            "",
            "## Limits",
            "",
            card["limits"],
            "",
        ]
    )


LISTS = (
    "5 folds, 3 times, learnt from all playlists. Their authors mean different things by a mood; "
    "of tracks that come as one list it is told whose way they follow, of a single one hardly."
)
FELT = "What {n} songs made PMEmo's listeners feel, R2 over 5 folds, 3 times: "


def mood(card: Mapping[str, Any]) -> str:
    """Return the page of the ear without sound."""
    figures = [
        (
            name,
            value["accuracy_5_fold_3_times"],
            value["accuracy_of_single_tracks"],
            value["majority"],
            value["n"],
        )
        for name, value in card["metrics"].items()
        if isinstance(value, dict) and "majority" in value
    ]
    felt = card["metrics"]["felt"]
    crossed = [(name, v) for name, v in card["metrics"].items() if not isinstance(v, dict)]
    return "\n".join(
        [
            *head("The ear without sound", card),
            "## Accuracy",
            "",
            LISTS,
            "",
            *table(
                ("playlists", "as one list", "each by itself", "majority", "tracks"),
                figures,
            ),
            "",
            *table(("trained on -> tested on", "accuracy"), crossed),
            "",
            FELT.format(**felt)
            + f"valence {felt['r2_valence']:.2f}, arousal {felt['r2_arousal']:.2f}.",
            "",
            "## How much each feature matters",
            "",
            *table(("feature", "weight in the kernel"), card["matters"].items()),
            "",
            "## Limits",
            "",
            card["limits"],
            "",
        ]
    )


def head(name: str, card: Mapping[str, Any]) -> list[str]:
    """Return the lines with which the pages of the two ears begin."""
    return [
        f"# {name}, {card['id']}",
        "",
        f"{card['task'].capitalize()}. {card['licence']}. sha256 `{card['sha256']}`.",
        "",
        card["data"],
        "",
    ]


def table(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    titles = list(columns)
    lines: list[Iterable[object]] = [titles, ["---"] * len(titles), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


if __name__ == "__main__":
    main()
