"""Releases and prediction logs in a bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.live import LiveModel
from stacks.programs import DetachedProgram
from tabular.prediction_log.records import FEEDBACK, Feedback, now
from tabular.prediction_log.writer import PredictionLog
from tabular.storage import places
from tests.support.bundles import eventually, make_bundle, manifest_of, named, read_manifest, rows, write_manifest
from tests.support.logs import add, found_at
from tests.support.service_buckets import BUCKET, bucket


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DetachedProgram]:
    with bucket(tmp_path_factory.mktemp("bucket")) as program:
        yield program


@pytest.fixture
def folder(store: DetachedProgram, tmp_path: Path) -> str:
    """A folder of the bucket that is this test's own."""
    return f"gs://{BUCKET}/{tmp_path.name}"


def upload(bundle: Path, location: str) -> None:
    for file in bundle.iterdir():
        places.write(f"{location}/{file.name}", file.read_bytes())


def test_a_release_in_a_bucket_is_followed(folder: str, tmp_path: Path) -> None:
    # given
    model = LiveModel(f"{folder}/release.json", None, tmp_path / "cache", poll_seconds=0.05)
    for version in ("1", "2"):
        sha256 = make_bundle(tmp_path / version, version, float(version))
        upload(tmp_path / version, f"{folder}/bundles/{version}")
        wanted = manifest_of(named(version, f"bundles/{version}", sha256), int(version))

        # when
        write_manifest(f"{folder}/release.json", wanted)
        if version == "1":
            model.start()

        # then
        assert read_manifest(f"{folder}/release.json") == wanted
        assert eventually(lambda v=version: model.current().bundle.version == v)  # type: ignore[misc]
        assert model.current().predictor.predict(rows()).tolist() == [float(version)]
        assert model.status == "healthy"
    model.stop()


def test_a_file_that_is_not_in_the_bucket(folder: str) -> None:
    with pytest.raises(places.NotThere, match=f"{folder}/release.json: there is no such file or bucket"):
        read_manifest(f"{folder}/release.json")
    assert places.files(f"{folder}/logs") == []


def test_a_log_in_a_bucket(folder: str) -> None:
    # given
    log = PredictionLog(f"{folder}/log", flush_seconds=0.1)
    log.start()

    # when
    for number in range(50):
        add(log, f"r{number}", {"rooms": number})
    assert eventually(lambda: log.written == 50)
    log.add(Feedback("r1", now(), 2.0))
    log.stop()

    # then
    assert [record["request_id"] for record in found_at(f"{folder}/log")] == [f"r{number}" for number in range(50)]
    assert [record["value"] for record in found_at(f"{folder}/log", FEEDBACK)] == [2.0]
    assert all("/date=20" in file for file in places.files(f"{folder}/log"))


@pytest.mark.usefixtures("store")
def test_a_bucket_that_is_down_is_waited_for(tmp_path: Path) -> None:
    # given: an emulator of this test's own
    with bucket(tmp_path / "own") as program:
        sha256 = make_bundle(tmp_path / "1", "1", 1.0)
        upload(tmp_path / "1", f"gs://{BUCKET}/1")
        write_manifest(f"gs://{BUCKET}/release.json", manifest_of(named("1", "1", sha256)))
        model = LiveModel(f"gs://{BUCKET}/release.json", None, tmp_path / "cache", poll_seconds=0.05)
        model.start()
        log = PredictionLog(f"gs://{BUCKET}/log", flush_seconds=0.05)
        log.start()

        # when: it goes down
        program.stop()
        assert eventually(lambda: model.status == "degraded")
        for number in range(100):
            add(log, f"r{number}")
        assert eventually(lambda: log.warning is not None)

        # then: requests are answered, and nothing is dropped
        assert model.current().predictor.predict(rows()).tolist() == [1.0]
        assert (log.pending, log.dropped, log.written) == (100, 0, 0)

        # when: it is back
        program.start()

        # then
        assert eventually(lambda: model.status == "healthy")
        assert eventually(lambda: log.written == 100)
        assert (log.warning, log.pending, log.dropped) == (None, 0, 0)
        assert len(found_at(f"gs://{BUCKET}/log")) == 100
        log.stop()
        model.stop()
