"""Score one input in this process, and print seconds, memory and counts as a line of JSON."""

import argparse
import json
from pathlib import Path

from tabular.batch.scoring import BatchModel, score
from tabular.bundles import bundle as bundles
from tabular.bundles import reference
from tabular.bundles.bundle import MANIFEST, digest
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.batch import BatchConfig


def main() -> None:
    """Score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--chunk-rows", type=int, default=50_000)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    bundle = bundles.read(given.bundle)
    predictor = CompiledPredictor.load(given.bundle, given.threads)
    sha256 = digest((given.bundle / MANIFEST).read_bytes())
    model = BatchModel(bundle, reference.read(given.bundle), sha256, predictor)
    config = BatchConfig(model=bundle.name, input=given.input, output=given.output, chunk_rows=given.chunk_rows)
    report, _ = score(config, model)
    # Not what getrusage says, which is the parent's peak where that was higher.
    status = Path("/proc/self/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    figures = report.model_dump(include={"rows", "scored", "rejected", "rows_per_second", "resumed"})
    print(json.dumps(figures | {"peak_mib": peak}))


if __name__ == "__main__":
    main()
