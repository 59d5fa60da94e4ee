"""What hides a part of a face, and whether that is known."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs_train


def test_covers_know_what_they_hide() -> None:
    """Masks hide mouths and no eyes, glasses eyes and no mouth, nothing hides nothing."""
    import torch

    from emotion_dj.training.covers import Covers

    torch.manual_seed(0)
    faces = torch.full((200, 1, 48, 48), 0.5)
    _, masked = Covers(masked=1, shaded=0, erased=0)(faces)
    _, shaded = Covers(masked=0, shaded=1, erased=0)(faces)
    bare, hidden = Covers(masked=0, shaded=0, erased=0)(faces)
    assert (masked[:, 0] == 1).float().mean() > 0.6
    assert not (masked[:, 1] == 1).any()
    assert (shaded[:, 1] == 1).float().mean() > 0.6
    assert (shaded[:, 0] == 0).all()
    assert torch.equal(bare, faces)
    assert not hidden.any()


def test_covers_are_as_many_as_asked_for_and_leave_the_faces_alone() -> None:
    """About a fifth of many faces is changed, in place of none of those handed in."""
    import torch

    from emotion_dj.training.covers import Covers

    torch.manual_seed(0)
    faces = torch.full((2000, 1, 48, 48), 0.5)
    covered, _ = Covers()(faces)
    assert (faces == 0.5).all()
    changed = (covered != faces).flatten(1).any(dim=1).float().mean()
    assert float(changed) == pytest.approx(0.2, abs=0.03)
    assert 0 <= float(covered.min()) <= float(covered.max()) <= 1


def test_gentler_variation_keeps_masks_and_drops_the_rest() -> None:
    """Half of it: half the shift and the erasing, the root of the scale, as many masks."""
    from emotion_dj.training.augment import Augmentation

    half, whole = Augmentation().gentler(0.5), Augmentation()
    assert half.shift == whole.shift / 2
    assert half.scale == whole.scale**0.5
    assert half.covers.masked == whole.covers.masked
    assert half.covers.erased == whole.covers.erased / 2
