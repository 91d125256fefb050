# SPDX-License-Identifier: MIT
"""Configuration: every key, every error, and no secret in any message."""
import os
import resource
import subprocess

import pytest

from harness import sink
from harness.sink import SECRETS, Daemon, Folders, check, equal, run, skip, write_file

# Not for ThreadSanitizer: the daemon reads its configuration before it starts threads. Some of each
# kind for AddressSanitizer, under which a start takes ten times as long.

PLAIN = "whsec_PLAINTEXT_that_nobody_may_see"
GOOD = "sources:\n  - name: foil\n    scheme: foil\n    secrets:\n      - file: {secret}\n"
SCHEMES = "foil, tripwire, shodai, trulayer, standard, svix, stripe, github, slack"
TOP = "listen, trusted_proxies, health_path, threads, log, store, limits, admin, sources"
OF_SOURCE = "name, path, scheme, description, url, secrets, tolerance_seconds"
OF_LIMITS = "body_bytes, head_bytes, bodies_bytes, connections, connections_per_address, header_seconds"


# With and without --check; with it alone under a sanitizer, where a start takes ten times as long and
# the reader of the file is the same.
RUNS = 1 if os.environ.get("PYTEST_MARKS") == "running" else 2


class The:
    folder = secret = None


sink.Watch.words.add(PLAIN.encode())


@pytest.fixture(scope="module", autouse=True)
def folder():
    The.folder = Folders.new()
    The.secret = write_file(f"{The.folder}/secret", SECRETS["foil"] + "\n")


def put_secret(text):
    if isinstance(text, bytes):
        return text.replace(b"{secret}", The.secret.encode())
    return text.replace("{secret}", The.secret)


def refused(name, text, line, *says, env=None):
    """Exit status 6, empty standard output, and FILE:LINE with the error."""
    path = write_file(f"{The.folder}/hooklined.yaml", put_secret(text))
    where = f"hooklined: {path}:{line}: " if line else f"hooklined: {path}: "
    for arguments in (["--config", path, "--check"], ["--config", path])[:RUNS]:
        code, out, err = run(*arguments, env=env)
        last = err.splitlines()[-1] if err else ""
        good = code == 6 and out == "" and last.startswith(where) and all(s in last for s in says)
        if not good:
            break
    check(f"{name} is refused, and where it stands is said", good, text, code, out, err,
          f"expected {where} ... {says}")


def said(count):
    return f"configuration is good: {count} source{'s' if count != 1 else ''}\n"


def accepted(name, text, env=None, says="", encoding="utf-8"):
    path = write_file(f"{The.folder}/hooklined.yaml",
                      text.replace("{secret}", The.secret).encode(encoding))
    code, out, err = run("--config", path, "--check", env=env)
    count = text.count("scheme:") + text.count("description:")
    check(f"{name} is good", code == 0 and out == said(count) and
          (says in err if says else err == ""), text, code, out, err)


def test_every_key():
    url = "https://example.com/shop"
    text = GOOD + f"""    path: /hooks/foil
    tolerance_seconds: 60
  - name: Shop-1_a.b
    description: |
      signature X-Shop-Signature; encoding base64;
      content {{url}}{{body}}
    url: {url}
    secrets:
      - env: SHOP_SECRET
      - credential: shop
listen:
  - address: 127.0.0.1:0
  - address: 127.0.0.2:0
threads: 2
log:
  file: {The.folder}/log
  body: true
limits:
  body_bytes: 2000
  connections: 50
  header_seconds: 605
  body_seconds: 606
  idle_seconds: 607
  shutdown_seconds: 608
"""
    secrets = ["shop-secret-number-one", "shop-secret-number-two"]
    sink.Watch.words |= {s.encode() for s in secrets}
    write_file(f"{The.folder}/shop", secrets[1])
    env = {"SHOP_SECRET": secrets[0], "CREDENTIALS_DIRECTORY": The.folder}
    accepted("a file with every key", text, env)
    path = write_file(f"{The.folder}/every.yaml", text.replace("{secret}", The.secret))
    daemon = Daemon(arguments=["-c", path], env=env)
    daemon.log = f"{The.folder}/log"
    equal("each address is listened to", len(daemon.addresses(2)), 2)
    equal("path: it answers there", daemon.deliver("foil", path="/hooks/foil").status, 200)
    equal("path: and not under its name", daemon.deliver("foil").status, 404)
    equal("body: the log holds the payload", "body" in daemon.lines()[0], True)
    now = int(sink.time.time())
    late = sink.sample_body("foil", id="evt_late")
    equal("tolerance_seconds: 70 s are too many",
          daemon.deliver("foil", late, path="/hooks/foil", now=now - 70).code, "timestamp_too_old")
    equal("body_bytes: 2001 are too many", daemon.send("/hooks/foil", body=b"x" * 2001).status, 413)
    for index, secret in enumerate(secrets):
        body = b"an order"
        mac = sink.mac_of(secret.encode(), url.encode() + body, sink.base64_text)
        answer = daemon.send("/Shop-1_a.b", [("X-Shop-Signature", mac)], body)
        line = daemon.lines()[-1]
        equal(f"description, url, env and credential: secret {index} verifies",
              (answer.status, line["source"], line["scheme"], line["secret"]),
              (200, "Shop-1_a.b", "custom", index))
    with open(f"/proc/{daemon.process.pid}/cmdline", "rb") as file:
        sink.Watch.see("command line", file.read())


@pytest.mark.running
def test_keys_and_types():
    refused("an unknown key", GOOD + "thread: 3\n", 6, "thread;", "expected " + TOP)
    refused("an unknown key of a source", GOOD + "    secret: " + PLAIN + "\n", 6, "secret",
            "expected " + OF_SOURCE)
    refused("an unknown key of a second source",
            GOOD + "  - name: b\n    schema: foil\n    secrets: [{file: {secret}}]\n", 7, "schema",
            "expected " + OF_SOURCE)
    refused("an unknown key of the limits", GOOD + "limits:\n  body_bytes: 1\n  bodies: 2\n", 8,
            "bodies", "expected " + OF_LIMITS)
    refused("an unknown key of the log", GOOD + "log:\n  path: x\n", 7, "path",
            "expected file, body")
    refused("an unknown key of a secret", GOOD + "      - path: x\n", 6, "path",
            "expected file, env, credential")
    refused("an unknown key of an address", GOOD + "listen:\n  - port: 80\n", 7, "port",
            "expected address")
    refused("a key given twice", GOOD + "threads: 1\nthreads: 2\n", 7, "threads")
    refused("a source that is a text", "sources: foil\n", 1, "expected a list")
    refused("a list where a mapping belongs", GOOD + "limits: [1]\n", 6, "expected a mapping")
    refused("a secret written into the file", GOOD.replace("file: {secret}", PLAIN), 5, "expected a mapping")
    refused("a secret in place of the list",
            GOOD.replace("\n      - file: {secret}", f" {PLAIN}"), 4, "expected a list")
    refused("a text in place of a boolean", GOOD + "log:\n  body: maybe\n", 7, "true or false")
    for word in ("true", "false", "yes", "no", "on", "off", "True", "NO"):
        accepted(f"body: {word}", GOOD + f"log:\n  body: {word}\n")


