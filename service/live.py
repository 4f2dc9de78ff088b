"""The model that answers now: it follows the release manifest, and falls back to the best that is left."""

import hashlib
import logging
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from service.choices import SOURCES, Choice, Pause, changes, position, same
from tabular.bundles import manifest as release
from tabular.bundles.bundle import MANIFEST, digest, parse
from tabular.bundles.bundle_cache import BundleCache
from tabular.bundles.encoding import Encoder
from tabular.bundles.loading import BaselinePredictor, Build, Loaded, Source, build_predictor, load
from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.places import public

logger = logging.getLogger(__name__)


class NoModel(UserError):
    """There is nothing to answer with, not even a training median."""


class LiveModel:
    """One for each worker; workers agree because they follow the same manifest, and share the cache's folder.

    Args:
        manifest: path or fsspec URL of the release manifest; None where only the Bento's model serves.
        bento: the bundle's folder inside the Bento.
        cache: a folder for copies of bundles; the last good one is found in it after a restart.
        poll_seconds: how often to look at the manifest.
        threads: for one prediction.
        build: makes a predictor from a folder and its manifest.
    """

    def __init__(
        self,
        manifest: str | None,
        bento: Path | None,
        cache: Path,
        poll_seconds: float = 1.0,
        threads: int = 1,
        build: Build | None = None,
    ) -> None:
        self._manifest = manifest
        self._bento = bento
        self._poll_seconds = poll_seconds
        self._build = build or partial(build_predictor, threads=threads)
        self._troubles: dict[str, str] = {}
        self._cache = self._open_cache(cache)
        self._found: Choice | None = None
        self._published: Choice | None = None
        self._choice: Choice | None = None  # what was published, with all warnings: the one reference requests read
        self._applied = self._refused = ""
        self._manifest_pause, self._fallback_pause = Pause(), Pause()
        self._busy = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load the best model there is, and follow the manifest from now on. Takes seconds at most when it is down."""
        self._look(now=True)
        self._thread = threading.Thread(target=self._follow, name="stackhouse-live-model", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer; what is loaded still answers."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=1)  # it may wait for a store that is down, and never delays the exit

    def current(self, key: str | None = None) -> Loaded:
        """The model that answers a request.

        Args:
            key: the request's id; the same one always meets the same model while the manifest stays as it is. None
                asks for the champion.

        Raises:
            NoModel: there is nothing to answer with.
        """
        choice = self._choice
        if choice is None:
            raise NoModel("no model is loaded: " + ("; ".join(self._troubles.values()) or "start() has not run"))
        if choice.challenger and key is not None and position(key) < choice.share:
            return choice.challenger
        return choice.champion

    @property
    def status(self) -> Literal["healthy", "degraded", "unhealthy"]:
        """Unhealthy without any answer; degraded when a baseline answers or the manifest is not followed."""
        if self._choice is None:
            return "unhealthy"
        return "degraded" if self._troubles or self._choice.champion.degraded else "healthy"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know, in words; also there when no model is."""
        choice = self._choice
        return choice.champion.warnings if choice else tuple(self._troubles.values())

    @property
    def challenger(self) -> Loaded | None:
        """The challenger that is loaded, whatever its share."""
        return self._choice.challenger if self._choice else None

    @property
    def revision(self) -> int | None:
        """Of the manifest that is followed; None while none is."""
        return self._choice.revision if self._choice else None

    def reload(self) -> str:
        """Look at the manifest now, in this worker; what was refused is tried again.

        It may take as long as a download: not for an event loop. Returns what happened, in words.
        """
        return self._look(now=True)

    def _follow(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            try:
                self._look(now=False)
            except Exception:
                logger.exception("looking for a newer model failed")

    def _look(self, now: bool) -> str:
        with self._busy:
            said = self._follow_manifest(now) if self._manifest else "no release manifest is set"
            is_lost = self._found is None or self._found.champion.degraded
            if is_lost and (now or self._fallback_pause.is_over()):
                self._fall_back()
            self._publish()
            if self._choice is None:
                return f"{said}; no model is loaded"
            serving = self._choice.champion
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
            self._manifest_pause.clear()
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
        champion = self._obtain(wanted, wanted.champion)
        challenger = None
        try:
            if wanted.challenger:
                challenger = self._obtain(wanted, wanted.challenger)
            self._resolve("challenger")
        except (UserError, OSError) as error:
            self._trouble("challenger", f"the challenger is refused, the champion answers in its place: {error}")
        before = self._found
        if before and not same(before.champion, champion):
            noticed = changes(before.champion.bundle, champion.bundle)
            champion = replace(champion, warnings=(*champion.warnings, *noticed))
        self._found = Choice(champion, challenger, wanted.traffic.challenger if challenger else 0.0, wanted.revision)
        self._publish()
        if before is None or not same(before.champion, champion):
            logger.info("%s %s serves, revision %d", champion.bundle.name, champion.bundle.version, wanted.revision)
        try:
            self._cache.set_last_good(champion.sha256)
            self._cache.prune({champion.sha256, *([challenger.sha256] if challenger else [])})
            self._resolve("cache")
        except (UserError, OSError) as error:
            self._trouble("cache", f"the last good model cannot be noted on disk: {error}")

    def _obtain(self, wanted: release.Manifest, of: release.Release) -> Loaded:
        """The model of a release: one that is loaded already, or a copy of its bundle, checked and warmed."""
        assert self._manifest
        for known in (self._found.champion, self._found.challenger) if self._found else ():
            if known and not known.degraded and known.sha256 == of.sha256 and known.source == "manifest":
                return known
        folder = self._cache.fetch(release.bundle_location(self._manifest, of), of.sha256)
        loaded = load(folder, of.sha256, "manifest", self._build)
        found, named = (loaded.bundle.name, loaded.bundle.version), (wanted.name, of.version)
        if found == named:
            return loaded
        said = f"the release manifest calls {' '.join(named)} what its bundle calls {' '.join(found)}"
        return replace(loaded, warnings=(said,))

    def _fall_back(self) -> None:
        """The best model without the manifest: the last good one, the Bento's, and at last a baseline."""
        self._fallback_pause.lengthen()
        last = self._cache.last_good() if self._manifest else None
        places_left: list[tuple[Source, Path, str | None]] = [("last_good", *last)] if last else []
        places_left += [("bento", self._bento, None)] if self._bento else []
        for place, folder, sha256 in places_left:
            try:
                self._found = Choice(load(folder, sha256, place, self._build))
                self._resolve(place, "baseline")
                return
            except UserError as error:
                self._trouble(place, f"{SOURCES[place]} cannot be used: {error}")
        for content, shown in self._manifests_of_bundles():
            try:
                bundle = parse(content, shown)
                said = f"no model could be loaded: every answer is the baseline of {bundle.name} {bundle.version}"
                encoder, predictor = Encoder(bundle.columns), BaselinePredictor(bundle)
            except UserError:
                continue  # there may be a better one; that no model is loaded is said anyway
            self._found = Choice(Loaded(bundle, predictor, encoder, "baseline", digest(content)))
            self._trouble("baseline", said)
            return
        self._trouble("baseline", "there is no bundle to take a baseline from")

    def _manifests_of_bundles(self) -> Iterator[tuple[bytes, str]]:
        """Every `bundle.json` that can be read, the most wanted first."""
        locations = [str(folder / MANIFEST) for folder in (*self._cache.copies(), self._bento) if folder]
        if self._manifest:
            try:
                wanted = release.read(self._manifest)
                location = release.bundle_location(self._manifest, wanted.champion)
                locations.insert(0, places.join(location, MANIFEST))
            except UserError:
                pass  # said already, by whoever follows the manifest
        for location in locations:
            try:
                yield places.read(location), public(location)
            except UserError:
                continue

    def _open_cache(self, folder: Path) -> BundleCache:
        # Another manifest's last good model may be another model.
        of = hashlib.sha256((self._manifest or "").encode()).hexdigest()[:16]
        try:
            return BundleCache(folder / of)
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
        """Let requests see what was found and what is wrong, by one assignment."""
        found = self._found
        if found is None:
            return
        if found.champion.source == "manifest":
            self._resolve("last_good", "bento", "baseline")
        warnings = (*found.champion.warnings, *self._troubles.values())
        if found is not self._published or self._choice is None or warnings != self._choice.champion.warnings:
            self._choice = replace(found, champion=replace(found.champion, warnings=warnings))
            self._published = found
