"""Random numbers as pure functions of their arguments."""

import numpy as np
import pytest

from chainrule.data.streams import Use, normal, permutation, raw, uniform
from chainrule.errors import SettingError


def test_the_numbers_are_fixed_for_all_time():
    assert raw(0, Use.ORDER, 0, 2).tolist() == [16006495525962256124, 11263462740154766164]
    assert permutation(0, Use.SPLIT, 0, 6).tolist() == [4, 2, 5, 0, 1, 3]


def test_uses_and_positions_share_no_number():
    draws = [raw(7, use, position, 500) for use in Use for position in range(4)]
    assert len(np.unique(np.concatenate(draws))) == len(draws) * 500


def test_uniform_and_normal_have_their_moments():
    even, bell = uniform(1, Use.RECIPE, 0, 20_000), normal(1, Use.RECIPE, 0, 20_000)
    assert 0 <= even.min() < even.max() < 1
    assert even.mean() == pytest.approx(0.5, abs=0.01)
    assert bell.mean() == pytest.approx(0.0, abs=0.02)
    assert bell.std() == pytest.approx(1.0, abs=0.02)
    assert np.isfinite(bell).all()


def test_a_negative_seed_is_refused():
    with pytest.raises(SettingError, match="whole numbers from 0 on"):
        raw(-1, Use.SPLIT, 0, 1)