@pytest.mark.first
def test_numbers():
    for text, says in (("many", "is not a number"), ("10m", "has a unit"), ("1.5", "is not a whole number"),
                       ("0x10", "is hexadecimal"), ("0o17", "is not decimal"), ("010", "octal"),
                       ("-1", "is negative"), ("1e3", "is not a whole number"), ("''", "in quotes"),
                       ("+1", "has a sign"), ("1_000", "has an underscore"), (".5", "is not a whole number"),
                       ('"5"', '"5" is in quotes'), ("'5'", "without quotes"), ("~", "no value"),
                       ("null", "no value"), ("", "no value"), ("-0", "is negative"), ("00", "octal"),
                       ("1 000", "has a unit")):
        refused(f"the number {text}", GOOD + f"limits:\n  body_bytes: {text}\n", 7, "limits.body_bytes: ", says,
                "; type a whole number of bytes from 1 to 536870912")
    for text in ("18446744073709551616", "99999999999999999999999999"):
        refused(f"the number {text}", GOOD + f"limits:\n  body_bytes: {text}\n", 7, f"{text} is too large")
    refused("threads: 4294967296", GOOD + "threads: 4294967296\n", 6)
    for key, least, most in (
            ("body_bytes", 1, 536870912), ("head_bytes", 1, 409600), ("connections", 1, 4294967295),
            ("connections_per_address", 0, 4294967295), ("header_seconds", 1, 86400),
            ("body_seconds", 1, 86400), ("idle_seconds", 1, 86400), ("shutdown_seconds", 1, 86400),
            ("refused_per_minute", 0, 10000)):
        def limits(number, key=key):
            other = "idle_seconds" if key == "connections" else "connections"
            return GOOD + f"limits:\n  {other}: 50\n  {key}: {number}\n"
        accepted(f"{key}: {most}", limits(most))
        accepted(f"{key}: {least}", limits(least))
        if least > 0:
            refused(f"{key}: 0", limits(0), 8, f"{key}: 0 is too small; type a whole number",
                    f"from 1 to {most}")
        for number, says in ((most + 1, f"{most + 1} is too large; "), (1 << 64, "too large"), ("-1", "negative"),
                             ("1.5", "whole number"), ("", "no value"), ("null", "no value"),
                             ("[1]", "found a list"), ("{a: 1}", "found a mapping"),
                             ("1x", "has a unit")):
            refused(f"{key}: {number}", limits(number), 8, f"{key}: ", says, "type a whole number",
                    f"from {least} to {most}")
    refused("threads: 257", GOOD + "threads: 257\n", 6, "0 to 256 (0: one per processor but one)")
    accepted("threads: 0, which is one per processor but one,", GOOD + "threads: 0\n")
    refused("a tolerance over a day", GOOD + "    tolerance_seconds: 86401\n", 6, "86400")
    refused("a tolerance with a unit", GOOD + "    tolerance_seconds: 5m\n", 6, "has a unit; type 300, a whole number")
    refused("a tolerance below zero", GOOD + "    tolerance_seconds: -1\n", 6, "whole number")
    accepted("a tolerance of a day", GOOD + "    tolerance_seconds: 86400\n")
    accepted("a tolerance of 0", GOOD + "    tolerance_seconds: 0\n")


def test_zeros():
    """Zero is a documented value or an error, never a hidden default."""
    for key, most in (("keep_days", "from 1 to 36500"), ("queue_bytes", "from 1 on"),
                      ("free_bytes_min", "from 1 on")):
        refused(f"{key}: 0", GOOD + f"store:\n  {key}: 0\n", 7, f"store.{key}: 0 is too small; type ", most)
        accepted(f"{key}: 1", GOOD + f"store:\n  {key}: 1\n")
    accepted("max_bytes: 0, which is no limit,", GOOD + "store: {max_bytes: 0}\n")
    refused("max_bytes that SQLite has no number for", GOOD + "store:\n  max_bytes: 9223372036854775808\n", 7,
            "too large")
    accepted("max_bytes: the largest of them", GOOD + "store: {max_bytes: 9223372036854775807}\n")
    app = GOOD + "destinations:\n  - name: app\n    url: http://127.0.0.1:1/\n"
    for key, most in (("concurrency", 256), ("timeout_seconds", 3600)):
        refused(f"{key}: 0", app + f"    {key}: 0\n", 9, f"destinations.{key}: 0 is too small; type ",
                f"from 1 to {most}")
    accepted("a wait of 0 before the next attempt", app + "    retry_seconds: [0, 5]\n")
    refused("per_second: 0", GOOD + "    rate: {per_second: 0}\n", 6, "0 is too small", "from 1 to 1000000")
    accepted("burst: 0, which is as per_second,", GOOD + "    rate: {per_second: 1, burst: 0}\n")


def test_units():
    """The message converts a value with a unit into the number to type."""
    for text, number in (("10s", 10), ("2m", 120), ("5 min", 300), ("1h", 3600), ("1d", 86400)):
        refused(f"idle_seconds: {text}", GOOD + f"limits:\n  idle_seconds: {text}\n", 7,
                f"{text} has a unit; type {number}, a whole number of seconds")
    for text, number in (("1KiB", 1024), ("1 MiB", 1048576), ("64MiB", 67108864)):
        refused(f"body_bytes: {text}", GOOD + f"limits:\n  body_bytes: {text}\n", 7,
                f"{text} has a unit; type {number}, a whole number of bytes")
    for text in ("2GiB", "1k", "1MB", "99999999999999999999d", "18446744073709551615KiB"):
        refused(f"body_bytes: {text}", GOOD + f"limits:\n  body_bytes: {text}\n", 7,
                f"{text} has a unit; type a whole number of bytes")


