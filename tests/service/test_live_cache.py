import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.live import LiveModel
from tabular.storage.atomic import UNFINISHED
from tests.support.bundles import NewModel, answer, make_bundle
from tests.support.project import ROOT


class TestCache:
    def test_old_bundles_are_removed(self, new_model: NewModel, publish: Callable[..., str]) -> None:
        # given
        publish("1", 1)
        model = new_model()

        # when
        for revision in range(2, 9):
            last = publish(str(revision), revision)
            model.reload()

        # then
        kept = {path.name for path in model.cache.copies()}
        assert last in kept
        assert len(kept) == 1 + model.cache.keep

    def test_the_unfinished_copies_of_a_killed_worker_are_removed(
        self, new_model: NewModel, publish: Callable[..., str]
    ) -> None:
        # given
        publish("1", 1)
        model = new_model()
        left, fresh = (model.cache.folder / f"{UNFINISHED}{name}" for name in ("left", "fresh"))
        for folder in (left, fresh):
            folder.mkdir()
        os.utime(left, (time.time() - 86400,) * 2)

        # when
        publish("2", 2)
        model.reload()

        # then
        assert (left.exists(), fresh.exists()) == (False, True)

    def test_many_workers_fetch_the_same_bundle_at_once(
        self, manifest: Path, tmp_path: Path, publish: Callable[..., str]
    ) -> None:
        # given
        for round_ in range(5):
            publish(str(round_ + 1), round_ + 1)
            models = [LiveModel(str(manifest), None, tmp_path / "cache" / str(round_), 3600.0) for _ in range(6)]

            # when
            threads = [threading.Thread(target=model.start) for model in models]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            # then
            assert [(answer(model), model.status) for model in models] == [(round_ + 1.0, "healthy")] * 6
            assert not list(models[0].cache.folder.glob(f"{UNFINISHED}*"))
            for model in models:
                model.stop()


class TestStoresThatAreDown:
    def test_a_bucket_that_refuses_does_not_hold_up_the_start(
        self, new_model: NewModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given: an address at which nothing listens
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        make_bundle(tmp_path / "bento", "1", 1.0)

        # when
        model = new_model(location="gs://bucket/release.json", bento=tmp_path / "bento")

        # then
        assert (answer(model), model.current().source, model.status) == (1.0, "bento", "degraded")
        assert "gs://bucket/release.json" in model.warnings[0]

    def test_neither_pandas_nor_zenml_is_imported(self, tmp_path: Path) -> None:
        # given
        code = (
            "import sys, service.live, tabular.prediction_log.writer, service.wandb_sample\n"
            "print({'pandas', 'zenml', 'sklearn', 'wandb', 'mlflow', 'gcsfs'} & set(sys.modules))"
        )

        # when
        finished = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
        )

        # then
        assert finished.stdout.strip() == "set()"
