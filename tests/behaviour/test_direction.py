"""Direction: what everybody knows of these tables moves an answer the way it should (Ribeiro et al. 2020).

The limits are facts about the data, measured with eight seeds on the real tables and on the samples; each leaves about
as much room again to the worst of them. A model of a shuffled target breaks every one of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.support.learned import Learned


class Effect(NamedTuple):
    """What a change of one column does to a predicted number."""

    config: str
    column: str
    change: Callable[[pd.Series], pd.Series]
    sign: int
    """1 where the number must rise, -1 where it must fall."""
    least: float
    """The mean relative change, in the right direction, that is the least."""
    wrong: float
    """The largest share of rows that may move by more than 2 % in the wrong direction."""


class Shift(NamedTuple):
    """What a change of one column does to the level of obesity."""

    column: str
    factor: float
    sign: int
    """1 where people must get heavier, -1 where they must get lighter."""
    least: float
    """The least share of people who change their level in the right direction."""


EFFECTS = {
    # 1.5 % to 2.9 % of the districts fall, by a step of some tree; the mean rises by 3.7 % to 7.1 %.
    "a tenth more income": Effect("train.yaml", "median_income", lambda c: c * 1.1, 1, 0.02, 0.06),
    "twice the income": Effect("train.yaml", "median_income", lambda c: c * 2, 1, 0.2, 0.04),
    # Homes that hold half as many people again: -9.2 % to -18 % in the mean, the wrong way for 0.02 % to 10 %.
    "more people in the same homes": Effect("train.yaml", "population", lambda c: c * 1.5, -1, 0.04, 0.2),
    # Of 102 homes 1 to 9 fall. In Boston a dozen tracts have large and cheap homes.
    "half a room more": Effect("boston.yaml", "RM", lambda c: c + 0.5, 1, 0.04, 0.15),
    "a room more": Effect("boston.yaml", "RM", lambda c: c + 1, 1, 0.1, 0.1),
    "more people of lower status": Effect("boston.yaml", "LSTAT", lambda c: c + 5, -1, 0.04, 0.06),
}
SHIFTS = {
    # 18 % to 37 % change their level. Nobody changes it the wrong way, in any table with any seed.
    "a twentieth more weight": Shift("Weight", 1.05, 1, 0.1),
    "a twentieth less weight": Shift("Weight", 1 / 1.05, -1, 0.1),
    # All but the heaviest level, which has none above it: 66 % to 85 %.
    "a quarter more weight": Shift("Weight", 1.25, 1, 0.5),
    "taller at the same weight": Shift("Height", 1.05, -1, 0.3),
}
WRONG_LEVELS = 0.01


def broken(effect: Effect, model: Learned) -> list[str]:
    """What of an effect does not hold, in words."""
    change = effect.sign * model.relative_change(**{effect.column: effect.change(model.held_out[effect.column])})
    mean, wrong = float(np.mean(change)), float(np.mean(change < -0.02))
    return [
        *([f"the mean effect is {mean:.4f}, below {effect.least}"] if mean < effect.least else []),
        *([f"{wrong:.4f} of the rows go the wrong way, above {effect.wrong}"] if wrong > effect.wrong else []),
    ]


def broken_shift(shift: Shift, model: Learned) -> list[str]:
    """What of a shift does not hold, in words."""
    moved = shift.sign * (model.levels(**{shift.column: model.held_out[shift.column] * shift.factor}) - model.levels())
    wrong, right = float(np.mean(moved < 0)), float(np.mean(moved > 0))
    return [
        *([f"{wrong:.4f} of the people go the wrong way"] if wrong > WRONG_LEVELS else []),
        *([f"only {right:.4f} of the people change their level"] if right < shift.least else []),
    ]


def _of(config: str) -> Any:
    chosen = {name: effect for name, effect in EFFECTS.items() if effect.config == config}
    return pytest.mark.parametrize("effect", chosen.values(), ids=chosen)


@_of("train.yaml")
def test_a_house_value_moves_as_it_should(effect: Effect, california: Learned) -> None:
    assert broken(effect, california) == []


@_of("boston.yaml")
def test_the_value_of_a_home_moves_as_it_should(effect: Effect, boston: Learned) -> None:
    assert broken(effect, boston) == []


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS)
def test_a_level_of_obesity_moves_as_it_should(shift: Shift, obesity: Learned) -> None:
    assert broken_shift(shift, obesity) == []


def test_a_model_that_learned_nothing_is_found_out(nothing: tuple[str, Learned]) -> None:
    # given a model whose target was dealt out to other rows
    config, model = nothing
    # when
    effects = {name: broken(effect, model) for name, effect in EFFECTS.items() if effect.config == config}
    shifts = {name: broken_shift(shift, model) for name, shift in SHIFTS.items() if config == "obesity.yaml"}
    # then not one of the claims holds
    assert effects or shifts
    assert [name for name, said in (effects | shifts).items() if not said] == []
