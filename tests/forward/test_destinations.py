# SPDX-License-Identifier: MIT
"""Invalid destinations: exit status 6, and a message with FILE:LINE and the expected value."""
import base64
import os

import pytest

from harness import sink
from harness.certificates import Authority
from harness.sink import SECRETS, Folders, check, run, write_file

# Not under ThreadSanitizer: the daemon reads its configuration before it starts threads.
pytestmark = [pytest.mark.running]

FOLDER = Folders.new()
WORD = "token-that-nobody-may-see"
sink.Watch.words.add(WORD.encode())
OF_DESTINATION = ("name, url, sources, types, secret, concurrency, timeout_seconds, ordered, "
                  "retry_seconds, park_statuses, ca_file")


def secret(name, text, mode=0o600):
    return write_file(f"{FOLDER}/{name}", text + "\n", mode)


def file_of(destinations, of_source=""):
    """A configuration whose destinations start at line 8."""
    return (f"store:\n  file: {FOLDER}/store\nsources:\n  - name: foil\n    scheme: foil\n"
            f"    secrets: [{{file: {The.foil}}}]{of_source}\ndestinations:\n{destinations}")


class The:
    foil = secret("foil", SECRETS["foil"])
    good = secret("good", "whsec_" + base64.b64encode(os.urandom(32)).decode())
    short = secret("short", "whsec_" + base64.b64encode(b"short").decode())
    plain = secret("plain", "this is no base64!")
    readable = secret("readable", "whsec_" + base64.b64encode(os.urandom(32)).decode(), 0o644)


def tried(text):
    path = write_file(f"{FOLDER}/hooklined.yaml", text)
    return path, run("--config", path, "--check")


def refused(sentence, line, text, *says, of_source=""):
    path, (code, out, err) = tried(file_of(text, of_source))
    last = err.splitlines()[-1] if err else ""
    check(f"{sentence} is refused, and where it stands is said",
          code == 6 and out == "" and last.startswith(f"hooklined: {path}:{line}: ") and
          all(s in last for s in says), text, code, out, err)


def accepted(sentence, text, of_source="", says=""):
    _, (code, out, err) = tried(file_of(text, of_source))
    check(f"{sentence} is good", code == 0 and out == "configuration is good: 1 source\n" and
          (says in err if says else err == ""), text, code, out, err)


def app(more="", name="app", url="https://app.example.com/hooks"):
    return f"  - name: {name}\n    url: {url}\n" + (f"    {more}\n" if more else "")


def test_good_ones():
    accepted("the least", app())
    accepted("all of it", app(f"""sources: [foil]
    types: ["a", "b.*"]
    secret: {{file: {The.good}}}
    concurrency: 256
    timeout_seconds: 3600
    ordered: false
    retry_seconds: [0, 2592000]
    ca_file: {Authority().file}"""))
    accepted("ordered", app("ordered: yes"))
    for key, most in (("concurrency", 256), ("timeout_seconds", 3600)):
        refused(f"0 in place of the default of {key}", 10, app(f"{key}: 0"),
                f"{key}: 0 is too small; type a whole number", f"from 1 to {most}")
    accepted("a short secret", app(f"secret: {{file: {The.short}}}"), says="destination app: a secret of 5 bytes can be guessed; use 24 or more\n")
    accepted("the application's answer", app(), "\n    answer: upstream")
    accepted("the application's answer beside a filter",
             app() + app('types: ["gate.*"]', "other"), "\n    answer: upstream")
    accepted("the daemon's own answer", app(), "\n    answer: stored")


