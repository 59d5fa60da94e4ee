"""What a listener wants: a plan turns where they are into the path that a set follows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from emotion_dj.affect.points import parse_affect
from emotion_dj.domain import Affect, Plan
from emotion_dj.errors import EmptyJourney, LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LIFTED: Final = Affect(0.65, 0.45)
_CALMED: Final = Affect(0.35, -0.55)
_LIVENED_AROUSAL: Final = 0.65
_RELEASED: Final = Affect(0.20, -0.30)
_VENTING_AROUSAL: Final = 0.65
_VENTED: Final = 0.4
"""Share of a vent set that stays at full energy before the release begins."""
MOST_STOPS: Final = 8
"""Stops of a journey: a set has a few songs for each."""


CLIP: Final = "clip"
"""The plan that follows a film; its stops are what the film shows."""


def parse_plan(text: str) -> Plan:
    """Return the plan meant by ``match``, ``lift``, ``calm``, ``liven``, ``vent``, ``clip`` or
    ``journey:FROM..VIA..TO``.

    Its stops, two or more, are moods or points ``V,A``; one left out is where the listener is, so
    that ``journey:..happy`` meets first and then steers and ``journey:happy..`` does the opposite.
    Raises LabelError naming the known plans, EmptyJourney for one that stays where it begins.
    """
    name, _, route = text.strip().lower().partition(":")
    if name in {*PLANS, CLIP} and not route:
        return Plan(name)
    named = [stop.strip() for stop in route.split("..")]
    if name != "journey" or len(named) not in range(2, MOST_STOPS + 1) or not any(named):
        choices = ", ".join(PLANS)
        route = "journey:FROM..TO as in journey:sad..happy"
        msg = f"unknown plan '{text}': choose {choices}, or {route}"
        raise LabelError(msg)
    stops = tuple(parse_affect(stop) if stop else None for stop in named)
    for before, stop in pairwise(stops):
        if before == stop:
            msg = f"'{text}' goes nowhere: name a stop that differs from the one before"
            raise EmptyJourney(msg)
    return Plan("journey", stops)


def path(plan: Plan, points: Sequence[Affect], n: int) -> list[Affect]:
    """Return the n targets that a set follows for listeners who are at ``points``.

    Several points are served in turns, each on its own way. Every target carries the uncertainty of
    the point that it serves.
    """
    served = [points[i % len(points)] for i in range(n)]
    return [
        replace(_step(plan, point, t), uncertainty=point.uncertainty)
        for point, t in zip(served, _times(n), strict=True)
    ]


def _step(plan: Plan, point: Affect, t: float) -> Affect:
    if plan.stops:
        return _on_the_way([stop or point for stop in plan.stops], t)
    return PLANS[plan.name](point, t)


def _on_the_way(stops: Sequence[Affect], t: float) -> Affect:
    """Return where a journey is: each stretch of it takes the same time."""
    stretch = min(int(t * (len(stops) - 1)), len(stops) - 2)
    here = _smooth(t * (len(stops) - 1) - stretch)
    return _between(stops[stretch], stops[stretch + 1], here)


def _match(affect: Affect, _t: float) -> Affect:
    return affect


def _lift(affect: Affect, t: float) -> Affect:
    """Meet the listener, then rise; never lower what is already high."""
    goal = Affect(max(affect.valence, _LIFTED.valence), max(affect.arousal, _LIFTED.arousal))
    return _between(affect, goal, _smooth(t))


def _calm(affect: Affect, t: float) -> Affect:
    goal = Affect(max(affect.valence, _CALMED.valence), min(affect.arousal, _CALMED.arousal))
    return _between(affect, goal, _smooth(t))


def _liven(affect: Affect, t: float) -> Affect:
    """Rise in energy and stay as bright or dark as it is; never lower what is already high."""
    goal = Affect(affect.valence, max(affect.arousal, _LIVENED_AROUSAL))
    return _between(affect, goal, _smooth(t))


def _vent(affect: Affect, t: float) -> Affect:
    """Meet the energy first, then let go."""
    met = Affect(affect.valence, max(affect.arousal, _VENTING_AROUSAL))
    return _between(met, _RELEASED, _smooth(max(0.0, (t - _VENTED) / (1 - _VENTED))))


PLANS: Final[Mapping[str, Callable[[Affect, float], Affect]]] = {
    "match": _match,
    "lift": _lift,
    "calm": _calm,
    "liven": _liven,
    "vent": _vent,
}
"""The plans without a route of their own: (where the listener is, time in [0, 1]) -> target."""


def _times(n: int) -> list[float]:
    return [i / (n - 1) if n > 1 else 0.0 for i in range(n)]


def _smooth(t: float) -> float:
    """Ease in and out, so that a path neither starts nor ends with a jolt (cubic smoothstep)."""
    return t * t * (3 - 2 * t)


def _between(a: Affect, b: Affect, t: float) -> Affect:
    return Affect(
        a.valence + t * (b.valence - a.valence),
        a.arousal + t * (b.arousal - a.arousal),
    )
