"""Where the lines are, and what of them is counted. No line is stored in the stack."""

from kit import Board, Column, Q, rise, series, stat, table
from kit import limits, links

from . import shared
from .. import shared as suite

SERVICES = 'job=~".+-exporter|prometheus|alertmanager|grafana|cadvisor"'
VENUES = 'job=~".+-exporter",job!="bot-exporter"'


def board() -> Board:
    b = Board(
        "bot-logs", "Errors, refusals and reconnects as they are counted, and the command that shows each service's log. Lines are "
        "not stored here.", names=["bot"], since="now-6h", refresh="30s",
    )
    _where(b)
    _exporters(b)
    _bots(b)
    _stack(b)
    return b


def _where(b: Board) -> None:
    up = f"max by (job) (up{{{SERVICES}}})"
    command = f'label_replace({up}, "containers", "scripts/compose logs --since 15m $1", "job", "(.+)")'
    unit = "journalctl -u exchange-exporter@$1 --since -15m"
    command = f'label_replace({command}, "service", "{unit}", "job", "(binance|kucoin|bybit|coinbase|okx|bot)-exporter")'
    counted = (
        ("Exporters' errors", "Of the exporters, in five minutes.", f"sum(increase(exchange_errors_total{{{VENUES}}}[5m]))"),
        ("Reconnects", "Of the exporters, in five minutes. Planned ones are among them.",
         f"sum(increase(exchange_websocket_reconnects_total{{{VENUES}}}[5m]))"),
        ("Refused posts", "By the bots' gateway, in five minutes.", 'sum(increase(bot_gateway_refused_total{job="bot-exporter"}[5m]))'),
        ("Targets down", "Scrape targets of every job that do not answer Prometheus.", "count(up == 0) or count(up) * 0"),
    )
    b.row("Lines are not stored here: each service writes its own, and the command shows them")
    b.add(
        *(stat(title, text, Q(expr), unit="none", decimals=0, width=6, limit=limits.ANY_IS_WARNING, background=True)
          for title, text, expr in counted),
        table("The command for each service", "In the folder of this repository, where the stack runs in containers, which keep 30 MB "
              "of lines each; on the machine, where exporters are systemd's services. In Kubernetes it is `kubectl logs`.",
              ["job", "containers", "service"], Column("state", command, states=suite.UP_DOWN), width=24, height=11,
              sort="job", descending=False),
    )


def _exporters(b: Board) -> None:
    b.row("Exporters")
    b.add(
        series("Errors by kind", "What went wrong, by venue, by kind and by where it was met. Each has a line in the exporter's log.",
               Q(f"sum by (exchange, kind, source) (increase(exchange_errors_total{{{VENUES}}}[$__rate_interval])) > 0",
                 "{{exchange}} {{kind}} {{source}}"), unit="short", width=12, bars_of=True, minimum=0, nothing=suite.NONE_TOLD,
               link=links.health),
        series("Reconnects by reason", "Connections that were replaced. Planned ones are no fault.",
               Q(f"sum by (exchange, stream, reason) (increase(exchange_websocket_reconnects_total{{{VENUES}}}[$__rate_interval])) > 0",
                 "{{exchange}} {{stream}} {{reason}}"), unit="short", width=12, bars_of=True, minimum=0, nothing=suite.NONE_TOLD,
               link=links.health),
    )


def _bots(b: Board) -> None:
    b.row("Bots")
    b.add(
        series("Refused by the gateway", "Posts, by reason. Its log has one line a minute of each, its page the last ten.",
               Q('sum by (reason) (increase(bot_gateway_refused_total{job="bot-exporter"}[$__rate_interval])) > 0', "{{reason}}"),
               unit="short", width=8, bars_of=True, minimum=0, nothing=shared.NONE_TOLD),
        series("Errors that bots tell", "By where they were met.",
               Q(f"{rise('trader_api_errors_total', 'endpoint')} > 0", "{{bot}} API {{endpoint}}"),
               Q(f"{rise('ia_agent_errors_total', 'agent')} > 0", "{{bot}} AI {{agent}}"),
               Q(f"{rise('task_failure_total', 'reason')} > 0", "{{bot}} task {{reason}}"), unit="short", width=8, bars_of=True,
               minimum=0, nothing=shared.NONE_TOLD),
        series("Answers of 500 and above", "Of the services, by endpoint.",
               Q(f"{rise('http_requests_total', 'endpoint', 'status', only=shared.FAILED)} > 0",
                 "{{bot}} {{endpoint}} {{status}}"), unit="short", width=8, bars_of=True, minimum=0, nothing=shared.NONE_TOLD),
    )


def _stack(b: Board) -> None:
    b.row("The stack")
    b.add(
        series("Scrapes that failed", "Targets that did not answer, by job.", Q("count by (job) (up == 0)", "{{job}}"), unit="none",
               width=8, bars_of=True, minimum=0, nothing="none, as far as Prometheus scrapes"),
        series("Rules that fail", "Any is an alert: PrometheusRuleFailures.",
               Q("sum(increase(prometheus_rule_evaluation_failures_total[$__rate_interval]))", "rules"), unit="short", width=8,
               bars_of=True, minimum=0, link=links.to("exchange-infrastructure")),
        series("Messages that failed", "Of Alertmanager to people. Any is an alert: AlertmanagerNotificationsFailing.",
               Q("sum(increase(alertmanager_notifications_failed_total[$__rate_interval]))", "messages"), unit="short", width=8,
               bars_of=True, minimum=0, link=links.to("exchange-alerts")),
    )
