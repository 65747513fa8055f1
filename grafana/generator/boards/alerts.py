"""What fires, what is pending, and what fired before."""

from kit import Board, Q, bars, history, series, stat
from kit import limits, links

from . import shared

SEVERITY = 'severity=~"$severity"'


def _firing(*matchers: str) -> str:
    chosen = ",".join(('alertstate="firing"', shared.NOT_WATCHDOG, shared.OF_VENUE, SEVERITY, *matchers))
    return f"ALERTS{{{chosen}}}"


def board() -> Board:
    b = Board(
        "exchange-alerts", "Firing and pending alerts by venue, bot and severity, their history, and their runbooks.",
        names=["job", "instance", "exchange", "severity"], since="now-24h", refresh="10s",
    )
    b.row("Now")
    firing = 'alertstate="firing"'
    b.add(
        shared.alarm_chain(width=4),
        *(stat(title, text, Q(shared.count_alerts(firing, f'severity="{severity}"')), unit="none", width=4, limit=limit,
               background=True)
          for title, text, severity, limit in (
              ("Critical", "Somebody has to act now.", "critical", limits.ANY_IS_CRITICAL),
              ("Warning", "Somebody has to look today.", "warning", limits.ANY_IS_WARNING),
              ("Info", "Worth knowing; nobody is woken.", "info", limits.above(good="blue")))),
        stat("Soon", "Their condition holds, but not long enough yet.",
             Q(shared.count_alerts('alertstate="pending"')), unit="none", width=4, limit=limits.above(good="blue")),
        stat("Silenced", "Silences that are active in Alertmanager: what they match fires here and tells nobody.",
             Q('sum(alertmanager_silences{state="active"})'), unit="none", width=4, limit=limits.ANY_IS_WARNING),
    )
    b.add(
        shared.alert_table("Firing", "The alert's name opens its runbook, the venue and the symbol their dashboards.", "firing",
                           SEVERITY, width=24, height=9, nothing="nothing fires, as far as Alerting is alive"),
        shared.alert_table("Pending", "Alerts whose condition holds, but not for long enough yet.", "pending", SEVERITY,
                           width=16, height=7, nothing="nothing is pending, as far as Alerting is alive"),
        bars("Firing by venue and bot", "How many alerts fire for each; those of machines stand without either.",
             Q(f"count by (exchange, bot) ({_firing()})", "{{exchange}} {{bot}}"), unit="none", width=8, height=7, link=links.venue),
    )
    b.row("Before")
    b.add(
        history("What fired when", "A lane for each alert, venue and bot, coloured while it fired.",
                Q(f"max by (alertname, exchange, bot) ({_firing()})", "{{alertname}} {{exchange}} {{bot}}"), word="fired", color="red",
                width=24, height=12),
        series("Firing by severity", "How many fired at the same time.",
               Q(f"count by (severity) ({_firing()})", "{{severity}}"), unit="none", width=12, stacked=True, steps=True,
               minimum=0, decimals=0),
        series("Firing by alert", "Which alerts make up the number.",
               Q(f"count by (alertname) ({_firing()})", "{{alertname}}"), unit="none", width=12, stacked=True, steps=True,
               minimum=0, decimals=0),
    )
    b.row("Delivery")
    b.add(
        series("Notifications sent", "By receiver type, a second.",
               Q("sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval]))", "{{integration}}"),
               unit="ops", width=8, minimum=0),
        series("Notifications that failed", "By receiver type, a second. Any is an alert: AlertmanagerNotificationsFailing.",
               Q("sum by (integration) (rate(alertmanager_notifications_failed_total[$__rate_interval]))",
                 "{{integration}}"), unit="ops", width=8, minimum=0),
        series("Alerts between Prometheus and Alertmanager", "Sent, dropped and failed, a second.",
               Q("sum(rate(prometheus_notifications_sent_total[$__rate_interval]))", "sent"),
               Q("sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))", "dropped"),
               Q("sum(rate(prometheus_notifications_errors_total[$__rate_interval]))", "failed"),
               unit="ops", width=8, minimum=0),
    )
    return b