def test_templates():
    for text in ("{{ file }}", "'{{ file }}'", "x-{{ file }}", "${FILE}", "/etc/${NAME}/x"):
        refused(f"the file {text}", GOOD + f"log:\n  file: {text}\n", 7, "log.file: unexpanded ",
                "; hooklined expands nothing, so type the value")
    for text in ("{{ n }}", "${N}"):
        refused(f"the number {text}", GOOD + f"threads: {text}\n", 6, "threads: unexpanded ")
    refused("the flag {{ on }}", GOOD + "log:\n  body: {{ on }}\n", 7, "log.body: unexpanded {{template}}")
    refused("the list {{ all }}", GOOD + "    allow: {{ all }}\n", 6, "sources.allow: unexpanded {{template}}")
    refused("a key that is a template", GOOD + "{{ key }}: 1\n", 6,
            "key must be a string; unexpanded {{template}}?")
    refused("a template in a list", GOOD + "    allow: [{{ a }}]\n", 6, "sources.allow: unexpanded {{template}}")


@pytest.mark.running
def test_syntax():
    """One line per error, with the text to type."""
    for name, text, line, says in (
            ("a [ that is not closed", "trusted_proxies: [a\n", 6, "a [ that is not closed; type ]"),
            ("a { that is not closed", "log: {file: x\nthreads: 1\n", 6, "a { that is not closed; type }"),
            ("a quote that is not closed", "log:\n  file: 'x\n", 7, "a quote that is not closed"),
            ("a tab in the indentation", "log:\n\tbody: true\n", 7, "a tab in the indentation; type spaces"),
            ("a second colon", "log:\n  file: x\n   body: true\n", 8, 'a second ": " in one line, or wrong'),
            ("a key without its colon", "log\n", 7, "type KEY: VALUE"),
            ("a list item among keys", "- a\n", 6, "correct the indentation"),
            ("a key that is indented too little", "log:\n  body: true\n threads: 1\n", 8, "correct the indentation"),
            ("a bracket too many", "log: {body: true}}\n", 6, "delete an extra bracket"),
            ("a comma too many", "trusted_proxies: [,]\n", 6, "a value is missing"),
            ("an @ that is not quoted", "log:\n  file: @x\n", 7, "put quotes around it"),
            ("a % that begins a line", "%x\n", 6, "put quotes around"),
            ("an escape that is none", "log:\n  file: \"\\q\"\n", 7, "a backslash that begins no escape"),
            ("a NUL within quotes", "log:\n  file: \"\\0\"\n", 7, "NUL"),
            ("an anchor", "threads: &a 1\n", 6, "an anchor (&); aliases are not supported, so delete it"),
            ("an anchor of a list", "listen: &a\n  - address: x\n", 6, "an anchor (&)"),
            ("an alias of nothing", "log:\n  file: *a\n", 7, "an alias (*)"),
            ("a tag", "threads: !!int 5\n", 6, "a tag (!); tags are not supported, so delete it"),
            ("a tag of one's own", "log: !vault {file: x}\n", 6, "a tag (!)"),
            ("a text block with a wrong header", "log: |x\n  a\n", 6, "an invalid header of a text block"),
            ("a mark of UTF-8 inside the file", "? \ufeffthreads\n: 1\n", 6, "byte order mark")):
        refused(name, GOOD + text, line, says)
    refused("null instead of keys", "~\n", 1, "the file is empty; type at least sources or include")
    refused("a document of nothing", "---\n", 1, "the file is empty")


def test_unknown_keys():
    for text, line, says in (
            ("thread: 1\n", 6, "unknown key thread; did you mean threads?; expected listen"),
            ("Threads: 1\n", 6, "unknown key Threads; did you mean threads?"),
            ("limits:\n  idle_second: 1\n", 7, "did you mean idle_seconds?"),
            ("idle_seconds: 1\n", 6, "did you mean limits.idle_seconds?"),
            ("limits:\n  threads: 1\n", 7, "threads belongs at the top level, not in limits"),
            ("frobnicate: 1\n", 6, "unknown key frobnicate; expected listen"),
            ("'': 1\n", 6, "unknown key a text of 0 bytes"),
            ("    tolerance: 1\n", 6, "unknown key tolerance; sources: expected name, path"),
            ("limits: {idle_seconds: 1,\n  body_bytes: 1,\n  idle_seconds: 1}\n", 8,
             "duplicate key limits.idle_seconds (first on line 6); delete one of them"),
            ("sources: []\n", 6, "duplicate key sources (first on line 1)")):
        refused(f"{text.strip()}:", GOOD + text, line, says)
    refused("a long key, which may be a secret,", GOOD + "      - " + PLAIN + ":\n", 6, "unknown key a text of ")


def test_sizes():
    """The parser refuses a hostile file at once and needs little stack."""
    for name, text in (("[", "[" * 3000000), ("[ and blanks", "[ " * 1500000), ("[ on lines", "[\n" * 1500000),
                       ("{", "{" * 3000000), ("{a:", "{a: " * 750000), ("-", "- " * 1500000),
                       ("?", "? " * 1500000), ("a:", "a: " * 1000000),
                       ("[ as a value", "listen: " + "[" * 3000000),
                       ("[{ as a value", "listen: " + "[{address: " * 300000)):
        begun = sink.time.monotonic()
        refused(f"3 MB of {name}", text, 1)
        check("and that takes no longer than reading them", sink.time.monotonic() - begun < sink.PATIENCE)
    refused("a file of more than 16 MiB", "# " + "x" * (17 << 20) + "\n", 1, "more than 16 MiB")


