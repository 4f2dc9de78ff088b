"""Holds rows out before anything is fitted."""

import pandas as pd
from sklearn.model_selection import train_test_split

from tabular.config.stages import SplitConfig, TargetConfig
from tabular.errors import UserError, one_line

STRATA = 10
MOSTLY = 0.5
"""Share of the rows from which on one value of a number to predict, such as 0, has the same share in both parts."""
RARE = 50
"""Number of rows of a class that are kept for tuning, even where its share would be smaller."""


def split(
    rows: pd.DataFrame, target: TargetConfig, config: SplitConfig, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training rows and the held-out rows, each with a fresh index from 0.

    A classification is stratified by its classes unless the config names another column. A regression whose target is
    mostly one value, such as claims of which most are 0, is stratified by whether a row has that value: a part without
    a single claim would be no test.

    Raises:
        UserError: the column to stratify by does not exist, or a stratum or a part has too few rows.
    """
    by = config.stratify or (target.column if target.task == "classification" else None)
    if by is not None and by not in rows:
        raise UserError(f"split.stratify: there is no column '{by}'; the table has {', '.join(rows.columns)}")
    is_class = target.task == "classification" and by == target.column
    strata = _mostly(rows[target.column], config) if by is None else _strata(rows[by], binned=not is_class)
    try:
        train, held_out = train_test_split(rows, test_size=config.held_out, random_state=seed, stratify=strata)
    except ValueError as error:
        how = "" if by is None else f" alike in '{by}'"
        raise UserError(
            f"split: {len(rows)} rows cannot be split{how}: {one_line(error)} "
            "Change split.held_out or split.stratify, or bring more rows."
        ) from error
    return train.reset_index(drop=True), held_out.reset_index(drop=True)


def tuning_rows(train: pd.DataFrame, target: TargetConfig, config: SplitConfig, seed: int) -> pd.DataFrame:
    """The training rows by which imputation, features, algorithm and parameters are chosen, with an index from 0.

    The classes of a classification keep their proportions; a rare class keeps `RARE` rows.

    Returns:
        The training rows themselves where they are few enough; otherwise a draw without replacement in their order,
        which holds a few more rows than configured where classes are rare.
    """
    if config.tuning_rows is None or len(train) <= config.tuning_rows:
        return train
    share = config.tuning_rows / len(train)
    if target.task == "regression":
        drawn = train.sample(config.tuning_rows, random_state=seed)
    else:
        parts = [
            rows.sample(max(round(share * len(rows)), min(RARE, len(rows))), random_state=seed)
            for _, rows in train.groupby(target.column, sort=True, observed=True)
        ]
        drawn = pd.concat(parts)
    return drawn.sort_index().reset_index(drop=True)


def _mostly(values: pd.Series, config: SplitConfig) -> pd.Series | None:
    """Whether each row has the value that most rows have; None without such a value, or with too few other rows."""
    smaller = min(config.held_out, 1 - config.held_out)
    if len(values) * smaller < 2:
        return None
    usual = values == values.mode().iloc[0]
    return usual if MOSTLY <= usual.mean() < 1 and (~usual).sum() >= 2 else None


def _strata(column: pd.Series, binned: bool) -> pd.Series:
    """Quantile bins of a number with many values, otherwise the values; missing values form a stratum of their own."""
    if binned and pd.api.types.is_numeric_dtype(column) and column.nunique() > STRATA:
        column = pd.qcut(column, STRATA, labels=False, duplicates="drop")
    return column.astype("str").fillna("missing")
