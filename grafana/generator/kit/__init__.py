"""What all dashboards are made of: queries, panels, variables, links, limits."""

from .board import Board
from .limits import Limit
from .panels import bars, gauge, heatmap, history, pie, series, stat, states
from .query import Q, account, moved, of_symbol, raw, recorded, told
from .table import Column, table

__all__ = [
    "Board", "Column", "Limit", "Q", "account", "bars", "gauge", "heatmap", "history", "moved", "of_symbol",
    "pie", "raw", "recorded", "series", "stat", "states", "table", "told",
]
