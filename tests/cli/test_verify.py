# SPDX-License-Identifier: MIT
"""hookline verify: requests from files, saved requests and stores; mistakes; messages about wrong
input."""
import base64
import os
import sqlite3
import threading
import time

import pytest

from harness.cli import GOOD, REFUSED, STALE, USAGE, sink
from harness.papers import NOW, Papers, watched
from harness.sink import Watch, check, equal, sign, write_file

pytestmark = [pytest.mark.compiler, pytest.mark.running, pytest.mark.seconds(300)]

papers = Papers()


# ---- verdicts

def test_for_people():
    body = b'{"id":"evt_1","type":"webhook.test"}'
    scheme = papers.scheme("foil")
    headers = papers.headers(sign("foil", body, now=NOW))
    run = watched("verify", *scheme, *headers, *papers.body(body), "--now", NOW + 12)
    equal("a good request is told with its facts, and with nothing else", run.out,
          "verified: by the secret of scheme foil\n"
          "  id         evt_1\n"
          "  type       webhook.test, a test\n"
          "  signed at  2027-01-15T08:00:00.000Z (1800000000), 12 s ago\n", run.err)
    run = watched("verify", *scheme, *headers, *papers.body(body), "--now", NOW - 412)
    equal("a request of the future is stale, and it says how far", (run.status, run.out),
          (STALE, "stale: timestamp_too_new\n"
                  "  the signature is valid but its timestamp is in the future: compare the clocks\n"
                  "  id         evt_1\n"
                  "  signed at  2027-01-15T08:00:00.000Z (1800000000), 412 s in the future\n"))
    run = watched("verify", *scheme, *headers, *papers.body(body + b" "), "--now", NOW)
    check("a forgery is refused, and nothing of it is called authentic",
          run.status == REFUSED and run.out.startswith("refused: signature_mismatch\n")
          and "evt_1" not in run.out and "2027" not in run.out, run)
    body = b'{"zen":"x"}'
    run = watched("verify", *papers.scheme("github"), *papers.headers(sign("github", body)),
                  *papers.body(body))
    equal("where no time is signed it says so", run.out,
          "verified: by the secret of scheme github, but its age is unknown\n"
          "  signed at  no time signed: its age is unknown\n")


def test_which_secret():
    body = b"{}"
    headers = papers.headers(sign("github", body))
    run = watched("verify", "--scheme", "github",
                  *papers.secrets("another-secret-0123456789", sink.SECRETS["github"]),
                  *headers, *papers.body(body))
    check("of several secrets it says which one it was", "  secret     2 of 2\n" in run.out, run)
    body = b"[]"
    run = watched("verify", *papers.scheme("foil"),
                  *papers.headers(sign("foil", body, now=NOW)), *papers.body(body), "--now", NOW,
                  "--json")
    equal("a body that is authentic but no object is verified, and called unreadable",
          (run.status, run.json()["reason"], run.json()["unreadable"]),
          (GOOD, "verified", "not a JSON object"))
    body = b'{"id":"a\\/b","type":"t","data":{'
    run = watched("verify", *papers.scheme("foil"),
                  *papers.headers(sign("foil", body, now=NOW)), *papers.body(body), "--now", NOW)
    check("id and type in front of the damage are shown, without their escapes",
          run.status == GOOD and "  id         a/b\n  type       t\n" in run.out
          and "  unreadable JSON ends early\n" in run.out, run)


def test_odd_ids():
    body = '{"id":"evt_1","type":"\\u001b[31mred\u202e"}'.encode()
    run = watched("verify", *papers.scheme("foil"),
                  *papers.headers(sign("foil", body, now=NOW)), *papers.body(body), "--now", NOW)
    check("what the sender chose cannot change the terminal",
          run.status == GOOD and "\x1b" not in run.out and "\u202e" not in run.out
          and "[31mred" in run.out, run)


# ---- sources of requests

