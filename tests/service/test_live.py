import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.live import LiveModel
from tabular.bundles.bundle import RECIPE
from tests.support.bundles import (
    NewModel,
    answer,
    category,
    damage,
    eventually,
    make_bundle,
    manifest_of,
    named,
    number,
    read_manifest,
    rows,
    write_manifest,
)


class TestFollowing:
    def test_the_champion_of_the_manifest_answers(self, new_model: NewModel, publish: Callable[..., str]) -> None:
        # given
        sha256 = publish("3", 1)

        # when
        model = new_model()

        # then
        loaded = model.current()
        assert (answer(model), loaded.bundle.version, loaded.source, loaded.sha256) == (3.0, "3", "manifest", sha256)
        assert loaded.card == "# houses 3\n"
        assert (model.status, model.warnings, loaded.degraded) == ("healthy", (), False)
        assert model.choice and model.choice.revision == 1
        assert loaded.encoder.row({"rooms": 2.0, "age": 1.0})[0].numbers.tolist() == [[2.0, 1.0]]

    def test_all_workers_follow_a_change_and_a_rollback_by_themselves(
        self, new_model: NewModel, publish: Callable[..., str]
    ) -> None:
        # given: two workers with one cache
        publish("3", 1)
        workers = [new_model(poll_seconds=0.02) for _ in range(2)]

        for version, revision in (("4", 2), ("3", 3)):
            # when
            publish(version, revision)

            # then
            assert eventually(lambda v=version: [answer(w) for w in workers] == [float(v)] * 2)  # type: ignore[misc]
            assert [worker.choice and worker.choice.revision for worker in workers] == [revision] * 2

    def test_no_call_fails_during_swaps_and_versions_only_rise(
        self, new_model: NewModel, publish: Callable[..., str]
    ) -> None:
        # given: requests without end, from two threads
        publish("1", 1)
        model = new_model(poll_seconds=0.01)
        seen: tuple[list[int], list[int]] = ([], [])
        failures: list[Exception] = []
        is_over = threading.Event()

        def ask(answers: list[int]) -> None:
            while not is_over.is_set():
                try:
                    loaded = model.current("a request")
                    answered = loaded.predictor.predict(rows(3))
                    assert answered.tolist() == [float(loaded.bundle.version)] * 3
                    answers.append(int(loaded.bundle.version))
                except Exception as error:
                    failures.append(error)

        threads = [threading.Thread(target=ask, args=(answers,)) for answers in seen]
        for thread in threads:
            thread.start()

        # when
        for revision in range(2, 12):
            publish(str(revision), revision)
            assert eventually(lambda r=revision: model.choice and model.choice.revision == r)  # type: ignore[misc]
        is_over.set()
        for thread in threads:
            thread.join()

        # then
        assert not failures
        for answers in seen:
            assert answers == sorted(answers)
            assert len(set(answers)) > 1

    def test_a_request_is_answered_by_the_model_that_it_started_with(
        self, new_model: NewModel, publish: Callable[..., str]
    ) -> None:
        # given
        publish("3", 1)
        model = new_model()
        held = model.current()

        # when: its bundle is gone from everywhere
        publish("4", 2)
        said = model.reload()
        shutil.rmtree(model.cache.folder / held.sha256)

        # then
        assert "houses 4 serves" in said
        assert (held.predictor.predict(rows())[0], answer(model)) == (3.0, 4.0)

    def test_a_path_relative_to_the_manifest_is_found(
        self, new_model: NewModel, manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        # given
        sha256 = make_bundle(manifest.parent / "bundles" / "5", "5", 5.0)
        write_manifest(str(manifest), manifest_of(named("5", "bundles/5", sha256)))
        monkeypatch.chdir(tmp_path)

        # then
        assert answer(new_model()) == 5.0

    def test_changed_inputs_are_reported_and_served(self, new_model: NewModel, publish: Callable[..., str]) -> None:
        # given
        publish("3", 1)
        model = new_model()

        # when: one column is gone, another is of another kind
        publish("4", 2, columns=(number("rooms"), category("age")))
        model.reload()

        # then
        assert answer_of_category(model) == 4.0
        assert "'age' is a category now; for 3 it was a number" in model.warnings
        assert model.status == "healthy"
        publish("5", 3, columns=(number("rooms"),))
        model.reload()
        assert "houses 5 no longer takes 'age', which 4 took" in model.warnings

    def test_a_version_that_its_bundle_does_not_have_is_reported(self, new_model: NewModel, manifest: Path) -> None:
        # given
        sha256 = make_bundle(manifest.parent / "bundle", "5", 5.0)
        write_manifest(str(manifest), manifest_of(named("6", "bundle", sha256)))

        # then
        assert new_model().warnings == ("the release manifest calls houses 6 what its bundle calls houses 5",)

    def test_reload_without_a_manifest_says_so(self, new_model: NewModel, tmp_path: Path) -> None:
        # given
        make_bundle(tmp_path / "bento", "1", 1.0)

        # then
        said = new_model(location=None, bento=tmp_path / "bento").reload()
        assert said == "no release manifest is set; houses 1 serves, from the Bento's own bundle"


def answer_of_category(model: LiveModel) -> float:
    encoded, _ = model.current().encoder.row({"rooms": 2.0, "age": "inland"})
    return float(model.current().predictor.predict(encoded)[0])


class TestTraffic:
    @pytest.fixture
    def split(self, manifest: Path) -> Callable[..., None]:
        champion = named("3", "3", make_bundle(manifest.parent / "3", "3", 3.0))
        challenger = named("4", "4", make_bundle(manifest.parent / "4", "4", 4.0))

        def split(share: float, revision: int) -> None:
            write_manifest(str(manifest), manifest_of(champion, revision, challenger, share))

        return split

    def test_requests_are_split_by_their_id(self, split: Callable[..., None], new_model: NewModel) -> None:
        # given
        split(0.2, 1)
        model, another = new_model(), new_model()
        keys = [f"request-{number}" for number in range(5000)]

        # when
        answers = [answer_version(model, key) for key in keys]

        # then: the same in every worker, and near the share
        assert answers == [answer_version(another, key) for key in keys]
        assert 0.17 < answers.count("4") / len(keys) < 0.23
        assert model.current().bundle.version == "3"

        # when: the share rises
        split(0.5, 2)
        model.reload()

        # then: who met the challenger still does
        again = [answer_version(model, key) for key in keys]
        assert all(after == "4" for before, after in zip(answers, again, strict=True) if before == "4")
        assert 0.46 < again.count("4") / len(keys) < 0.54

    def test_a_challenger_without_a_share_is_loaded_and_not_asked(
        self, split: Callable[..., None], new_model: NewModel
    ) -> None:
        # given
        split(0.0, 1)
        model = new_model()

        # then
        assert {answer_version(model, str(number)) for number in range(100)} == {"3"}
        assert model.choice and model.choice.challenger
        assert model.choice.challenger.bundle.version == "4"

    def test_the_champion_stands_in_for_a_bad_challenger(
        self, split: Callable[..., None], new_model: NewModel, manifest: Path
    ) -> None:
        # given
        split(0.5, 1)
        damage(manifest.parent / "4" / RECIPE)

        # when
        model = new_model()

        # then
        assert {answer_version(model, str(number)) for number in range(100)} == {"3"}
        assert "the challenger is refused" in model.warnings[0]

    def test_a_challenger_that_is_promoted_is_not_loaded_again(
        self, split: Callable[..., None], new_model: NewModel, manifest: Path
    ) -> None:
        # given
        split(0.5, 1)
        model = new_model()
        assert model.choice and model.choice.challenger
        predictor = model.choice.challenger.predictor
        wanted = read_manifest(str(manifest))
        assert wanted.challenger is not None

        # when
        write_manifest(str(manifest), manifest_of(wanted.challenger, 2))
        model.reload()

        # then
        assert model.current().predictor is predictor
        assert model.choice.challenger is None


def answer_version(model: LiveModel, key: str) -> str:
    return model.current(key).bundle.version
