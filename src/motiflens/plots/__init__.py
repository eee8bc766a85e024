"""Charts, logos and tracks as SVG text: pure functions from data to a string."""

from motiflens.plots.charts import bar_chart, line_chart, unit_chart
from motiflens.plots.heatmaps import attention_heatmap, ppm_heatmap
from motiflens.plots.logo import filter_grid, logo, logo_pair
from motiflens.plots.scatter import scatter_chart
from motiflens.plots.steps import (
    glass_picture,
    keys_picture,
    query_picture,
    scores_picture,
)
from motiflens.plots.tracks import base_track, contribution_track, position_profile, units_track

__all__ = [
    "attention_heatmap",
    "bar_chart",
    "base_track",
    "contribution_track",
    "filter_grid",
    "glass_picture",
    "keys_picture",
    "line_chart",
    "logo",
    "logo_pair",
    "position_profile",
    "ppm_heatmap",
    "query_picture",
    "scatter_chart",
    "scores_picture",
    "unit_chart",
    "units_track",
]
