"""The rules of docs/architecture.md and of CONTRIBUTING.md that a program can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "motiflens"
MODULES = sorted(PACKAGE.rglob("*.py"))

# The ground floor, on which everything stands.
GROUND = {"errors", "version", "files", "progress"}
FRONT_DOORS = {"__init__", "__main__"}  # they may open every room
WITHOUT_TORCH = [
    "sequences",
    "metrics",
    "datasets",
    "io",
    "motifs",
    "simulation",
    "hits",
    "auditing",
    "results",
    "report",
]


def table_of_the_docs() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)(?:\.py|/)` \|.*\| ([^|]+) \|$", text, flags=re.MULTILINE)
    return {place: [] if may == "–" else may.split(", ") for place, may in rows}


# Place → what it may import besides its own files and the ground floor.
MAY_IMPORT = table_of_the_docs()


def allowed(place: str) -> set[str]:
    """Everything a place may import: its own files, its row of the table, the ground floor."""
    if place in GROUND:
        return {place, "errors"}
    places = list(MAY_IMPORT)
    row = MAY_IMPORT[place]
    named = places[: places.index(place)] if row == ["all above"] else row
    return {place, *named, *GROUND}


def module_name(path: Path) -> str:
    return "/".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("/__init__")


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield every import that is carried out, so none of those for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        yield from statements(node)


def imported(path: Path) -> set[str]:
    """Full names of the modules a file imports; of `from a import b` both a and a.b."""
    names = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"{path.name} line {node.lineno}: imports are absolute"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_module(name: str) -> bool:
    return (PACKAGE / f"{name}.py").is_file() or (PACKAGE / name / "__init__.py").is_file()


def own_imports(path: Path) -> set[str]:
    inside = {n.removeprefix("motiflens.") for n in imported(path) if n.startswith("motiflens.")}
    return {name for n in inside if is_module(name := n.replace(".", "/"))}


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("the files are no git checkout, so which are tracked is unknown")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def test_every_place_is_in_the_table():
    places = {module_name(path).split("/")[0] for path in MODULES}
    assert places - FRONT_DOORS - GROUND == set(MAY_IMPORT)


@pytest.mark.parametrize(
    "path", [path for path in MODULES if module_name(path) not in FRONT_DOORS], ids=module_name
)
def test_imports_point_one_way(path):
    may = allowed(module_name(path).split("/")[0])
    wrong = [
        name for name in own_imports(path) if name not in may and name.split("/")[0] not in may
    ]
    assert not wrong, f"{module_name(path)} imports {wrong}; it may import {sorted(may)}"


def mentioned(path: Path) -> set[str]:
    """Modules of the package that a file imports, for its types alone too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("motiflens."):
            inside = node.module.removeprefix("motiflens.").replace(".", "/")
            names |= {inside} | {f"{inside}/{alias.name}" for alias in node.names}
    return {name for name in names if (PACKAGE / f"{name}.py").is_file()}


def test_no_file_is_reached_from_itself():
    goes_to = {module_name(path): mentioned(path) for path in MODULES}
    for start in goes_to:
        reached, open_ones = set(), list(goes_to[start])
        while open_ones:
            name = open_ones.pop()
            if name not in reached:
                reached.add(name)
                open_ones += goes_to[name]
        assert start not in reached, f"{start} is imported by what it imports"


def test_a_file_is_read_in_a_sitting():
    lengths = {module_name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > 350} == {}


def is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_what_is_public_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.ClassDef
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    public = [
        node
        for owner in owners
        if not getattr(owner, "name", "").startswith("_")
        for node in owner.body
        if isinstance(node, kinds) and not node.name.startswith("_") and not is_overload(node)
    ]
    assert ast.get_docstring(tree), f"{path.name} says nothing of itself"
    assert not [node.name for node in public if not ast.get_docstring(node)]


LOADS_NO_TORCH = [
    "import motiflens",
    *(f"import motiflens.{place}" for place in WITHOUT_TORCH),
    "import motiflens.cli; sys.argv = ['motiflens', '--help']; motiflens.cli.main()",
]


@pytest.mark.parametrize("code", ["; ".join(LOADS_NO_TORCH[:-1]), LOADS_NO_TORCH[-1]])
def test_torch_is_loaded_by_what_needs_it_alone(code):
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit as end:\n    assert not end.code\n"
    program += "print('torch' in sys.modules, file=sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.stderr.splitlines()[-1:] == ["False"], ended.stderr


# Put together from pieces, so that this file does not hold what it looks for.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"(?<![\w.~}])/" + r"(?:work|root|home|Users)/\w",
            r"py" + r"pi\.org",
            r"python" + r"hosted",
            r"download\.py" + r"torch\.org",
            r"anaconda\.(?:org|com)",
            r"\bTO" + r"DO\b",
            r"\bFIX" + r"ME\b",
            r"NotImplemented" + r"Error",
        ]
    )
)


def test_no_file_names_a_place_of_one_machine_or_is_left_unfinished():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        if (text := _text_of(path)) is not None
        for match in FORBIDDEN.finditer(text)
    ]
    assert not found


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize(
    "text",
    ["cd /" + "work/main", "'/" + "root/x'", "https://py" + "pi.org/simple", "# TO" + "DO: x"],
)
def test_the_search_would_find_it(text):
    assert FORBIDDEN.search(text)


def test_nothing_generated_is_tracked():
    parts = [path.relative_to(ROOT).parts for path in tracked_files()]
    assert not {path[0] for path in parts} & {".venv", "runs", "site", "build"}
    assert not any("__pycache__" in path for path in parts)


def test_versions_are_pinned_to_what_any_index_has():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+", pin) for pin in pins)
    assert "torch==2.13.0" in pins


def test_the_guide_names_places_that_exist():
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line for line in guide.splitlines() if line.startswith("| a")]
    named = [re.findall(r"`((?:src|tests)/[\w./]*)`", row) for row in rows]
    assert len(rows) == 14
    assert all(len(places) == 2 for places in named)
    assert not [place for places in named for place in places if not (ROOT / place).exists()]
