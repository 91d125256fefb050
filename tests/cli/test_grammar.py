# SPDX-License-Identifier: MIT
"""One grammar for all commands: help, options, and messages about wrong ones."""
import re

import pytest

from harness.cli import GOOD, USAGE, Run
from harness.sink import check, equal

COMMANDS = ["ping", "emulate", "wait", "verify", "sign", "send", "deliveries", "show", "replay",
            "discard", "store", "schemes"]


@pytest.mark.running
def test_whole():
    got = Run("--help")
    equal("--help is good", got.status, GOOD)
    equal("it lists the commands", re.findall(r"^  (\w+) ", got.out, re.M), COMMANDS)
    check("--version tells the library's version", re.match(r"hookline \d+\.\d+\.\d+\n$",
                                                            Run("--version").out))
    for name, arguments, said in (("no command", (), "expected a command"),
                                  ("an unknown command", ("pong",), "pong: unknown command"),
                                  ("an unknown option", ("--pong",), "--pong: unknown command")):
        got = Run(*arguments)
        check(f"{name} is a usage error with a reason and a way on",
              got.status == USAGE and said in got.err and "Try: hookline --help" in got.err, got)


@pytest.mark.running
def test_each():
    for command in COMMANDS:
        got = Run(command, "--help")
        check(f"{command} --help is good and begins with its usage",
              got.status == GOOD and got.out.startswith(f"Usage: hookline {command} "), got)
        check(f"{command}: help goes to standard output and nowhere else", got.err == "", got)
        check(f"{command}: no line of the help is too long for a terminal",
              all(len(line) <= 80 for line in got.out.splitlines()),
              [line for line in got.out.splitlines() if len(line) > 80])
        got = Run(command, "--pong")
        check(f"{command} --pong is a usage error that names the option",
              got.status == USAGE and "unknown option --pong" in got.err
              and f"Try: hookline {command} --help" in got.err, got)


@pytest.mark.running
def test_wrong():
    for name, arguments, said in (
            ("an unknown letter is named, not the word in front of it", ["-Zj"], "unknown option -Z"),
            ("and as one of several", ["-jZq"], "unknown option -Z"),
            ("an option that takes no value says so", ["--json=yes"], "--json takes no value"),
            ("so does --help", ["--help=yes"], "--help takes no value"),
            ("what is given to an option that there is not is not repeated", ["--secrt=whsec_1"],
             "unknown option --secrt"),
            ("an option that lacks its value says so", ["--timeout"], "--timeout needs a value"),
            ("so does a letter", ["-qt"], "-qt needs a value")):
        got = Run("ping", *arguments)
        check(name, got.status == USAGE and got.err.startswith(f"hookline: {said}"), got)


def test_names():
    """An unset script variable gives an empty name; other tools read a file by @NAME."""
    for command in COMMANDS:
        for name, kind in re.findall(r"--([\w-]+) (FILE|FOLDER)\b", Run(command, "--help").out):
            got = Run(command, f"--{name}", "")
            check(f"{command} --{name}: an empty name is told as what it is", got.status == USAGE
                  and got.err.startswith(f"hookline: --{name}: expected the name of a {kind.lower()}\n"),
                  got)
            got = Run(command, f"--{name}", "@body.json")
            check(f"{command} --{name}: @ before a name is refused, with the way to write it",
                  got.status == USAGE and got.err.startswith(
                      f"hookline: --{name}: expected the name of a {kind.lower()} without @; "), got)
