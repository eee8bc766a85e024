"""What all tests share: a count of those left out for want of data, and a GPU if there is one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import beartype
import jaxtyping
import pytest
import torch

from chromium import chromium  # noqa: F401  # a fixture of all tests

#: What every skip for want of ``../shared/data`` says.
SHARED_DATA = "the shared test data"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests a clone without the shared data leaves out."""
    skipped = terminalreporter.getreports("skipped")
    n = sum(SHARED_DATA in str(report.longrepr) for report in skipped)
    if n:
        terminalreporter.write_line(f"{n} skipped for want of ../shared/data", yellow=True)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave the cache of who runs the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _threads_of_torch() -> Iterator[None]:
    """Give each test as many threads an operation as the first: TF-MoDISco leaves others behind."""
    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cuda() -> torch.device:
    """Return the first GPU, or skip the test."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    return torch.device("cuda", 0)


#: Module → what in it says the shapes of its arrays, which are checked in every test.
SHAPED = {
    "motiflens.io.inputs": ("one_hot", "check_one_hot", "codes_of"),
    "motiflens.attribution.result": ("Attributions",),
    "motiflens.attribution.mutagenesis": ("saturation_mutagenesis",),
    "motiflens.training.trained": ("predict",),
}


def _check_shapes() -> None:
    """Let beartype and jaxtyping check the shapes that signatures say.

    The package itself imports neither: in its files the names of the types are there for type
    checkers alone, and are put there here.
    """
    kinds = ("Float32", "Float64", "Int32", "UInt8")
    for home, names in SHAPED.items():
        module = importlib.import_module(home)
        vars(module).update({kind: getattr(jaxtyping, kind) for kind in kinds})
        for name in names:
            plain = getattr(module, name)
            checked = jaxtyping.jaxtyped(plain, typechecker=beartype.beartype)
            for other in list(sys.modules.values()):
                ours = getattr(other, "__name__", "").startswith("motiflens")
                if ours and vars(other).get(name) is plain:
                    setattr(other, name, checked)


_check_shapes()
