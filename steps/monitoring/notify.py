"""Tell those who should know about a verdict."""

from typing import Annotated

from zenml import step

from tabular import names
from tabular.config.monitoring import MonitoringConfig
from tabular.errors import UserError
from tabular.monitoring import exposition
from tabular.reports.verdicts import Verdict
from trackers import notifying
from trackers.notifying import Notification


@step(enable_cache=False)
def notify(verdict: Verdict, monitoring: MonitoringConfig) -> Annotated[Notification, names.NOTIFICATION]:
    """Write what Prometheus reads, and send a message where the config asks for one.

    Args:
        verdict: what was found.
        monitoring: who is to be told.

    Returns:
        What became of the message. A verdict that nobody could be told of stands all the same.
    """
    trouble = []
    for where, give in (
        (monitoring.metrics.textfile, exposition.write_textfile),
        (monitoring.metrics.pushgateway, exposition.push),
    ):
        if where is not None:
            try:
                give(where, verdict)
            except UserError as error:
                trouble.append(str(error))
    wanted = (verdict.level == "alert" and monitoring.on_alert == "notify") or (
        verdict.retrain and monitoring.on_retrain in ("notify", "train")
    )
    if wanted:
        sent = notifying.post(notifying.message(verdict), {"verdict": verdict.model_dump(mode="json")})
    else:
        sent = Notification(sent=False, words="nobody had to be told")
    return Notification(sent=sent.sent, words="; ".join([sent.words, *trouble]))
