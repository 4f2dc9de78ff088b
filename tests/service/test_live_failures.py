import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.problems import Problem
from tabular.bundles.bundle import CARD, MANIFEST, MODEL, RECIPE, digest
from tabular.storage import places
from tests.support.bundles import (
    NewModel,
    answer,
    damage,
    eventually,
    make_bundle,
    manifest_of,
    named,
    rows,
    write_manifest,
)


def _spoil_file(folder: Path) -> None:
    damage(folder / RECIPE)


def _remove_file(folder: Path) -> None:
    (folder / CARD).unlink()


def _spoil_manifest(folder: Path) -> None:
    damage(folder / MANIFEST)


class TestBadReleases:
    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [(_spoil_file, "predictor.json: its sha256 is"), (_remove_file, "card.md"), (_spoil_manifest, "bundle.json")],
    )
    def test_a_bad_bundle_is_refused_and_a_whole_one_taken(
        self,
        spoil: Callable[[Path], None],
        reason: str,
        new_model: NewModel,
        publish: Callable[..., str],
        manifest: Path,
    ) -> None:
        # given
        publish("3", 1)
        model = new_model()
        publish("4", 2)
        folder = manifest.parent / "bundle-2"
        whole = shutil.copytree(folder, manifest.parent / "whole")
        spoil(folder)

        # when
        model.reload()

        # then
        assert (answer(model), model.status) == (3.0, "degraded")
        [warning] = model.warnings
        assert warning.startswith("the release is refused, the model stays")
        assert f"{folder}/{reason}" in warning
        assert model.current().warnings == model.warnings

        # when: it is mended in its place
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        model.reload()

        # then
        assert (answer(model), model.status, model.warnings) == (4.0, "healthy", ())

    def test_a_bad_bundle_is_not_tried_again_and_again(
        self, new_model: NewModel, publish: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        publish("3", 1)
        model = new_model()
        publish("4", 2)
        tried: list[str] = []
        fetch = model.cache.fetch

        def refuse(location: str, sha256: str) -> Path:
            tried.append(location)
            raise places.Unreachable("it is down")

        monkeypatch.setattr(model.cache, "fetch", refuse)

        # when
        for _ in range(50):
            model.poll()

        # then: once; and a new manifest at once
        assert len(tried) == 1
        monkeypatch.setattr(model.cache, "fetch", fetch)
        publish("5", 3)
        model.poll()
        assert answer(model) == 5.0

    def test_an_answer_that_is_not_finite_is_refused(self, new_model: NewModel, manifest: Path) -> None:
        # given
        first = make_bundle(manifest.parent / "1", "1", 1.0)
        write_manifest(str(manifest), manifest_of(named("1", "1", first)))
        model = new_model()
        second = make_bundle(manifest.parent / "2", "2", float("inf"))
        write_manifest(str(manifest), manifest_of(named("2", "2", second), 2))

        # when
        model.reload()

        # then
        assert answer(model) == 1.0
        assert "an answer that is not finite" in model.warnings[0]

    def test_a_bundle_of_an_earlier_version_is_refused_in_one_line(self, new_model: NewModel, manifest: Path) -> None:
        # given
        make_bundle(manifest.parent / "1", "1", 1.0)
        path = manifest.parent / "1" / MANIFEST
        path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))
        write_manifest(str(manifest), manifest_of(named("1", "1", digest(path.read_bytes()))))

        # when
        [refused, *_] = new_model().warnings

        # then
        assert f"{path}: its format 1 is not the one" in refused and "\n" not in refused

    def test_a_file_outside_the_bundle_is_never_written(
        self, new_model: NewModel, manifest: Path, tmp_path: Path
    ) -> None:
        # given
        make_bundle(manifest.parent / "1", "1", 1.0)
        path = manifest.parent / "1" / MANIFEST
        path.write_text(path.read_text().replace('"card.md"', '"../../../escaped"'))
        (manifest.parent / "escaped").write_text("x")
        write_manifest(str(manifest), manifest_of(named("1", "1", digest(path.read_bytes()))))

        # when
        model = new_model()

        # then
        assert "'../../../escaped' is not the name of a file" in " ".join(model.warnings)
        assert [file.name for file in tmp_path.rglob("*escaped*")] == ["escaped"]

    @pytest.mark.parametrize("content", [None, b"{", b'{"format": 2}'])
    def test_without_a_manifest_the_model_stays_until_it_is_back(
        self, content: bytes | None, new_model: NewModel, publish: Callable[..., str], manifest: Path
    ) -> None:
        # given
        publish("3", 1)
        model = new_model()
        before = manifest.read_bytes()

        # when: it is gone, or something else
        manifest.unlink()
        if content is not None:
            manifest.write_bytes(content)
        model.reload()

        # then
        assert (answer(model), model.status, len(model.warnings)) == (3.0, "degraded", 1)
        assert str(manifest) in model.warnings[0]
        manifest.write_bytes(before)
        model.reload()
        assert (answer(model), model.status, model.warnings) == (3.0, "healthy", ())


