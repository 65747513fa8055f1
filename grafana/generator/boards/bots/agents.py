"""All agents: which run, what they decide, how fast, and what is refused to them."""

from kit import Board, Column, Q, bars, latest, of_bot, pace, quantile, rise, series, stat, states, table
from kit import limits, links

from . import shared

NAME = "{{bot}} {{agent}}"
AGENT = shared.OF_AGENT


def board() -> Board:
    b = Board(
        "bot-agents", "Agents of the bots: running, decisions, latency, drawdown, errors, and what risk control blocked.",
        names=["bot", "agent"], since="now-6h", refresh="10s",
    )
    _now(b)
    _decisions(b)
    _risk(b)
    return b


def _of(name: str) -> str:
    return latest(name, "agent", only=AGENT)


def _now(b: Board) -> None:
    running, answering = _of("agent_running"), _of("ia_agent_status")
    b.row("Now")
    b.add(
        stat("Agents that stand still", "Of the chosen ones. The alert BotAgentDown names them.",
             Q(shared.none_or(f"{running} == 0", running)), unit="none", width=4, limit=limits.ANY_IS_WARNING, background=True),
        stat("AI agents that do not answer", "Of the chosen ones. The alert BotAgentDown names them.",
             Q(shared.none_or(f"{answering} == 0", answering)), unit="none", width=4, limit=limits.ANY_IS_WARNING,
             background=True),
        stat("Decisions a minute", "Of the chosen agents, over five minutes.",
             Q(f"60 * sum({pace('agent_decisions_total', window='5m', only=AGENT)})"), unit="none", decimals=1, width=4),
        stat("Core latency, p95", "The slowest bot's. Alerts begin at 250 and 500 ms.",
             Q(f"max({of_bot('maveretta:core_latency_p95')})"), unit="ms", decimals=0, width=4, limit=limits.CORE_LATENCY,
             background=True),
        stat("Lowest confidence", "Of the AI agents' last decisions. The alert BotConfidenceLow begins below 50 %.",
             Q(f"bottomk(1, {_of('ia_agent_confidence')})", NAME), unit="percentunit", decimals=0, width=4, named=True,
             limit=limits.CONFIDENCE, link=links.agent),
        stat("Blocked in 1 h", "Decisions that risk control blocked.",
             Q(f"sum({rise('agent_risk_blocked_total', window='1h', only=AGENT)})"), unit="none", decimals=0, width=4),
    )
    b.add(
        table("Agents", "What each bot says of its agents. Empty is what it does not say.", ["bot", "agent"],
              Column("state", running, states=shared.RUNS),
              Column("AI", answering, states=shared.ANSWERS),
              Column("confidence", _of("ia_agent_confidence"), "percentunit", limits.CONFIDENCE, 0),
              Column("decisions in 1 h", rise("agent_decisions_total", "agent", window="1h", only=AGENT), "none", decimals=0),
              Column("blocked in 1 h", rise("agent_risk_blocked_total", "agent", window="1h", only=AGENT), "none", decimals=0),
              Column("latency p95, ms", quantile(0.95, "agent_decision_latency_ms", "agent", only=AGENT), "none",
                     limits.CORE_LATENCY, 0),
              Column("AI latency p95", quantile(0.95, "ia_agent_decision_latency_seconds", "agent", only=AGENT), "s", decimals=2),
              Column("AI errors in 1 h", rise("ia_agent_errors_total", "agent", window="1h", only=AGENT), "none",
                     limits.ANY_IS_WARNING, 0),
              Column("drawdown", _of("agent_drawdown_pct"), "percent", limits.TRADER_DRAWDOWN, 1),
              width=24, height=9, sort="agent", descending=False, link={"agent": [links.agent], "bot": [links.trader]},
              nothing="no bot tells of agents"),
        states("Agents over time", "Whether each ran. A lane is empty while its bot is silent.", Q(running, NAME),
               words=shared.RUNS, width=12, link=links.agent),
        states("AI agents over time", "Whether each answered.", Q(answering, NAME), words=shared.ANSWERS, width=12,
               link=links.agent),
    )


def _decisions(b: Board) -> None:
    b.row("Decisions")
    b.add(
        series("Decisions by agent", "A minute, over five minutes.",
               Q(f"60 * {pace('agent_decisions_total', 'agent', window='5m', only=AGENT)}", NAME), unit="none", width=8,
               stacked=True, minimum=0, link=links.agent),
        series("Decisions by kind", "A minute, over five minutes, of the chosen agents.",
               Q(f"60 * {pace('agent_decisions_total', 'decision', window='5m', only=AGENT)}", "{{bot}} {{decision}}"),
               unit="none", width=8, stacked=True, minimum=0),
        series("AI decisions by kind", "A minute, over five minutes, of the chosen AI agents.",
               Q(f"60 * {pace('ia_agent_decisions_total', 'decision', window='5m', only=AGENT)}", "{{bot}} {{decision}}"),
               unit="none", width=8, stacked=True, minimum=0),
        shared.core_latency(width=8),
        shared.p95("Latency by agent, p95", "From the question to the decision, over five minutes.", "agent_decision_latency_ms",
                   "agent", legend=NAME, width=8, only=AGENT, link=links.agent, unit="ms"),
        shared.p95("AI latency by agent, p95", "From the question to the AI agent's decision, over five minutes.",
                   "ia_agent_decision_latency_seconds", "agent", legend=NAME, width=8, only=AGENT, link=links.agent),
    )


def _risk(b: Board) -> None:
    b.row("Risk and faults")
    b.add(
        series("Blocked by reason", "Decisions that risk control blocked, in five minutes.",
               Q(rise("agent_risk_blocked_total", "reason", window="5m", only=AGENT), "{{bot}} {{reason}}"), unit="short",
               width=8, stacked=True, minimum=0),
        bars("Blocked by agent", "In fifteen minutes. The alert BotRiskBlocksHigh begins above 10.",
             Q(of_bot("bot_agent:agent_risk_blocked:increase15m", *AGENT), NAME), unit="none", decimals=0, width=4,
             limit=limits.RISK_BLOCKS, link=links.agent),
        series("AI errors", "Failures of AI agents in five minutes.",
               Q(rise("ia_agent_errors_total", "agent", window="5m", only=AGENT), NAME), unit="short", width=6, bars_of=True,
               minimum=0, link=links.agent),
        series("Drawdown by agent", "Below the peak of what the agent manages.", Q(_of("agent_drawdown_pct"), NAME), unit="percent",
               width=6, minimum=0, limit=limits.TRADER_DRAWDOWN, link=links.agent),
    )
