"""Make docs/evidence/speed.md of what `make bench` and `benchmarks.gpu` wrote.

    python -m benchmarks.speed_page runs/bench/speed-….json [GPU.json]

Text around the tables stays in the page: only what lies between the marks is replaced.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rows import Row

PAGE = Path(__file__).parents[1] / "docs" / "evidence" / "speed.md"
MARKS = {"cpu": "CPU table", "scaling": "growth", "gpu": "GPU table"}


def cpu_table(content: Mapping[str, Any]) -> str:
    """Write machine, versions and the rows that have a name of their own."""
    machine = content["machine"]
    rows = [row for row in content["rows"] if not row.get("scaling")]
    peers = {f"{r['peer']} {r['peer_version']}" for r in rows if r.get("peer_version")}
    lines = [
        f"{content['date']}, commit {machine['commit']}: {machine['processor']}, "
        f"{machine['cores']} cores, Python {machine['python']}, torch {machine['torch']}; "
        f"{', '.join(sorted(peers)) or 'no peers'}. {content['minutes']:.0f} minutes in all.",
        "",
        "| work | ours | theirs | theirs ÷ ours | beside | goal | |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(cpu_line, rows)])


def cpu_line(row: Row) -> str:
    """Write one row; the last cell says threads and repeats, or why there is nothing."""
    ours, theirs, ratio = (row.get(k) for k in ("ours_seconds", "theirs_seconds", "ratio"))
    if ours is None:
        return f"| {row['work']} | not run | | | | | {row.get('note', '')} |"
    threads, clock = row.get("threads", 1), row.get("clock", "process")
    said = [f"{threads} thread{'s' if threads != 1 else ''}", f"{clock} time"]
    said += [f"median of {row['repeats']}"] if row.get("repeats", 1) > 1 else ["once"]
    said += [row["note"]] if row.get("note") else []
    cells = [
        row["work"],
        seconds(ours),
        seconds(theirs),
        "" if ratio is None else f"{ratio:.1f}",
        row.get("peer") or "",
        row.get("goal", ""),
        "; ".join(said),
    ]
    return f"| {' | '.join(cells)} |"


def scaling_table(content: Mapping[str, Any]) -> str:
    """Write how each work grows: a table by length, and one by number."""
    rows = [row for row in content["rows"] if row.get("scaling")]
    if not rows:
        return "Not measured in this run."
    numbers = [row["n"] for row in rows]
    usual = max(set(numbers), key=numbers.count)
    length = next(row["length"] for row in rows if row["n"] != usual)
    by_length = [row for row in rows if row["n"] == usual]
    by_number = [row for row in rows if row["length"] == length]
    return "\n\n".join(
        [
            f"{usual:,} sequences, by length in bp:\n\n{grid(by_length, 'length')}",
            f"Sequences of {length} bp, by number:\n\n{grid(by_number, 'n')}",
        ]
    )


def grid(rows: Sequence[Any], key: str) -> str:
    """Write seconds by work and by what grows, and by how much the last is dearer than the first.

    1.00 at the end means: as much dearer as there is more of it.
    """
    values = sorted({row[key] for row in rows})
    heads = " | ".join(f"{value:,}" for value in values)
    lines = [f"| seconds | {heads} | dearer ÷ more |", "|---" * (len(values) + 2) + "|"]
    for work in dict.fromkeys(row["scaling"] for row in rows):
        own = {row[key]: row["ours_seconds"] for row in rows if row["scaling"] == work}
        cells = " | ".join(seconds(own.get(value)) for value in values)
        growth = own[values[-1]] / own[values[0]] / (values[-1] / values[0])
        lines.append(f"| {work} | {cells} | {growth:.2f} |")
    return "\n".join(lines)


def gpu_table(content: Mapping[str, Any]) -> str:
    """Write the GPU rows."""
    lines = [
        f"{content['date']}, {content['card']}; old: commit {content['old']}.",
        "",
        "| work | new | old | old ÷ new | goal | |",
        "|---|---|---|---|---|---|",
    ]
    for row in content["rows"]:
        if row["ours_seconds"] is None and row.get("theirs_seconds") is None:
            lines.append(f"| {row['work']} | not run | | | | {row.get('note', '')} |")
            continue
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.1f}"
        new, old = seconds(row["ours_seconds"]), seconds(row["theirs_seconds"])
        goal, note = row.get("goal", ""), row.get("note", "")
        lines.append(f"| {row['work']} | {new} | {old} | {ratio} | {goal} | {note} |")
    return "\n".join(lines)


def seconds(value: float | None) -> str:
    """Write seconds with three digits that count."""
    if value is None:
        return ""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f} s"


def replaced(page: str, name: str, text: str) -> str:
    """Put a text between the marks of a table."""
    begin, end = (f"<!-- {MARKS[name]}: {word} -->" for word in ("begins", "ends"))
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{PAGE} has no marks {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Replace the tables of the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.speed_page")
    parser.add_argument("cpu", type=Path, help="JSON file of `make bench`")
    parser.add_argument("gpu", type=Path, nargs="?", help="JSON file of `benchmarks.gpu`")
    asked = parser.parse_args(arguments)
    content = json.loads(asked.cpu.read_text("utf-8"))
    page = PAGE.read_text("utf-8")
    page = replaced(page, "cpu", cpu_table(content))
    page = replaced(page, "scaling", scaling_table(content))
    if asked.gpu is not None:
        page = replaced(page, "gpu", gpu_table(json.loads(asked.gpu.read_text("utf-8"))))
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
