"""Tell people and Prometheus about a verdict."""

from typing import Annotated

from zenml import step

from tabular import names
from tabular.config.monitoring import MonitoringConfig
from tabular.monitoring.exposition import publish
from tabular.monitoring.grading import asks_for_message
from tabular.reports.verdicts import Verdict
from trackers import notifying
from trackers.notifying import Notification


@step(enable_cache=False)
def notify(verdict: Verdict, monitoring: MonitoringConfig) -> Annotated[Notification, names.NOTIFICATION]:
    """Write the metrics that Prometheus reads, and send a message where the config asks for one.

    A failure of either is only a part of what is returned; it does not change the verdict.
    """
    trouble = publish(verdict, monitoring.metrics)
    sent = Notification(sent=False, words="no message was asked for")
    if asks_for_message(verdict, monitoring):
        sent = notifying.post(notifying.message(verdict), {"verdict": verdict.model_dump(mode="json")})
    return Notification(sent=sent.sent, words="; ".join([sent.words, *trouble]))
