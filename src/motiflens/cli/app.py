"""The application: its commands, and how errors leave it."""

from __future__ import annotations

import errno
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cyclopts

from motiflens.cli.mistakes import with_options, without_traceback
from motiflens.errors import InputError
from motiflens.settings import ARCHITECTURES
from motiflens.version import __version__

#: Seconds that the other processes of torchrun leave to the first to say what is wrong.
WAIT_FOR_FIRST = 10.0

EXAMPLES = """Examples:
  motiflens demo
  motiflens run mine.tsv -o out
  motiflens run peaks.narrowPeak --genome hg38.fa --width 200 -o out
  motiflens motifs --no-model peaks.fa -o motifs-only
  motiflens help run"""

#: Heading → its commands: module, name, what it does, example. A module is imported when its
#: command is called, so that the help does not wait for it.
COMMANDS = {
    "The whole run": [
        (
            "runs",
            "demo",
            "Run the tutorial's experiment, end to end, with a report; replaces an earlier demo.",
            "demo -o runs/demo",
        ),
        (
            "runs",
            "run",
            "Audit data, compare models, explain them, find their motifs and write the report.",
            "run pos.fa --negatives shuffle -o out\n"
            "  motiflens run peaks.narrowPeak --genome hg38.fa --width 200 -o out\n"
            "  motiflens run mine.tsv --models cnn,attention,transformer --seeds 3 -o out",
        ),
    ],
    "Data": [
        (
            "data",
            "simulate",
            "Simulate a labelled data set with known true sites; the tutorial's by default.",
            "simulate --motif TGACTCA --n 4000 --length 100 -o simulated.tsv",
        ),
        (
            "data",
            "prepare",
            "Read sequences and labels of any kind and write them as one table.",
            "prepare seqs.txt --labels labels.txt -o mine.tsv",
        ),
        (
            "data",
            "audit",
            "Look for copies, leaks, biases and labels that cannot be right.",
            "audit mine.tsv -o audit.json",
        ),
    ],
    "Stages of a run": [
        (
            "runs",
            "train",
            "Train one model and score it on the test split.",
            "train mine.tsv --model cnn --seeds 3 -o out",
        ),
        (
            "runs",
            "compare",
            "Compare models x seeds x training sizes on one test split.",
            "compare mine.tsv --models cnn,attention --sizes 50,200,800 -o out",
        ),
        (
            "search",
            "search",
            "Search hyper-parameters by validation scores; best.toml is for --hyperparameters of "
            "run.",
            "search mine.tsv -o study --models cnn --budget 10m\n"
            "  motiflens run mine.tsv -o out --models cnn --hyperparameters study/best.toml",
        ),
        (
            "stages",
            "explain",
            "Explain the models of a run, base by base.",
            "explain out\n  motiflens explain mine.tsv --module net.py:build --weights w.pt -o out",
        ),
        (
            "stages",
            "motifs",
            "Find the motifs of a run's models, confirm them on held-out sequences, name them.",
            "motifs out\n  motiflens motifs --no-model peaks.fa -o motifs-only",
        ),
        (
            "stages",
            "experiments",
            "Put motifs into sequences and take them out: copies, position, spacing, ablation.",
            "experiments out",
        ),
        (
            "stages",
            "trust",
            "Check how far the explanations of a run's models can be trusted.",
            "trust out --threads 2\n"
            "  motiflens trust mine.tsv --module net.py:build --weights w.pt -o out",
        ),
        (
            "stages",
            "report",
            "Write a run's report.html from its directory alone, or two runs side by side.",
            "report out\n  motiflens report out other -o compared.html",
        ),
        (
            "runs",
            "open",
            "Open the report of a run in the browser.",
            "open out",
        ),
    ],
    "Use a trained model": [
        (
            "predict",
            "predict",
            "Score sequences with the models of a run.",
            "predict out peaks.fa -o scores.tsv\n"
            "  motiflens predict out peaks.bed --genome hg38.fa -o scores.parquet\n"
            "  zcat reads.fa.gz | motiflens predict out - -o -",
        ),
        (
            "genomes",
            "scan",
            "Score the window around each position of a genome, and find its peaks.",
            "scan out genome.fa -o scan.bw --peaks scan.narrowPeak",
        ),
        (
            "variants",
            "variants",
            "Score the variants of a VCF by a run's model, with motifs lost and gained.",
            "variants out my.vcf.gz --genome hg38.fa -o scored.vcf.gz\n"
            "  motiflens variants out my.vcf.gz --genome hg38.fa --plot chr1:109274968 -o one.svg",
        ),
        (
            "variants",
            "mutations",
            "Score every substitution of regions of a genome, the window centred on the base.",
            "mutations out peaks.bed --genome hg38.fa -o out/mutations",
        ),
        (
            "annotate",
            "annotate",
            "Call hits of a run's motifs from what the bases contribute to its model.",
            "annotate out peaks.fa -o contribution-hits.bed.gz\n"
            "  motiflens annotate out peaks.bed --genome hg38.fa -o contribution-hits.bed.gz",
        ),
        (
            "serve",
            "serve",
            "Try out the models of runs in the browser: change a base and watch; until Ctrl-C.",
            "serve out\n  motiflens serve out other --port 0",
        ),
        (
            "predict",
            "export",
            "Write a run's model as ONNX or for torch.export, with a model card.",
            "export out -o model.onnx",
        ),
        (
            "genomes",
            "merge",
            "Join what the shards of a command have computed into its output.",
            "merge scan.bw",
        ),
    ],
    "Motif files": [
        (
            "motif_files",
            "hits",
            "Find where motifs occur, as FIMO does, with exact p-values.",
            "hits motifs.meme genome.fa -o hits.bed.gz\n  motiflens hits CTCF peaks.fa -o hits.bed",
        ),
        (
            "motif_files",
            "logo",
            "Draw motifs, with their reverse complements beside them, as SVG and PNG.",
            "logo CTCF -o logos",
        ),
    ],
}

