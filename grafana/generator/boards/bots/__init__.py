"""The bots' dashboards; each module has a function `board`."""

from . import (
    agent, agents, arbitrage, consensus, controls, history, logs, services, slots, start, strategies, tasks, trader,
)

ALL = (
    start, trader, slots, strategies, agents, agent, consensus, arbitrage, tasks, services, history, controls, logs,
)
