"""Which door a model is for, with three doors: results/published/games/doors.png.

python results/doors.py        reads results/published/games

A dot is the share that door 3 has of what is given to doors 1 and 3, the mean over wordings; a bar goes from
the least wording to the most.
"""

import pandas as pd
from essay import PUBLISHED, Evidence
from publish import in_few_colours

from sampler_bench.models.reference import find_reference
from sampler_bench.report.figures.style import COLOURS, FAINT, save, sheet

PICTURE = PUBLISHED / "games" / "doors.png"
MESSAGE = "To switch or not: the other door's share of both that are shut"
GAMES = (  # task, where in its row, colour, name, what is right
    ("monty-hall", 0.15, COLOURS[0], "Monty Hall", 2 / 3),
    ("monty-fall", -0.15, COLOURS[1], "Monty Fall", 1 / 2),
)


def main() -> None:
    shares = Evidence().other_door
    shares = shares[[find_reference(name) is None for name in shares.index.get_level_values("model")]]
    spread = shares.groupby(["task", "model", "arm"]).agg(["mean", "min", "max"])
    with sheet(MESSAGE, [""], "share of the other door", wide=8.0, high=3.4) as (figure, [panel]):
        for task, shift, colour, name, right in GAMES:
            rows = spread.loc[task].iloc[::-1]
            places = [place + shift for place in range(len(rows))]
            bars = [rows["mean"] - rows["min"], rows["max"] - rows["mean"]]
            panel.errorbar(rows["mean"], places, xerr=bars, fmt="o", ms=5, color=colour, label=name)
            panel.axvline(right, color=colour, lw=1, ls="--", label=f"right in {name}: {right:.2f}")
            panel.set_yticks(range(len(rows)), [" ".join(key) for key in pd.Index(rows.index)])
        panel.axvline(0, color=FAINT, lw=0.8)
    save(figure, "png", PICTURE)
    in_few_colours(PICTURE)


if __name__ == "__main__":
    main()