class TestCascade:
    def test_the_last_good_copy_answers_after_a_restart(
        self, new_model: NewModel, publish: Callable[..., str], manifest: Path, tmp_path: Path
    ) -> None:
        # given: all of the store is gone, and the Bento is older
        make_bundle(tmp_path / "bento", "1", 1.0)
        publish("3", 1)
        new_model().stop()
        shutil.rmtree(manifest.parent)

        # when
        model = new_model(bento=tmp_path / "bento")

        # then
        assert (answer(model), model.current().source, model.status) == (3.0, "last_good", "degraded")
        assert "there is no such file" in model.warnings[0]
        publish("4", 2)
        model.reload()
        assert (answer(model), model.current().source, model.status) == (4.0, "manifest", "healthy")

    def test_another_manifest_has_another_last_good_copy(
        self, new_model: NewModel, publish: Callable[..., str], tmp_path: Path
    ) -> None:
        # given
        publish("3", 1)
        new_model().stop()
        make_bundle(tmp_path / "bento", "1", 1.0)

        # when
        model = new_model(location=str(tmp_path / "another.json"), bento=tmp_path / "bento")

        # then
        assert (answer(model), model.current().source) == (1.0, "bento")

    def test_a_damaged_last_good_copy_is_passed_over(
        self, new_model: NewModel, publish: Callable[..., str], manifest: Path, tmp_path: Path
    ) -> None:
        # given
        make_bundle(tmp_path / "bento", "1", 1.0)
        sha256 = publish("3", 1)
        first = new_model()
        first.stop()
        damage(first.cache.folder / sha256 / MODEL)
        manifest.unlink()

        # when
        model = new_model(bento=tmp_path / "bento")

        # then
        assert (answer(model), model.current().source) == (1.0, "bento")
        assert any("the last good copy on disk cannot be used" in warning for warning in model.warnings)

    def test_a_damaged_copy_is_replaced(self, new_model: NewModel, publish: Callable[..., str]) -> None:
        # given
        sha256 = publish("3", 1)
        first = new_model()
        first.stop()
        damage(first.cache.folder / sha256 / RECIPE)

        # then
        model = new_model()
        assert (answer(model), model.status) == (3.0, "healthy")

    @pytest.mark.parametrize("classes", [(), ("no", "yes")])
    def test_the_baseline_answers_when_no_model_loads(
        self, classes: tuple[str, ...], new_model: NewModel, tmp_path: Path
    ) -> None:
        # given: a Bento whose model is damaged
        folder = tmp_path / "bento"
        make_bundle(folder, "1", (0.0, 9.0) if classes else 1.0, median=7.5, classes=classes)
        whole = (folder / RECIPE).read_bytes()
        damage(folder / RECIPE)

        # when
        model = new_model(location=None, bento=folder)

        # then
        loaded = model.current()
        assert (loaded.source, loaded.degraded, model.status) == ("baseline", True, "degraded")
        assert loaded.predictor.predict(rows(2)).tolist() == ([[0.5, 0.5]] * 2 if classes else [7.5, 7.5])
        assert "every answer is the baseline of houses 1" in " ".join(loaded.warnings)

        # when: it is mended
        (folder / RECIPE).write_bytes(whole)
        model.reload()

        # then
        assert (model.current().source, model.status, model.warnings) == ("bento", "healthy", ())

    def test_the_baseline_of_a_release_that_cannot_be_loaded_is_better_than_nothing(
        self, new_model: NewModel, publish: Callable[..., str], manifest: Path
    ) -> None:
        # given
        publish("3", 1, median=8.5)
        damage(manifest.parent / "bundle-1" / RECIPE)

        # when
        model = new_model()

        # then
        assert (answer(model), model.current().degraded) == (8.5, True)

    def test_with_nothing_at_all_it_is_unhealthy_and_recovers(
        self, new_model: NewModel, publish: Callable[..., str]
    ) -> None:
        # given
        model = new_model(poll_seconds=0.02)

        # then
        assert model.status == "unhealthy"
        assert "there is no such file" in model.warnings[0]
        with pytest.raises(Problem, match="no model is loaded"):
            model.current()
        publish("3", 1)
        assert eventually(lambda: model.status == "healthy")
        assert answer(model) == 3.0

    def test_a_cache_that_cannot_be_written_is_reported(
        self, new_model: NewModel, publish: Callable[..., str], tmp_path: Path
    ) -> None:
        # given: a file where the folder should be
        publish("3", 1)
        (tmp_path / "file").write_text("")

        # when
        model = new_model(cache=tmp_path / "file")

        # then
        assert answer(model) == 3.0
        assert "the last good model is lost at a restart" in model.warnings[0]
