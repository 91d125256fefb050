# SPDX-License-Identifier: MIT
"""Completion in bash, zsh and fish: the test types keys at a terminal and reads the command line;
fish itself prints the completions of a line."""
import os
import pty
import re
import shlex
import shutil
import subprocess
import time

import pytest

from harness import cli
from harness.cli import Run, sink
from harness.sink import check, equal

# No marks: hookline runs only --help and schemes here; test_grammar.py and test_schemes.py cover
# both.

BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
SCRIPTS = os.path.join(os.path.abspath(sink.SOURCE), "cli", "completion")


def make_folder():
    """Folder in which the command lines are typed."""
    folder = sink.Folders.new()
    for name in ("body.json", "key with blank", "hooks/one", "sink.sock"):
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        sink.write_file(os.path.join(folder, name), "")
    return folder


def make_tools():
    """Folder with the built hookline, and with the scripts where each shell looks for them."""
    tools = sink.Folders.new()
    wrapped = shlex.join([*sink.WRAPPER, cli.TOOL])
    sink.write_file(os.path.join(tools, "hookline"), f'#!/bin/sh\nexec {wrapped} "$@"\n', 0o755)
    for name, where in (("hookline", "completions"), ("_hookline", "zsh"),
                        ("hookline.fish", "fish/vendor_completions.d")):
        os.makedirs(os.path.join(tools, where))
        shutil.copy(os.path.join(SCRIPTS, name), os.path.join(tools, where))
    return tools


class Shell:
    """Interactive shell with the built hookline, and its script. In `setup`, Ctrl-G prints the line
    between marks that no typed key contains, and clears it; Ctrl-Y inserts all completions."""
    command, setup = [], ""

    def __init__(self):
        folder, tools = make_folder(), make_tools()
        setup = sink.write_file(os.path.join(tools, "setup"),
                                self.setup.replace("TOOLS", shlex.quote(tools)) + "echo ready\n")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", PATH=tools + ":" + os.environ["PATH"],
                              HOOKLINE_TEST_SECRET="x", INPUTRC="/dev/null",
                              BASH_COMPLETION_USER_DIR=tools)
            os.execvp(self.command[0], self.command)
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
        return self.until(r"<([^>]*)>\r?\n")[1]

    def all(self, words):
        """Completions of the last word. Zsh appends the = of an option with a value to the last one."""
        line = self.line(words + "\x19")
        found = shlex.split(line)[len(shlex.split(words)) - (not words.endswith(" ")):]
        return {word.removesuffix("=") for word in found}

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


class Bash(Shell):
    command = ["bash", "--norc", "--noprofile", "-i"]
    setup = r"""
PS1= PS2= HISTFILE=
bind 'set enable-bracketed-paste off' 'set bell-style none' 2>/dev/null
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind '"\C-y": insert-completions'
show() { printf '\n<%s>\n' "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\C-g": show'
. TOOLS/completions/hookline
"""


class BashOfUsers(Bash):
    """bash-completion loads our script."""
    setup = Bash.setup.replace("TOOLS/completions/hookline", BASH_COMPLETION)


class Zsh(Shell):
    command = ["zsh", "-f", "-i"]
    setup = r"""
PS1= PS2= HISTFILE= LISTMAX=9999
unsetopt prompt_sp prompt_cr beep
bindkey -e
fpath=(TOOLS/zsh $fpath)
autoload -Uz compinit && compinit -D -u
show() { zle -I; print -r -- "<$BUFFER>"; BUFFER=; }
zle -N show
bindkey '^G' show
insert_all() { _main_complete; compstate[insert]=all compstate[list]=; }
zle -C insert-all complete-word insert_all
bindkey '^Y' insert-all
"""


def complete_in_fish(lines):
    """Returns the completions of each line, with their descriptions."""
    tools, home = make_tools(), sink.Folders.new()
    script = "for line in $argv; echo \x01; complete -C $line; end"
    done = subprocess.run(["fish", "-c", script, *lines], cwd=make_folder(), capture_output=True,
                          check=True, timeout=3 * sink.PATIENCE, text=True,
                          env=dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home,
                                   XDG_DATA_DIRS=f"{tools}:/usr/share", HOOKLINE_TEST_SECRET="x",
                                   PATH=tools + ":" + os.environ["PATH"]))
    return [dict((line + "\t").split("\t")[:2] for line in one.splitlines()[1:])
            for one in done.stdout.split("\x01")[1:]]


def options_of(command):
    return set(re.findall(r"^  (?:-\w, |    )(--[\w-]+)", Run(command, "--help").out, re.M))


def letters_of(command):
    return set(re.findall(r"^  (-\w), --", Run(command, "--help").out, re.M))


def schemes():
    return {row["name"] for row in map(cli.json.loads, Run("schemes", "--json").out.splitlines())}


def commands():
    return dict(re.findall(r"^  (\w+) +(\S.*)", Run("--help").out, re.M))


@pytest.fixture(name="shell", params=[Bash, Zsh], ids=["bash", "zsh"])
def make_shell(request):
    if shutil.which(request.param.command[0]) is None:
        pytest.skip(f"no {request.param.command[0]}")
    shell = request.param()
    yield shell
    shell.end()


@pytest.fixture
def bash_of_users():
    if not os.path.exists(BASH_COMPLETION):
        pytest.skip("no bash-completion")
    shell = BashOfUsers()
    yield shell
    shell.end()


def test_words(shell):
    equal("a command is completed", shell.line("hookline ver\t"), "hookline verify ")
    equal("all commands are offered", shell.all("hookline ") - {"-h", "-V"},
          set(commands()) | {"--help", "--version"})
    for command in sorted(commands()):
        equal(f"{command}: its options are those of its help", shell.all(f"hookline {command} --"),
              options_of(command))
        equal(f"{command}: so are their letters", shell.all(f"hookline {command} -"),
              options_of(command) | letters_of(command))
    equal("what is no command has no completion", shell.line("hookline pong --\t"), "hookline pong --")