def test_parts():
    body = bytes(range(256)) * 3
    headers = sign("github", body)
    scheme = papers.scheme("github")
    for name, how, stdin in (
            ("headers and body from files", [*papers.headers(headers), *papers.body(body)], b""),
            ("lines of headers that end with CRLF",
             [*papers.headers(headers, "\r\n"), *papers.body(body)], b""),
            ("headers with an empty line behind them",
             [*papers.headers([*headers, ("X-More", "\r\n\r")]), *papers.body(body)], b""),
            ("headers without an end of the last line",
             ["--headers", papers.file(": ".join(headers[0])), *papers.body(body)], b""),
            ("a header from the command line",
             ["--header", ": ".join(headers[0]), *papers.body(body)], b""),
            ("a body from the standard input", [*papers.headers(headers), "--body", "-"], body),
            ("headers from the standard input", ["--headers", "-", *papers.body(body)],
             ": ".join(headers[0]).encode())):
        run = watched("verify", *scheme, *how, stdin=stdin)
        equal(f"{name} are read", run.status, GOOD, run)
    secret = sink.SECRETS["github"]
    run = watched("verify", "--scheme", "github", "--secret", "env:THE_SECRET",
                  *papers.headers(headers), *papers.body(body), environment={"THE_SECRET": secret})
    equal("a secret may be in the environment", run.status, GOOD, run)
    folder = sink.Folders.new()
    write_file(folder + "/hook", secret)
    run = watched("verify", "--scheme", "github", "--secret", "credential:hook",
                  *papers.headers(headers), *papers.body(body),
                  environment={"CREDENTIALS_DIRECTORY": folder})
    equal("a secret may be a credential", run.status, GOOD, run)
    empty = sign("github", b"")
    run = watched("verify", *scheme, *papers.headers(empty), *papers.body(b""))
    equal("an empty body is a body", run.status, GOOD, run)


def test_a_pipe():
    body = b"{}" * 50000
    path = papers.path("pipe")
    os.mkfifo(path)

    def write():
        with open(path, "wb") as pipe:
            pipe.write(body)

    thread = threading.Thread(target=write)
    thread.start()
    run = watched("verify", *papers.scheme("github"), *papers.headers(sign("github", body)),
                  "--body", path)
    thread.join()
    equal("a body may come from a pipe", run.status, GOOD, run)


