"""Distributed tasks: splitting, execution, timeouts, failures, and the containers that do the work."""

from kit import Board, Column, Q, bars, happened, latest, of_bot, pace, quantile, rise, series, stat, table
from kit import limits, links

from . import shared

AGENT = shared.OF_AGENT
NAME = "{{bot}} {{agent}}"
TIMEOUTS, FAILED = "bot_agent:timeout_events:increase5m", "bot:task_failure:ratio_increase15m"


def board() -> Board:
    b = Board(
        "bot-tasks", "Orchestration: tasks and chunks, time of each stage, timeouts, failures, agents, containers, merging.",
        names=["bot", "agent"], since="now-6h", refresh="10s",
    )
    _now(b)
    _time(b)
    _faults(b)
    _agents(b)
    _containers(b)
    return b


def _now(b: Board) -> None:
    b.row("Now")
    b.add(
        stat("Tasks a minute", "Split into chunks, over five minutes.", Q(f"60 * {pace('task_split_total', window='5m')}", "{{bot}}"),
             unit="none", decimals=1, width=4, named=True),
        stat("Chunks a task", "Into how many each was split, over the last hour.",
             Q(f"{rise('task_split_chunks_total', window='1h')} / ({rise('task_split_total', window='1h')} > 0)", "{{bot}}"),
             unit="none", decimals=1, width=4, named=True),
        stat("Failed in 15 min", "Tasks that failed over those that ended. The alert BotTaskFailureRatioHigh begins at 10 %, where "
             "more than two failed.", Q(of_bot(FAILED), "{{bot}}"), unit="percentunit", decimals=1, width=4, named=True,
             limit=limits.TASK_FAILURES, background=True),
        stat("Timeouts in 5 min", "Of all agents of a bot. The alert BotTaskTimeoutsHigh begins above 10.",
             Q(f"sum by (bot) ({of_bot(TIMEOUTS)})", "{{bot}}"), unit="none", decimals=0, width=4, named=True,
             limit=limits.TASK_TIMEOUTS, background=True, nothing=shared.NONE_TOLD),
        stat("Given up", "Tasks for which no fallback was left, in the chosen time range. Any is an alert: "
             "BotTaskFallbackExceeded.", Q(f"sum({happened('fallback_depth_exceeded_total')})"), unit="none", decimals=0, width=4,
             limit=limits.ANY_IS_WARNING, background=True, nothing=shared.NONE_TOLD),
        stat("Tasks under way", "That the chosen agents work on.",
             Q(f"sum by (bot) ({latest('agent_active_tasks', 'agent', only=AGENT)})", "{{bot}}"), unit="none", width=4,
             named=True),
    )


def _time(b: Board) -> None:
    b.row("Tasks and their time")
    b.add(
        series("Tasks and chunks", "A minute, over five minutes.",
               Q(f"60 * {pace('task_split_total', window='5m')}", "{{bot}} tasks"),
               Q(f"60 * {pace('task_split_chunks_total', window='5m')}", "{{bot}} chunks"), unit="none", width=8, minimum=0),
        shared.p95("Time by stage, p95", "Of the stages of tasks, over five minutes.", "task_execution_seconds", "stage",
                   legend="{{bot}} {{stage}}", width=8),
        shared.p95("Time of chunks by agent, p95", "Over five minutes.", "chunk_execution_seconds", "agent", legend=NAME, width=8,
                   only=AGENT, link=links.agent),
    )


def _faults(b: Board) -> None:
    b.row("Success, failure and timeouts")
    b.add(
        series("Succeeded by stage", "A minute, over five minutes.",
               Q(f"60 * {pace('task_success_total', 'stage', window='5m')}", "{{bot}} {{stage}}"), unit="none", width=8,
               stacked=True, minimum=0),
        series("Failed by reason", "In five minutes.", Q(rise("task_failure_total", "reason", window="5m"), "{{bot}} {{reason}}"),
               unit="short", width=8, bars_of=True, stacked=True, minimum=0, nothing=shared.NONE_TOLD),
        series("Share that failed", "Of the tasks that ended, over fifteen minutes. The alert BotTaskFailureRatioHigh begins at 10 %.",
               Q(of_bot(FAILED), "{{bot}}"), unit="percentunit", width=8, minimum=0, limit=limits.TASK_FAILURES),
        series("Timeouts", "Of all agents of a bot, in five minutes. The alert BotTaskTimeoutsHigh begins above 10.",
               Q(f"sum by (bot) ({of_bot(TIMEOUTS)})", "{{bot}}"), unit="short", width=8, minimum=0,
               limit=limits.TASK_TIMEOUTS, nothing=shared.NONE_TOLD),
        series("Timeouts by agent and reason", "In five minutes.",
               Q(of_bot(TIMEOUTS, *AGENT), NAME + " {{reason}}"), unit="short",
               width=16, stacked=True, minimum=0, link=links.agent, nothing=shared.NONE_TOLD),
    )


def _agents(b: Board) -> None:
    b.row("Agents")
    b.add(
        table("Work by agent", "Of the chosen agents.", ["bot", "agent"],
              Column("under way", latest("agent_active_tasks", "agent", only=AGENT), "none"),
              Column("done in 1 h", rise("agent_tasks_executed_total", "agent", window="1h", only=AGENT), "none", decimals=0),
              Column("chunk p50", quantile(0.5, "chunk_execution_seconds", "agent", only=AGENT), "s", decimals=2),
              Column("chunk p95", quantile(0.95, "chunk_execution_seconds", "agent", only=AGENT), "s", decimals=2),
              Column("timeouts in 1 h", rise("timeout_events_total", "agent", window="1h", only=AGENT), "none",
                     limits.ANY_IS_WARNING, 0),
              width=10, sort="done in 1 h", link={"agent": [links.agent]}, nothing="no bot tells of tasks"),
        series("Under way by agent", "Tasks that each works on.", Q(latest("agent_active_tasks", "agent", only=AGENT), NAME),
               unit="none", width=7, minimum=0, steps=True, link=links.agent),
        series("Done by agent", "Tasks a minute, over five minutes.",
               Q(f"60 * {pace('agent_tasks_executed_total', 'agent', window='5m', only=AGENT)}", NAME), unit="none", width=7,
               stacked=True, minimum=0, link=links.agent),
    )


def _containers(b: Board) -> None:
    b.row("Containers and merging")
    b.add(
        series("CPU allowed", "To each container, in cores.",
               Q(f"{latest('docker_container_cpu_limit', 'container')} / 1000", "{{bot}} {{container}}"), unit="none", width=6,
               minimum=0, steps=True),
        series("Memory allowed", "To each container.",
               Q(latest("docker_container_memory_limit_bytes", "container"), "{{bot}} {{container}}"), unit="bytes", width=6,
               minimum=0, steps=True),
        bars("Changes of limits", "Of each container, in the last hour.",
             Q(rise("docker_elastic_adjustment_total", "container", window="1h"), "{{bot}} {{container}}"), unit="none",
             decimals=0, width=6),
        series("Merging", "Results in five minutes: merged, and dropped as duplicates.",
               Q(rise("merge_chunks_combined_total", window="5m"), "{{bot}} merged"),
               Q(rise("merge_deduplication_total", window="5m"), "{{bot}} duplicates"), unit="short", width=6, minimum=0),
    )
