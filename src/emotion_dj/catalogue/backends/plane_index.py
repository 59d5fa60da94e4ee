"""The tracks around a path, found by PostgreSQL's index of the plane instead of a look at all.

The index gives the tracks around a target one after the other, the nearest first, each at the exact
distance (GiST). What the listener has played is passed over, since in a large catalogue it stands
back wholly; what is by artists that they like may lie farther away and is looked for by itself.
What they have answered to is there too, so that taste is learnt from what is found, and nothing
else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emotion_dj import affect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from emotion_dj.domain import Affect

NEAR: Final = 1_200
"""Tracks that are looked at for a set, spread over its targets."""

LEAST_NEAR: Final = 100
"""Tracks around each target at least: of their neighbourhood one is picked."""

NEAR_PER_PICK: Final = 3
"""Tracks around each target for every pick of a set, since all may have the same target."""

MOST_LIKED: Final = 300
"""Tracks of artists that the listener likes, the nearest first."""

ANSWERED: Final = 500
"""Tracks that the listener liked or skipped last, wherever they stand."""

_ACROSS: Final = affect.AROUSAL_WEIGHT**0.5
_PLACE: Final = f"point(analyses.valence, analyses.arousal * {_ACROSS:.9f})"
"""Where a track stands, in coordinates in which `affect.distance` is the distance of points."""

_PLACES: Final = f"ON analyses USING gist (({_PLACE})) WHERE failure IS NULL"

INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS ix_analyses_fingerprint ON analyses (fingerprint, analyser)",
    f"CREATE INDEX IF NOT EXISTS ix_analyses_place {_PLACES}",
    "CREATE INDEX IF NOT EXISTS ix_tracks_artist ON tracks ((artists ->> 0))",
    "CREATE INDEX IF NOT EXISTS ix_feedback_track_listener ON feedback (track, listener)",
)
"""What PostgreSQL looks up in, beside the indexes that every backend has."""


def near(
    path: Sequence[Affect], analysers: Sequence[str], *, prefixes: Sequence[str], who: str
) -> Select[Any]:
    """Return the ids of the analyses around a path: see `backends.Backend.near`."""
    from sqlalchemy import column, text

    targets = dict.fromkeys((target.valence, _ACROSS * target.arousal) for target in path)
    values: dict[str, Any] = {
        "valences": [valence for valence, _ in targets],
        "arousals": [arousal for _, arousal in targets],
        "analysers": list(analysers),
        "listener": who,
        "each": max(NEAR // len(targets), LEAST_NEAR, NEAR_PER_PICK * len(path)),
        "liked": MOST_LIKED,
        "answered": ANSWERED,
    }
    if prefixes:
        values["prefixes"] = list(prefixes)
    found = text(_NEAR.format(begins=_BEGINS if prefixes else "")).bindparams(**values)
    return found.columns(column("id")).subquery().select()


_ANALYSERS: Final = "CAST(:analysers AS text[])"

_PLACED: Final = f"""analyses JOIN tracks
  ON tracks.id = analyses.track AND tracks.fingerprint = analyses.fingerprint
  AND NOT tracks.gone AND analyses.failure IS NULL AND analyses.analyser = ANY({_ANALYSERS})
  AND NOT EXISTS (SELECT FROM analyses AS better
   WHERE better.track = analyses.track AND better.fingerprint = analyses.fingerprint
   AND better.failure IS NULL AND array_position({_ANALYSERS}, CAST(better.analyser AS text))
    < array_position({_ANALYSERS}, CAST(analyses.analyser AS text))) {{begins}}"""
"""Tracks that are there, with the analysis of the first analyser that has placed them."""

_BEGINS: Final = """AND (SELECT bool_or(starts_with(tracks.uri, begin))
   FROM unnest(CAST(:prefixes AS text[])) AS begin)"""

_UNPLAYED: Final = """NOT EXISTS (SELECT FROM feedback WHERE feedback.track = tracks.id
   AND feedback.listener = :listener AND feedback.kind = 'play')"""

_OWN: Final = "feedback.listener = :listener AND feedback.kind"

_NEAR: Final = f"""
WITH target AS MATERIALIZED (SELECT point(v, a) AS place
 FROM unnest(CAST(:valences AS float8[]), CAST(:arousals AS float8[])) AS given(v, a))
SELECT near.id FROM target CROSS JOIN LATERAL (
 SELECT analyses.id FROM {_PLACED} WHERE analyses.failure IS NULL AND {_UNPLAYED}
 ORDER BY {_PLACE} <-> target.place LIMIT :each) AS near
UNION
(SELECT analyses.id FROM {_PLACED} WHERE {_UNPLAYED} AND tracks.artists ->> 0 IN (
  SELECT liked.artists ->> 0 FROM feedback JOIN tracks AS liked ON liked.id = feedback.track
  WHERE {_OWN} = 'like')
 ORDER BY (SELECT min({_PLACE} <-> target.place) FROM target) LIMIT :liked)
UNION
(SELECT analyses.id FROM {_PLACED} JOIN feedback ON feedback.track = tracks.id
 WHERE {_OWN} IN ('like', 'skip') ORDER BY feedback.id DESC LIMIT :answered)
"""  # noqa: S608 - put together of constants
