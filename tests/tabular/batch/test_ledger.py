"""Every row exactly once, wherever the process is killed, and never two batches in one folder."""

import json
import os
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

from tabular.batch.ledger import FinishedBatch, Ledger
from tabular.batch.scoring import BatchModel, BatchProgress, score
from tabular.bundles.bundle import digest
from tabular.errors import UserError
from tabular.storage.atomic import UNFINISHED
from tests.support.batches import config, model, predictions, rejects, run
from tests.support.described import table
from tests.support.kills import killed
from tests.support.strays import strew

MANY = 40
"""More writes than the batch has."""
ONCE = ["scored_at"]
"""Columns that differ from run to run."""


@pytest.fixture(scope="module")
def by() -> BatchModel:
    return model()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four chunks, two of them with a bad row; in Windows' encoding, with a quoted end of a line."""
    lines = table(350, 4).to_csv(index=False).splitlines()
    lines[40] = lines[40].replace(",", ",,", 1)
    lines[220] = f"many{lines[220]}"
    lines[150] = '4,"b\n\xfcy",3,2024-05-01,oil'
    file = tmp_path / "new.csv"
    file.write_text("\n".join(lines), encoding="cp1252")
    return file


def options() -> dict[str, Any]:
    return {"reading": {"encoding": "cp1252"}, "keep": ["place"]}


def outcome(output: Path | str) -> pd.DataFrame:
    found = pd.concat([predictions(output).drop(columns=ONCE), rejects(output)])
    assert found.index.is_unique
    return found.sort_index()