def test_saved_requests():
    body = b'{"a":1}\n{"b":2}\r\n'
    scheme = papers.scheme("github")
    headers = sign("github", body)
    whole = sink.request("/github", headers, body)
    chunked = sink.request("/github", headers, body, chunk=5)
    upper = chunked.replace(b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked")
    open_end = sink.head_of("/github", headers) + body
    lf = sink.head_of("/github", headers).replace(b"\r\n", b"\n") + body
    with_extension = chunked.replace(b"\r\n5\r\n", b"\r\n5;a=b\r\n", 1)
    for name, data in (("with Content-Length", whole), ("in chunks", chunked),
                       ("in chunks, written otherwise", upper), ("that says no length", open_end),
                       ("whose head was saved with LF", lf),
                       ("with an extension of a chunk", with_extension),
                       ("with trailers", chunked[:-2] + b"X-Sum: 1\r\n\r\n"),
                       ("that was cut behind the last chunk", chunked[:-2]),
                       ("behind an empty line", b"\r\n" + whole),
                       ("of another version", whole.replace(b"HTTP/1.1", b"HTTP/2"))):
        run = watched("verify", *scheme, "--request", papers.file(data))
        equal(f"a saved request {name} is read", (run.status, run.err), (GOOD, ""), run)
    run = watched("verify", *scheme, "--request", "-", stdin=whole)
    equal("a saved request may come from the standard input", run.status, GOOD, run)
    for name, data in (("a length", whole + b"\n"), ("chunks", chunked + b"\n")):
        run = watched("verify", *scheme, "--request", papers.file(data))
        check(f"what an editor adds behind a body with {name} is left out, and it says so",
              run.status == GOOD and "ignored 1 bytes after the body" in run.err, run)


def test_wrong_requests():
    body = b'{"a":1}'
    scheme = papers.scheme("github")
    good = sink.request("/github", sign("github", body), body)
    chunked = sink.request("/github", sign("github", body), body, chunk=3)
    for name, data, said in (
            ("is empty", b"", "line 0: expected a request line"),
            ("has no request line", good.split(b"\r\n", 1)[1], "line 1: expected a request line"),
            ("is an answer", b"HTTP/1.1 200 OK\r\n\r\n", "line 1: expected a request line"),
            ("is binary", bytes(range(256)) * 100, "expected a request line"),
            ("has a header without a colon", good.replace(b"Host: ", b"Host "),
             "line 2: expected \"Name: value\", found no colon"),
            ("has a folded header", good.replace(b"\r\nX-Hub", b"\r\n X-Hub"),
             "line 3: expected \"Name: value\", found no valid name before the colon"),
            ("has a NUL in a header", good.replace(b"sink.example", b"sink\0example"),
             "line 2: Host: the value contains a control character"),
            ("ends in its headers", good.split(b"\r\n\r\n", maxsplit=1)[0] + b"\r\n",
             "the request ends within its headers"),
            ("ends in the middle of a header", good[:40], "the request ends in the middle"),
            ("has less than Content-Length", good[:-1],
             "Content-Length is 7 bytes, but 6 follow the headers"),
            ("has no number of a length", good.replace(b"Length: 7", b"Length: +7"),
             "Content-Length: expected a number"),
            ("has a monstrous length", good.replace(b"Length: 7", b"Length: " + b"9" * 30),
             "Content-Length: expected a number"),
            ("has two lengths", good.replace(b"Host: sink.example", b"Content-Length: 9"),
             "expected at most one Content-Length or Transfer-Encoding header"),
            ("has a length and chunks", chunked.replace(b"Host: sink.example", b"Content-Length: 9"),
             "expected at most one Content-Length or Transfer-Encoding header"),
            ("has another coding", chunked.replace(b": chunked", b": gzip, chunked"),
             "Transfer-Encoding: expected chunked"),
            ("was saved without its chunks", good.replace(b"Content-Length: 7",
                                                          b"Transfer-Encoding: chunked"),
             "not complete chunks"),
            ("lost the last chunk", chunked[:-5], "not complete chunks"),
            ("was cut in a chunk", chunked[:-9], "not complete chunks"),
            ("has a chunk of a monstrous size", chunked.replace(b"\r\n3\r\n", b"\r\nffffffffff\r\n", 1),
             "not complete chunks"),
            ("has a chunk without its line end", chunked.replace(b'{"a\r\n', b'{"axx', 1),
             "not complete chunks")):
        run = watched("verify", *scheme, "--request", papers.file(data))
        check(f"a saved request that {name} is a usage error that says so",
              run.status == USAGE and said in run.err and run.out == ""
              and run.err.count("\n") == 1, said, run)


# ---- stores

def test_stored():
    daemon = sink.Daemon(sources=[sink.source("foil"), sink.source("github")])
    body = sink.sample_body("foil")
    answer = daemon.deliver("foil", body)
    equal("the daemon has taken a delivery", answer.status, 200)
    run = watched("verify", *papers.scheme("foil"), "--stored", 1, "--store", daemon.store, "--json")
    equal("a stored delivery is verified, while the daemon runs",
          (run.status, run.json()["id"], run.json()["type"]), (GOOD, "evt_1", "webhook.test"), run)
    arrived = run.json()["now"]
    check("it is compared with the time at which it arrived",
          abs(arrived - run.json()["signed_at"]) < 60 and abs(arrived - time.time()) < 60, run)
    run = watched("verify", *papers.scheme("foil"), "--stored", 1, "--store", daemon.store,
                  "--now", NOW)
    equal("or with another, if that is asked for", run.status, STALE, run)
    config = daemon.folder + "/hooklined.yaml"
    run = watched("verify", "--config", config, "--stored", 1, "--json",
                  environment={"STATE_DIRECTORY": daemon.folder})
    equal("the configuration says store, source and secret",
          (run.status, run.out and run.json()["source"]), (GOOD, "foil"), run)
    run = watched("verify", "--config", config, "--source", "github", "--stored", 1, "--store",
                  daemon.store)
    equal("by another source it is refused", run.status, REFUSED, run)
    other = papers.path("other.db")
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE a(b)")
    for name, how, said in (
            ("that is not there", [2, "--store", daemon.store], ": no delivery 2"),
            ("of number 0", [0, "--store", daemon.store], "expected a number from 1"),
            ("without a store", [1], "--stored needs --store FILE"),
            ("of a store that is not there", [1, "--store", "/nowhere/hookline.db"],
             "/nowhere/hookline.db: cannot be opened: No such file or directory"),
            ("of a folder", [1, "--store", papers.folder], "cannot be opened"),
            ("of a text", [1, "--store", papers.file("no database " * 1000)],
             "file is not a database"),
            ("of an empty file", [1, "--store", papers.file("")], ": not a hooklined store"),
            ("of another database", [1, "--store", other], "expected a store of hooklined")):
        run = watched("verify", *papers.scheme("foil"), "--stored", *how)
        check(f"a delivery {name} is a usage error that says so",
              run.status == USAGE and said in run.err and run.out == "", said, run)
    daemon.stop()
    run = watched("verify", *papers.scheme("foil"), "--stored", 1, "--store", daemon.store)
    equal("a stored delivery is verified, while no daemon runs", run.status, GOOD, run)


def test_configuration():
    body = b'{"id":"evt_1"}'
    one = sink.source("foil", tolerance_seconds=5)
    file = papers.file(sink.json.dumps({"sources": [one]}))
    how = [*papers.headers(sign("foil", body, now=NOW)), *papers.body(body)]
    run = watched("verify", "--config", file, *how, "--now", NOW + 5)
    equal("a configuration that trusts the service for its store will do, and its only source "
          "need not be named", run.status, GOOD, run)
    check("it names the source", "by the secret of source foil" in run.out, run)
    run = watched("verify", "--config", file, *how, "--now", NOW + 6)
    equal("its tolerance counts", run.status, STALE, run)
    run = watched("verify", "--config", file, *how, "--now", NOW + 6, "--tolerance", 6)
    equal("unless another one is given", run.status, GOOD, run)
    two = papers.file(sink.json.dumps({"sources": [one, sink.source("github")]}))
    secret = papers.secrets("whatever-it-is-0123456789")
    for name, options, said in (
            ("of several sources none is named", ["--config", two],
             "several sources; give --source with one of foil, github"),
            ("there is no such source", ["--config", two, "--source", "hub"],
             "unknown source; give --source with one of foil, github"),
            ("the configuration is not there", ["--config", "/nowhere.yaml"], "/nowhere.yaml"),
            ("the configuration is wrong", ["--config", papers.file("a: b")], "expected"),
            ("a secret is given, too", ["--config", file, *secret], "remove --scheme"),
            ("a source is given without it", ["--source", "foil", *secret, "--scheme", "foil"],
             "--source needs --config")):
        run = watched("verify", *options, *how)
        check(f"if {name}, it says so", run.status == USAGE and said in run.err, said, run)


# ---- other wrong input

def test_wrong_input():
    body = papers.body(b"{}")
    github = papers.scheme("github")
    headers = papers.headers(sign("github", b"{}"))
    open_file = papers.file("a-secret-0123456789", 0o644)
    long_description = papers.file("signature X; " * 100)
    word = "a-secret-0123456789"
    Watch.words.add(word.encode())
    for name, options, said in (
            ("nothing is given", [], "give a request: "),
            ("there is no body", [*github, *headers], "--body is missing"),
            ("there is no scheme", [*headers, *body], "give --scheme NAME"),
            ("there is no secret", ["--scheme", "github", *headers, *body],
             "--secret is missing; expected @FILE"),
            ("the scheme is not known", ["--scheme", word, *papers.secrets(word), *headers, *body],
             "--scheme: unknown scheme; expected one of foil, "),
            ("there are scheme and description",
             [*github, "--description", papers.file("a"), *headers, *body], "cannot be combined"),
            ("the description is refused",
             ["--description", papers.file("signature X-A"), *papers.secrets(word), *headers,
              *body], "scheme description: "),
            ("the description is too long",
             ["--description", long_description, *papers.secrets(word), *headers, *body],
             "a text of at most 1023 bytes"),
            ("the description has a NUL",
             ["--description", papers.file(b"signature X\0"), *papers.secrets(word), *headers,
              *body], "a text of at most 1023 bytes"),
            ("the description is not there",
             ["--description", "/nowhere", *papers.secrets(word), *headers, *body],
             "/nowhere: No such file"),
            ("others can read the secret",
             ["--scheme", "github", "--secret", "@" + open_file, *headers, *body],
             "mode 0644 gives others access to the secret; try: chmod"),
            ("the secret is not there",
             ["--scheme", "github", "--secret", "@/nowhere", *headers, *body],
             "/nowhere: No such file"),
            ("the secret is a folder",
             ["--scheme", "github", "--secret", "@" + papers.folder, *headers, *body],
             "not a regular file"),
            ("the secret is empty", ["--scheme", "github", *papers.secrets(""), *headers, *body],
             "the secret is empty"),
            ("the secret has a NUL",
             ["--scheme", "github", "--secret", "@" + papers.file(b"a\0b"), *headers, *body],
             "expected one line of text"),
            ("the secret cannot be decoded",
             ["--scheme", "standard", *papers.secrets("whsec_!!"), *headers, *body],
             "not base64, as the scheme says"),
            ("the secret is on the command line",
             ["--scheme", "github", "--secret", word, *headers, *body],
             "a secret does not belong on the command line"),
            ("the variable is not set",
             ["--scheme", "github", "--secret", "env:NOT_THERE", *headers, *body],
             "environment variable NOT_THERE is not set"),
            ("the body is not there", [*github, *headers, "--body", "/nowhere"],
             "/nowhere: No such file or directory"),
            ("the body is a folder", [*github, *headers, "--body", papers.folder],
             "Is a directory"),
            ("the headers are not there", [*github, "--headers", "/nowhere", *body], "/nowhere"),
            ("a header has no colon", [*github, "--headers", papers.file("A: b\nno colon\n"), *body],
             ":2: expected \"Name: value\", found no colon"),
            ("a header has a NUL", [*github, "--headers", papers.file(b"A: b\0c\n"), *body],
             ":1: A: the value contains a control character"),
            ("a header of the command line has none", [*github, "--header", "X", *body],
             "--header: expected \"Name: value\""),
            ("headers are asked for as curl reads them", [*github, "--header", "@headers", *body],
             "found no colon; for a file of headers use --headers FILE"),
            ("both come from the standard input", [*github, "--headers", "-", "--body", "-"],
             "cannot both be standard input"),
            ("it is given twice", [*github, *headers, *body, "--request", "/nowhere"],
             "give the request once"),
            ("there is a store for nothing", [*github, *headers, *body, "--store", "a"],
             "--store needs --stored SEQ"),
            ("the time is none", [*github, *headers, *body, "--now", "today"],
             "--now: expected a number"),
            ("the tolerance is too great", [*github, *headers, *body, "--tolerance", 86401],
             "--tolerance: expected a number from 0 to 86400"),
            ("there is an argument", [*github, *headers, *body, "x"], "expected options only, no arguments")):
        run = watched("verify", *options)
        check(f"if {name}, it is a usage error of one line and a way on",
              run.status == USAGE and said in run.err and run.out == ""
              and run.err.count("\n") <= 2, said, run)


def test_too_large():
    path = papers.path("large")
    with open(path, "wb") as file:
        file.truncate((64 << 20) + 1)
    for option in ("--body", "--request"):
        run = watched("verify", *papers.scheme("github"), option, path,
                      *([] if option == "--request" else ["--header", "a: b"]))
        check(f"{option}: a file of more than 64 MiB is refused with its name",
              run.status == USAGE and f"{path}: larger than 64 MiB" in run.err, run)
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    run = watched("verify", *papers.scheme("github"), "--body", path,
                  *papers.headers(sign("github", bytes(64 << 20))))
    equal("one of 64 MiB is read", run.status, GOOD, run)
    os.unlink(path)


def test_signed_url():
    description = papers.file("signature X-S; encoding hex; content {method}{url}{body}")
    how = ["--description", description, *papers.secrets("a-secret-0123456789"), *papers.body(b"x")]
    mac = sink.mac_of(b"a-secret-0123456789", b"PUThttps://a.example/hx")
    header = ["--header", "X-S: " + mac]
    run = watched("verify", *how, *header)
    check("a scheme that signs the URL asks for it",
          run.status == USAGE and "--url is missing" in run.err, run)
    run = watched("verify", *how, *header, "--url", "https://a.example/h", "--method", "PUT")
    equal("method and URL count", run.status, GOOD, run)
    run = watched("verify", *how, *header, "--url", "https://a.example/h")
    equal("the method is POST unless it is said", run.status, REFUSED, run)
    run = watched("verify", *how, *header, "--url", "http://a.example:80/h/", "--method", "PUT", "--json")
    equal("another spelling of the URL is found", run.json()["hint"], "url_scheme")
    whole = sink.request("/h?a=1", [("X-S", sink.mac_of(b"a-secret-0123456789",
                                                        b"PUThttps://a.example/h?a=1x"))], b"x", method="PUT")
    run = watched("verify", *how[:4], "--request", papers.file(whole), "--url", "https://a.example/h",
                  "--json")
    equal("so is the query of a saved request", run.json()["hint"], "url_query")
    whole = sink.request("/h", [("X-S", mac)], b"x", method="PUT")
    run = watched("verify", *how[:4], "--request", papers.file(whole), "--url",
                  "https://a.example/h")
    equal("or that of the saved request", run.status, GOOD, run)


# ---- mistakes

def test_mistakes():
    body = b'{"id":"evt_1","type":"a","n":[1,2]}'
    lines = b'{"a":1,\n"b":2}\n'
    ms = papers.file("signature X-S; encoding hex; timestamp header X-T milliseconds; "
                     "content {timestamp}.{body}")
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    key = base64.b64decode(secret[6:])
    at = str(NOW)
    foil = papers.scheme("foil")

    def foil_signs(data, key=None):
        return papers.headers(sign("foil", data, now=NOW, secret=key))

    for name, how, received in (
            ("body_newline", [*foil, *foil_signs(body)], body + b"\n"),
            ("body_newline", [*foil, *foil_signs(body + b"\n")], body),
            ("body_crlf", [*foil, *foil_signs(lines)], lines.replace(b"\n", b"\r\n")),
            ("body_reencoded", [*foil, *foil_signs(body)],
             sink.json.dumps(sink.json.loads(body)).encode()),
            ("body_base64", [*foil, *foil_signs(body)], base64.b64encode(body) + b"\n"),
            ("body_base64", [*foil, *foil_signs(b"\xff\xfe\xfd")], b"__79"),
            ("body_string", [*foil, *foil_signs(lines)], sink.json.dumps(lines.decode()).encode()),
            ("body_event", [*foil, *foil_signs(body)], sink.json.dumps(
                {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}).encode()),
            ("secret_newline", [*foil, *foil_signs(body, sink.SECRETS["foil"] + "\n")], body),
            ("secret_decoding",
             ["--scheme", "foil", *papers.secrets(secret), "--header", "X-Foil-Timestamp: " + at,
              "--header", "X-Foil-Signature: " + sink.mac_of(key, at.encode() + b"." + body)],
             body),
            ("timestamp_unit",
             ["--description", ms, *papers.secrets(secret), "--header", "X-T: " + at, "--header",
              "X-S: " + sink.mac_of(secret.encode(), at.encode() + b"." + body)], body)):
        run = watched("verify", *how, *papers.body(received), "--now", NOW, "--json")
        got = run.json()
        check(f"the mistake {name} is found, and explained",
              got["hint"] == name and len(got["hint_message"]) > 40
              and run.status in (REFUSED, STALE), run)
    run = watched("verify", *foil, *foil_signs(body), *papers.body(body + b"\n"), "--now", NOW)
    check("a person is told, too, in place of the usual questions",
          run.out.startswith("refused: signature_mismatch\n  the signature matches the body with one line "
                             "end more or less: ") and "is the secret right" not in run.out
          and "\n  mistake    body_newline\n" in run.out, run)
    run = watched("verify", *foil, *foil_signs(body), *papers.body(b""), "--now", NOW)
    check("an empty body is told, because the sender may have sent one",
          run.status == REFUSED and "\n  body       empty: if the sender sent one" in run.out
          and "mistake" not in run.out, run)
    run = watched("verify", *foil, *foil_signs(body), *papers.body(b"{}"), "--now", NOW, "--json")
    equal("a forgery is no mistake", (run.status, run.json()["hint"]), (REFUSED, None))
    file = papers.file(sink.json.dumps({"sources": [sink.source("foil"), sink.source("shodai")]}))
    run = watched("verify", "--config", file, "--source", "shodai", *foil_signs(body),
                  *papers.body(body), "--now", NOW, "--json")
    got = run.json()
    equal("what was meant for another source of the configuration is found, too",
          (run.status, got["reason"], got["hint"], got["hint_source"]),
          (REFUSED, "missing_header", "other_source", "foil"))


def test_own_secrets():
    body, secret = b'{"id":"evt_1"}', sink.SECRETS["foil"]
    sent = [*papers.headers(sign("foil", body, now=NOW)), *papers.body(body), "--now", NOW]
    for text, name, says in (
            (f'"{secret}"', "secret_quotes", "has quotes around it; delete them"),
            (f"S='{secret}'\\n", "secret_assignment", "reads NAME=value"),
            (f"FOIL={secret}", "secret_assignment", "reads NAME=value"),
            (base64.b64encode(secret.encode() + b"\n").decode(), "secret_base64", "is base64 of a text")):
        sink.Watch.words.add(text.encode())
        path = papers.file(text)
        run = watched("verify", "--scheme", "foil", "--secret", "@" + path, *sent, "--json")
        check(f"the secret that is stored wrongly is found, and warned about once: {name}",
              run.json()["hint"] == name and run.err.count("\n") == 1 and
              run.err.startswith(f"hookline: {path}: the secret {says}"), run)
    file = papers.file(sink.json.dumps({"sources": [sink.source("foil", secrets=[f'"{secret}"']),
                                                    sink.source("shodai")]}))
    run = watched("verify", "--config", file, "--source", "foil", *sent)
    check("a secret of a configuration likewise", run.err.count("has quotes around it") == 1, run)
    run = watched("verify", "--scheme", "standard", "--secret", "env:THE_SECRET", *sent,
                  environment={"THE_SECRET": "'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'"})
    check("an unusable one is an error that says why", run.status == USAGE and
          "environment variable THE_SECRET: " in run.err and "this secret has quotes" in run.err, run)


# ---- --i-am-testing

def test_right_signature():
    for scheme in sink.SECRETS:
        body = sink.sample_body(scheme, now=NOW)
        right = sign(scheme, body, now=NOW)
        wrong = sign(scheme, body, now=NOW, secret=sink.SECRETS[scheme][:-8] + "AAAABBBB")
        how = [*papers.scheme(scheme), *papers.headers(wrong), *papers.body(body), "--now", NOW]
        run = watched("verify", *how)
        equal(f"{scheme}: the right signature is not told", run.status, REFUSED)
        words, Watch.words = Watch.words, set()
        run = watched("verify", *how, "--i-am-testing")
        Watch.words = words
        check(f"{scheme}: but it is to who is testing, and it is that of the time in the request",
              run.status == REFUSED and all(f"{name}: {value}\n" in run.out
                                            for name, value in right), right, run)
    run = watched("verify", *papers.scheme("standard"), *papers.headers([("a", "b")]),
                  *papers.body(b"{}"), "--i-am-testing")
    check("what cannot be signed again is still refused with its reason",
          run.status == REFUSED and run.out.startswith("refused: missing_header\n")
          and "--i-am-testing: cannot sign: " in run.err and "correct headers" not in run.out, run)
