"""Expressions and panels that more than one of the bots' dashboards shows."""

from kit import Q, happened, of_bot, quantile, series, stat
from kit import limits

from .. import shared

# Of what is shown only where there is any.
NONE_TOLD = "none, as far as the bots tell"
RUNS = {0: ("stands still", shared.BAD), 1: ("runs", shared.OK)}
TRADES = {0: ("does not trade", shared.BAD), 1: ("trades", shared.OK)}
WELL = {0: ("not well", shared.BAD), 1: ("well", shared.OK)}
ANSWERS = {0: ("does not answer", shared.BAD), 1: ("answers", shared.OK)}

OF_SLOT = ('slot=~"$slot"', 'exchange=~"$exchange"', 'strategy=~"$strategy"')
OF_STRATEGY = ('exchange=~"$exchange"', 'strategy=~"$strategy"')
OF_AGENT = ('agent=~"$agent"',)
FAILED = ('status=~"5.."',)
SLOT = ("slot", "exchange", "strategy")


def none_or(count: str, known: str) -> str:
    """How many; none is only said while there is anything to count."""
    return f"count({count}) or count({known}) * 0"


def core_latency(width: int, height: int = 8):
    return series(
        "Core latency", "From the question to the decision, over all agents of a bot. The alerts BotCoreLatencyHigh and "
        "BotCoreLatencyCritical begin at 250 and 500 ms in the 95th percentile.",
        *(Q(of_bot(f"maveretta:core_latency_p{share}"), f"{{{{bot}}}} p{share}") for share in (50, 95, 99)),
        unit="ms", width=width, height=height, limit=limits.CORE_LATENCY, minimum=0,
    )


def emergency_stops(width: int, height: int = 4):
    return stat(
        "Emergency stops", "In the chosen time range. Any is an alert at once: BotEmergencyStop.",
        Q(f"sum({happened('emergency_stop_triggered_total')})"), unit="none", decimals=0, width=width, height=height,
        limit=limits.ANY_IS_CRITICAL, background=True, nothing=NONE_TOLD,
    )


def p95(title: str, description: str, name: str, *labels: str, legend: str, width: int, only: tuple[str, ...] = (),
        link=None, height: int = 8, unit: str = "s"):
    """The 95th percentile of a histogram of bots, over five minutes."""
    return series(title, description, Q(quantile(0.95, name, *labels, only=only), legend), unit=unit, width=width,
                  height=height, minimum=0, link=link)


def bot_alerts(title: str, description: str, width: int, height: int):
    """Alerts about bots that fire, with what to do."""
    return shared.alert_table(
        title, description, "firing", 'scope="bot"', whose='bot=~"($bot)|"', width=width, height=height,
        nothing="nothing fires, as far as Alerting is alive",
    )