@pytest.mark.first
def test_guards():
    def networks(text):
        return GOOD + f"    allow: [{text}]\n"
    for text in ("127.0.0.1", "0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "'::1'", "'::/0'",
                 "'2001:db8::/32'", "'::ffff:192.0.2.1'", "'::ffff:192.0.2.0/120'", "10.0.0.0/8, '::1'"):
        accepted(f"allow: [{text}]", networks(text))
    for text, why in (("localhost", "an address"), ("127.0.0.1:80", "an address"),
                      ("'[::1]'", "an address"), ("127.0.0.1/33", "0 to 32"), ("'::1/129'", "0 to 128"),
                      ("192.0.2.1/24", "first address"), ("'2001:db8::1/32'", "first address"),
                      ("127.0.0.1/", "bits"), ("127.1", "an address"), ("'1.2.3.4, ::1'", "an address")):
        refused(f"allow: [{text}]", networks(text), 6, "source foil: ", "is not a network", why)
    refused("a network of the second line", GOOD + "    allow:\n      - 127.0.0.1\n      - x\n", 8,
            "x is not a network")
    refused("an empty list of networks", GOOD + "    allow: []\n", 6)
    refused("a network in place of the list", GOOD + "    allow: 127.0.0.1\n", 6, "expected a list")
    accepted("rate: without a burst", GOOD + "    rate: {per_second: 1000000}\n")
    accepted("rate: with one", GOOD + "    rate: {per_second: 1, burst: 1000000}\n")
    accepted("rate: with the burst that is the default", GOOD + "    rate: {per_second: 1, burst: 0}\n")
    for key, rest in (("per_second", "burst: 1"), ("burst", "per_second: 1")):
        for number, says in ((1000001, "to 1000000"), (1 << 32, "too large"),
                             (1 << 64, "too large"), (-1, "whole number"), ("0.5", "whole number"),
                             ("", "whole number"), ("[1]", "found a list"), ("2/s", "whole number")):
            refused(f"rate: {key}: {number}", GOOD + f"    rate:\n      {rest}\n      {key}: {number}\n",
                    8, f"{key}: ", says)
    refused("rate: without per_second", GOOD + "    rate: {}\n", 6, "per_second")
    refused("rate: of nothing", GOOD + "    rate:\n", 6, "rate: no value; expected a mapping")
    for text, why in (("per_second: 0", "1 to 1000000"), ("per_second: 1000001", "1 to 1000000"),
                      ("per_second: 1, burst: 1000001", "0 to 1000000"), ("burst: 5", "per_second"),
                      ("per_second: 1.5", "whole number"), ("per_second: 5/s", "whole number"),
                      ("per_second: 1, burst: 2k", "whole number"),
                      ("per_minute: 1", "expected per_second, burst")):
        refused(f"rate: {{{text}}}", GOOD + f"    rate: {{{text}}}\n", 6, why)
    refused("a rate that is a number", GOOD + "    rate: 5\n", 6, "expected a mapping")
    accepted("head_bytes: 409600", GOOD + "limits: {head_bytes: 409600}\n")
    refused("head_bytes: 409601", GOOD + "limits:\n  head_bytes: 409601\n", 7, "to 409600")
    accepted("refused_per_minute: 10000", GOOD + "limits: {refused_per_minute: 10000}\n")
    refused("refused_per_minute: 10001", GOOD + "limits:\n  refused_per_minute: 10001\n", 7, "10000")


@pytest.mark.running
@pytest.mark.first
def test_files():
    with open(f"{The.folder}/pipe", "w+b") as file:
        file.write(put_secret(GOOD).encode())
    good = sink.subprocess.run(
        ["sh", "-c", f"cat {The.folder}/pipe | {sink.find_program()} --config /dev/stdin --check"],
        env=sink.environment({}, Folders.new()), capture_output=True, timeout=sink.PATIENCE, check=False)
    equal("a file may come through a pipe", (good.returncode, good.stdout),
          (0, b"configuration is good: 1 source\n"), good.stderr)
    code, out, err = run("--config", f"{The.folder}/none.yaml", "--check")
    check("a missing file is refused by name", code == 6 and out == "" and
          f"{The.folder}/none.yaml: No such file or directory" in err, code, out, err)
    code, out, err = run("--config", The.folder, "--check")
    check("a directory is refused by name", code == 6 and
          err == f"hooklined: {The.folder}: Is a directory\n", code, out, err)
    refused("an empty file", "", 1, "empty")
    refused("a file of comments", "# nothing\n", 1, "empty")
    refused("a list at the top", "[]\n", 1, "expected a mapping")
    refused("a text at the top", "hello\n", 1, "expected a mapping")
    refused("a tab", GOOD + "\tthreads: 1\n", 6, "tab")
    refused("a bracket that stays open", GOOD + "listen: [\nthreads: 1\n", 7,
            "threads belongs at the top level, not in listen")
    refused("a quote that stays open", GOOD + "log:\n  file: \"x\n", 7, "a quote that is not closed")
    refused("a control character", GOOD + "log: {file: \x01}\n", 6, "control")
    refused("bytes that are no text", GOOD.encode() + b"log: {file: \xff}\n", 6, "UTF-8")
    refused("a second document, of which nothing would be read,", GOOD + "---\nthreads: 1\n", 6,
            "one YAML document")
    refused("what follows the end of the document", GOOD + "...\nthreads\n", 7, "one YAML document")
    accepted("the marks around one document", "---\n" + GOOD + "...\n")
    refused("a template that nobody filled in", GOOD.replace("foil\n    scheme", "{{ name }}\n    scheme"),
            2, "sources.name: unexpanded {{template}}")
    refused("a key that is a list", GOOD + "? [a]\n: 1\n", 6, "key must be a string, but is a list")
    refused("braces within braces", GOOD + "log: " + "{a: " * 500 + "\n", 6, "unknown key a")
    refused("a mapping without its lines", GOOD + "log:\nthreads: 1\n", 6, "log: no value; expected a mapping")
    refused("an item without its lines", GOOD + "listen:\n  -\n", 7, "an item of listen: no value; expected a mapping")
    refused("a text without its letters", GOOD + "log:\n  file:\n", 7, "log.file: no value; type a text of 1 to 4096 bytes, or delete the key")
    refused("a text of ten million letters", GOOD + "log:\n  file: " + "x" * 10**7 + "\n", 7,
            "log.file: a text of 10000000 bytes; type at most 4096 bytes")
    accepted("a comment of ten million letters", GOOD + "# " + "x" * 10**7 + "\n")
    refused("ten thousand keys that nobody knows", GOOD + "".join(f"k{i}: 1\n" for i in range(10**4)), 6,
            "k0")
    accepted("UTF-16, with its mark,", GOOD, encoding="utf-16")
    refused("UTF-16 without its mark", GOOD.encode("utf-16-be"), 1, "control character", "save it as UTF-8")
    accepted("the mark of UTF-8", GOOD, encoding="utf-8-sig")
    accepted("line ends of CR and LF", GOOD.replace("\n", "\r\n"))
    refused("a merge", GOOD + "log: {<<: {file: x}}\n", 6, "<<")
    refused("an alias", "threads: &a 1\n" + GOOD + "limits: {connections: *a}\n", 1, "aliases are not supported")
    refused("an alias of itself", GOOD + "log: &a {file: *a}\n", 6, "lias")