def test_keys():
    refused("an unknown key", 10, app("uri: x"), "uri", "expected " + OF_DESTINATION)
    refused("a destination without a URL", 8, "  - name: app\n", "url")
    refused("a destination without a name", 8, "  - url: http://a/\n", "name")
    refused("an empty list of destinations", 8, "  []\n", "an empty list; type an item")
    refused("a name with a blank", 8, app(name="a b"), "letters, digits")
    refused("two of the same name", 10, app() + app(), "duplicate destination name app (first defined at ", "hooklined.yaml:8)")
    refused("a source that is not there", 10, app("sources: [foil, fiol]"), "unknown source fiol")
    refused("no whole number", 10, app("concurrency: 10m"), "10m has a unit; type a whole number from 1 to 256")
    refused("no whole number in a list", 10, app("retry_seconds: [5, 010]"),
            "010 has a leading zero, which may mean octal; type a whole number of seconds")
    refused("too many at one time", 10, app("concurrency: 257"), "257 is too large; type a whole number from 1 to 256")
    refused("too long a time", 10, app("timeout_seconds: 3601"), "3601 is too large; type a whole number of seconds from 1 to 3600")
    refused("too long a wait", 10, app("retry_seconds: [5, 2592001]"), "2592001 is too large; type", "from 0 to 2592000 (0: at once)")
    refused("ordered, several at one time", 11, app("ordered: true\n    concurrency: 2"),
            "one at a time")
    refused("ordered, neither true nor false", 10, app("ordered: maybe"), "expected true or false")
    refused("a certificate file that is not there", 10, app("ca_file: /nowhere"),
            "/nowhere: No such file")
    refused("a folder as a certificate file", 10, app("ca_file: /tmp"), "/tmp: not a regular file")
    refused("a file without a certificate", 10, app(f"ca_file: {The.foil}"),
            f"{The.foil}: no PEM certificate")


def test_urls():
    for sentence, url, says in (
            ("no URL", "app", "expected a URL"),
            ("another protocol", f"ftp://app/?{WORD}", "https:// or http://"),
            ("a URL with a password", f"https://user:{WORD}@app/", "user and password"),
            ("a URL with a user", f"https://{WORD}@app/", "user and password"),
            ("a URL with a fragment", f'"https://app/#{WORD}"', "never sent")):
        refused(sentence, 9, app(url=url), says)


def test_secrets():
    refused("a secret in two places", 10, app(f"secret: {{file: {The.good}, env: X}}"),
            "expected one of file, env and credential")
    refused("a secret that is not there", 10, app("secret: {file: /nowhere}"), "/nowhere")
    refused("a secret that others can read", 10, app(f"secret: {{file: {The.readable}}}"), "mode")
    refused("a secret that is none", 10, app(f"secret: {{file: {The.plain}}}"), "openssl rand")
    refused("a variable that is not set", 10, app("secret: {env: NOT_SET_HERE}"), "NOT_SET_HERE")


def test_upstream():
    answer = "\n    answer: upstream"  # line 7
    for sentence, text, says in (
            ("the answer of nobody", app('types: ["x.*"]'), "found 0"),
            ("the answer of two", app() + app(name="b"), "found 2"),
            ("the answer of who keeps an order", app("ordered: true"), "must not be ordered")):
        refused(sentence, 7, text, "source foil", says, of_source=answer)
    path, (code, _, err) = tried(file_of("", answer).replace("destinations:\n", ""))
    check("the answer of no destination at all is refused", code == 6 and
          f"{path}:7: source foil" in err and "found 0" in err, err)
    refused("an answer of another kind", 7, app(), "stored or upstream",
            of_source="\n    answer: later")


def test_command_line():
    arguments = ["--source", f"foil=foil:@{The.foil}", "--store", f"{FOLDER}/store", "--check"]
    for sentence, more, expected, says in (
            ("--forward", ["--forward", "https://app/"], 0, ""),
            ("--forward without a URL", ["--forward", WORD], 6, "command line: destination forward"),
            ("--forward with a password", ["--forward", f"https://u:{WORD}@app/"], 6,
             "user and password"),
            ("--forward twice", ["--forward", "https://a/", "--forward", "https://b/"], 2,
             "--forward given twice; for more destinations write a configuration file"),
            ("--forward beside --config", ["--forward", "https://a/", "--config", "x"], 2,
             "--config does not go with")):
        code, _, err = run(*arguments, *more)
        check(f"{sentence}: exit status {expected}", code == expected and says in err, code, err)
