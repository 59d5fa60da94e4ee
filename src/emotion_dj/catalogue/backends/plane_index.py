"""The tracks around a path, found by PostgreSQL's index of the plane instead of a look at all.

The index gives the tracks around a target one after the other, the nearest first, each at the exact
distance (GiST). What the listener has played lately is passed over, since it stands back wholly;
what is by artists that they like may lie farther away and is looked for by itself. What they have
answered to is there too, so that taste is learnt from what is found, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emotion_dj import affect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from emotion_dj.domain import Affect
    from emotion_dj.json_types import JsonObject

WIDE: Final = 4_000
"""Places that are looked up for a set, spread over its targets: of those at about one distance the
more certain ones are wanted, which the index does not know."""

MOST_WIDE: Final = 2_000
LEAST_WIDE: Final = 200

NEAR: Final = 1_000
"""Tracks that are ranked for a set, spread over its targets."""

LEAST_NEAR: Final = 50
"""Tracks around each target at least: a neighbourhood of the ranker."""

NEAR_PER_PICK: Final = 3
"""Tracks around each target for every pick of a set, since all may have the same target."""

NEAREST: Final = 5
"""Tracks around each target where others were chosen before: what is too new to be among those."""

MOST_LIKED: Final = 300
"""Tracks of artists that the listener likes, the nearest first."""

ANSWERED: Final = 500
"""Tracks that the listener liked or skipped last, wherever they stand."""

_ACROSS: Final = affect.AROUSAL_WEIGHT**0.5
PLACE: Final = f"point(analyses.valence, analyses.arousal * {_ACROSS:.9f})"
"""Where a track stands, in coordinates in which `affect.distance` is the distance of points."""

_PLACES: Final = f"ON analyses USING gist (({PLACE})) WHERE failure IS NULL"

INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS ix_analyses_fingerprint ON analyses (fingerprint, analyser)",
    f"CREATE INDEX IF NOT EXISTS ix_analyses_place {_PLACES}",
    "CREATE INDEX IF NOT EXISTS ix_tracks_artist ON tracks ((artists ->> 0))",
    "CREATE INDEX IF NOT EXISTS ix_feedback_track_listener ON feedback (track, listener)",
)
"""What PostgreSQL looks up in, beside the indexes that every backend has."""


def near(
    path: Sequence[Affect],
    analysers: Sequence[str],
    *,
    prefixes: Sequence[str],
    who: str,
    wanted: Sequence[int],
) -> Select[Any]:
    """Return the numbers of the tracks around a path: see `backends.Backend.near`."""
    from sqlalchemy import column, text

    targets = dict.fromkeys((target.valence, _ACROSS * target.arousal) for target in path)
    each = max(NEAR // len(targets), LEAST_NEAR, NEAR_PER_PICK * len(path))
    wide = max(LEAST_WIDE, min(WIDE // len(targets), MOST_WIDE), each)
    if wanted and not prefixes:
        each = wide = NEAREST
    values: JsonObject = {
        "valences": [valence for valence, _ in targets],
        "arousals": [arousal for _, arousal in targets],
        "analysers": list(analysers),
        "listener": who,
        "wide": wide,
        "each": each,
        "wanted": list(wanted),
        "liked": MOST_LIKED,
        "answered": ANSWERED,
    }
    if prefixes:
        values["prefixes"] = list(prefixes)
    begins, first = (BEGINS, _OF_SOURCES) if prefixes else ("", _OF_ALL)
    also = _WANTED_OF_SOURCES if prefixes else _WANTED
    found = text(_NEAR.format(first=first, begins=begins, wanted=also)).bindparams(**values)
    return found.columns(column("track")).subquery().select()


ANALYSERS: Final = "CAST(:analysers AS text[])"

PLACED: Final = f"""JOIN tracks
  ON tracks.id = analyses.track AND tracks.fingerprint = analyses.fingerprint
  AND NOT tracks.gone AND analyses.failure IS NULL AND analyses.analyser = ANY({ANALYSERS})
  AND NOT EXISTS (SELECT FROM analyses AS better
   WHERE better.track = analyses.track AND better.fingerprint = analyses.fingerprint
   AND better.failure IS NULL AND array_position({ANALYSERS}, CAST(better.analyser AS text))
    < array_position({ANALYSERS}, CAST(analyses.analyser AS text))) {{begins}}"""
"""Tracks that are there, with the analysis of the first analyser that has placed them."""

BEGINS: Final = """AND (SELECT bool_or(starts_with(tracks.uri, begin))
   FROM unnest(CAST(:prefixes AS text[])) AS begin)"""

_UNPLAYED: Final = """NOT EXISTS (SELECT FROM feedback WHERE feedback.track = tracks.id
   AND feedback.listener = :listener AND feedback.kind = 'play'
   AND feedback.at > now() AT TIME ZONE 'UTC' - interval '7 days')"""
"""What has been played within `taste.REST` stands back wholly."""

_OF_ALL: Final = f"analyses WHERE failure IS NULL AND analyser = ANY({ANALYSERS})"
_OF_SOURCES: Final = f"analyses {PLACED} WHERE analyses.failure IS NULL AND {_UNPLAYED}".format(
    begins=BEGINS
)
"""What is looked at first. Of all music nearly all that is near can be had, so that it is enough to
look closer at what is left in the end; of one source perhaps nothing is near."""

_DOUBT: Final = 0.05
"""As in `ranking.grid`: the distance that a track must be nearer for a wholly uncertain place."""

_WANTED: Final = "SELECT number FROM unnest(CAST(:wanted AS bigint[])) AS number"
_WANTED_OF_SOURCES: Final = f"{_WANTED} JOIN tracks ON tracks.id = number {BEGINS}"

_OWN: Final = "feedback.listener = :listener AND feedback.kind"
ANSWERS: Final = f"""SELECT track FROM feedback WHERE {_OWN} IN ('like', 'skip')
 ORDER BY feedback.id DESC LIMIT :answered"""  # noqa: S608 - put together of constants

_NEAR: Final = f"""
WITH target AS MATERIALIZED (SELECT point(v, a) AS place
 FROM unnest(CAST(:valences AS float8[]), CAST(:arousals AS float8[])) AS given(v, a))
SELECT analyses.track FROM target CROSS JOIN LATERAL (
  SELECT * FROM (
   SELECT analyses.id, track, analyses.fingerprint, analyser, failure,
    ({PLACE} <-> target.place) + {_DOUBT} * analyses.spread AS cost
   FROM {{first}} ORDER BY {PLACE} <-> target.place LIMIT :wide) AS near
  ORDER BY cost LIMIT :each) AS analyses
 {PLACED} WHERE {_UNPLAYED}
UNION
(SELECT analyses.track FROM analyses {PLACED} WHERE {_UNPLAYED} AND tracks.artists ->> 0 IN (
  SELECT liked.artists ->> 0 FROM feedback JOIN tracks AS liked ON liked.id = feedback.track
  WHERE {_OWN} = 'like')
 ORDER BY (SELECT min({PLACE} <-> target.place) FROM target) LIMIT :liked)
UNION
(SELECT analyses.track FROM analyses {PLACED} WHERE tracks.id IN ({ANSWERS}))
UNION
{{wanted}}
"""  # noqa: S608 - put together of constants