@pytest.mark.running
@pytest.mark.first
def test_sources():
    refused("no source", "threads: 1\n", 1, "sources")
    refused("an empty list of sources", "threads: 1\nsources: []\n", 2)
    refused("a source without a name", GOOD.replace("name: foil\n    ", ""), 2, "name is missing")
    refused("a source without secrets", "sources:\n  - name: foil\n    scheme: foil\n", 2, "secrets is missing")
    refused("an unknown scheme", GOOD.replace("scheme: foil", "scheme: github2"), 3,
            "expected one of " + SCHEMES)
    refused("a scheme that is the secret", GOOD.replace("scheme: foil", "scheme: " + PLAIN), 3,
            "expected one of " + SCHEMES)
    refused("neither scheme nor description", GOOD.replace("    scheme: foil\n", ""), 2,
            "a scheme or a description")
    refused("scheme and description", GOOD + "    description: signature X; encoding hex;\n", 6,
            "a scheme or a description")
    custom = GOOD.replace("scheme: foil", "description: {d}")
    for description, why in (("signature X-S", "encoding"), ("nonsense", ""),
                             ("signature X-S; encoding hex; content nothing", ""),
                             ("'signature X-S; encoding hex; content {timestamp}'", "")):
        refused(f"the description {description}", custom.replace("{d}", description), 3, "foil: ",
                why)
    for name in ("a/b", "a b", "a?b", "é", "a:b", "'a\\b'"):
        refused(f"the name {name}", GOOD.replace("name: foil", f"name: {name}"), 2,
                "letters, digits")
    refused("a name of 65 letters", GOOD.replace("name: foil", "name: " + "x" * 65), 2, "64")
    refused("an empty name", GOOD.replace("name: foil", "name: ''"), 2)
    more = "  - name: {name}\n    path: {path}\n    scheme: foil\n    secrets: [{file: {secret}}]\n"
    refused("a second source of the same name",
            GOOD + more.replace("{name}", "foil").replace("{path}", "/other"), 6,
            "duplicate source name foil (first defined at ", "hooklined.yaml:2)")
    refused("a second source with the same path",
            GOOD + more.replace("{name}", "other").replace("{path}", "/foil"), 7,
            "duplicate path /foil, used by source foil (first defined at ", "hooklined.yaml:2)")
    for path in ("foil", "''", "/a?b", "/a#b", "'/a b'", "\"/a\\tb\"", "\"/a\\nb\""):
        refused(f"the path {path}", GOOD + f"    path: {path}\n", 6)
    refused("a scheme that signs the URL, without url",
            custom.replace("{d}", "'signature X-S; encoding hex; content {url}{body}'"), 2,
            "expected url")


def included(name, text, sentence, line, *says, main=None, more=None):
    """File in conf.d: refused with its own name and line, or, if `line` is None, accepted with this
    many sources."""
    folder = Folders.new()
    os.mkdir(f"{folder}/conf.d")
    main = GOOD + "include: conf.d/*.yaml\n" if main is None else main
    path = write_file(f"{folder}/hooklined.yaml", put_secret(main))
    part = write_file(f"{folder}/conf.d/{name}", put_secret(text))
    for other, other_text in (more or {}).items():
        write_file(f"{folder}/conf.d/{other}", put_secret(other_text))
    code, out, err = run("--config", path, "--check")
    last = err.splitlines()[-1] if err else ""
    if line:
        good = code == 6 and out == "" and last.startswith(f"hooklined: {part}:{line}: ")
        good = good and all(s in last for s in says)
    else:
        good = code == 0 and out == said(int(says[0]))
    check(sentence, good, text, code, out, err)


def test_includes():
    one = GOOD.replace("name: foil", "name: b")
    app = "destinations:\n  - name: app\n    url: http://127.0.0.1:1/\n"
    included("a.yaml", one, "include: sources of another file are there, too", None, 2)
    included("a.yaml", one, "include: those of several, which the pattern finds", None, 3,
             more={"c.yaml": one.replace("name: b", "name: c"), "c.txt": "not: ours"})
    included("a.yaml", one, "include: all of them may be there", None, 1,
             main="include: conf.d/*.yaml\n")
    included("a.yaml", "# nothing yet\n", "include: an empty file is good", None, 1)
    included("a.yaml", app, "include: destinations, too", None, 1)
    included("a.yaml", one + "threads: 1\n", "include: other keys are refused", 6, "threads",
             "expected sources, destinations")
    included("a.yaml", one + "include: x\n", "include: also include itself", 6, "include")
    included("a.yaml", GOOD, "include: a name that another file has is refused", 2,
             "duplicate source name foil (first defined at ", "/hooklined.yaml:2)")
    included("c.yaml", one, "include: and so it is between two of them", 2,
             "duplicate source name b (first defined at ", "/a.yaml:2)", more={"a.yaml": one, "b.yaml": "# empty\n"})
    included("a.yaml", one.replace("scheme: foil", "scheme: nonsense"),
             "include: an unknown scheme is found in its file", 3, "unknown scheme")
    included("a.yaml", one.replace("{secret}", "/nonexistent"),
             "include: a missing secret is found in its file", 5, "No such file")
    included("a.yaml", one + "    tolerance_seconds: 5m\n", "include: a number with a unit", 6,
             "whole number")
    included("a.yaml", app.replace("http:", "ftp:"), "include: a destination's URL", 3,
             "destination app")
    included("a.yaml", app + "    sources: [none]\n", "include: a destination's source", 4,
             "unknown source none")
    included("a.yaml", "sources: [\n", "include: a file that is no YAML", 2)
    included("a.yaml", app, "include: no more than 64 destinations in all", 2, "at most 64",
             main=GOOD + "include: conf.d/*.yaml\ndestinations:\n" + "".join(
                 f"  - name: d{i}\n    url: http://127.0.0.1:1/\n" for i in range(64)))
    folder = Folders.new() + "/with [brackets] and *"
    os.mkdir(folder)
    path = write_file(f"{folder}/hooklined.yaml", "include: '*.part'\n")
    code, out, err = run("--config", path, "--check")
    check("include: without a source it is good, and it is said that there is none",
          code == 0 and out == "configuration is good: 0 sources\n" and "no source is" in err, out, err)
    write_file(f"{folder}/a.part", put_secret(one))
    code, out, err = run("--config", path, "--check")
    check("include: the name of the folder is no pattern", code == 0 and out == said(1), out, err)
    accepted("include: a pattern that finds nothing", GOOD + "include: nothing/*.yaml\n")


@pytest.mark.first
def test_addresses():
    for address in ("80", "':80'", "localhost:80", "127.0.0.1", "'127.0.0.1:'", "127.0.0.1:65536",
                    "127.0.0.1:-1", "127.0.0.1:http", "256.0.0.1:80", "'::1:80'", "'[::1]'",
                    "'[::1:80'", "'[127.0.0.1]:80'", "'[::g]:80'", "'[]:80'", "example.com:80",
                    "'127.0.0.1:080808080'", "' 127.0.0.1:80'"):
        refused(f"the address {address}", GOOD + f"listen:\n  - address: {address}\n", 7,
                "expected a numeric ADDRESS:PORT or [ADDRESS]:PORT")
    for address in ("0.0.0.0:0", "127.0.0.1:65535", "'[::]:80'", "'[::1]:8080'",
                    "'[::ffff:127.0.0.1]:80'", "unix:/run/hookline/ingest.sock"):
        accepted(f"the address {address}", GOOD + f"listen:\n  - address: {address}\n")
    for path in ("unix:", "unix:/" + "x" * 107):
        refused(f"the address {path[:20]}", GOOD + f"listen:\n  - address: '{path}'\n", 7,
                "or unix:PATH of at most 107 bytes")
    refused("an address that would begin a line of its own, in red,", GOOD +
            'listen:\n  - address: "\\e[31m\\nhooklined: fine"\n', 7,
            "cannot listen on ?[31m?hooklined: fine; expected")
    refused("an empty list of addresses", GOOD + "listen: []\n", 6)
    refused("17 addresses", GOOD + "listen:\n" + "  - address: 127.0.0.1:0\n" * 17, 23, "item 17; type at most 16")


