"""What the agents agree on, how sure they are, and what becomes of it."""

from kit import Board, Q, bars, latest, of_bot, pace, rise, series, stat
from kit import limits, links

from . import shared

AGENT = shared.OF_AGENT
RATE = "bot:agent_consensus_approved:ratio_increase1h"


def board() -> Board:
    b = Board(
        "bot-consensus", "Consensus of the agents: approvals, their share, confidence, and what held decisions back.",
        names=["bot", "agent"], since="now-6h", refresh="10s",
    )
    approved, decided = "agent_consensus_approved_total", "agent_decisions_total"
    b.row("Now")
    b.add(
        stat("Confidence of the consensus", "Mean of the last one. The alert BotConfidenceLow begins below 50 %.",
             Q(latest("agent_consensus_confidence_avg"), "{{bot}}"), unit="percentunit", decimals=0, width=6, named=True,
             limit=limits.CONFIDENCE, background=True),
        stat("Approval rate", "Approved together, of the decisions of the busiest agent in the last hour; unknown below twenty of them. "
             "The alert BotApprovalRateLow begins below 10 %.", Q(of_bot(RATE), "{{bot}}"), unit="percentunit", decimals=1, width=6,
             named=True, limit=limits.APPROVAL, background=True),
        stat("Approved in 1 h", "Decisions that the agents approved together.", Q(rise(approved, window="1h"), "{{bot}}"),
             unit="none", decimals=0, width=6, named=True),
        stat("Decided in 1 h", "By all agents.", Q(rise(decided, window="1h"), "{{bot}}"), unit="none", decimals=0, width=6,
             named=True),
    )
    b.row("Consensus")
    b.add(
        series("Confidence over time", "Of the last consensus. The alert BotConfidenceLow begins below 50 %.",
               Q(latest("agent_consensus_confidence_avg"), "{{bot}}"), unit="percentunit", width=12, minimum=0, maximum=1,
               limit=limits.CONFIDENCE),
        series("Approval rate over time", "Of an hour. The alert BotApprovalRateLow begins below 10 %.", Q(of_bot(RATE), "{{bot}}"),
               unit="percentunit", width=12, minimum=0, limit=limits.APPROVAL),
        series("From decisions to approvals", "A minute, over five minutes: decided, held back by risk control, approved together.",
               Q(f"60 * {pace(decided, window='5m')}", "{{bot}} decided"),
               Q(f"60 * {pace('agent_risk_blocked_total', window='5m')}", "{{bot}} blocked"),
               Q(f"60 * {pace(approved, window='5m')}", "{{bot}} approved"), unit="none", width=12, minimum=0),
        series("Held back by reason", "Decisions that risk control blocked, in five minutes.",
               Q(rise("agent_risk_blocked_total", "reason", window="5m", only=AGENT), "{{bot}} {{reason}}"), unit="short",
               width=12, stacked=True, minimum=0),
    )
    b.row("Decision confidence of the AI agents")
    b.add(
        bars("Confidence by agent", "Of the last decision of each.", Q(latest("ia_agent_confidence", "agent", only=AGENT),
                                                                    "{{bot}} {{agent}}"), unit="percentunit", width=8,
             maximum=1, limit=limits.CONFIDENCE, link=links.agent),
        series("Confidence by agent over time", "Of each one's last decision.",
               Q(latest("ia_agent_confidence", "agent", only=AGENT), "{{bot}} {{agent}}"), unit="percentunit", width=8, minimum=0,
               maximum=1, link=links.agent),
        series("What they decide", "In five minutes, by kind.",
               Q(rise("ia_agent_decisions_total", "decision", window="5m", only=AGENT), "{{bot}} {{decision}}"), unit="short",
               width=8, stacked=True, minimum=0),
    )
    return b
