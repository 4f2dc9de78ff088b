"""How the service did in a window."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tabular.reports.verdicts import ServiceTraffic

MINUTE = 60.0
FALLBACK = (200, "fallback")
"""How the log notes a request that was answered without the model."""


def traffic(
    times: NDArray[np.float64],
    latency_ms: NDArray[np.float64],
    rows: int,
    others: Mapping[tuple[int, str], int],
    seconds: float,
) -> ServiceTraffic:
    """The figures of a window.

    Args:
        times: (requests,) when each was answered with a prediction, in seconds since 1970.
        latency_ms: (requests,) from arrival to answer.
        rows: that these requests held.
        others: by status and code, the requests that were not answered so, and those that a fallback answered.
        seconds: the length of the window.
    """
    quantiles = np.quantile(latency_ms, (0.5, 0.95, 0.99)).tolist() if len(latency_ms) else [None] * 3
    minutes = np.unique(times // MINUTE, return_counts=True)[1]
    causes = {f"{status} {code}": count for (status, code), count in others.items() if (status, code) != FALLBACK}
    return ServiceTraffic(
        requests=len(times),
        rows=rows,
        p50_ms=quantiles[0],
        p95_ms=quantiles[1],
        p99_ms=quantiles[2],
        rows_per_second=rows / seconds,
        peak_requests=int(minutes.max()) if len(minutes) else 0,
        failed=sum(count for (status, _), count in others.items() if status >= 500),
        fallback=others.get(FALLBACK, 0),
        refused=sum(count for (status, _), count in others.items() if 400 <= status < 500),
        causes=dict(sorted(causes.items(), key=lambda pair: (-pair[1], pair[0]))),
    )
