"""What a client notices while others attack the service: nothing.

    python benchmarks/neighbour.py [--only requests] [--match CSV] [--size 10000000] [--cases 10000] [--minutes 60]
    python benchmarks/neighbour.py --quick --busy --size 300000 --connections 2 --seconds 0.3

The service runs on the loopback with one worker and a made-up model. While each attack runs on ten connections, another
client sends single rows from an address of its own, each on a new connection. `--cases` also tries requests that
Hypothesis makes up; it remembers what has failed in .cache/hypothesis and tries that first the next time. `--minutes`
also loads the service with requests of all kinds for so long, and compares memory and descriptors afterwards.
"""

import argparse
import json
import os
import random
import shutil
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import attacks
import frame
from frame import Figure
from servers import COMMANDS, SERVICE, Server, launched

from tabular.names import BENTO_NAME
from tests.support.bundles import COLUMNS, category, make_bundle

NEIGHBOUR = "127.0.0.2"
"""Address of the other client; those who attack have 127.0.0.1."""
ROW = json.dumps({"rooms": 3.0, "age": 20, "place": "inland"}).encode()
DATE = {"name": "sold", "kind": "date", "min": 18000.0, "max": 20000.0, "missing_share": 0.0}
MOST_SECONDS, MOST_MIB, MOST_RATIO = 0.5, 300.0, 2.5
LOG_SECONDS, HALF_SECONDS = 1.0, 0.3
LOCKED_OUT = 10.0
"""Seconds after which an answer is late even on a busy machine."""
TRIES = 3
CONNECTIONS = 10
SERIES = 200
"""Most series that made-up requests may add: they reach refusals that no other request has reached."""
FLOOD = 3000
"""Number of connections of one client that wants to have all of them."""
SMALL = 0.05
"""Seconds of CPU below which a request is so cheap that the growth of its cost cannot be measured."""
ONE_ROW = 60_000
"""Bytes of a request that is cheap to refuse when it is larger."""


class Service:
    """The service, its worker, and the other client."""

    def __init__(self, server: Server) -> None:
        self.port = server.port
        [self.worker] = [worker for worker in server.workers() if "_bentoml_impl.worker.service" in worker.cmdline()]
        self._salts = count(1)
        self.before = self.memory()
        """Memory of the worker before the first attack, in MiB."""

    def exchange(self, request: bytes) -> int:
        """Send a request. Returns the status code; 0 where no answer arrives."""
        return attacks.exchange(self.port, request)

    def attack(self, attack: attacks.Attack, size: int) -> int:
        """Send a request of an attack; otherwise like `exchange`."""
        return self.exchange(self.request(attack, size))

    def glance(self, attack: attacks.Attack, size: int) -> int:
        """Like `attack`, but do not wait long for an answer to what may be half a request."""
        seconds = attacks.ANSWER_SECONDS if attack.path else HALF_SECONDS
        return attacks.exchange(self.port, self.request(attack, size), seconds=seconds)

    def request(self, attack: attacks.Attack, size: int) -> bytes:
        """A request that differs from all before."""
        return attack.request(size, f"s{next(self._salts)}x")

    def cpu(self) -> float:
        """Seconds of CPU that the worker has used."""
        used = self.worker.cpu_times()
        return float(used.user + used.system)

    def settled(self, seconds: float = 60.0) -> float:
        """Wait until the worker rests. Returns the seconds of CPU that it has used so far."""
        until, before = time.monotonic() + seconds, self.cpu()
        while time.monotonic() < until:
            time.sleep(0.1)
            now = self.cpu()
            if now - before <= 0.02:
                return now
            before = now
        return before

    def cost(self, work: Callable[[], object]) -> float:
        """Seconds of CPU that the worker spends on something, and on what it leaves behind."""
        before = self.settled()
        work()
        return self.settled() - before

    def series(self) -> int:
        """Number of metric series."""
        with urllib.request.urlopen(f"http://{attacks.HOST}:{self.port}/metrics") as answer:
            return sum(not line.startswith(b"#") for line in answer)

    def memory(self) -> float:
        """Memory of the worker, in MiB."""
        return float(self.worker.memory_info().rss / 2**20)

    def descriptors(self) -> int:
        """Number of files and connections that the worker holds open."""
        return int(self.worker.num_fds())


