"""What all dashboards are made of: queries, panels, variables, links, limits."""

from .board import Board
from .limits import Limit
from .panels import bars, gauge, heatmap, history, pie, series, stat, states
from .query import (
    Q, account, happened, latest, moved, of_bot, of_symbol, pace, quantile, raw, recorded, rise, said, told,
)
from .table import Column, table

__all__ = [
    "Board", "Column", "Limit", "Q", "account", "bars", "gauge", "happened", "heatmap", "history", "latest", "moved", "of_bot",
    "of_symbol", "pace", "pie", "quantile", "raw", "recorded", "rise", "said", "series", "stat", "states", "table", "told",
]
