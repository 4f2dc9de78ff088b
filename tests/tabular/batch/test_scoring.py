"""What becomes of rows: predictions that are the predictor's own, or a place among the rejects with a reason."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabular.batch.scoring import BatchModel
from tabular.config.base import Items
from tabular.config.reading import ReadingConfig
from tabular.config.stages import ColumnConfig, ValidationConfig
from tabular.errors import UserError
from tabular.table.parsing import parse
from tests.support.batches import answers, config, model, predictions, rejects, run, write
from tests.support.described import table

GOOD = "4.5,bay,3,2024-05-01,oil"


@pytest.fixture(scope="module")
def by() -> BatchModel:
    return model()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """With holes and a category that the model does not know."""
    rows = table(350, 9)
    rows.loc[::50, "place"] = "moon"
    return rows


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "utf-16", "utf-8-sig", "folder"])
def test_predictions_are_the_predictors_own(kind: str, by: BatchModel, rows: pd.DataFrame, tmp_path: Path) -> None:
    # given: the same rows in each form, and a column that the model does not need
    source, wide = tmp_path / "new.csv", rows.assign(id=[f"{n:03}" for n in range(len(rows))])
    reading = {"encoding": kind} if kind.startswith("utf") else {}
    if kind == "parquet":
        typed = wide.assign(sold=pd.to_datetime(wide["sold"]), place=wide["place"].astype("category"))
        typed.to_parquet(source, row_group_size=80)
    elif kind == "folder":
        source = tmp_path / "new"
        source.mkdir()
        wide[:130].to_csv(source / "1.csv", index=False)
        wide[130:][["id", "heat", "sold", "rooms", "place", "income"]].to_csv(source / "2.csv", index=False)
        (source / "_SUCCESS").touch()
    elif kind == "csv.gz":
        source.write_bytes(gzip.compress(wide.to_csv(index=False).encode()))
    else:
        wide.to_csv(source, index=False, encoding=reading.get("encoding"))
    # when
    report = run(source, tmp_path / "out", by, keep=["id"], reading=reading)
    # then
    found = predictions(tmp_path / "out")
    assert found["prediction"].tolist() == answers(by, rows)
    assert found.index.tolist() == list(range(350)) and found["id"].tolist() == wide["id"].tolist()
    assert (found["model"] == "homes").all() and (found["model_version"] == "3").all()
    assert str(found["scored_at"].dt.tz) == "UTC" and found["row_hash"].is_unique
    assert (report.rows, report.scored, report.rejected, report.broken) == (350, 350, 0, [])
    assert report.observed.rows == 350 and report.observed.categories["place"].unknown == 7
    assert report.observed.numbers["income"].missing == int(rows["income"].isna().sum())


def test_a_classification_gives_classes_and_their_probabilities(rows: pd.DataFrame, tmp_path: Path) -> None:
    # given
    by = model(("cheap", "dear"))
    rows.to_csv(tmp_path / "new.csv", index=False)
    # when
    report = run(tmp_path / "new.csv", tmp_path / "out", by)
    # then
    found = predictions(tmp_path / "out")
    shares = found[["probability_cheap", "probability_dear"]].to_numpy()
    assert shares.tolist() == answers(by, rows)
    assert found["prediction"].tolist() == [["cheap", "dear"][place] for place in shares.argmax(axis=1)]
    assert report.observed.predicted is not None
    assert report.observed.predicted.counts == found["prediction"].value_counts().reindex(["cheap", "dear"]).to_dict()


def test_each_bad_row_is_rejected_with_its_reason_and_the_others_are_scored(by: BatchModel, tmp_path: Path) -> None:
    # given
    bad = {
        "4,bay,3,2024-05-01": "4 cells instead of 5",
        "4,bay,3,2024-05-01,oil,": "6 cells instead of 5",
        "many,bay,3,2024-05-01,oil": "income: not a number",
        "4,bay,-inf,2024-05-01,oil": "rooms: an infinite number",
        "4,bay,3,2024-02-30,oil": "sold: not a date",
        '4,"bay"x,3,2024-05-01,oil': "broken quotes",
        '4,"bay,3,2024-05-01,oil': "broken quotes",
        "x,bay,inf,2024-05-01,oil": "income: not a number",
        "4,b\0y,3,2024-05-01,oil": "a NUL byte",
        " ": "1 cells instead of 5",
    }
    fine = ["", ",,,,", "NA,nowhere,null,None,n/a", '4,"b,\nay",3,2024-05-01T10:00:00+01:00,oil', " +4 ,bay,3e0,,oil"]
    lines = [line for pair in zip(bad, [*fine, *[GOOD] * 5], strict=True) for line in pair]
    file = write(tmp_path / "new.csv", *lines)
    file.write_bytes(file.read_bytes() + b"4,b\xffy,3,2024-05-01,oil\n")
    # when
    report = run(file, tmp_path / "out", by)
    # then
    found = rejects(tmp_path / "out")
    reasons = [*bad.values(), "bytes that are not utf-8"]
    assert found["reason"].tolist() == reasons
    assert found["raw"].tolist() == [*bad, "4,b\N{REPLACEMENT CHARACTER}y,3,2024-05-01,oil"]
    assert report.reasons == pd.Series(reasons).value_counts(sort=False).to_dict()
    assert next(iter(report.reasons.values())) == 2
    # then: an empty line is no row, and each row is in one of the two
    assert sorted([*found.index, *predictions(tmp_path / "out").index]) == list(range(20))
    assert (report.rows, report.scored, report.rejected) == (20, 9, 11)
    same = predictions(tmp_path / "out")["row_hash"].tail(5)
    assert same.nunique() == 1


def test_an_answer_that_is_not_finite_is_a_reject(tmp_path: Path) -> None:
    # given: a model that takes the exponential
    by = model(link="exp")
    file = write(tmp_path / "new.csv", GOOD, "9e9,bay,3,2024-05-01,oil", "-9e9,bay,3,2024-05-01,oil", GOOD)
    # when
    report = run(file, tmp_path / "out", by)
    # then
    assert list(report.reasons) == ["the model's answer is not finite"] and report.rejected == 1
    assert report.observed.rows == 3 and np.isfinite(predictions(tmp_path / "out")["prediction"]).all()


def test_cells_mean_what_they_mean_in_training(by: BatchModel, rows: pd.DataFrame, tmp_path: Path) -> None:
    # given: another dialect
    there = rows.assign(
        income=[
            f"{value * 1000:_.3f}".replace(".", ",").replace("_", ".") if value == value else "?"
            for value in rows["income"]
        ],
        sold=pd.to_datetime(rows["sold"]).dt.strftime("%d.%m.%Y"),
        rooms=rows["rooms"].astype(int),
        heat=rows["heat"].fillna("?"),
    )
    there.columns = [f" {name} " for name in there]
    there.to_csv(tmp_path / "new.csv", index=False, sep=";", encoding="cp1252")
    reading = {"separator": ";", "decimal": ",", "thousands": ".", "trim": True, "missing": ["?"], "encoding": "cp1252"}
    # when
    run(tmp_path / "new.csv", tmp_path / "out", by, reading=reading)
    # then
    thousand = rows.assign(income=(rows["income"] * 1000).round(3))
    assert predictions(tmp_path / "out")["prediction"].tolist() == answers(by, thousand)


def test_numbers_of_their_own_mean_what_they_mean_in_training(by: BatchModel, tmp_path: Path) -> None:
    # given: units, odd cells, a number that stands for a hole, times of day, and years of two digits
    there = pd.DataFrame(
        {
            "income": ["$1,234.50", "($4)", "12", "tbd", "€5", "$-200"],
            "rooms": ["7:30", "19:45:00", "0:05", "25", "", "12:00 am"],
            "sold": [f"05-Jan-{year}" for year in (38, 24, 69, 99, 26, 27)],
            "place": "bay",
            "heat": "oil",
        }
    )
    there.to_csv(tmp_path / "new.csv", index=False)
    reading: dict[str, Any] = {
        "numbers": {
            "income": {"units": ["$"], "decimal": ".", "thousands": ",", "missing": [-200]},
            "rooms": {"clock": True},
        },
        "dates": ["sold"],
        "short_years_until": "2026-11-27",
    }
    # when
    report = run(tmp_path / "new.csv", tmp_path / "out", by, reading=reading)
    # then
    trained = parse((tmp_path / "new.csv").read_bytes(), "new.csv", ReadingConfig.model_validate(reading))
    np.testing.assert_array_equal(trained["income"], [1234.5, -4, 12, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(trained["rooms"], [7.5, 19.75, 5 / 60, np.nan, np.nan, 0])
    assert trained["sold"].dt.year.tolist() == [1938, 2024, 1969, 1999, 2026, 1927]
    expected = trained.assign(sold=trained["sold"].dt.strftime("%Y-%m-%d"))
    assert predictions(tmp_path / "out")["prediction"].tolist() == answers(by, expected)
    assert report.rejected == 0


@pytest.mark.parametrize("last", ["25/12/2024", "12/25/2024"])
def test_the_whole_column_says_whether_the_day_comes_first(last: str, by: BatchModel, tmp_path: Path) -> None:
    # given: a first chunk that can be read both ways
    cells = [f"{1 + n % 3:02}/{5 + n % 4:02}/2024" for n in range(120)]
    file = write(tmp_path / "new.csv", *(f"4,bay,3,{cell},oil" for cell in [*cells, last, "soon"]))
    # when
    report = run(file, tmp_path / "out", by)
    # then
    form = "%d/%m/%Y" if last.startswith("25") else "%m/%d/%Y"
    days = pd.to_datetime(pd.Series([*cells, last]), format=form).dt.strftime("%Y-%m-%d")
    expected = pd.DataFrame({"income": 4.0, "place": "bay", "rooms": 3.0, "sold": days, "heat": "oil"})
    assert predictions(tmp_path / "out")["prediction"].tolist() == answers(by, expected)
    assert report.reasons == {"sold: not a date": 1}


def test_rules_are_counted_over_all_chunks_and_break_nothing(
    by: BatchModel, rows: pd.DataFrame, tmp_path: Path
) -> None:
    # given
    rows.assign(size="7").to_csv(tmp_path / "new.csv", index=False)
    rules = {
        "rooms": ColumnConfig(kind="number", max=4),
        "place": ColumnConfig(kind="category", categories=("bay", "inland", "island", "ocean")),
        "income": ColumnConfig(kind="number"),
        "sold": ColumnConfig(kind="date", latest="2024-11-30"),
        "size": ColumnConfig(kind="number", min=8),
        "price": ColumnConfig(kind="number"),
    }
    # when
    report = run(tmp_path / "new.csv", tmp_path / "out", by, validation=ValidationConfig(columns=rules))
    # then
    found = {(check.column, check.rule): check.failed for check in report.broken}
    assert found == {
        ("price", "must be a column of the table; the nearest column is 'place'"): 0,
        ("rooms", "must be at most 4"): int((rows["rooms"] > 4).sum()),
        ("place", "must be one of bay, inland, island, ocean"): 7,
        ("sold", "must not be after 2024-11-30"): int((rows["sold"] == "2024-12-01").sum()),
        ("size", "must be at least 8"): 350,
        ("income", "must have no missing value"): int(rows["income"].isna().sum()),
    }
    assert report.scored == 350
    assert {finding.kind for finding in report.findings()} == {"validation"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_input_without_rows_gives_an_output_without_rows(kind: str, by: BatchModel, tmp_path: Path) -> None:
    # given
    nothing = table(1, 1)[:0]
    file = tmp_path / "new"
    nothing.to_csv(file, index=False) if kind == "csv" else nothing.to_parquet(file)
    # when
    report = run(file, tmp_path / "out", by)
    # then
    assert (report.rows, report.observed.rows, report.rejected_share) == (0, 0, 0.0)
    assert len(predictions(tmp_path / "out")) == 0


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        (["income,plase,rooms,sold,heat"], {}, "no column 'place', which homes version 3 needs; the nearest is 'plase"),
        (["income;place;rooms;sold;heat"], {}, "separated by commas: set batch.reading.separator"),
        ([""], {}, "is empty; give a CSV or Parquet file with a header"),
        (["income,income"], {}, "names a column more than once: 'income'"),
        (["income,place,rooms,sold,heat"], {"keep": ["idd"]}, "batch.keep: .* has no column 'idd'"),
        (["income,place,rooms,sold,heat,row"], {"keep": "all"}, "batch.keep: the output has a column 'row' of its own"),
        (["PK\x03\x04"], {}, "is an archive or a workbook"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused_before_any_work(
    lines: list[str], options: dict[str, Items[str]], said: str, by: BatchModel, tmp_path: Path
) -> None:
    # given
    (tmp_path / "new.csv").write_text("\n".join(lines))
    # when / then
    with pytest.raises(UserError, match=said) as refused:
        run(tmp_path / "new.csv", tmp_path / "out", by, **options)
    assert "\n" not in str(refused.value) and not (tmp_path / "out" / "batch.json").exists()


def test_files_of_a_folder_must_agree_where_it_matters(by: BatchModel, tmp_path: Path) -> None:
    # given: a rule about a column that one file has alone
    folder = tmp_path / "new"
    folder.mkdir()
    write(folder / "1.csv", GOOD)
    (folder / "2.csv").write_text((folder / "1.csv").read_text().replace("heat", "heat,size").replace("oil", "oil,7"))
    rules = ValidationConfig(columns={"size": ColumnConfig(kind="number")})
    # when
    report = run(folder, tmp_path / "out", by, validation=rules)
    # then
    assert report.scored == 2 and [check.column for check in report.broken] == ["size"]
    with pytest.raises(UserError, match="batch.keep: .*2.csv has a column 'size' and .*1.csv does not; list them"):
        run(folder, tmp_path / "all", by, keep="all")
    # given: a file of another kind, and one that is no table
    table(5, 1).to_parquet(folder / "3.parquet")
    with pytest.raises(UserError, match="1.csv is csv and .*3.parquet is not; score them apart"):
        run(folder, tmp_path / "mixed", by)
    (folder / "notes.md").touch()
    with pytest.raises(UserError, match="notes.md is not a CSV or Parquet file by its name; move it out"):
        run(folder, tmp_path / "mixed", by)


def test_an_input_that_is_not_there_is_named(by: BatchModel, tmp_path: Path) -> None:
    # when / then
    with pytest.raises(UserError, match="batch.input: there is no file or folder .*new.csv; set batch.input"):
        run(tmp_path / "new.csv", tmp_path / "out", by)
    with pytest.raises(UserError, match="batch.output: .* is the input or lies in it"):
        run(write(tmp_path / "new.csv", GOOD).parent, tmp_path / "out", by)
    assert config("a", "b").max_rejected == 0.05


@pytest.mark.parametrize("kind", ["csv", "windows.csv", "parquet"])
def test_an_input_is_read_as_the_training_reads_it(
    kind: str, by: BatchModel, rows: pd.DataFrame, tmp_path: Path
) -> None:
    """Lines above the header, another encoding, a column of bytes, and names that only look like those of the model."""
    # given
    seen = rows.rename(columns={"income": "in\N{ZERO WIDTH SPACE}come"}).assign(**{"an\N{NO-BREAK SPACE}id": "цена"})
    file, reading = tmp_path / "new", {}
    if kind == "parquet":
        seen.assign(shape=[b"\xff\xfe"] * len(seen)).to_parquet(file)
    else:
        ending, encoding = ("\n", "utf-8") if kind == "csv" else ("\r\n", "utf-16")
        title = f'5" pipes, цена{ending}{ending}'
        file.write_bytes((title + seen.to_csv(index=False, lineterminator=ending)).encode(encoding))
        reading = {"skip": 2, "encoding": encoding}
    # when
    report = run(file, tmp_path / "out", by, reading=reading, keep=["an id"])
    # then
    found = predictions(tmp_path / "out")
    assert (report.rows, report.rejected) == (len(rows), 0)
    assert found["prediction"].tolist() == answers(by, rows) and set(found["an id"]) == {"цена"}