class Neighbour:
    """Sends single rows until the block ends, each on a new connection, and watches the worker's memory."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._until = threading.Event()
        self._threads = [threading.Thread(target=target) for target in (self._ask, self._watch)]
        self.worst = 0.0
        """Longest time of an answer in seconds."""
        self.worst_cpu = 0.0
        """Most seconds of CPU that the worker has used while it owed an answer."""
        self.failed = 0
        """Number of requests without the right answer."""
        self.peak = 0.0
        """Most memory of the worker that was seen, in MiB."""

    def __enter__(self) -> "Neighbour":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._until.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        request = attacks.post("/predict", ROW)
        while not self._until.wait(0.005):
            began, used = time.perf_counter(), self.service.cpu()
            self.failed += attacks.exchange(self.service.port, request, NEIGHBOUR) != 200
            self.worst = max(self.worst, time.perf_counter() - began)
            self.worst_cpu = max(self.worst_cpu, self.service.cpu() - used)

    def _watch(self) -> None:
        while not self._until.wait(0.002):
            self.peak = max(self.peak, self.service.memory())


def requests(service: Service, given: argparse.Namespace) -> Iterator[Figure]:
    """Each request that grows: on ten connections beside the other client, and one of each of two sizes."""
    for name, attack in attacks.attacks():
        if given.match in name:
            yield tried(service, name, attack, given)


def tried(service: Service, name: str, attack: attacks.Attack, given: argparse.Namespace) -> Figure:
    """The line of one attack."""
    if given.quick:
        ratio = 1.0
        service.attack(attack, given.size)  # its refusal may be the first of its kind, and has a series then
    else:
        ratio = max(growth(service, attack, size) for size in (min(ONE_ROW, given.size), given.size))
    before = service.series()
    content = [service.request(attack, given.size) for _ in range(given.connections)]
    with ThreadPoolExecutor(len(content)) as threads, Neighbour(service) as neighbour:
        found = list(threads.map(service.exchange, content))
        given.quick or service.settled()
    return verdict(name, given, neighbour, service.series() - before, ratio, found)


def growth(service: Service, attack: attacks.Attack, size: int) -> float:
    """How many times as much CPU a request of a size costs as one of half the size."""
    ratios: list[float] = []
    while len(ratios) < TRIES and (not ratios or ratios[-1] > MOST_RATIO):  # the clock is coarse, and memory comes late
        half = service.cost(partial(service.attack, attack, size // 2))
        whole = service.cost(partial(service.attack, attack, size))
        ratios.append(whole / max(half, SMALL))
    return min(ratios)


def verdict(
    name: str,
    given: argparse.Namespace,
    neighbour: Neighbour,
    series: int,
    ratio: float = 1.0,
    found: Sequence[int] = (),
) -> Figure:
    """What an attack did, and whether that is allowed."""
    statuses = sorted(set(found))
    grown = neighbour.peak - neighbour.service.before
    said = f"{neighbour.worst:.2f} s ({neighbour.worst_cpu:.2f}), {grown:+.0f} MiB, x{ratio:.1f}"
    said += f", series +{series}" if series else ""
    said += f", failed {neighbour.failed}" if neighbour.failed else ""
    said += f" {' '.join(map(str, statuses))}"
    seconds = max(neighbour.worst_cpu, neighbour.worst - LOCKED_OUT) if given.busy else neighbour.worst
    is_kept = seconds <= MOST_SECONDS and grown <= MOST_MIB and ratio <= MOST_RATIO and series == 0
    is_answered = all(100 < status < 500 for status in statuses)
    return Figure(name, said, "", is_kept and is_answered and not neighbour.failed)


def holders(service: Service, given: argparse.Namespace) -> Iterator[Figure]:
    """Each way to hold connections, ten of them for some seconds."""
    for name, hold in attacks.HOLDERS.items():
        if given.match in name and not (given.quick and name in attacks.BY_RATE):
            hold(service.port, 0.1)
            before = service.series()
            with ThreadPoolExecutor(CONNECTIONS) as threads, Neighbour(service) as neighbour:
                list(threads.map(partial(hold, service.port), [given.seconds] * CONNECTIONS))
                service.settled()
            yield verdict(name, given, neighbour, service.series() - before)


def flood(service: Service, given: argparse.Namespace) -> Iterator[Figure]:
    """Thousands of connections of one client, which send half a request each and stay."""
    before = service.series()
    with ExitStack() as held, Neighbour(service) as neighbour:
        for _ in range(FLOOD):
            connection = held.enter_context(attacks.connected(service.port))
            with suppress(OSError):  # it may be closed already
                connection.sendall(attacks.GET.encode())
        time.sleep(given.seconds)
    yield verdict(f"{FLOOD:,} connections", given, neighbour, service.series() - before)


def generated(service: Service, given: argparse.Namespace) -> Iterator[Figure]:
    """Requests that Hypothesis makes up from the parts of the others."""
    import generation

    before = service.series()
    with Neighbour(service) as neighbour:
        failure = generation.tried(service.glance, given.cases, given.size // 100)
    grown = max(0, service.series() - before - SERIES)
    yield verdict(f"{given.cases:,} made-up requests", given, neighbour, grown)
    if failure:
        print(failure)
    yield Figure("those that were not answered, or too slowly", "some" if failure else "none", "none", not failure)


def soak(service: Service, given: argparse.Namespace) -> Iterator[Figure]:
    """Requests of all kinds for a long time: memory and descriptors at its end, and after its first tenth."""
    choice, sizes = random.Random(1), (100, 10_000, given.size // 20)
    every = [attack for _, attack in attacks.attacks()]

    def load(seconds: float) -> tuple[float, int]:
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            while time.monotonic() < until:
                some = choice.choices(every, k=50)
                list(threads.map(service.glance, some, choice.choices(sizes, k=50)))
        service.settled()
        return service.memory(), service.descriptors()

    with Neighbour(service) as neighbour:
        memory, descriptors = load(60 * given.minutes / 10)
        later, still = load(60 * given.minutes * 9 / 10)
    yield verdict(f"{given.minutes:g} minutes of load", given, neighbour, 0)
    yield Figure("memory of the worker, MiB", f"{memory:.0f}, {later:.0f}", "+ 5 %", later <= 1.05 * memory)
    yield Figure("descriptors of the worker", f"{descriptors}, {still}", "equal", descriptors == still)


@contextmanager
def served() -> Iterator[Service]:
    """The service with a made-up model, from a store of its own."""
    with tempfile.TemporaryDirectory(prefix="stackhouse-neighbour-") as folder:
        os.environ["BENTOML_HOME"] = str(Path(folder) / "bentoml")
        import bentoml

        with bentoml.models.create(BENTO_NAME) as model:
            bundle = Path(folder) / "bundle"
            make_bundle(bundle, columns=(*COLUMNS, DATE, category("place")))
            shutil.copytree(bundle, model.path, dirs_exist_ok=True)
        with launched(COMMANDS[SERVICE], {"STACKHOUSE_CACHE": str(Path(folder) / "cache")}) as server:
            for request in (attacks.post("/predict", ROW), *map(attacks.get, attacks.NO_BODY_ROUTES)):
                attacks.exchange(server.port, request)  # the first answer of each kind adds series, and so does the log
            time.sleep(LOG_SECONDS)
            yield Service(server)


def parts(given: argparse.Namespace) -> dict[str, Callable[..., Iterator[Figure]]]:
    """The parts that the options choose."""
    chosen: dict[str, Any] = {"requests": requests, "holders": holders, "flood": flood}
    chosen |= {"generated": generated} if given.cases else {}
    chosen |= {"soak": soak} if given.minutes else {}
    return {name: part for name, part in chosen.items() if name in (given.only or chosen)}


if __name__ == "__main__":
    parser = frame.parser(__doc__)
    parser.add_argument("--only", nargs="+", help="the parts to try: requests, holders, flood, generated, soak")
    parser.add_argument("--match", default="", help="try only the attacks whose name contains this")
    parser.add_argument("--size", type=int, default=10_000_000, help="bytes of the larger requests")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="number of connections that attack")
    parser.add_argument("--quick", action="store_true", help="leave out how the cost grows with size and rate")
    parser.add_argument("--busy", action="store_true", help="judge by the CPU of the worker: the machine does more")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds for which connections are held")
    parser.add_argument("--cases", type=int, default=0, help="number of requests that Hypothesis makes up")
    parser.add_argument("--minutes", type=float, default=0, help="minutes of mixed load")
    options = parser.parse_args()
    with served() as running:
        frame.measure({name: partial(part, running, options) for name, part in parts(options).items()})