# Sentence, command line, the line after a tab.
VALUES = [
    ("a scheme is completed", "sign --scheme tru\t", "sign --scheme trulayer "),
    ("also behind a =", "sign --scheme=tru\t", "sign --scheme=trulayer "),
    ("also as an argument", "schemes tru\t", "schemes trulayer "),
    ("a file is completed", "verify --body bo\t", "verify --body body.json "),
    ("a blank in its name is quoted", "verify --body ke\t", "verify --body key\\ with\\ blank "),
    ("a file behind an @ is completed", "sign --data @bo\t", "sign --data @body.json "),
    ("but a text is not", "sign --data bo\t", "sign --data bo"),
    ("a folder is completed", "emulate --keys hooks\t", "emulate --keys hooks/"),
    ("a fault is completed", "send --fault du\t", "send --fault duplicate"),
    ("and a further one", "send --fault stale=9,du\t", "send --fault stale=9,duplicate"),
    ("a file with a secret is completed", "verify --secret @bod\t", "verify --secret @body.json "),
    ("and a folder on the way to one", "verify --secret @hook\ton\t", "verify --secret @hooks/one "),
    ("also behind the letter of its option", "verify -s @bod\t", "verify -s @body.json "),
    ("as is a file", "verify -c bo\t", "verify -c body.json "),
    ("and a fault", "send -f du\t", "send -f duplicate"),
    ("a letter without a value has none", "ping -q tru\t", "ping -q trulayer "),
    ("a variable with a secret is completed", "verify --secret env:HOOKLINE_T\t",
     "verify --secret env:HOOKLINE_TEST_SECRET "),
    ("the sink's socket is completed", "wait --sink unix:sin\t", "wait --sink unix:sink.sock "),
    ("an argument that is a number has none", "discard bo\t", "discard bo"),
]


def test_values(shell):
    for sentence, keys, line in VALUES:
        equal(sentence, shell.line("hookline " + keys), "hookline " + line)
    equal("--scheme offers the names of schemes", shell.all("hookline verify --scheme "), schemes())
    equal("schemes offers them, too", shell.all("hookline schemes "), schemes())
    equal("where a secret can be is offered", shell.all("hookline verify --secret "),
          {"@", "env:", "credential:"})
    equal("ping offers the providers", shell.all("hookline ping "),
          {"foil", "tripwire", "shodai", "trulayer", "emulated"})


def test_zsh_descriptions():
    if shutil.which("zsh") is None:
        pytest.skip("no zsh")
    shell = Zsh()
    for keys, seen in (("hookline s\t", "sign +-- Sign a body and print the signature headers"),
                       ("hookline verify --s\t", r"--secret +-- read the signing secret from @FILE, "
                        r"env:VARIABLE or credential:NAME; repeatable"),
                       ("hookline sign --scheme s\t", "stripe +-- Stripe"),
                       ("hookline send --fault t\t", "tamper +-- change one character")):
        shell.type(keys)
        check(f"{keys[:-1]}: a description is shown", shell.until(seen))
        shell.line("")
    shell.end()


def test_fish():
    if shutil.which("fish") is None:
        pytest.skip("no fish")
    names = sorted(commands())
    tries = [(sentence, keys[:-1], line) for sentence, keys, line in VALUES if keys.count("\t") == 1]
    got = complete_in_fish(["hookline ", "hookline -", "hookline pong --", "hookline verify --scheme ",
                            "hookline verify --secret ", "hookline ping ",
                            *[f"hookline {keys}" for _, keys, _ in tries],
                            *[f"hookline {name} -" for name in names]])
    equal("all commands are offered, each with its summary", got.pop(0), commands())
    equal("and the options of the tool", set(got.pop(0)), {"-h", "-V", "--help", "--version"})
    equal("what is no command has no completion", got.pop(0), {})
    found = got.pop(0)
    equal("--scheme offers the names of schemes", set(found), schemes())
    equal("each with its title", found["stripe"], "Stripe")
    equal("where a secret can be is offered", set(got.pop(0)), {"@", "env:", "credential:"})
    equal("ping offers the providers", set(got.pop(0)), {"foil", "tripwire", "shodai", "trulayer", "emulated"})
    for sentence, keys, line in tries:
        # The whole last word is completed; without a completion it stays as typed.
        done = keys.rsplit(" ", 1)[0] + " " + next(iter(got.pop(0)), keys.rsplit(" ", 1)[1])
        equal(sentence, done, line.replace("\\ ", " ").removesuffix(" "))
    found = dict(zip(names, got))
    for name in names:
        equal(f"{name}: its options are those of its help", set(found[name]),
              options_of(name) | letters_of(name))
        check(f"{name}: each has a description", all(found[name].values()), found[name])
    equal("a description is the whole text of the help", found["emulate"]["--store"],
          "keep endpoints, events and deliveries there; default: in memory")


def test_loaded(bash_of_users):
    for sentence, keys, line in (
            ("a command", "hookline pi\t", "hookline ping "),
            ("an option", "hookline ping --org\t", "hookline ping --organization "),
            ("a value", "hookline sign --scheme=tru\t", "hookline sign --scheme=trulayer "),
            ("a value with a colon", "hookline verify --secret env:HOOKLINE_T\t",
             "hookline verify --secret env:HOOKLINE_TEST_SECRET ")):
        equal(f"loaded by bash-completion: {sentence} is completed",
              bash_of_users.line(keys), line)