def test_proxies():
    accepted("trusted proxies", GOOD + "trusted_proxies: [10.0.0.0/8, 127.0.0.1, '::1', "
             "'2001:db8::/32', unix]\nlisten:\n  - address: 127.0.0.1:0\n    proxy_protocol: yes\n")
    for text, why in (("localhost", "an address, or ADDRESS/BITS"), ("10.0.0.1/8", "first address"),
                      ("10.0.0.0/33", "0 to 32 bits"), ("'::/129'", "0 to 128 bits"),
                      ("unix:/path", "an address"), ("'[::1]'", "an address"),
                      ("127.0.0.1:80", "an address"), ("'*'", "an address")):
        refused(f"the trusted proxy {text}", GOOD + f"trusted_proxies:\n  - ::1\n  - {text}\n", 8,
                f"{text.strip(chr(39))}: expected ", why)
    refused("an empty list of trusted proxies", GOOD + "trusted_proxies: []\n", 6)
    refused("proxy_protocol without a trusted proxy",
            GOOD + "listen:\n  - address: 127.0.0.1:0\n    proxy_protocol: true\n", 8,
            "add an address to trusted_proxies")
    refused("proxy_protocol at a Unix socket without the trusted proxy unix",
            GOOD + "trusted_proxies: [127.0.0.1]\nlisten:\n  - address: unix:sock\n"
            "    proxy_protocol: true\n", 9, "no peer there is trusted", "add unix to trusted_proxies")
    refused("proxy_protocol over TCP if nobody but unix is trusted",
            GOOD + "trusted_proxies: [unix]\nlisten:\n  - address: 127.0.0.1:0\n"
            "    proxy_protocol: true\n", 9, "no peer there is trusted", "add an address to trusted_proxies")
    refused("proxy_protocol: 1", GOOD + "listen:\n  - address: 127.0.0.1:0\n"
            "    proxy_protocol: 1\n", 8, "true or false")


@pytest.mark.running
@pytest.mark.first
def test_secret_files():
    path = f"{The.folder}/tried"
    text = GOOD.replace("{secret}", path)
    good = SECRETS["foil"]
    for name, data in (("one line end", good + "\n"), ("CR and LF", good + "\r\n"),
                       ("no line end", good), ("512 bytes", "x" * 512 + "\n"),
                       ("blanks inside", "a secret of several words\n")):
        write_file(path, data)
        accepted(f"a secret file with {name}", text)
    for mode in (0o400, 0o440, 0o600, 0o640, 0o700):
        os.unlink(path)  # only root could overwrite it
        write_file(path, good, mode)
        accepted(f"a secret file of mode {mode:o}", text)
    for mode in (0o644, 0o604, 0o602, 0o601, 0o620, 0o660, 0o666, 0o777):
        write_file(path, good, mode)
        refused(f"a secret file of mode {mode:o}", text, 5, f"{mode:04o}", "chmod")
    if os.geteuid() == 0:
        os.chown(path, sink.NOBODY, sink.NOBODY)
        refused("an open secret file of another user", text, 5, "0777", "only its owner (uid 65534)",
                "sudo chmod", "defaultMode: 0400", "fsGroup", "mode: 0400", "LoadCredential=")
        os.chown(path, 0, 0)
    for name, data in (("BOM", "\ufeff" + good), ("quotes", f"'{good}'")):
        write_file(path, data)
        refused(f"a standard secret with {name}", text.replace("scheme: foil", "scheme: standard"), 5,
                "; this secret ", name if name == "quotes" else "byte order mark")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        write_file(path, (good + "\r\n").encode(encoding))
        refused(f"a secret file in {encoding}", text, 5, "the text is UTF-16; try: iconv")
    for name, data, why in (
            ("nothing in it", "", "empty"), ("a line end alone", "\n", "empty"),
            ("over 1 KiB", "x" * 1025, "1024"), ("far over 1 KiB", "x" * 10**6, "1024"),
            ("513 bytes", "x" * 513, "longer than 512 bytes"), ("a NUL", good + "\0x", "one line of text"),
            ("a NUL at its end", good + "\0", "one line of text"),
            ("a trailing blank", good + " \n", "white space"), ("blanks alone", "   \n", ""),
            ("a leading blank", " " + good, "white space"), ("two line ends", good + "\n\n", ""),
            ("another kind of key", "whpk_" + "QUJD" * 8, "")):
        write_file(path, data)
        refused(f"a secret file with {name}", text, 5, "source foil: ", why)
    os.unlink(path)
    refused("a secret file that is missing", text, 5, path, "No such file or directory")
    os.mkdir(path)
    refused("a directory as a secret file", text, 5, path, "not a regular file")
    os.rmdir(path)
    os.mkfifo(path, 0o600)
    refused("a FIFO as a secret file", text, 5, path, "not a regular file")
    os.unlink(path)
    os.symlink(The.secret, path)
    accepted("a link to a secret file", text)
    os.unlink(path)
    refused("/dev/zero as a secret file", GOOD.replace("{secret}", "/dev/zero"), 5,
            "not a regular file")
    write_file(path, "short")
    accepted("a short secret, with a warning,", text,
             says="hooklined: source foil: a secret of 5 bytes can be guessed; use 16 or more\n")
    write_file(path, "whsec_MTIzNDU2Nzg=")
    accepted("a key that is short once it is decoded, with a warning,",
             text.replace("scheme: foil", "scheme: standard"),
             says="hooklined: source foil: a secret of 8 bytes can be guessed; use 16 or more\n")
    write_file(path, "whsec_MTIzNDU2Nzg5MDEyMzQ1Ng==")
    accepted("a key of 16 bytes", text.replace("scheme: foil", "scheme: standard"))
    write_file(path, "short")
    refused("a standard secret that is no base64", text.replace("scheme: foil", "scheme: standard"),
            5, "source foil: ")


