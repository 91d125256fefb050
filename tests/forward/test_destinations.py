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
OF_DESTINATION = ("name, url, socket, sources, types, secret, concurrency, timeout_seconds, ordered, "
                  "retry_seconds, park_statuses, rate, headers, query, add_headers, basic, bearer, "
                  "ca_file, certificate, key")


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
    word = secret("word", WORD)
    blank = secret("blank", WORD + " ")
    two_words = secret("two_words", f"Bearer {WORD}")
    two_lines = secret("two_lines", f"a\n{WORD}")
    empty = secret("empty", "")
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
            ("a host that is not ASCII", "https://b\xfccher.example/", "type its xn-- form"),
            ("such a host with escapes", "https://b%C3%BCcher.example/", "type its xn-- form"),
            ("a URL with a fragment", f'"https://app/#{WORD}"', "never sent")):
        refused(sentence, 9, app(url=url), says)


def test_secrets():
    refused("a secret in two places", 10, app(f"secret: {{file: {The.good}, env: X}}"),
            "expected one of file, env and credential")
    refused("a secret that is not there", 10, app("secret: {file: /nowhere}"), "/nowhere")
    refused("a secret that others can read", 10, app(f"secret: {{file: {The.readable}}}"), "mode")
    refused("a secret that is none", 10, app(f"secret: {{file: {The.plain}}}"), "openssl rand")
    refused("a variable that is not set", 10, app("secret: {env: NOT_SET_HERE}"), "NOT_SET_HERE")


def test_headers():
    accepted("each list of headers", app('headers: ["*", "X-GitHub-*", x_shop_topic]'))
    for pattern, says in (("X-*-Y", "not a header's name"), ("**", "not a header's name"),
                          ("X Y", "not a header's name"), ("X Y*", "not a header's name"),
                          ("b\xfc", "not a header's name"), ("X-A:", "not a header's name"),
                          ("Cookie", "the sender's Cookie is never forwarded"),
                          ("authorization", "is never forwarded"),
                          ("Hookline-Seq", "is never forwarded"),
                          ("Content-Length", "is never forwarded"), ("TE", "is never forwarded")):
        refused(f"headers: {pattern}", 10, app(f'headers: [X-A, "{pattern}"]'), says)
    refused("an empty list of headers", 10, app("headers: []"), "an empty list")
    refused("query, neither true nor false", 10, app("query: some"), "expected true or false")


def added(*headers, more=""):
    return app("add_headers:\n" + "\n".join(f"      - {one}" for one in headers) + more)


def test_added_headers():
    accepted("headers that are added", added(
        "{name: X-Tenant, value: \"42\"}", "{name: Host, value: inside.example}",
        "{name: Authorization, value: Digest x}", "{name: Cookie, value: a=b}",
        "{name: Webhook-Id, value: x}", f"{{name: X-Api-Key, file: {The.word}}}"))
    for sentence, header, says in (
            ("of the connection", "{name: Connection, value: close}", "hooklined's own header"),
            ("of the frame", "{name: content_length, value: \"7\"}", "hooklined's own header"),
            ("of ours", "{name: Hookline-Seq, value: \"7\"}", "hooklined's own header"),
            ("that is no name", "{name: X Y, value: x}", "not a header's name"),
            ("with a line end in the name", '{name: "X\\r\\nY", value: x}', "not a header's name"),
            ("with a line end in the value", '{name: X-A, value: "x\\nX-B: y"}', "control character"),
            ("with a blank at an end", '{name: X-A, value: " x"}', "a blank at an end"),
            ("without a value", "{name: X-A}", "expected one of"),
            ("with two values", f"{{name: X-A, value: x, file: {The.word}}}",
             "expected one of value, file, env and credential"),
            ("with two places", f"{{name: X-A, env: X, file: {The.word}}}", "expected one of"),
            ("with an empty value", '{name: X-A, value: ""}', "empty"),
            ("from a file that is not there", "{name: X-A, file: /nowhere}", "/nowhere"),
            ("from a file that others can read", f"{{name: X-A, file: {The.readable}}}", "mode"),
            ("from a file of two lines", f"{{name: X-A, file: {The.two_lines}}}", "one line"),
            ("from an empty file", f"{{name: X-A, file: {The.empty}}}", "an empty value"),
            ("from a file with a blank", f"{{name: X-A, file: {The.blank}}}", "a blank at an end"),
            ("from a variable that is not set", "{name: X-A, env: NOT_SET_HERE}", "NOT_SET_HERE")):
        refused(f"a header {sentence}", 11, added(header), says)
    refused("the same header twice", 12, added("{name: X-A, value: x}", "{name: x_a, value: y}"),
            "a second x_a; delete one of them")
    refused("a header of the signature", 11, added(
        "{name: webhook-id, value: x}", more=f"\n    secret: {{file: {The.good}}}"),
        "part of the signature by secret")


def test_credentials():
    basic = f"basic: {{user: hook, password: {{file: {The.word}}}}}"
    bearer = f"bearer: {{file: {The.word}}}"
    accepted("basic", app(basic))
    accepted("bearer", app(bearer))
    refused("basic and bearer", 11, app(f"{basic}\n    {bearer}"), "basic and bearer; delete one")
    refused("basic and Authorization", 12,
            app(f"{basic}\n    add_headers:\n      - {{name: authorization, value: x}}"),
            "a second authorization")
    refused("a user with a colon", 10, app(basic.replace("hook", '"a:b"')), "without colons")
    refused("a user without a password", 10, app("basic: {user: hook}"), "password is missing")
    refused("a password without a user", 10, app(f"basic: {{password: {{file: {The.word}}}}}"),
            "user is missing")
    refused("a password without a place", 10, app("basic: {user: hook, password: {label: x}}"),
            "label")
    refused("a password that is empty", 10, app(basic.replace(The.word, The.empty)), "an empty value")
    refused("a token with a blank", 10, app(bearer.replace(The.word, The.two_words)),
            "type the token alone, without Bearer")
    refused("a token that others can read", 10, app(bearer.replace(The.word, The.readable)), "mode")


def test_connections():
    authority = Authority()
    certificate, key = authority.issue("client")
    _, other = authority.issue("client")
    both = f"certificate: {certificate}\n    key: {key}"
    accepted("a client certificate", app(both))
    refused("a certificate without a key", 10, app(f"certificate: {certificate}"), "type both")
    refused("a key without a certificate", 10, app(f"key: {key}"), "type both")
    refused("a certificate without TLS", 10, app(both, url="http://app.example.com/"), "https://")
    refused("a key of another certificate", 11, app(both.replace(key, other)), "does not match")
    refused("a key that is not there", 11, app(both.replace(key, "/nowhere")), "/nowhere: No such file")
    refused("a key that is none", 11, app(both.replace(key, certificate)), "")
    refused("a certificate that is none", 10, app(both.replace(certificate, The.word)),
            "no PEM certificate")
    accepted("a socket that is not there yet", app("socket: /run/app.sock"))
    refused("a socket with a relative path", 10, app("socket: app.sock"), "begins with /")
    refused("a socket with a long path", 10, app("socket: /" + 107 * "x"), "107")


def test_rates():
    accepted("a rate", app("rate: {per_second: 1000000, burst: 1}"))
    accepted("a rate without a burst", app("rate: {per_second: 1}"))
    refused("a rate without a number", 10, app("rate: {burst: 1}"), "per_second is missing")
    refused("no rate at all", 10, app("rate: {per_second: 0}"), "0 is too small")


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
