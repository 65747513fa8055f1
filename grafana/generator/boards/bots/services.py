"""Services: health, HTTP, the event bus, stores; and the trading and the risk control that they do."""

from kit import Board, Column, Q, bars, happened, latest, pace, quantile, rise, series, stat, states, table
from kit import limits, links

from . import shared

GRAVE = ('severity=~"high|critical"',)


def board() -> Board:
    b = Board(
        "bot-services", "Services and what they depend on, HTTP, event bus, stores, trading, signals, risk control.",
        names=["bot"], since="now-6h", refresh="10s",
    )
    _now(b)
    _http(b)
    _bus(b)
    _stores(b)
    _trading(b)
    _risk(b)
    return b


def _errors(*labels: str) -> str:
    """Answers of 500 and above over all; none is 0 where anything was answered."""
    every = pace("http_requests_total", *labels, window="5m")
    failed = pace("http_requests_total", *labels, window="5m", only=shared.FAILED)
    return f"({failed} or {every} * 0) / ({every} > 0)"


def _now(b: Board) -> None:
    health = latest("service_health_status", "service")
    needs = latest("dependency_health_status", "dependency")
    b.row("Now")
    b.add(
        stat("Services not well", "By their own word.", Q(shared.none_or(f"{health} == 0", health)), unit="none", width=4,
             limit=limits.ANY_IS_CRITICAL, background=True),
        stat("Dependencies not well", "What the services depend on, by their word.", Q(shared.none_or(f"{needs} == 0", needs)),
             unit="none", width=4, limit=limits.ANY_IS_CRITICAL, background=True),
        stat("Requests a second", "Answered by all services.", Q(f"sum({pace('http_requests_total', window='5m')})"),
             unit="reqps", decimals=1, width=4),
        stat("Waiting on the bus", "Messages, in the longest queue. The alert BotQueueLagHigh begins at 1000.",
             Q(f"max({latest('eventbus_queue_lag', 'topic')})"), unit="none", width=4, limit=limits.QUEUE_LAG, background=True),
        shared.emergency_stops(width=4),
        stat("Violations of policy", "High and critical ones, in the chosen time range. Any is an alert at once: BotPolicyViolation.",
             Q(f"sum({happened('policy_violations_total', only=GRAVE)})"), unit="none", decimals=0,
             width=4, limit=limits.ANY_IS_CRITICAL, background=True, nothing=shared.NONE_TOLD),
    )
    b.add(
        states("Services over time", "Each one's own word. A lane is empty while it says nothing.",
               Q(health, "{{bot}} {{service}}"), words=shared.WELL, width=12),
        states("Dependencies over time", "Whether what the services depend on answers.", Q(needs, "{{bot}} {{dependency}}"),
               words=shared.ANSWERS, width=12),
    )


def _http(b: Board) -> None:
    name = "http_request_duration_seconds"
    by = ["bot", "method", "endpoint"]
    b.row("HTTP")
    b.add(
        series("Requests by status", "A second.", Q(pace("http_requests_total", "status"), "{{bot}} {{status}}"), unit="reqps",
               width=6, stacked=True, minimum=0),
        series("Share of errors", "Answers of 500 and above over all, over five minutes.", Q(_errors(), "{{bot}}"),
               unit="percentunit", width=6, minimum=0, limit=limits.ERROR_RATIO),
        series("Time to answer", "Half of the requests, and 95 of 100, take less; over five minutes.",
               *(Q(quantile(share, name), f"{{{{bot}}}} p{100 * share:.0f}") for share in (0.5, 0.95)), unit="s", width=6, minimum=0),
        series("Requests under way", "At each moment.", Q(latest("http_requests_in_progress"), "{{bot}}"), unit="none", width=6,
               minimum=0),
        table("Endpoints", "Of five minutes.", by, Column("requests a second", pace("http_requests_total", *by[1:], window="5m"),
                                                          "reqps", decimals=2),
              Column("errors", _errors(*by[1:]), "percentunit", limits.ERROR_RATIO, 1),
              Column("p50", quantile(0.5, name, *by[1:]), "s", decimals=3),
              Column("p95", quantile(0.95, name, *by[1:]), "s", decimals=3), width=24, sort="requests a second",
              nothing="no service tells of requests"),
    )


