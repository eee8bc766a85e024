"""A mistake in one line: the library's and those in the call itself, with the options' names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import cyclopts
from cyclopts import exceptions

from motiflens.errors import InputError


def with_options(error: InputError) -> str:
    """Write an error with options of the command line in place of Python's arguments."""
    return as_options(str(error), error.arguments)


def as_options(text: str, arguments: Iterable[str]) -> str:
    """Write the arguments that a text names as ``name=value`` as options.

    A bare name of one word stays: it is English more often than not, such as a split or a width.
    """
    for name in arguments:
        option = f"--{name.replace('_', '-')}"
        text = re.sub(rf"(?<![-\w]){name}=True\b", option, text)
        text = re.sub(rf"(?<![-\w]){name}=(?=[^\s;,)])", f"{option} ", text)
        text = re.sub(rf"(?<![-\w]){name}=", option, text)
        if "_" in name:
            text = re.sub(rf"(?<![-\w./]){name}\b(?![-./])", option, text)
    return text


def without_traceback(error: cyclopts.CycloptsError, tokens: list[str], commands: list[str]) -> str:
    """Say what is wrong with a call, and what to type, by the names of all commands."""
    # What an options class has refused while the call was read comes wrapped.
    if isinstance(error.__cause__, InputError):
        return with_options(error.__cause__)
    chain = " ".join(["motiflens", *(error.command_chain or ())])
    text, _, suggestion = " ".join(str(error).split()).partition(" Did you mean ")
    near = suggestion.split("?")[0].strip('"')
    remedy = f"did you mean {near}?" if near else f"see `{chain} --help`"
    if isinstance(error, exceptions.UnknownCommandError):
        return _unknown_command(tokens, commands, remedy if near else "")
    if isinstance(error, exceptions.UnknownOptionError) and "--module" in (
        error.token.keyword,
        error.token.value,
    ):
        return (
            f"{chain} takes a run and no --module; make a run around the module by `motiflens "
            "explain DATA --module FILE.py:FUNCTION --weights FILE -o out`, and give that"
        )
    if isinstance(error, exceptions.UnusedCliTokensError):
        return _left_over(error, chain)
    if isinstance(error, exceptions.MissingArgumentError) and error.argument is not None:
        return _missing(error.argument.name, tokens, chain)
    text = f"{text[:1].lower()}{text[1:]}".rstrip(".").replace(". Choose from:", "; choose from")
    return f"{text}; {remedy}"


def _unknown_command(tokens: list[str], commands: list[str], remedy: str) -> str:
    name = next((token for token in tokens if not token.startswith("-")), tokens[0])
    all_commands = f"the commands are: {', '.join(commands)}"
    return f"there is no command {name}; {remedy or all_commands}"


def _left_over(error: exceptions.UnusedCliTokensError, chain: str) -> str:
    first = (error.unused_tokens or ["?"])[0]
    if Path(first).suffix and "--negatives" not in (error.root_input_tokens or []):
        remedy = f"for a file of negatives: --negatives {first}"
    else:
        remedy = f"join a list by commas, as in a,b; or see `{chain} --help`"
    return f"nothing is known to do with {first}; {remedy}"


#: What stands behind an option, in the example of a call that lacks it.
PLACEHOLDERS = {"--output": ("-o", "out"), "--data": ("", "DATA"), "--run": ("", "RUN")}


def _missing(name: str, tokens: list[str], chain: str) -> str:
    """Name what the call lacks: an option, or the value of an option that stands last."""
    flag, value = PLACEHOLDERS.get(name, (name, name.lstrip("-").upper()))
    if name in tokens or flag in tokens:
        return f"{name} has no value; write it, such as `{chain} … {name} {value}`"
    given = [token for token in tokens if token not in chain.split()]
    example = " ".join([chain, *given, *([flag] if flag else []), value])
    return f"{f'{flag} {value.upper()}'.strip()} is missing; add it, such as `{example}`"