def test_secret_mounts():
    """Containers mount secrets read-only."""
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        skip("a secret file on a read-only mount", "this user cannot mount")
        return
    folder = Folders.new()
    secret = write_file(folder + "/secret", SECRETS["foil"], 0o444)
    path = write_file(folder + "/hooklined.yaml", GOOD.replace("{secret}", secret))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c",
         'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', folder,
         *sink.WRAPPER, sink.find_program(), "--config", path, "--check"],
        env=sink.environment(None, folder), capture_output=True, text=True, check=False)
    check("a secret file of mode 0444 on a read-only mount: chmod is not the advice",
          done.returncode == 6 and f"{secret}: mode 0444 gives others access to the secret, and chmod "
          "cannot change a read-only mount; for a mount: Kubernetes defaultMode: 0400 (with fsGroup "
          "unless it runs as root), Docker mode: 0400 and uid, systemd LoadCredential=" in done.stderr
          and "try: chmod" not in done.stderr, done)


@pytest.mark.running
def test_locked_memory():
    """RLIMIT_MEMLOCK of 0 and no CAP_IPC_LOCK."""
    if os.environ.get("PYTEST_MARKS"):
        skip("secrets that cannot be locked in memory", "sanitizers replace mlock()")
        return
    PR_CAPBSET_DROP, CAP_IPC_LOCK = 24, 14

    def forbid():
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        sink.prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK)

    warning = ("hooklined: secrets cannot be locked in memory and may reach the swap: RLIMIT_MEMLOCK is "
               "0 bytes; type LimitMEMLOCK=64M in the unit, ulimit -l 65536 in a shell, or docker run "
               "--ulimit memlock=67108864\n")
    daemon = Daemon(sources=[sink.source("foil"), sink.source("github")], setup=forbid)
    equal("secrets that cannot be locked in memory are said to be so, once",
          daemon.messages().count(warning), 1, daemon.messages())
    equal("and the daemon works", daemon.deliver("foil", sink.sample_body("foil")).status, 200)
    code, _, err = sink.run("--config", daemon.folder + "/hooklined.yaml", "--check", setup=forbid)
    equal("--check says the same", (code, err), (0, warning))
    equal("with the usual limit nothing is said", sink.run("--config", daemon.folder + "/hooklined.yaml",
                                                           "--check")[2], "")


def test_places_of_secrets():
    refused("an empty list of secrets", GOOD.replace("\n      - file: {secret}", " []"), 4)
    refused("nine secrets", GOOD + "      - file: {secret}\n" * 8, 13, "item 9; type at most 8")
    files = [write_file(f"{The.folder}/{i}", f"{PLAIN}{i}") for i in range(7)]
    accepted("eight secrets", GOOD + "".join(f"      - file: {path}\n" for path in files))
    refused("a secret that is nowhere", GOOD + "      - {}\n", 6, "one of file, env and credential")
    for two in ("{file: {secret}, env: X}", "{env: X, credential: x}",
                "{file: {secret}, credential: x}", "{file: {secret}, env: X, credential: x}"):
        refused(f"a secret in more places than one: {two.count(':')} {two[1:5]}",
                GOOD + f"      - {two}\n", 6, "one of file, env and credential")
    env = GOOD.replace("file: {secret}", "env: HOOK_SECRET")
    refused("a variable that is not set", env, 5, "HOOK_SECRET is not set")
    refused("an empty variable", env, 5, "empty", env={"HOOK_SECRET": ""})
    refused("a variable that ends in a line end", env, 5, "white space",
            env={"HOOK_SECRET": PLAIN + "\n"})
    refused("a variable of over 1 KiB", env, 5, "1024", env={"HOOK_SECRET": "x" * 1025})
    accepted("a variable", env, env={"HOOK_SECRET": PLAIN})
    credential = GOOD.replace("file: {secret}", "credential: secret")
    refused("a credential without its directory", credential, 5, "$CREDENTIALS_DIRECTORY",
            "LoadCredential=secret:PATH")
    accepted("a credential", credential, env={"CREDENTIALS_DIRECTORY": The.folder})
    refused("a credential that is missing", credential.replace("secret\n", "nothing\n"), 5,
            "No such file", env={"CREDENTIALS_DIRECTORY": The.folder})
    secret = "whsec_" + "MDEy" * 8
    for where in ("file", "env", "credential"):
        refused(f"the secret itself as the {where}", GOOD.replace("file: {secret}", f"{where}: {secret}"), 5,
                "found the secret instead of its location;")
        code, out, err = run("--config", f"{The.folder}/hooklined.yaml", "--check")
        check("and it is not repeated", secret[6:] not in out + err, err)
    for name in ("../secret", "/etc/shadow", "a/b", "..", ".hidden"):
        refused(f"the credential {name}", credential.replace(": secret\n", f": {name}\n"), 5,
                "a name, not a path", env={"CREDENTIALS_DIRECTORY": The.folder})


@pytest.mark.running
def test_tokens():
    token = f"{The.folder}/token"
    text = GOOD + "admin:\n  address: 0.0.0.0:0\n  token: {file: TOKEN}\n".replace("TOKEN", token)
    write_file(token, "t" * 16 + "\n")
    accepted("an address for everybody, with a token,", text)
    accepted("a token on a loopback address", text.replace("0.0.0.0", "127.0.0.1"))
    accepted("a token on a Unix socket", text.replace("0.0.0.0:0", "unix:/x"))
    for name, data, why in (("of 15 bytes", PLAIN[:15], "16 or more"), ("that is empty", "", "16"),
                            ("with a blank inside", PLAIN + " x", "with a blank"),
                            ("that ends in a blank", PLAIN + " ", "with a blank"),
                            ("of two lines", PLAIN + "\nx\n", "one line"),
                            ("outside ASCII", PLAIN + "é", "ASCII"),
                            ("that is too long", "x" * 1025, "1024")):
        write_file(token, data)
        refused(f"a token {name}", text, 8, "admin: ", why)
    write_file(token, "t" * 16, 0o644)
    refused("a token that everybody can read", text, 8, "admin: ", "chmod")
    refused("a token in an unset variable", text.replace(f"file: {token}", "env: TOKEN"), 8,
            "admin: environment variable TOKEN is not set")
    accepted("a token in a variable", text.replace(f"file: {token}", "env: TOKEN"),
             env={"TOKEN": "t" * 16})
    refused("a token in two places", text.replace("{file", "{env: TOKEN, file"), 8,
            "admin: expected one of file, env and credential")
    refused("a token that is nowhere", text.replace(f"file: {token}", ""), 8,
            "admin: expected one of file, env and credential")
    refused("a token written into the file", text.replace(f"{{file: {token}}}", PLAIN), 8, "expected a mapping")
    refused("a token without an address", text.replace("  address: 0.0.0.0:0\n", ""), 7, "address")
    refused("an address for everybody without a token", text.replace("  token: ", "  #"), 7,
            "other machines can reach", "or a token")