def _bus(b: Board) -> None:
    b.row("Event bus")
    b.add(
        series("Published and consumed", "Messages a second, of all topics.",
               Q(pace("eventbus_messages_published_total"), "{{bot}} published"),
               Q(pace("eventbus_messages_consumed_total"), "{{bot}} consumed"), unit="cps", width=6, minimum=0),
        series("Waiting by topic", "Messages that wait to be consumed. The alert BotQueueLagHigh begins at 1000.",
               Q(latest("eventbus_queue_lag", "topic"), "{{bot}} {{topic}}"), unit="short", width=6, minimum=0,
               limit=limits.QUEUE_LAG),
        shared.p95("Time of a message by topic, p95", "To process it, over five minutes.",
                   "eventbus_message_processing_duration_seconds", "topic", legend="{{bot}} {{topic}}", width=6),
        bars("Published by topic", "Messages a second, over five minutes.",
             Q(pace("eventbus_messages_published_total", "topic", window="5m"), "{{bot}} {{topic}}"), unit="cps", width=6),
    )


def _stores(b: Board) -> None:
    b.row("Stores")
    b.add(
        series("Redis", "Operations a second, by outcome.",
               Q(pace("redis_operations_total", "operation", "status"), "{{bot}} {{operation}} {{status}}"), unit="ops", width=8,
               minimum=0),
        shared.p95("Redis by operation, p95", "Time of an operation, over five minutes.", "redis_operation_duration_seconds",
                   "operation", legend="{{bot}} {{operation}}", width=8),
        series("Database", "Operations a second, by outcome.",
               Q(pace("database_operations_total", "operation", "status"), "{{bot}} {{operation}} {{status}}"), unit="ops", width=8,
               minimum=0),
    )


def _trading(b: Board) -> None:
    b.row("Trading")
    b.add(
        series("Portfolio", "Value by each bot's own word.", Q(latest("portfolio_value_usd", "exchange", "account"),
                                                            "{{bot}} {{exchange}} {{account}}"), unit="currencyUSD", width=8,
               link=links.trader),
        series("Trades", "In five minutes, by side and by how they ended.",
               Q(rise("trades_executed_total", "side", "status", window="5m"), "{{bot}} {{side}} {{status}}"), unit="short",
               width=8, stacked=True, minimum=0),
        shared.p95("Execution, p95", "From the order to its execution, over five minutes.", "trade_execution_duration_seconds",
                   legend="{{bot}}", width=8),
        bars("Open positions", "By symbol.", Q(f"{latest('positions_open', 'symbol')} > 0", "{{bot}} {{symbol}}"), unit="none",
             width=8, link=links.symbol),
        series("Signals", "In five minutes, by type and model.",
               Q(rise("signals_generated_total", "type", "model", window="5m"), "{{bot}} {{type}} {{model}}"), unit="short",
               width=8, stacked=True, minimum=0),
        bars("Trades by symbol", "In the last hour.", Q(rise("trades_executed_total", "symbol", window="1h"), "{{bot}} {{symbol}}"),
             unit="none", decimals=0, width=8, link=links.symbol),
    )


def _risk(b: Board) -> None:
    b.row("Risk control")
    b.add(
        series("Risk checks", "In five minutes, by result.",
               Q(rise("risk_checks_total", "result", window="5m"), "{{bot}} {{result}}"), unit="short", width=8, stacked=True,
               minimum=0),
        series("Risk checks by type", "In five minutes.",
               Q(rise("risk_checks_total", "type", "result", window="5m"), "{{bot}} {{type}} {{result}}"), unit="short", width=8,
               minimum=0),
        series("Policy violations by severity", "In five minutes.",
               Q(rise("policy_violations_total", "severity", window="5m"), "{{bot}} {{severity}}"), unit="short", width=8,
               bars_of=True, minimum=0, nothing=shared.NONE_TOLD),
    )
