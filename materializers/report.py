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


class ReportMaterializer(FileMaterializer):
    """A report as JSON, with its pictures as PNG; an evaluation and a verdict also have an HTML page."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Report,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS
    FILE: ClassVar[str] = "report.json"

    def _encoded(self, data: Report) -> bytes:
        return data.model_dump_json(indent=2).encode()

    def _decoded(self, content: bytes, data_type: type[Any]) -> Report:
        report: Report = data_type.model_validate_json(content)
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
        shown[f"{self.uri}/{self.FILE}"] = VisualizationType.JSON
        return shown


class BestParametersMaterializer(ReportMaterializer):
    """The best parameters as a YAML file."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BestParameters,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    FILE: ClassVar[str] = "best_params.yaml"

    def _encoded(self, data: Report) -> bytes:
        return yaml.safe_dump(data.model_dump(), sort_keys=False).encode()

    def _decoded(self, content: bytes, data_type: type[Any]) -> BestParameters:
        return BestParameters.model_validate(yaml.safe_load(content))

    def save_visualizations(self, data: Report) -> dict[str, VisualizationType]:
        """The parameters as a Markdown code block."""
        text = b"```yaml\n%b```\n" % self._encoded(data)
        return {self.write("best_params.md", text): VisualizationType.MARKDOWN}
