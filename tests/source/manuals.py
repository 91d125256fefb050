# SPDX-License-Identifier: MIT
"""Shared code of the manual page tests: a parser of pages, runs of the programs, TAP."""
import os
import re
import subprocess
import sys

TOP, BUILD = os.environ.get("top_srcdir", "."), os.environ.get("top_builddir", "build")
DAEMON = os.path.join(BUILD, "hooklined")
TOOL = os.path.join(BUILD, "hookline")
PAGES = {"lib": ["libhookline.3", "hookline-schemes.7"], "daemon": ["hooklined.8", "hooklined.yaml.5"],
         "cli": ["hookline.1"]}
DEADLINE = 60  # s; a sanitized daemon on a busy machine is slow to start
SECRET = "0123456789abcdef" * 4  # valid as text, hex and base64

count = 0
failed = False


def report(passed, sentence, note=""):
    global count, failed
    count += 1
    failed |= not passed
    if not passed:
        for line in str(note).splitlines():
            print(f"# {line}")
    print(f"{'ok' if passed else 'not ok'} {count} - {sentence}", flush=True)


def skip(sentence, why):
    global count
    count += 1
    print(f"ok {count} - {sentence} # SKIP {why}", flush=True)


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def section(page, name):
    """Returns the text between `.Sh NAME` or `.Ss NAME` and the next heading of its kind."""
    kind, rest = re.split(rf"^\.(S[hs]) {name}\n", page, flags=re.M)[1:3]
    return re.split(r"^\.Sh " if kind == "Sh" else r"^\.S[hs] ", rest, flags=re.M)[0]


def items(text, macro):
    """Returns the first argument of each `.It MACRO`."""
    found = set()
    for line in re.findall(rf"^\.It {macro} (.*)$", text, re.M):
        found.update(re.findall(r"(?:^|, )([\w.]+)", line))
    return found


def examples(page, kind):
    """Yields the displays of a kind as rendered: further words of the comment, and the text."""
    displays = re.findall(rf'^\.\\" check: {kind} ?(.*)\n\.Bd .*\n((?:.*\n)*?)\.Ed$', page, re.M)
    return [(words, text.replace("\\&", "").replace("\\e", "\\")) for words, text in displays]


def same(of_code, of_page, sentence):
    note = [f"only in the code: {name}" for name in sorted(of_code - of_page)]
    note += [f"only in the manual: {name}" for name in sorted(of_page - of_code)]
    report(bool(of_code) and not note, sentence, "\n".join(note) or "nothing was found in the code")


def run(command, **more):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            timeout=DEADLINE, check=False, **more)
    return result.returncode, result.stdout


def keys_of_yaml(text):
    return set(re.findall(r"(?:^|[ {])(\w+):(?=\s)", re.sub(r"(?:^| )#.*", "", text, flags=re.M), re.M))


def switched_on(text):
    """Enables all commented-out YAML, see daemon/conf/print.c."""
    return re.sub(r"^#(?=[^\s#]|  )", "", text, flags=re.M)


def options_of_help(*command):
    shown = re.findall(r"^ +(?:(-\w), )?(--[\w-]+)", run([*command, "--help"])[1], re.M)
    return {option for both in shown for option in both if option}


def keys_of_table():
    """Returns the dotted key of each row in the daemon's table."""
    table = read("daemon/conf/table.c")
    keys = set(re.findall(r'\{\w+\("([\w.]+)"', table))
    secrets = set(re.findall(r'TEXT\(name "(\.\w+)"', table))
    for parent in re.findall(r'SECRET_ROWS\("([\w.]+)"', table):
        keys |= {parent + one for one in secrets}
    return keys


def numbers_shown(text):
    """Parses the numbers of --print-defaults: dotted key, range, default or example."""
    found, parents, comment, ranges = {}, [], "", {}
    for line in text.split("\n"):
        if re.match(r"# \S", line):
            comment = line
            member = re.match(r"# (\w+): .*\((.*)\)\.$", line)
            ranges.update({member[1]: member[2]} if member else {})
            continue
        key = re.match(r"#?( *)(- )?(\w+):(?: (.*))?$", line)
        if not key:
            continue
        indent = len(key[1]) + len(key[2] or "")
        parents = [one for one in parents if one[0] < indent] + [(indent, key[3])]
        path = ".".join(name for _, name in parents)
        limit = re.search(r"\(((?:\w+, )?\d+ (?:to \d+|or more)(?:; 0: [^)]*)?)\)\.$", comment)
        if limit:
            found[path] = (limit[1], key[4])
        for name, value in re.findall(r"(\w+): (\d+)", key[4] or "") if "{" in (key[4] or "") else []:
            found[f"{path}.{name}"] = (ranges[name], value)
            found.pop(path, None)
        comment, ranges = "", {}
    return found


def write_private(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def with_path(*folders):
    return dict(os.environ, PATH=":".join([os.path.abspath(one) for one in folders]
                                          + [os.environ["PATH"]]))


def daemon_checks(folder, config):
    """Runs `hooklined --check` on a configuration, after creating all of its secrets."""
    for name in re.findall(r"(?:- |\{)(?:file|credential): ([^\s}]+)", config):
        write_private(os.path.join(folder, name), SECRET)
    for certificate, key in re.findall(r"certificate: (\S+)\n(?:#.*\n)* +key: (\S+)", config):
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
             "-out", certificate, "-keyout", key], cwd=folder)
    write_private(os.path.join(folder, "hooklined.yaml"), config)
    environment = dict(os.environ, CREDENTIALS_DIRECTORY=folder,
                       **{name: SECRET for name in re.findall(r"\benv: (\w+)", config)})
    return run([DAEMON, "--config", "hooklined.yaml", "--check"], cwd=folder, env=environment)


def finish():
    print(f"1..{count}")
    sys.exit(failed)
