"""What is in an operator's hand: silences, targets, and the gateway that bots post to."""

from kit import Board, Column, Q, bars, gauge, of_bot, series, stat, states, table
from kit import limits

from . import shared
from .. import shared as suite

GATEWAY = 'job="bot-exporter"'


def board() -> Board:
    b = Board(
        "bot-controls", "Silences, what they hide, scrape targets, and the gateway that bots post to.",
        names=["bot"], since="now-6h", refresh="30s",
    )
    _silences(b)
    _targets(b)
    _gateway(b)
    _bots(b)
    return b


def _silences(b: Board) -> None:
    told = 'sum(alertmanager_silences{state="%s"})'
    b.row("Silences: what they match fires and tells nobody")
    b.add(
        suite.alarm_chain(width=4, height=7),
        stat("Active silences", "In Alertmanager. Grafana makes and ends them under Alerting, Silences, where Alertmanager is to be "
             "chosen on top; so does `amtool silence`.", Q(told % "active"), unit="none", width=4, height=7,
             limit=limits.ANY_IS_WARNING, background=True),
        stat("Silences to come", "That begin later.", Q(told % "pending"), unit="none", width=4, height=7),
        stat("Alerts held back", "By silences and by worse alerts of the same cause: they fire and nobody is told.",
             Q('sum(alertmanager_alerts{state="suppressed"})'), unit="none", width=4, height=7, limit=limits.ANY_IS_WARNING,
             background=True),
        series("Silences and what they hide", "Over time.", Q(told % "active", "active silences"),
               Q('sum(alertmanager_alerts{state="suppressed"})', "alerts held back"),
               Q('sum(alertmanager_alerts{state="active"})', "alerts told"), unit="none", width=8, height=7, minimum=0, steps=True),
    )


def _targets(b: Board) -> None:
    b.row("Targets: `make add-target`, `make remove-target`, and `make targets` for what is wrong with one")
    b.add(
        table("Targets", "Everything that Prometheus scrapes. A line that is gone is a target that was taken out.", ["job", "instance"],
              Column("state", "max by (job, instance) (up)", states=suite.UP_DOWN),
              Column("scrape", "max by (job, instance) (scrape_duration_seconds)", "s", decimals=3),
              Column("samples", "max by (job, instance) (scrape_samples_scraped)", "short"),
              width=9, height=9, sort="state", descending=False),
        states("Targets over time", "Whether each answered; a lane begins and ends with its target.",
               Q("max by (job, instance) (up)", "{{job}} {{instance}}"), words=suite.UP_DOWN, width=9, height=9),
        stat("Configuration loaded", "Whether the last `make reload` was taken. If not, what runs is older than what is on disk.",
             Q("min(prometheus_config_last_reload_successful)", "Prometheus"),
             Q("min(alertmanager_config_last_reload_successful)", "Alertmanager"), unit="none", width=6, height=9,
             states=suite.YES_NO_GOOD, named=True, background=True),
    )


def _gateway(b: Board) -> None:
    wrong = {0: ("well", suite.OK), 1: ("wrong", suite.BAD)}
    b.row("The bots' gateway")
    b.add(
        stat("Gateway", "Whether it answers, can write its state, and has its token file and catalogue. Each is an alert: "
             "BotGatewayStateUnwritten, BotGatewayConfigBroken.",
             Q(f"1 - min(up{{{GATEWAY}}})", "answers"), Q(f"max(bot_gateway_state_error{{{GATEWAY}}})", "state file"),
             Q(f"max(bot_gateway_state_set_aside{{{GATEWAY}}})", "state at the start"),
             Q(f"max by (reason) (bot_gateway_config_error{{{GATEWAY}}})", "{{reason}}"), unit="none", width=8, height=7,
             states=wrong, named=True, background=True),
        gauge("Room for series", "How much of --events.max-series is taken: beyond it, what is new is refused.",
              Q(f"max by (instance) (bot_gateway_series{{{GATEWAY}}} / bot_gateway_series_limit{{{GATEWAY}}})", "{{instance}}"),
              unit="percentunit", width=8, height=7, limit=limits.NEAR_LIMIT),
        series("Refused posts by reason", "In five minutes. The alert BotEventsRefused begins at three in ten minutes; the "
               "gateway's own page shows the last ten.", Q(f"sum by (reason) (increase(bot_gateway_refused_total{{{GATEWAY}}}[5m]))", "{{reason}}"),
               unit="short", width=8, height=7, stacked=True, minimum=0, legend_values=False),
        series("Events", "A second: applied, and repeated under an id that was known.",
               Q(f"sum(rate(bot_gateway_events_total{{{GATEWAY}}}[$__rate_interval]))", "applied"),
               Q(f"sum(rate(bot_gateway_repeated_events_total{{{GATEWAY}}}[$__rate_interval]))", "repeated"), unit="cps", width=8,
               minimum=0),
        series("Gauges that left", "In five minutes, because their bot did not set them again.",
               Q(f"sum(increase(bot_gateway_expired_series_total{{{GATEWAY}}}[5m]))", "left"), unit="short", width=8, minimum=0),
        series("Ids of the last hour", "Those that make a repeated post harmless.", Q(f"sum(bot_gateway_ids{{{GATEWAY}}})", "ids"),
               unit="short", width=8, minimum=0),
    )


def _bots(b: Board) -> None:
    heard = f"time() - last_over_time({of_bot('bot:bot_last_heard_timestamp_seconds:max')}[6h])"
    b.row("Who tells")
    b.add(
        bars("Last heard", "Since each bot's last event, or the last scrape that it answered. The alert BotSilent begins at 5 min.",
             Q(heard, "{{bot}}"), unit="s", decimals=0, width=12, limit=limits.BOT_SILENT),
        shared.bot_alerts("What fires about bots", "The alert's name opens its runbook.", width=12, height=8),
    )