def usage_error(name, arguments, *says):
    code, out, err = run(*arguments)
    check(f"{name} is wrong usage", code == 2 and out == "" and all(s in err for s in says) and
          "Try: hooklined --help" in err, code, out, err)


@pytest.mark.running
def test_the_command_line():
    code, out, err = run("--help")
    check("--help shows the options and the exit codes",
          code == 0 and err == "" and out.startswith("Usage: hooklined ") and
          all(option in out for option in ("--config", "--listen", "--source", "--log", "--check",
                                           "--version", "Exit status")), code, out, err)
    equal("-h is the same", run("-h"), (code, out, err))
    code, out, err = run("--version")
    check("--version shows name and version",
          code == 0 and err == "" and out.startswith("hooklined ") and out.count(".") == 2, out, err)
    equal("-V is the same", run("-V"), (code, out, err))
    on_the_line = "does not belong on the command line"
    usage_error("a secret on the command line", ["--source", "foil=foil:" + PLAIN], on_the_line)
    usage_error("a second one, too,", ["-s", "a=foil:@x", "-s", "foil=foil:" + PLAIN], on_the_line)
    usage_error("a token on the command line", ["--source", "foil=foil:@x", "--admin-token", PLAIN],
                on_the_line)
    usage_error("two tokens", ["--source", "foil=foil:@x", "--admin-token", "@x", "--admin-token", "@x"],
                "--admin-token given twice")
    usage_error("a secret alone", ["--source", PLAIN], "NAME=SCHEME:SECRET")
    usage_error("a secret without a scheme", ["--source", "foil=" + PLAIN], "NAME=SCHEME:SECRET")
    usage_error("a secret behind an empty name", ["--source", "=foil:" + PLAIN],
                "NAME=SCHEME:SECRET")
    usage_error("a secret as an argument", ["--source", "foil=foil:@x", PLAIN], "unexpected")
    usage_error("a secret as an option", ["--secret=" + PLAIN], "unknown option --secret")
    for where in ("@", "env:", "credential:"):
        usage_error(f"no name behind {where}", ["--source", f"foil=foil:{where}"], on_the_line)
    usage_error("nothing at all", [], "nothing to receive")
    usage_error("--check alone", ["--check"], "nothing to receive")
    usage_error("--config without a file", ["--config"], "--config needs a value")
    usage_error("-S without a file", ["--check", "-S"], "-S needs a value")
    usage_error("an unknown option", ["--wat=" + PLAIN], "unknown option --wat")
    usage_error("an unknown letter", ["--check", "-xc"], "unknown option -x")
    usage_error("--check with a value", ["--check=" + PLAIN], "--check takes no value")
    for option, value in (("--store", "a"), ("--log", "a"), ("--admin", "unix:a"), ("--config", "a")):
        usage_error(f"two of {option}", [option, value, option, value], f"{option} given twice; give it once")
    for more in (["--listen", "127.0.0.1:0"], ["--source", "foil=foil:@x"], ["--log", "x"],
                 ["--admin-token", "@x"]):
        usage_error(f"--config beside {more[0]}", ["--config", "x.yaml", *more], "does not go with")
    foil = f"foil=foil:@{The.secret}"
    for name, arguments, says in (
            ("a bad address", ["--listen", "localhost:80", "--source", foil], "ADDRESS:PORT"),
            ("an unknown scheme", ["--source", f"foil={PLAIN}:@{The.secret}"], SCHEMES),
            ("a bad name", ["--source", f"a/b=foil:@{The.secret}"], "letters, digits"),
            ("two of a name", ["--source", foil, "--source", foil], "duplicate source name foil\n"),
            ("a missing file", ["--source", "foil=foil:@/nonexistent"], "No such file"),
            ("a token without an address", ["--source", foil, "--admin-token", "@x"],
             "token without an address"),
            ("a token that is missing", ["--source", foil, "--admin", "127.0.0.1:0",
                                         "--admin-token", "@/nonexistent"], "admin: /nonexistent: "),
            ("an unset variable", ["--source", "foil=foil:env:NOT_SET"], "NOT_SET is not set")):
        code, out, err = run(*arguments, "--check")
        check(f"the command line: {name} is refused, with 6",
              code == 6 and out == "" and says in err and "hooklined: command line: " in err, code,
              out, err)
    code, out, err = run("--source", foil, "--check")
    equal("the command line: a good one is good", (code, out, err),
          (0, "configuration is good: 1 source\n", ""))


def test_a_store_without_a_name():
    """An unset "$STORE" gives an empty name; the store would lose every acknowledged delivery."""
    code, out, err = run("--listen", "127.0.0.1:0", "--store", "", "--source",
                         f"foil=foil:@{The.secret}", timeout=sink.PATIENCE)
    check("a store without a name is refused", code == 2 and out == "" and
          "the name of a file" in err, code, out, err)


def test_running_by_the_command_line():
    log = f"{The.folder}/command.log"
    daemon = Daemon(arguments=["--listen", "127.0.0.1:0", "-l", "127.0.0.2:0", "--log", log,
                               "--source", f"foil=foil:@{The.secret}",
                               "-s", "github=github:env:GITHUB_SECRET",
                               "-s", "slack=slack:credential:slack-secret"],
                    env={"GITHUB_SECRET": SECRETS["github"], "CREDENTIALS_DIRECTORY": The.folder} if
                    write_file(f"{The.folder}/slack-secret", SECRETS["slack"]) else None)
    daemon.log = log
    for scheme in ("foil", "github", "slack"):
        equal(f"the command line: {scheme} is received", daemon.deliver(scheme).status, 200)
    equal("the command line: their lines are in the log",
          [line["source"] for line in daemon.lines()], ["foil", "github", "slack"])
    with open(f"/proc/{daemon.process.pid}/cmdline", "rb") as file:
        sink.Watch.see("command line", file.read())
    check("the command line: nothing but messages goes to standard error",
          all(line.startswith("hooklined: ") for line in daemon.messages().splitlines()),
          daemon.messages())


def test_what_cannot_be_printed():
    foil = f"foil=foil:@{The.secret}"
    for arguments in (["--help"], ["--version"], ["--print-defaults"],
                      ["--source", foil, "--store", f"{The.folder}/s.db", "--check"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*sink.WRAPPER, sink.find_program(), *arguments], stdout=full,
                                  stderr=subprocess.PIPE, env=sink.environment(None, The.folder),
                                  timeout=sink.PATIENCE, check=False)
        equal(f"{arguments[-1]} that cannot be printed is a failure",
              (done.returncode, done.stderr.decode()),
              (1, "hooklined: cannot write to standard output\n"))