app = cyclopts.App(
    name="motiflens",
    help="Show what DNA sequence models look at, and how far to believe it.",
    help_epilogue=EXAMPLES,
    help_format="plaintext",
    version=__version__,
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # `cli.main` says how to go on
)
for position, (heading, commands) in enumerate(COMMANDS.items()):
    group = cyclopts.Group(heading, sort_key=position)
    for module, name, help_text, example in commands:
        app.command(
            f"motiflens.cli.{module}:{name}",
            name=name,
            help=help_text,
            help_epilogue=f"Examples:\n  motiflens {example}",
            group=group,
        )
app.register_install_completion_command()


def call(arguments: Sequence[str] | None = None) -> None:
    """Run a sub-command and end the process; see :func:`motiflens.cli.main`."""
    tokens = _tokens(sys.argv[1:] if arguments is None else list(arguments))
    try:
        with _warnings_in_a_line():
            app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except InputError as error:
        _fail(with_options(error))
    except cyclopts.CycloptsError as error:
        names = [name for commands in COMMANDS.values() for _, name, *_ in commands]
        _fail(without_traceback(error, tokens, names))
    except BrokenPipeError:
        # Whoever read the output has gone; nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"motiflens: {error.strerror}:{where}; check the path and the disk", file=sys.stderr)
        sys.exit(2 if error.errno == errno.ENAMETOOLONG else 1)
    except Exception as error:
        # Here, since torch takes seconds; who has called a module has it already.
        from motiflens.models.foreign import told_of_files

        if (told := told_of_files(error)) is None:
            raise
        _fail(with_options(told))
    sys.exit(0)


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Print our warnings without the line of code that gave them."""
    known = warnings.formatwarning

    def told(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        if category is UserWarning:
            return f"motiflens: {message}\n"
        return known(message, category, filename, lineno, line)

    warnings.formatwarning = told
    try:
        yield
    finally:
        warnings.formatwarning = known


def _tokens(given: list[str]) -> list[str]:
    """Read ``help run`` as ``run --help``, and ``--models cnn attention`` as one list."""
    if given[:1] == ["help"]:
        return [*given[1:], "--help"]
    tokens: list[str] = []
    for token in given:
        follows = len(tokens) > 1 and tokens[-2] == "--models"
        if follows and token in ARCHITECTURES:
            tokens[-1] += f",{token}"
        else:
            tokens.append(token)
    return tokens


def _fail(message: str) -> None:
    # Under torchrun all processes meet the same mistake, and the first one's end ends them all.
    # Who is still there after a while has met a mistake of its own.
    if os.environ.get("RANK", "0") != "0":
        time.sleep(WAIT_FOR_FIRST)
    print(f"motiflens: {message}", file=sys.stderr)
    sys.exit(2)
