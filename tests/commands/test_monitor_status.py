"""What `monitor status` says of verdicts that were kept, for people and as JSON."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from commands.monitor_status import monitor
from registry import plans
from registry.watching import Retraining, Watch
from tabular.errors import UserError
from tabular.reports.verdicts import Verdict
from tests.support.registered import Registered, registered
from tests.support.typed import Typed, use
from tests.support.verdicts import found, performance, verdict

LONG = "a_very_long_name_[of]_a_column_that_goes_on_and_on"


def windows() -> list[Verdict]:
    """Six days: rooms drift more and more, the town did so first, the third day has too few rows, the last is due."""
    days = []
    for day in range(1, 7):
        level: Any = "alert" if day > 4 else "ok"
        days.append(
            verdict(
                day,
                found("rooms", 0.02 * day, level),
                found("rooms", 0.0, kind="missing"),
                found(LONG, 0.001),
                found("town", 0.01, "alert" if day < 3 else "ok"),
                found("wmape", 0.01 * day, kind="performance"),
                performance=performance(10.0 + day),
                retrain=day == 6,
                violations=max(day - 4, 0),
                windows=3,
            )
        )
    days[2] = verdict(3, rows=12, reasons=["12 rows were logged in the window, and judging drift takes 200"])
    return days


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """Version 2 is champion and was watched for six days, version 1 for one; nobody changes it."""
    made = registered(tmp_path_factory.mktemp("monitor") / "registered", versions=2)
    made.champion("2")
    watch = Watch(made.releases.store)
    first = verdict(1, found("rooms"), version="1")
    for one in [first, *windows()]:
        watch.keep(one)
    note = watch.begin(first, datetime.now(UTC))
    assert isinstance(note, Retraining)
    watch.end(note, "done", "training-1", "version 2 as champion: clearly better")
    return made


@pytest.fixture(autouse=True)
def active(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    use(made, monkeypatch)


def type_(made: Registered, *arguments: str) -> Typed:
    result = CliRunner().invoke(monitor, ["status", *arguments], obj=made.folder)
    if isinstance(result.exception, UserError):
        return Typed(2, result.stdout, f"error: {result.exception}")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Typed(result.exit_code, result.stdout, result.stderr)


def line(typed: Typed, subject: str) -> list[str]:
    return next(words for row in typed.output.splitlines() if subject in (words := row.split()))


def test_the_headline_says_what_is_thought_of_the_newest_window(made: Registered) -> None:
    typed = type_(made)
    assert typed.code == 0 and "\x1b" not in typed.output
    assert typed.output.splitlines()[0] == (
        "houses version 2: alert in the window 2026-03-06 00:00 to 2026-03-07 00:00 UTC, 500 rows; "
        "retraining is due (2 of 3 windows violate)"
    )
    assert "- rooms is at 0.12" in typed.output
    assert typed.output.rstrip().endswith("next: `python run.py --config configs/train.yaml`")


def test_each_thing_has_a_line_with_its_value_and_its_way_there(made: Registered) -> None:
    typed = type_(made)
    assert line(typed, "rooms") == ["alert", "rooms", "distribution", "0.12", "▂▃·▆▇█"]
    assert line(typed, "wmape") == ["ok", "wmape", "performance", "16", "▁▂·▅▇█"]
    assert line(typed, "rows")[-3:] == ["rows", "500", "██▁███"]
    order = [typed.output.index(name) for name in ("the window", " rooms ", " town ", LONG)]
    assert order == sorted(order)


def test_only_the_newest_windows_and_the_worst_lines_are_shown(made: Registered) -> None:
    typed = type_(made, "--windows", "2", "--columns", "2")
    assert line(typed, "rooms")[-1] == "▇█"
    assert LONG not in typed.output and "wmape" not in typed.output
    assert "3 more that are no worse than these; --columns all shows all" in typed.output
    assert LONG in type_(made, "--columns", "all").output


def test_the_document_holds_all_of_it(made: Registered) -> None:
    document = json.loads(type_(made, "--output", "json", "--columns", "1").output)
    assert (document["model"], document["version"], document["level"]) == ("houses", "2", "alert")
    assert (document["retrain"], document["violations"], document["of_windows"]) == (True, 2, 3)
    assert [one["level"] for one in document["windows"]] == [
        "alert",
        "alert",
        "not_enough_data",
        "ok",
        "alert",
        "alert",
    ]
    rooms = next(one for one in document["lines"] if one["subject"] == "rooms")
    assert rooms["values"] == [0.02, 0.04, None, 0.08, 0.1, 0.12]
    assert rooms["levels"] == ["ok", "ok", None, "ok", "alert", "alert"]
    assert len(document["lines"]) == 5
    assert document["next"] == "python run.py --config configs/train.yaml"


def test_another_version_may_be_asked_for(made: Registered) -> None:
    document = json.loads(type_(made, "--version", "1", "--output", "json").output)
    assert (document["version"], len(document["windows"]), document["retrain"]) == ("1", 1, False)
    assert "the champion is version 2; `--version 2` shows its windows" in type_(made, "--version", "1").output
    assert "the champion is" not in type_(made, "--version", "champion").output


def test_what_became_of_a_training_is_told(made: Registered) -> None:
    # when
    typed = type_(made, "--version", "1")
    document = json.loads(type_(made, "--version", "1", "--output", "json").output)
    # then
    said = "the model was retrained because of the window that ended 2026-03-02 00:00 UTC: version 2 as champion"
    assert said in typed.output
    assert [(one["state"], one["run"]) for one in document["retrainings"]] == [("done", "training-1")]
    assert "retrained" not in type_(made).output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--version", "9"), "houses has no version '9'"),
        (("--columns", "some"), "'some' is neither a number above 0 nor 'all'"),
        (("--columns", "0"), "'0' is neither a number above 0 nor 'all'"),
        (("--windows", "0"), "0 is not in the range"),
        (("--model", "barns"), "no model 'barns'"),
    ],
)
def test_a_mistake_is_told(made: Registered, arguments: tuple[str, ...], says: str) -> None:
    typed = type_(made, *arguments)
    assert typed.code == 2 and says in typed.errors and typed.output == ""


def test_without_a_verdict_it_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a watched model, and a version of it that nobody has looked at; then too few rows in the newest window
    fresh = registered(tmp_path / "registered", versions=1)
    use(fresh, monkeypatch)

    # then
    typed = type_(fresh)
    assert typed.code == 0
    assert typed.output == (
        "no window of houses has been judged yet\nnext: `python run.py --config configs/monitor.yaml`\n"
    )
    document = json.loads(type_(fresh, "--output", "json").output)
    assert (document["level"], document["windows"], document["lines"]) == (None, [], [])

    # when
    Watch(fresh.releases.store).keep(verdict(3, rows=12, version="1", windows=0))

    # then
    typed = type_(fresh)
    assert "houses version 1: not enough data" in typed.output and "retraining was not judged" in typed.output
    assert line(typed, "rows")[:2] == ["too", "few"]


def test_a_newer_version_is_to_be_compared_unless_it_is_archived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    fresh = registered(tmp_path / "registered", versions=3)
    use(fresh, monkeypatch)
    due = windows()[-1].model_copy(update={"version": "1"})
    Watch(fresh.releases.store).keep(due)

    # when / then
    assert "next: `python run.py models compare 1 3`" in type_(fresh).output
    releases = fresh.releases
    releases.change(plans.archive(releases.settle(), "3"), "too slow", releases.settle())
    assert "next: `python run.py models compare 1 2`" in type_(fresh).output


def test_a_narrow_terminal_wraps_long_names_and_keeps_the_newest_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    from commands import monitor_status as module
    from commands.common.screen import Screen

    class Terminal(Screen):
        is_terminal = True

    monkeypatch.setenv("COLUMNS", "80")
    many = [one.model_copy(update={"end": f"{one.end[:10]}T{hour:02}:00"}) for hour in range(20) for one in windows()]
    table = module.status_table(module.status_lines(many), many, Terminal(is_json=False))
    screen = io.StringIO()

    # when
    Console(file=screen, width=80, force_terminal=True, color_system="standard").print(table)

    # then
    shown = screen.getvalue()
    assert "28 windows" in shown and "…" not in shown
    assert "\x1b[1;31m▇" in shown and "\x1b[1;31m▃" not in shown  # only the days of an alert are red
    plain = io.StringIO()
    Console(file=plain, width=80, no_color=True).print(table)
    assert all(len(row) <= 80 for row in plain.getvalue().splitlines())
