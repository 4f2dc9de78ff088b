"""Isolation of the whole session, and the fixtures that several rooms share.

ZenML, BentoML, MLflow and W&B read their settings from the environment when they are first imported, and pytest loads
this file before any test. So everything that could point at a person's own stacks, servers and models is taken out of
the environment here, and a temporary folder put in its place.

What a test can ask for: `data_dir`, the real tables; `sample_rows`, a small invented one; `project`, a copy of the
repository that is this test's own; `new_project`, which makes such copies for a fixture of wider scope.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tabular.sample import SampleSpec, make_sample
from tests.project import ROOT, Project, isolate

SESSION = tempfile.TemporaryDirectory(prefix="stackhouse-tests-", ignore_cleanup_errors=True)
isolate(os.environ, Path(SESSION.name))
