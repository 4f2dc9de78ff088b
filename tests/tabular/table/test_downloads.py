"""Downloads: fetched once, checked, kept whole or not at all."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tabular.config.stages import DataConfig
from tabular.errors import UserError
from tabular.table.sources import locate, read_table
from tests.support.project import ROOT

CSV = b"a,b\n1,2\n3,4\n3,4\n"
SHA256 = hashlib.sha256(CSV).hexdigest()


class Web(ThreadingHTTPServer):
    """A server of a few files that remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/table.csv": CSV}
        self.asked: list[str] = []
        self.authorization: str | None = None
        self.pause = 0.0

    def at(self, path: str = "/table.csv", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    """Answers with the file or 404; with a pause, after half of the bytes."""

    server: Web

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.server.files.get(self.path.partition("?")[0], b""))

    def _answer(self, body: bytes) -> None:
        self.server.asked.append(self.command)
        self.server.authorization = self.headers.get("Authorization")
        known = self.server.files.get(self.path.partition("?")[0])
        self.send_response(200 if known is not None else 404)
        self.send_header("Content-Length", str(len(known or b"")))
        self.end_headers()
        half = len(body) // 2
        self.wfile.write(body[:half])
        time.sleep(self.server.pause)
        self.wfile.write(body[half:])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Web()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def url_config(url: str, sha256: str = SHA256, sample: str | None = None) -> DataConfig:
    return DataConfig(url=url, url_sha256=sha256, offline_sample=True, sample=sample)


def test_download_is_kept_and_asked_for_once(tmp_path: Path, web: Web) -> None:
    # when
    first = locate(url_config(web.at()), tmp_path / "cache", tmp_path)
    second = locate(url_config(web.at()), tmp_path / "cache", tmp_path)
    frame, provenance = read_table(second, "b", False, 0)
    # then
    assert first == second
    assert web.asked == ["GET"]
    assert len(frame) == 3
    assert (provenance.data_source, provenance.sha256) == ("url", SHA256)
    assert [file.name for file in (tmp_path / "cache").iterdir()] == [SHA256]


def test_damaged_cache_is_downloaded_again(tmp_path: Path, web: Web) -> None:
    # given
    locate(url_config(web.at()), tmp_path / "cache", tmp_path)
    (tmp_path / "cache" / SHA256).write_bytes(CSV[:5])
    # when
    locate(url_config(web.at()), tmp_path / "cache", tmp_path)
    # then
    assert (tmp_path / "cache" / SHA256).read_bytes() == CSV


def test_machine_without_the_cache_downloads_again_and_checks(tmp_path: Path, web: Web) -> None:
    # given
    source = locate(url_config(web.at()), tmp_path / "cache", tmp_path)
    (tmp_path / "cache" / SHA256).unlink()
    # when
    frame, _ = read_table(source, "b", False, 0)
    # then
    assert len(frame) == 3
    web.files["/table.csv"] = CSV + b"5,6\n"
    with pytest.raises(UserError, match=r"wrong sha256.*data\.url_sha256"):
        read_table(source, "b", False, 0)


def test_download_with_a_wrong_sha256_is_refused_and_not_kept(tmp_path: Path, web: Web) -> None:
    # when / then
    with pytest.raises(UserError, match=rf"expected {'0' * 64}, got {SHA256}.*data\.url_sha256"):
        locate(url_config(web.at(), "0" * 64, sample="sample.yaml"), tmp_path / "cache", tmp_path)
    assert not (tmp_path / "cache").exists()


def test_http_error_is_no_reason_for_the_sample(tmp_path: Path, web: Web) -> None:
    # when / then
    with pytest.raises(UserError, match=r"data\.url: .*the server answered 404|data\.url: .*no such file"):
        locate(url_config(web.at("/gone.csv"), SHA256, sample="sample.yaml"), tmp_path / "cache", tmp_path)


def test_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    # when / then
    with pytest.raises(UserError, match=r"does not start with http:// or https://; for others use data\.path"):
        locate(url_config("ftp://host/table.csv", SHA256, sample="sample.yaml"), tmp_path / "cache", tmp_path)


def test_credentials_are_used_and_not_recorded(tmp_path: Path, web: Web) -> None:
    # given
    source = locate(url_config(web.at("/table.csv?token=geheim", "anna:geheim@")), tmp_path / "cache", tmp_path)
    # when
    _, provenance = read_table(source, "b", False, 0)
    # then
    assert web.authorization is not None and web.authorization.startswith("Basic ")
    assert provenance.location == web.at()
    with pytest.raises(UserError, match=f"{web.at()} has no column 'c'"):
        read_table(source, "c", False, 0)


def test_killed_download_leaves_nothing_under_the_final_name(tmp_path: Path, web: Web) -> None:
    # given
    web.pause = 60.0
    program = (
        "import sys; from pathlib import Path; from tabular.config.stages import DataConfig\n"
        "from tabular.table.sources import locate\n"
        "locate(DataConfig(url=sys.argv[1], url_sha256=sys.argv[2]), Path(sys.argv[3]), Path('.'))"
    )
    arguments = [sys.executable, "-c", program, web.at(), SHA256, str(tmp_path / "cache")]
    # when
    process = subprocess.Popen(arguments, cwd=ROOT)
    deadline = time.monotonic() + 30
    while not web.asked and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    process.kill()
    process.wait()
    # then
    assert web.asked == ["GET"]
    assert not (tmp_path / "cache" / SHA256).exists()


def test_failed_write_leaves_nothing_in_the_cache(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    # when / then
    with pytest.raises(UserError, match="cannot write to the cache .*No space left"):
        locate(url_config(web.at()), tmp_path / "cache", tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []
