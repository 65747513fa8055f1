"""Thresholds. The numbers are those of the alerts in prometheus/alerts: change both together."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

GOOD, WARNING, CRITICAL, PLAIN, UNKNOWN = "green", "orange", "red", "text", "#808080"


@dataclass(frozen=True)
class Limit:
    """Colours by value, from the lowest up: pairs of the value that a colour begins at and the colour."""

    steps: tuple[tuple[float | None, str], ...]

    def build(self) -> builders.ThresholdsConfig:
        steps = [models.Threshold(value=value, color=color) for value, color in self.steps]
        return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)

    def values(self) -> dict[str, object]:
        """As an override takes it."""
        return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in self.steps]}

    @property
    def told(self) -> bool:
        """Whether there is anything to draw a line at."""
        return len(self.steps) > 1


def above(warning: float | None = None, critical: float | None = None, *, good: str = GOOD) -> Limit:
    """Bad where it is high."""
    steps: list[tuple[float | None, str]] = [(None, good)]
    steps += [(warning, WARNING)] if warning is not None else []
    steps += [(critical, CRITICAL)] if critical is not None else []
    return Limit(tuple(steps))


def below(warning: float | None = None, critical: float | None = None) -> Limit:
    """Bad where it is low."""
    if warning is None:
        return Limit(((None, CRITICAL), (critical, GOOD)))
    if critical is None:
        return Limit(((None, WARNING), (warning, GOOD)))
    return Limit(((None, CRITICAL), (critical, WARNING), (warning, GOOD)))


def around(warning: float | None, critical: float) -> Limit:
    """Bad where it is far from zero, to either side."""
    if warning is None:
        return Limit(((None, CRITICAL), (-critical, GOOD), (critical, CRITICAL)))
    return Limit(((None, CRITICAL), (-critical, WARNING), (-warning, GOOD), (warning, WARNING), (critical, CRITICAL)))


NONE = Limit(((None, PLAIN),))
SIGNED = Limit(((None, CRITICAL), (0, GOOD)))
ANY_IS_WARNING = above(warning=1)
ANY_IS_CRITICAL = above(critical=1)
MUST_BE_ONE = below(critical=1)

# venue.yml
EVENT_LAG = above(warning=2)
REST_LATENCY = above(warning=1, critical=5)
ERROR_RATIO = above(warning=0.05)
AVAILABILITY = below(warning=0.95)
HEADROOM = below(warning=0.2)
CLOCK_SKEW = around(1, 4)
DEVIATION = around(None, 0.01)
PEG = Limit(((None, CRITICAL), (0.99, GOOD), (1.01, CRITICAL)))
# The objective of the recording rules.
OBJECTIVE = below(critical=0.999)
BUDGET = below(warning=0.25, critical=0)

# account.yml
DRAWDOWN = above(warning=0.1, critical=0.15)
EQUITY_FELL = below(critical=-0.05)
COVERAGE = below(warning=0.95)
EXPOSURE = above(critical=0.9)
LIQUIDATION = below(warning=0.2, critical=0.1)
ACCOUNT_AGE = above(critical=300)
DAY = 24 * 3600
KEY_EXPIRY = below(warning=14 * DAY, critical=3 * DAY)

# host.yml
CPU = above(warning=0.9)
MEMORY_FREE = below(warning=0.1)
DISK_FREE = below(warning=0.15, critical=0.05)
DISK_BUSY = above(warning=0.9)
NEAR_LIMIT = above(warning=0.9)

# bots.yml and bots_trader.yml. Percentages are 0 to 100, as bots tell them.
CORE_LATENCY = above(warning=250, critical=500)
CONFIDENCE = below(warning=0.5)
APPROVAL = below(warning=0.1)
RISK_BLOCKS = above(warning=10)
SLOT_DRAWDOWN = above(warning=15)
CASCADE = above(warning=10)
TASK_TIMEOUTS = above(warning=10)
TASK_FAILURES = above(warning=0.1)
TRADER_EXPOSURE = Limit(((None, GOOD), (70, "yellow"), (90, CRITICAL)))
TRADER_DRAWDOWN = above(critical=15)
DATA_STALE = above(critical=300)
API_ERRORS = above(warning=5)
QUEUE_LAG = above(warning=1000)
BOT_SILENT = above(critical=300)
# Over what is tolerated.
DISAGREEMENT = above(critical=1)
