# SPDX-License-Identifier: MIT
"""Bash completion: the test types keys at a terminal and reads the command line."""
import os
import pty
import re
import shlex
import shutil
import time

import pytest

from harness import cli
from harness.cli import Run, sink
from harness.sink import equal

# No marks: hookline runs only --help and schemes here; test_grammar.py and test_schemes.py cover
# both.

BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
SCRIPT = os.path.join(os.path.abspath(sink.SOURCE), "cli", "hookline.bash-completion")
# Ctrl-G prints the line between marks that no typed key contains, and clears it; Ctrl-Y inserts all
# completions.
SETUP = r"""
PS1= PS2= HISTFILE=
bind 'set enable-bracketed-paste off' 'set bell-style none' 2>/dev/null
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind '"\C-y": insert-completions'
show() { printf '\n<%s>\n' "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\C-g": show'
"""


class Bash:
    """Interactive bash with the built hookline. It sources our script, or `loader`, which finds the
    script in the user's folder under its installed name."""
    def __init__(self, loader=None):
        self.folder = sink.Folders.new()
        for name in ("body.json", "key with blank", "hooks/one", "sink.sock"):
            os.makedirs(os.path.dirname(os.path.join(self.folder, name)), exist_ok=True)
            sink.write_file(os.path.join(self.folder, name), "")
        tools = sink.Folders.new()
        wrapped = shlex.join([*sink.WRAPPER, cli.TOOL])
        sink.write_file(os.path.join(tools, "hookline"), f'#!/bin/sh\nexec {wrapped} "$@"\n', 0o755)
        os.mkdir(os.path.join(tools, "completions"))
        shutil.copy(SCRIPT, os.path.join(tools, "completions", "hookline"))
        setup = sink.write_file(os.path.join(tools, "setup"),
                                SETUP + f"source {shlex.quote(loader or SCRIPT)}\necho ready\n")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.folder)
            os.environ.update(TERM="dumb", PATH=tools + ":" + os.environ["PATH"],
                              HOOKLINE_TEST_SECRET="x", INPUTRC="/dev/null",
                              BASH_COMPLETION_USER_DIR=tools)
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.seen = ""
        self.type(f"stty -echo cols 4000; . {shlex.quote(setup)}\n")
        self.until("ready\r?\n")

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def until(self, pattern):
        end = time.monotonic() + sink.PATIENCE
        while not (found := re.search(pattern, self.seen)):
            if time.monotonic() > end:
                raise AssertionError(f"{pattern} did not come: {self.seen!r}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

    def line(self, keys):
        """Command line after these keys."""
        self.type(keys + "\x07")
        return self.until(r"\n<([^>]*)>\r?\n")[1]

    def all(self, words):
        """Completions of the last word."""
        line = self.line(words + "\x19")
        return set(shlex.split(line)[len(shlex.split(words)) - (not words.endswith(" ")):])

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def options_of(command):
    return set(re.findall(r"^  (?:-\w, |    )(--[\w-]+)", Run(command, "--help").out, re.M))


def letters_of(command):
    return set(re.findall(r"^  (-\w), --", Run(command, "--help").out, re.M))


@pytest.fixture
def bash():
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    shell = Bash()
    yield shell
    shell.end()


@pytest.fixture
def bash_of_users():
    """bash-completion loads our script."""
    if not os.path.exists(BASH_COMPLETION):
        pytest.skip("no bash-completion")
    shell = Bash(BASH_COMPLETION)
    yield shell
    shell.end()


def test_words(bash):
    commands = set(re.findall(r"^  (\w+) ", Run("--help").out, re.M))
    equal("a command is completed", bash.line("hookline ver\t"), "hookline verify ")
    equal("all commands are offered", bash.all("hookline "), commands | {"--help", "--version"})
    for command in sorted(commands):
        equal(f"{command}: its options are those of its help", bash.all(f"hookline {command} --"),
              options_of(command))
        equal(f"{command}: so are their letters", bash.all(f"hookline {command} -"),
              options_of(command) | letters_of(command))
    equal("what is no command has no completion", bash.line("hookline pong --\t"), "hookline pong --")


def test_values(bash):
    schemes = {row["name"] for row in map(cli.json.loads, Run("schemes", "--json").out.splitlines())}
    equal("--scheme offers the names of schemes", bash.all("hookline verify --scheme "), schemes)
    equal("schemes offers them, too", bash.all("hookline schemes "), schemes)
    equal("a name is completed", bash.line("hookline sign --scheme tru\t"),
          "hookline sign --scheme trulayer ")
    equal("also behind a =", bash.line("hookline sign --scheme=tru\t"),
          "hookline sign --scheme=trulayer ")
    equal("a file is completed", bash.line("hookline verify --body bo\t"),
          "hookline verify --body body.json ")
    equal("a blank in its name is quoted", bash.line("hookline verify --body ke\t"),
          "hookline verify --body key\\ with\\ blank ")
    equal("a folder is completed", bash.line("hookline emulate --keys hooks\t"),
          "hookline emulate --keys hooks/")
    equal("a fault is completed", bash.line("hookline send --fault du\t"),
          "hookline send --fault duplicate")
    equal("and a further one", bash.line("hookline send --fault stale=9,du\t"),
          "hookline send --fault stale=9,duplicate")
    equal("where a secret can be is offered", bash.all("hookline verify --secret "),
          {"@", "env:", "credential:"})
    equal("a file with a secret is completed", bash.line("hookline verify --secret @bod\t"),
          "hookline verify --secret @body.json ")
    equal("and a folder on the way to one", bash.line("hookline verify --secret @hook\ton\t"),
          "hookline verify --secret @hooks/one ")
    equal("also behind the letter of its option", bash.line("hookline verify -s @bod\t"),
          "hookline verify -s @body.json ")
    equal("as is a file", bash.line("hookline verify -c bo\t"), "hookline verify -c body.json ")
    equal("and a fault", bash.line("hookline send -f du\t"), "hookline send -f duplicate")
    equal("a letter without a value has none", bash.line("hookline ping -q tru\t"),
          "hookline ping -q trulayer ")
    equal("a variable with a secret is completed",
          bash.line("hookline verify --secret env:HOOKLINE_T\t"),
          "hookline verify --secret env:HOOKLINE_TEST_SECRET ")
    equal("the sink's socket is completed", bash.line("hookline wait --sink unix:sin\t"),
          "hookline wait --sink unix:sink.sock ")
    equal("ping offers the providers", bash.all("hookline ping "),
          {"foil", "shodai", "trulayer", "emulated"})


def test_loaded(bash_of_users):
    for sentence, keys, line in (
            ("a command", "hookline pi\t", "hookline ping "),
            ("an option", "hookline ping --org\t", "hookline ping --organization "),
            ("a value", "hookline sign --scheme=tru\t", "hookline sign --scheme=trulayer "),
            ("a value with a colon", "hookline verify --secret env:HOOKLINE_T\t",
             "hookline verify --secret env:HOOKLINE_TEST_SECRET ")):
        equal(f"loaded by bash-completion: {sentence} is completed",
              bash_of_users.line(keys), line)
