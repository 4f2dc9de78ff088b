"""The model that answers at the moment: it follows the release manifest, and falls back to the best model there is."""

import hashlib
import logging
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Literal

from service.choices import SOURCES, Choice, Pause, changes, position
from service.problems import Problem
from tabular.bundles import manifest as release
from tabular.bundles.bundle import MANIFEST, digest, parse
from tabular.bundles.bundle_cache import BundleCache
from tabular.bundles.encoding import Encoder
from tabular.bundles.loading import BaselinePredictor, Loaded, Source, load
from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.addresses import public

logger = logging.getLogger(__name__)


class LiveModel:
    """The model of one worker. Workers agree because they follow the same manifest, and share the cache folder.

    Args:
        manifest: path or fsspec URL of the release manifest; None serves the model of the Bento.
        cache: folder for copies of bundles, in which the last good one is found after a restart.
    """

    def __init__(
        self, manifest: str | None, bento: Path | None, cache: Path, poll_seconds: float = 1.0, threads: int = 1
    ) -> None:
        self._manifest = manifest
        self._bento = bento
        self._poll_seconds = poll_seconds
        self._threads = threads
        self._troubles: dict[str, str] = {}
        self.cache = self._open_cache(cache)
        self._wanted: str | None = None  # location of the champion's bundle in the newest manifest
        self._found: Choice | None = None
        self._published: Choice | None = None
        self.choice: Choice | None = None
        """The models that answer; None while there is none. Requests read it without a lock."""
        self._applied = self._refused = ""  # the sha256 of the manifest that is in use, or that was refused
        self._manifest_pause, self._fallback_pause = Pause(), Pause()
        self._busy = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load the best model there is, and follow the manifest from now on."""
        self._look(now=True)
        self._thread = threading.Thread(target=self._follow, name="stackhouse-live-model", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following the manifest; the loaded model still answers."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=1)  # it may wait for a store that is down, and must not delay the exit

    def current(self, key: str | None = None) -> Loaded:
        """The model that answers a request.

        Args:
            key: id of the request. The same id gets the same model as long as the manifest does not change. None gets
                the champion.

        Raises:
            Problem: there is no model, and not even a baseline to answer with (503).
        """
        choice = self.choice
        if choice is None:
            remedy = "try again later; /health says what is wrong"
            raise Problem(503, "no_model", "no model is loaded", remedy, headers=((b"retry-after", b"5"),))
        if choice.challenger and key is not None and position(key) < choice.share:
            return choice.challenger
        return choice.champion

    @property
    def status(self) -> Literal["healthy", "degraded", "unhealthy"]:
        """Unhealthy without any answer; degraded if a baseline answers or the manifest cannot be followed."""
        if self.choice is None:
            return "unhealthy"
        return "degraded" if self._troubles or self.choice.champion.degraded else "healthy"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know, in words, also while no model is loaded."""
        choice = self.choice
        return choice.champion.warnings if choice else tuple(self._troubles.values())

    def reload(self) -> str:
        """Look at the manifest now, and try again what was refused. Returns what happened, in words.

        It can take as long as a download, so it must not run in an event loop.
        """
        return self._look(now=True)

    def poll(self) -> str:
        """Look at the manifest as the background thread does: what failed is tried again after a pause."""
        return self._look(now=False)

    def _follow(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.poll()
            except Exception:
                logger.exception("looking for a newer model failed")

    def _look(self, now: bool) -> str:
        with self._busy:
            said = self._follow_manifest(now) if self._manifest else "no release manifest is set"
            is_lost = self._found is None or self._found.champion.degraded
            if is_lost and (now or self._fallback_pause.is_over()):
                self._fall_back()
            self._publish()
            if self.choice is None:
                return f"{said}; no model is loaded"
            serving = self.choice.champion
            return f"{said}; {serving.bundle.name} {serving.bundle.version} serves, from {SOURCES[serving.source]}"

    def _follow_manifest(self, now: bool) -> str:
        assert self._manifest
        try:
            content = places.read(self._manifest)
        except UserError as error:
            return self._trouble("manifest", f"the release manifest cannot be read, the model stays: {error}")
        mark = digest(content)
        self._resolve("manifest")
        if mark == self._applied:
            self._resolve("release")
            return "the release manifest is followed"
        if mark == self._refused and not now and not self._manifest_pause.is_over():
            return self._troubles.get("release") or self._troubles.get("challenger", "")
        if mark != self._refused:
            self._manifest_pause = Pause()  # a new manifest is tried at once
        try:
            self._apply(release.parse(content, self._manifest))
        except (UserError, OSError) as error:
            self._refused = mark
            self._manifest_pause.lengthen()
            return self._trouble("release", f"the release is refused, the model stays: {error}")
        self._resolve("release")
        challenger_is_missing = "challenger" in self._troubles
        self._applied, self._refused = ("", mark) if challenger_is_missing else (mark, "")
        if challenger_is_missing:
            self._manifest_pause.lengthen()
        return "the release manifest is followed"

    def _apply(self, wanted: release.Manifest) -> None:
        assert self._manifest
        self._wanted = release.bundle_location(self._manifest, wanted.champion)
        champion = self._obtain(wanted, wanted.champion)
        challenger = None
        try:
            if wanted.challenger:
                challenger = self._obtain(wanted, wanted.challenger)
            self._resolve("challenger")
        except (UserError, OSError) as error:
            self._trouble("challenger", f"the challenger is refused, the champion answers in its place: {error}")
        before = self._found
        is_new = before is None or (before.champion.sha256, before.champion.degraded) != (champion.sha256, False)
        if before and is_new:
            noticed = changes(before.champion.bundle, champion.bundle)
            champion = replace(champion, warnings=(*champion.warnings, *noticed))
        self._found = Choice(champion, challenger, wanted.traffic.challenger if challenger else 0.0, wanted.revision)
        self._publish()
        if is_new:
            logger.info("%s %s serves, revision %d", champion.bundle.name, champion.bundle.version, wanted.revision)
        try:
            self.cache.set_last_good(champion.sha256)
            self.cache.prune({champion.sha256, *([challenger.sha256] if challenger else [])})
            self._resolve("cache")
        except (UserError, OSError) as error:
            self._trouble("cache", f"the last good model cannot be recorded on disk: {error}")

    def _obtain(self, wanted: release.Manifest, of: release.Release) -> Loaded:
        """The model of a release: one that is loaded already, or a copy of its bundle, verified and warmed up."""
        assert self._manifest
        for known in (self._found.champion, self._found.challenger) if self._found else ():
            if known and not known.degraded and known.sha256 == of.sha256 and known.source == "manifest":
                return known
        folder = self.cache.fetch(release.bundle_location(self._manifest, of), of.sha256)
        loaded = load(folder, of.sha256, "manifest", self._threads)
        found, named = (loaded.bundle.name, loaded.bundle.version), (wanted.name, of.version)
        if found == named:
            return loaded
        said = f"the release manifest calls {' '.join(named)} what its bundle calls {' '.join(found)}"
        return replace(loaded, warnings=(said,))

    def _fall_back(self) -> None:
        """Load the best model without the manifest: the last good one, the Bento's, or else a baseline."""
        self._fallback_pause.lengthen()
        last = self.cache.last_good() if self._manifest else None
        folders: list[tuple[Source, Path, str | None]] = [("last_good", *last)] if last else []
        folders += [("bento", self._bento, None)] if self._bento else []
        for source, folder, sha256 in folders:
            try:
                self._found = Choice(load(folder, sha256, source, self._threads))
                self._resolve(source, "baseline")
                return
            except UserError as error:
                self._trouble(source, f"{SOURCES[source]} cannot be used: {error}")
        wanted = [self._wanted] if self._wanted else []
        for place in (*wanted, *map(str, self.cache.copies()), *([str(self._bento)] if self._bento else [])):
            location = places.join(place, MANIFEST)
            try:
                content = places.read(location)
                bundle = parse(content, public(location))
                predictor = BaselinePredictor(bundle)
            except UserError:
                continue  # the next one may be better; that no model is loaded is said anyway
            self._found = Choice(Loaded(bundle, predictor, Encoder(bundle.columns), "baseline", digest(content)))
            said = f"no model could be loaded: every answer is the baseline of {bundle.name} {bundle.version}"
            self._trouble("baseline", said)
            return
        self._trouble("baseline", "there is no bundle to take a baseline from")

    def _open_cache(self, folder: Path) -> BundleCache:
        # Each manifest has a folder of its own, because the last good model of another may be another model.
        name = hashlib.sha256((self._manifest or "").encode()).hexdigest()[:16]
        try:
            return BundleCache(folder / name)
        except OSError as error:
            reason = error.strerror or error
            self._trouble("folder", f"{folder} cannot be used ({reason}): the last good model is lost at a restart")
            return BundleCache(Path(tempfile.mkdtemp(prefix="stackhouse-")))

    def _trouble(self, what: str, said: str) -> str:
        if self._troubles.get(what) != said:
            logger.warning("%s", said)
            self._troubles = self._troubles | {what: said}
        return said

    def _resolve(self, *what: str) -> None:
        if any(name in self._troubles for name in what):
            self._troubles = {name: said for name, said in self._troubles.items() if name not in what}

    def _publish(self) -> None:
        """Show requests the model that was found and the warnings, by one assignment."""
        found = self._found
        if found is None:
            return
        if found.champion.source == "manifest":
            self._resolve("last_good", "bento", "baseline")
        warnings = (*found.champion.warnings, *self._troubles.values())
        if found is not self._published or self.choice is None or warnings != self.choice.champion.warnings:
            self.choice = replace(found, champion=replace(found.champion, warnings=warnings))
            self._published = found
