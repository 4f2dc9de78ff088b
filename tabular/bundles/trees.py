"""Tree ensembles in ONNX Runtime."""

from pathlib import Path
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from tabular.bundles.bundle import BadBundle
from tabular.bundles.recipe import Ensemble
from tabular.errors import one_line


class Trees:
    """One tree ensemble.

    Args:
        threads: number of threads of ONNX Runtime for one call.

    Raises:
        BadBundle: the file is missing, or ONNX Runtime does not accept it.
    """

    def __init__(self, folder: Path, ensemble: Ensemble, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        # A sum of float32 depends on its order, which more threads change.
        options.intra_op_num_threads = 1 if ensemble.single else threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A waiting thread that spins takes a core from the other workers.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            content = (folder / ensemble.file).read_bytes()
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no other common base
            said = one_line(error)
            raise BadBundle(f"{folder / ensemble.file}: ONNX Runtime refuses it ({said}); package it again") from error
        self._run = self._session.run
        self._outputs = [self._session.get_outputs()[0].name]
        self._input = self._session.get_inputs()[0].name

    def __call__(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """The sums of the leaves (rows x outputs) for rows x features, float32 if `ensemble.single`, else float64."""
        sums: NDArray[Any] = self._run(self._outputs, {self._input: matrix})[0]
        return sums
