"""One agent in depth: what it decides, how fast, how sure, and what it is held back from."""

from kit import Board, Q, heatmap, latest, pie, quantile, rise, said, series, stat, states
from kit import limits

from . import shared

AGENT = ('agent="$agent"',)


def board() -> Board:
    b = Board(
        "bot-agent", "One agent: state, decisions, latency, confidence, drawdown, tasks, errors, and what risk control blocked.",
        names=["bot", "main_agent"], since="now-6h", refresh="10s",
    )
    _now(b)
    _decisions(b)
    _faults(b)
    _tasks(b)
    return b


def _of(name: str) -> str:
    return latest(name, only=AGENT)


def _now(b: Board) -> None:
    b.row("Now")
    b.add(
        stat("State", "Whether it runs, by its bot's word.", Q(_of("agent_running"), "{{bot}}"), unit="none", width=4,
             states=shared.RUNS, background=True),
        stat("AI state", "Whether the AI agent answers. Unknown where this agent is none.", Q(_of("ia_agent_status"), "{{bot}}"),
             unit="none", width=4, states=shared.ANSWERS, background=True),
        stat("Confidence", "Of its last decision.", Q(_of("ia_agent_confidence"), "{{bot}}"), unit="percentunit", decimals=0,
             width=4, limit=limits.CONFIDENCE, spark=True),
        stat("Decisions in 1 h", "Of every kind.", Q(rise("agent_decisions_total", window="1h", only=AGENT), "{{bot}}"),
             unit="none", decimals=0, width=4),
        stat("Share blocked in 1 h", "By risk control, of its decisions.",
             Q(f"sum by (bot) ({rise('agent_risk_blocked_total', window='1h', only=AGENT)}) / "
               f"({rise('agent_decisions_total', window='1h', only=AGENT)} > 0)", "{{bot}}"), unit="percentunit", decimals=1,
             width=4),
        stat("Drawdown", "Below the peak of what it manages.", Q(_of("agent_drawdown_pct"), "{{bot}}"), unit="percent",
             decimals=1, width=4, limit=limits.TRADER_DRAWDOWN, spark=True),
    )


def _decisions(b: Board) -> None:
    latency = "agent_decision_latency_ms"
    b.row("Decisions")
    b.add(
        series("Decisions", "By kind, in five minutes.",
               Q(rise("agent_decisions_total", "decision", window="5m", only=AGENT), "{{bot}} {{decision}}"), unit="short",
               width=10, stacked=True, minimum=0),
        pie("Decisions of the last day", "By kind.",
            Q(f"sum by (decision) ({rise('agent_decisions_total', 'decision', window='1d', only=AGENT)}) > 0", "{{decision}}"),
            unit="none", decimals=0, width=6),
        series("AI decisions", "By kind, in five minutes.",
               Q(rise("ia_agent_decisions_total", "decision", window="5m", only=AGENT), "{{bot}} {{decision}}"), unit="short",
               width=8, stacked=True, minimum=0),
        series("Latency", "From the question to the decision, over five minutes. Alerts about the whole core begin at 250 and 500 ms.",
               *(Q(quantile(share, latency, only=AGENT), f"{{{{bot}}}} p{100 * share:.0f}") for share in (0.5, 0.95, 0.99)),
               unit="ms", width=8, limit=limits.CORE_LATENCY, minimum=0),
        heatmap("Latency, all of it", "How many decisions took how long, in milliseconds.",
                Q(f"sum by (le) (increase({said(f'{latency}_bucket', *AGENT)}[$__rate_interval]))", "{{le}}"), unit="ms", width=8),
        series("AI latency", "From the question to the AI agent's decision, over five minutes.",
               *(Q(quantile(share, "ia_agent_decision_latency_seconds", only=AGENT), f"{{{{bot}}}} p{100 * share:.0f}")
                 for share in (0.5, 0.95, 0.99)), unit="s", width=8, minimum=0),
    )


def _faults(b: Board) -> None:
    b.row("State, risk and faults")
    b.add(
        states("State over time", "Whether it ran. Empty while its bot is silent.", Q(_of("agent_running"), "{{bot}} runs"),
               Q(_of("ia_agent_status"), "{{bot}} AI"), words={0: ("no", limits.CRITICAL), 1: ("yes", limits.GOOD)}, width=8),
        series("Confidence over time", "Of the AI agent's last decision. The alert BotConfidenceLow begins below 50 %.",
               Q(_of("ia_agent_confidence"), "{{bot}}"), unit="percentunit", width=8, minimum=0, maximum=1,
               limit=limits.CONFIDENCE),
        series("Drawdown over time", "Below the peak of what it manages.", Q(_of("agent_drawdown_pct"), "{{bot}}"), unit="percent",
               width=8, limit=limits.TRADER_DRAWDOWN, minimum=0),
        series("Blocked by risk control", "By reason, in five minutes.",
               Q(rise("agent_risk_blocked_total", "reason", window="5m", only=AGENT), "{{bot}} {{reason}}"), unit="short",
               width=12, stacked=True, minimum=0),
        series("AI errors", "Its failures, in five minutes.", Q(rise("ia_agent_errors_total", window="5m", only=AGENT), "{{bot}}"),
               unit="short", width=12, bars_of=True, minimum=0),
    )


def _tasks(b: Board) -> None:
    b.row("Tasks, where it works on some")
    b.add(
        series("Tasks under way", "That it works on.", Q(_of("agent_active_tasks"), "{{bot}}"), unit="none", width=8, minimum=0,
               steps=True),
        series("Chunks", "Half of them, and 95 of 100, take less; over five minutes.",
               *(Q(quantile(share, "chunk_execution_seconds", only=AGENT), f"{{{{bot}}}} p{100 * share:.0f}")
                 for share in (0.5, 0.95)), unit="s", width=8, minimum=0),
        series("Timeouts", "By reason, in five minutes.",
               Q(rise("timeout_events_total", "reason", window="5m", only=AGENT), "{{bot}} {{reason}}"), unit="short", width=8,
               bars_of=True, minimum=0, nothing=shared.NONE_TOLD),
    )
