"""Tree ensembles in ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tabular.bundles.bundle import BadBundle
from tabular.bundles.recipe import Ensemble
from tabular.errors import one_line


class Trees:
    """One ensemble.

    Args:
        folder: of the bundle.
        ensemble: which file, and what numbers it takes.
        threads: how many ONNX Runtime may use for one call.

    Raises:
        BadBundle: ONNX Runtime does not take the file.
    """

    def __init__(self, folder: Path, ensemble: Ensemble, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        # Where float32 is summed the order counts, and more threads change it.
        options.intra_op_num_threads = 1 if ensemble.single else threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A thread that spins while it waits takes a core from the other workers.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            content = (folder / ensemble.file).read_bytes()
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base below Exception
            said = one_line(error)
            raise BadBundle(f"{folder / ensemble.file}: ONNX Runtime refuses it ({said}); package it again") from error
        self.dtype: Any = np.float32 if ensemble.single else np.float64
        self._run = self._session.run
        self._outputs = [self._session.get_outputs()[0].name]
        self._input = self._session.get_inputs()[0].name

    def __call__(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """The sums, rows x outputs, of a matrix of `dtype`."""
        sums: NDArray[Any] = self._run(self._outputs, {self._input: matrix})[0]
        return sums