def test_a_kill_at_any_write_loses_and_repeats_nothing(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given: what an undisturbed run leaves
    whole, sample = score(config(source, tmp_path / "whole", **options()), by)
    expected = outcome(tmp_path / "whole")
    assert len(expected) == 350 and whole.rejected == 2
    resumed = set()
    for moment in range(1, MANY):
        # when: a run is killed, and the same command is given again
        output = tmp_path / f"{moment}"
        if not killed(
            moment, {os: ["replace"]}, lambda output=output: run(source, output, by, **options()), before=True
        ):
            break
        report, drawn = score(config(source, output, **options()), by)
        # then
        pd.testing.assert_frame_equal(outcome(output), expected)
        same = {"rows", "scored", "rejected", "reasons", "chunks"}
        assert report.model_dump(include=same) == whole.model_dump(include=same)
        assert report.observed.numbers["rooms"].cells == whole.observed.numbers["rooms"].cells
        pd.testing.assert_frame_equal(drawn, sample)
        assert not list(output.rglob(f"{UNFINISHED}*"))
        resumed.add(report.resumed)
    else:
        pytest.fail("the batch never ended")
    # then: the kills came after none, some and all of the chunks
    assert resumed == {0, 1, 2, 3, 4}


def test_the_success_file_lists_every_part_with_its_sha256(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # when
    run(source, tmp_path / "out", by, **options())
    # then
    found = FinishedBatch.model_validate_json((tmp_path / "out" / "_SUCCESS.json").read_bytes())
    parts = [*found.predictions, *found.rejects]
    assert {part.name: part.sha256 for part in parts} == {
        f"{file.parent.name}/{file.name}": digest(file.read_bytes()) for file in (tmp_path / "out").rglob("*.parquet")
    }
    assert sum(part.rows for part in parts) == 350 and [part.rows for part in found.rejects] == [1, 1]


def test_what_is_scored_already_is_not_scored_again(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given
    first, sample = score(config(source, tmp_path / "out", **options()), by)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*.*")}
    # when: with what does not make another output
    given = config(source, tmp_path / "out", max_rejected=0.5, threads=1, **options())
    report, drawn = score(given, by, lambda reached: pytest.fail(f"work was done: {reached}"))
    # then
    assert report.was_done and report.seconds == 0.0 and not first.was_done
    assert report.observed == first.observed
    pd.testing.assert_frame_equal(drawn, sample)
    assert {file: file.stat().st_mtime_ns for file in files} == files


def test_a_part_that_was_deleted_is_made_again_alone(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given: a batch that has not come to its end, without one of its parts
    output = tmp_path / "out"
    run(source, output, by, **options())
    expected = outcome(output)
    (output / "_SUCCESS.json").unlink()
    (output / "predictions" / "part-000001.parquet").unlink()
    seen: list[BatchProgress] = []
    # when
    report, _ = score(config(source, output, **options()), by, seen.append)
    # then
    assert (report.resumed, [reached.fresh for reached in seen]) == (3, [100])
    pd.testing.assert_frame_equal(outcome(output), expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keep": []}, "made with another batch.keep"),
        ({"chunk_rows": 200}, "made with another batch.chunk_rows"),
        ({"reading": {"encoding": "latin-1"}}, "made with another batch.reading"),
        ("input", "those of another input: .*new.csv has changed since"),
        ("version", "those of version 3, not 4 .*"),
        ("bundle", "those of another bundle of version 3"),
    ],
)
def test_another_batch_is_refused_in_one_line(
    change: dict[str, Any] | str, said: str, by: BatchModel, source: Path, tmp_path: Path
) -> None:
    # given
    run(source, tmp_path / "out", by, **options())
    before = outcome(tmp_path / "out")
    if change == "input":
        os.utime(source, ns=(1, 1))
    if change == "version":
        by = by._replace(bundle=by.bundle.model_copy(update={"version": "4"}))
    if change == "bundle":
        by = by._replace(sha256="1" * 64)
    changed = options() | (change if isinstance(change, dict) else {})
    # when / then
    with pytest.raises(UserError, match=f"{said}; choose another folder, or delete this one") as refused:
        run(source, tmp_path / "out", by, **changed)
    assert "\n" not in str(refused.value)
    pd.testing.assert_frame_equal(outcome(tmp_path / "out"), before)


def test_a_folder_with_files_of_others_is_refused(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    # when / then
    with pytest.raises(UserError, match="holds files that no batch has written, such as thesis.txt"):
        run(source, tmp_path / "out", by, **options())


def test_two_processes_never_write_to_one_folder(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given: another one that has begun
    with (
        Ledger(str(tmp_path / "out")).locked(),
        # when / then
        pytest.raises(UserError, match="another process is scoring to .*out; wait until it has ended"),
    ):
        run(source, tmp_path / "out", by, **options())


def test_input_and_output_may_lie_in_another_store(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given: half of a batch in a store that fsspec knows
    run(source, tmp_path / "out", by, **options())
    store, folder = fsspec.filesystem("memory"), f"memory://{tmp_path.name}"
    store.pipe(f"{folder}/new/a.csv", source.read_bytes())
    run(f"{folder}/new", f"{folder}/out", by, **options())
    store.rm(f"{folder}/out/_SUCCESS.json")
    store.rm(f"{folder}/out/progress/chunk-000002.json")
    # when
    report = run(f"{folder}/new", f"{folder}/out", by, **options())
    # then
    assert report.resumed == 3
    pd.testing.assert_frame_equal(outcome(f"{folder}/out"), outcome(tmp_path / "out"))
    assert run(f"{folder}/new", f"{folder}/out", by, **options()).was_done
    assert json.loads(store.cat(f"{folder}/out/_SUCCESS.json"))["report"]["rows"] == 350


def test_what_a_desktop_leaves_in_the_folders_is_passed_over(by: BatchModel, source: Path, tmp_path: Path) -> None:
    # given: an input and an output that somebody has looked at
    folder, output = tmp_path / "in", tmp_path / "out"
    for looked_at in (folder, output, output / "progress"):
        strew(looked_at)
    source.rename(folder / "new.csv")
    (folder / "new.csv~").write_bytes((folder / "new.csv").read_bytes())
    # when
    report, _ = score(config(folder, output, **options()), by)
    again, _ = score(config(folder, output, **options()), by)
    # then: each row once
    assert (report.rows, report.scored, again.was_done) == (350, 348, True)
