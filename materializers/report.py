"""Stores reports as JSON with their pictures, and the best parameters as YAML."""

import hashlib
import json
from typing import Any, ClassVar

import yaml
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.pages.html_pages import evaluation_page, verdict_page
from tabular.pages.pictures import png_files
from tabular.reports.report import Report
from tabular.reports.training import BestParameters, Evaluation
from tabular.reports.verdicts import Verdict

REPORT_FILE = "report.json"
PARAMETERS_FILE = "best_params.yaml"


class ReportMaterializer(FileMaterializer):
    """A report as JSON, with its pictures as PNG; an evaluation and a verdict also have an HTML page."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Report,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS
    SKIP_REGISTRATION: ClassVar[bool] = False

    def save(self, data: Report) -> None:
        """Write the report."""
        self.write(REPORT_FILE, data.model_dump_json(indent=2).encode())

    def load(self, data_type: type[Any]) -> Report:
        """Read the report."""
        report: Report = data_type.model_validate_json(self.read(REPORT_FILE))
        return report

    def compute_content_hash(self, data: Report) -> str | None:
        """The sha256 of the report without its times, which differ between runs with equal inputs."""
        return hashlib.sha256(json.dumps(data.content(), sort_keys=True).encode()).hexdigest()

    def save_visualizations(self, data: Report) -> dict[str, VisualizationType]:
        """The pictures of the report, and the page of an evaluation or a verdict."""
        pictures = png_files(data)
        shown = {self.write(f"{name}.png", content): VisualizationType.IMAGE for name, content in pictures.items()}
        if isinstance(data, Evaluation):
            html = evaluation_page(data, "Evaluation on the held-out rows", pictures)
            shown[self.write("evaluation.html", html.encode())] = VisualizationType.HTML
        if isinstance(data, Verdict):
            html = verdict_page(data, pictures)
            shown[self.write("verdict.html", html.encode())] = VisualizationType.HTML
        shown[f"{self.uri}/{REPORT_FILE}"] = VisualizationType.JSON
        return shown


class BestParametersMaterializer(FileMaterializer):
    """The best parameters as a YAML file."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BestParameters,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = False

    def save(self, data: BestParameters) -> None:
        """Write the parameters."""
        self.write(PARAMETERS_FILE, yaml.safe_dump(data.model_dump(), sort_keys=False).encode())

    def load(self, data_type: type[Any]) -> BestParameters:
        """Read the parameters."""
        return BestParameters.model_validate(yaml.safe_load(self.read(PARAMETERS_FILE)))

    def compute_content_hash(self, data: BestParameters) -> str | None:
        """The sha256 of the parameters."""
        return hashlib.sha256(json.dumps(data.content(), sort_keys=True).encode()).hexdigest()

    def save_visualizations(self, data: BestParameters) -> dict[str, VisualizationType]:
        """The parameters as a Markdown code block."""
        text = f"```yaml\n{yaml.safe_dump(data.model_dump(), sort_keys=False)}```\n"
        return {self.write("best_params.md", text.encode()): VisualizationType.MARKDOWN}
