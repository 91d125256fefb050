# SPDX-License-Identifier: MIT
"""hookline send: hooklined accepts deliveries of every scheme and refuses those of each fault;
other receivers may be absent or odd."""
import json
import socket
import threading
import time

import pytest

from harness.cli import GOOD, REFUSED, STALE, TIMEOUT, TRANSPORT, USAGE, sink
from harness.papers import NOW, Papers, watched
from harness.ports import free_port
from harness.sink import Clock, check, equal, wait_for
from harness.upstream import Upstream, header, make_certificate, response

pytestmark = [pytest.mark.running, pytest.mark.seconds(240)]

papers = Papers()
CUSTOM = "signature X-S; encoding base64url; prefix v9=; timestamp header X-T milliseconds; " \
    "content {timestamp}:{header:X-Tenant}:{url}:{body}; event type type"


def url_of(daemon, path):
    host, port = daemon.address
    return f"http://{host}:{port}/{path}"


def sent(daemon, scheme, *arguments, **options):
    return watched("send", url_of(daemon, scheme), *papers.scheme(scheme), *arguments, **options)


def test_every_scheme():
    sources = [sink.source(scheme) for scheme in sink.SECRETS]
    sources.append(sink.source("custom", secrets=[sink.SECRETS["foil"]], description=CUSTOM,
                               url="https://hooks.example/custom"))
    daemon = sink.Daemon(sources=sources)
    for scheme in sink.SECRETS:
        run = sent(daemon, scheme, "--test", "--json")
        equal(f"{scheme}: the test event is taken", (run.status, run.json()["status"]), (GOOD, 200),
              run)
        line = daemon.lines(source=scheme)[-1]
        check(f"{scheme}: it is stored, and has a type",
              line["verdict"] == "stored" and (line["type"] or scheme == "github"), line)
        equal(f"{scheme}: another one is no repetition",
              (sent(daemon, scheme, "--test").status,
               daemon.lines(source=scheme)[-1]["verdict"]), (GOOD, "stored"))
        body = sink.sample_body(scheme, id="evt_mine")
        run = sent(daemon, scheme, *papers.body(body))
        check(f"{scheme}: a body from a file is taken, and the answer is shown",
              run.status == GOOD and run.out.startswith("200 after ")
              and '"status":"accepted"' in run.out, run)
    for scheme in ("foil", "tripwire", "shodai", "trulayer"):
        check(f"{scheme}: the event is one of the scheme's tests",
              daemon.lines(source=scheme)[0]["test"] is True, daemon.lines(source=scheme)[0])
    how = [url_of(daemon, "custom"), "--description", papers.file(CUSTOM),
           *papers.secrets(sink.SECRETS["foil"]), "--test", "--header", "X-Tenant: acme"]
    run = watched("send", *how, "--url", "https://hooks.example/custom")
    equal("a scheme of one's own, that signs URL and headers, is taken", run.status, GOOD, run)
    run = watched("send", *how)
    equal("without --url it signs the URL that it sends to", run.status, REFUSED, run)
    run = watched("send", url_of(daemon, "slack"), "--config", daemon.folder + "/hooklined.yaml",
                  "--source", "slack", "--test")
    equal("scheme and secret may come from the configuration", run.status, GOOD, run)
    refused = [line for line in daemon.lines() if line.get("verdict") == "refused"]
    equal("nothing else was refused", len(refused), 1, *refused)
    daemon.stop()


def test_bodies_as_they_are():
    upstream = Upstream()
    data = bytes(range(256)) * 300
    for name, how, stdin, body in (("a binary file", papers.body(data), b"", data),
                                   ("the standard input", ["--body", "-"], data, data),
                                   ("a file as curl names it", ["--data", "@-"], data, data),
                                   ("a text", ["--data", "a=b\n"], b"", b"a=b\n"),
                                   ("nothing", ["--data", ""], b"", b"")):
        run = watched("send", upstream.url, *papers.scheme("github"), *how, stdin=stdin)
        request = upstream.requests[-1]
        check(f"{name} is sent byte for byte, and signed",
              run.status == GOOD and request.body == body and request.method == "POST"
              and header(request, "X-Hub-Signature-256") == sink.sign("github", body)[0][1],
              request, run)
    equal("what is no JSON is not called so", header(upstream.requests[0], "Content-Type"),
          "application/octet-stream")
    check("the sender says who it is",
          header(upstream.requests[0], "User-Agent").startswith("hookline/"))
    watched("send", upstream.url, *papers.scheme("github"), "--data", "{}", "--method", "PUT",
            "--header", "X-One: 1", "--header", "content-type: text/x", "--header", "X-None:")
    request = upstream.requests[-1]
    equal("method and headers may be chosen",
          (request.method, header(request, "X-One"), header(request, "Content-Type"),
           ("X-None", "") in request.headers), ("PUT", "1", "text/x", True), request)
    watched("send", upstream.url, *papers.scheme("foil"), "--data", "{}", "--now", NOW)
    equal("and the time", header(upstream.requests[-1], "X-Foil-Timestamp"), str(NOW))
    watched("send", upstream.url, *papers.scheme("github"), "--test", "--id", "the-id")
    equal("and the id of a test event", header(upstream.requests[-1], "X-GitHub-Delivery"), "the-id")
    upstream.close()


# ---- faults

def test_refusals():
    now = int(time.time())
    clock = Clock(now)  # decides to the second which request is stale
    daemon = sink.Daemon(sources=[sink.source("foil"), sink.source("standard"),
                                  sink.source("trulayer")], env=clock.environment())

    def comes_to(fault, status, code, scheme="foil", outcome=REFUSED):
        run = sent(daemon, scheme, "--test", "--now", now, "--fault", fault, "--json")
        got = run.json()
        answer = json.loads(got["answer"] or "{}")
        equal(f"{scheme}: {fault} comes to {code or status}",
              (run.status, got["status"], answer.get("error", {}).get("code")),
              (outcome, status, code), run)

    comes_to("stale", 401, "timestamp_too_old", outcome=STALE)
    comes_to("future=412", 401, "timestamp_too_new", outcome=STALE)
    comes_to("stale=300", 200, None, outcome=GOOD)
    comes_to("stale=301", 401, "timestamp_too_old", outcome=STALE)
    comes_to("stale", 401, "timestamp_too_old", "trulayer", STALE)
    comes_to("wrong-secret", 401, "signature_mismatch")
    comes_to("secret-newline", 401, "signature_mismatch")
    comes_to("wrong-secret", 401, "signature_mismatch", "standard")
    comes_to("secret-newline", 401, "signature_mismatch", "standard")
    comes_to("two-signatures", 200, None, "standard", GOOD)
    comes_to("two-signatures", 200, None, outcome=GOOD)
    comes_to("unsigned", 401, "missing_header")
    comes_to("tamper", 401, "signature_mismatch")
    comes_to("reencode", 401, "signature_mismatch")
    comes_to("crlf", 401, "signature_mismatch")
    comes_to("oversize", 413, "body_too_large")
    comes_to("oversize=100000", 200, None, outcome=GOOD)
    daemon.alive("the daemon is alive after them")
    daemon.stop()


def test_repetitions():
    daemon = sink.Daemon(sources=[sink.source("foil")])
    run = sent(daemon, "foil", "--test", "--fault", "duplicate=3", "--json")
    answers = [json.loads(line) for line in run.out.splitlines()]
    equal("copies are the very same request",
          [(a["copy"], json.loads(a["answer"])["status"]) for a in answers],
          [(1, "accepted"), (2, "duplicate"), (3, "duplicate")], run)
    run = sent(daemon, "foil", "--test", "--fault", "burst=20", "--json")
    answers = [json.loads(line) for line in run.out.splitlines()]
    equal("deliveries of a burst are each of their own",
          (run.status, sorted(a["delivery"] for a in answers),
           {json.loads(a["answer"])["status"] for a in answers}),
          (GOOD, list(range(1, 21)), {"accepted"}), run)
    run = sent(daemon, "foil", "--test", "--fault", "burst=5,reorder,duplicate", "--json")
    answers = [json.loads(line) for line in run.out.splitlines()]
    equal("with reorder the last one goes first", [a["delivery"] for a in answers],
          [5, 4, 3, 2, 1] * 2, run)
    run = sent(daemon, "foil", "--test", "--fault", "burst=2,tamper")
    check("a person sees which one it was", run.status == REFUSED and "delivery 2: 401" in run.out,
          run)
    daemon.stop()


class Raw:
    """Accepts one connection and records its bytes, their arrival times and how it ended."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/h"
        self.data, self.reset, self.times, self.error = b"", False, [], None
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self):
        sock, _ = self.listening.accept()
        sock.settimeout(sink.PATIENCE)
        try:
            while (piece := sock.recv(65536)):
                self.data += piece
                self.times.append(time.monotonic())
                head, _, body = self.data.partition(b"\r\n\r\n")
                if b"Content-Length: %d\r\n" % len(body) in head + b"\r\n":
                    sock.sendall(response())
        except ConnectionResetError:
            self.reset = True
        except OSError as e:
            self.error = e
        sock.close()

    def wait(self):
        self.thread.join(sink.PATIENCE)
        head, _, body = self.data.partition(b"\r\n\r\n")
        return head, body


def in_pieces():
    """A slow reader may get several pieces in one read; the caller then repeats the test."""
    raw = Raw()
    run = watched("send", raw.url, *papers.scheme("foil"), "--data", "x" * 60, "--fault", "slow=40")
    raw.wait()
    slow = len(raw.times) >= 4 and raw.times[-1] - raw.times[0] > 0.5
    return (raw, run) if slow else None


def test_endings():
    body = b'{"a":"' + b"x" * 1000 + b'"}'
    for fault, reset in (("truncate", False), ("reset", True)):
        raw = Raw()
        run = watched("send", raw.url, *papers.scheme("foil"), *papers.body(body), "--fault", fault,
                      "--json")
        head, got = raw.wait()
        equal(f"{fault}: half of the body comes, of a length that was promised",
              (got if not reset else body[:len(got)], b"Content-Length: 1008" in head, raw.reset),
              (body[:len(body) // 2] if not reset else got, True, reset), raw.error)
        equal(f"{fault}: there is no answer, as was asked for",
              (run.status, run.json()["outcome"], run.json()["error"]),
              (TRANSPORT, "failed", "connection ended in the middle of the body, as requested"), run)
        run = watched("send", "http://127.0.0.1:1/", *papers.scheme("foil"), *papers.body(body),
                      "--fault", fault)
        check(f"{fault}: where nobody listens that is the reason",
              run.status == TRANSPORT and "Failed to connect" in run.err, run)
    raw, run = wait_for(in_pieces, "pieces")
    _, got = raw.wait()
    check("slow: all of the body comes, in pieces, at the rate that was asked for",
          run.status == GOOD and got == b"x" * 60, raw.times, run)
    daemon = sink.Daemon(sources=[sink.source("foil")])
    for fault in ("truncate", "reset"):
        equal(f"{fault}: hooklined has nothing of it",
              (sent(daemon, "foil", "--test", "--fault", fault).status,
               daemon.lines(verdict="stored")), (TRANSPORT, []))
    daemon.alive("hooklined is alive after it")
    daemon.stop()


def test_fault_words():
    run = watched("send", "--fault-help")
    check("--fault-help lists the faults", run.status == GOOD and "\nduplicate[=N]" in run.out
          and all(len(line) <= 76 for line in run.out.splitlines()), run)
    how = [f"http://127.0.0.1:{free_port()}/", *papers.scheme("github")]
    for words, test, said in (
            ("late", "--test", "late: unknown fault; expected one of stale, future"),
            ("stale", "--test", "this scheme signs no time"),
            ("stale,future", "--test", "cannot be combined"),
            ("burst", "--data=x", "burst needs --test"),
            ("reencode", "--data=x", "the body is not JSON"),
            ("truncate", "--data=", "the body is empty"),
            ("duplicate=1", "--test", "expected a number from 2 to 100")):
        run = watched("send", *how, test, "--fault", words)
        check(f"the fault {words} with {test} is a usage error that says why, and nothing is sent",
              run.status == USAGE and said in run.err and run.out == "", said, run)


# ---- other receivers

def test_odd_receivers():
    def reply(data):
        return lambda request, sock: data

    cases = (
        ("another status", response(503, b"busy"), REFUSED, 503, "busy"),
        ("a redirect, which is not followed", response(302, b"", [("Location", "/x")]), REFUSED, 302,
         None),
        ("no content", b"HTTP/1.1 204 No Content\r\n\r\n", GOOD, 204, None),
        ("HTML", response(500, b"<html>" + b"x" * 100000), REFUSED, 500, "<html>" + "x" * 100000),
        ("JSON of another kind", response(401, b'{"error":["code"]}'), REFUSED, 401,
         '{"error":["code"]}'),
        ("a stale code", response(401, b'{"error":{"code":"timestamp_too_new"}}'), STALE, 401, None),
        ("bytes that are no text", response(400, b"\xff\x00\x1b[31m"), REFUSED, 400, None),
    )
    for name, data, outcome, status, answer in cases:
        upstream = Upstream(reply(data))
        run = watched("send", upstream.url, *papers.scheme("github"), "--test", "--json")
        got = run.json()
        check(f"an answer with {name} is told",
              (run.status, got["status"]) == (outcome, status)
              and (answer is None or got["answer"] == answer), run.status, run.out[:500])
        run = watched("send", upstream.url, *papers.scheme("github"), "--test")
        check(f"an answer with {name} does nothing to a terminal",
              run.status == outcome and "\x1b" not in run.out and "\0" not in run.out
              and run.out.startswith(f"{status} after "), run.out[:500])
        upstream.close()
    upstream = Upstream(reply(response(200, b"x" * (3 << 20))))
    run = watched("send", upstream.url, *papers.scheme("github"), "--test", "--json")
    equal("of a long answer the beginning is shown", (run.status, len(run.json()["answer"]) > 900000,
                                                      len(run.json()["answer"]) <= 1 << 20),
          (GOOD, True, True))
    upstream.close()


def test_nobody_answers():
    hanging = Upstream()
    hanging.answer = hanging.hang
    port = free_port()
    closing = Upstream(lambda request, sock: None)
    garbage = Upstream(lambda request, sock: b"\0garbage\n" * 10)
    for name, url, more, outcome, said in (
            ("nobody listens", f"http://127.0.0.1:{port}/", [], TRANSPORT, "onnect"),
            ("the name is not known", "http://no-such-name.invalid/", ["--timeout", 600], TRANSPORT,
             "resolve"),
            ("no answer comes", hanging.url, ["--timeout", 1], TIMEOUT, "no answer in time"),
            ("the connection ends", closing.url, [], TRANSPORT, ""),
            ("the answer is no HTTP", garbage.url, [], TRANSPORT, ""),
            ("it speaks no TLS", closing.url.replace("http:", "https:"), [], TRANSPORT, "")):
        run = watched("send", url, *papers.scheme("github"), "--test", *more)
        check(f"if {name}, it says so in one line",
              run.status == outcome and said in run.err and url in run.err
              and run.err.count("\n") == 1 and run.out == "no answer\n", run)
    hanging.close()
    closing.close()
    garbage.close()


def test_proxies():
    upstream, nobody = Upstream(), f"http://127.0.0.1:{free_port()}"
    run = watched("send", upstream.url, *papers.scheme("github"), "--test", environment={
        "http_proxy": nobody, "HTTP_PROXY": nobody, "all_proxy": nobody, "ALL_PROXY": nobody,
        "no_proxy": ""})
    equal("a proxy of the environment is not used", (run.status, len(upstream.requests)), (GOOD, 1))
    upstream.close()


def test_over_tls():
    context, certificate = make_certificate(sink.Folders.new())
    upstream = Upstream(tls=context)
    how = [upstream.url, *papers.scheme("github"), "--test"]
    equal("it is sent over TLS to whom --ca-file trusts",
          watched("send", *how, "--ca-file", certificate).status, GOOD)
    run = watched("send", *how)
    check("but to nobody else", run.status == TRANSPORT and "certificate" in run.err
          and len(upstream.requests) == 1, run)
    upstream.close()


def test_wrong():
    sink.Watch.words.add(b"ada-s-password")
    github = [*papers.scheme("github"), "--test"]
    url = f"http://127.0.0.1:{free_port()}/"
    for name, how, said in (
            ("there is no URL", github, "send: expected URL"),
            ("there are two", [url, url, *github], "send: expected URL"),
            ("the URL is none", ["a b", *github], "expected a URL"),
            ("the URL is of another kind", ["ftp://a.example/", *github], "https:// or http://"),
            ("the URL has a password", ["http://a:ada-s-password@c.example/", *github], "password"),
            ("the method has no body", [url, *github, "--method", "GET"], "--method: expected a method"),
            ("the method is none", [url, *github, "--method", "P\nT"], "--method: expected a method"),
            ("the method is empty", [url, *github, "--method", ""], "--method: expected a method"),
            ("the timeout is none", [url, *github, "--timeout", "0"], "--timeout: expected"),
            ("there is no body", [url, *papers.scheme("github")], "give one of --body"),
            ("the body is not there", [url, *papers.scheme("github"), "--body", "/nowhere"],
             "/nowhere: No such file"),
            ("there is no secret", [url, "--scheme", "github", "--test"], "--secret is missing"),
            ("a header is wrong", [url, *github, "--header", "X"], "found no colon"),
            ("a header is the signature's", [url, *github, "--header", "x-hub-signature-256: a"],
             "is set by signing"),
            ("the certificates are not there", [url.replace("http", "https"), *github, "--ca-file",
                                                "/nowhere"], "--ca-file: /nowhere: No such file")):
        run = watched("send", *how)
        check(f"if {name}, it says so and sends nothing",
              run.status == USAGE and said in run.err
              and run.err.startswith("hookline: ") and "200" not in run.out, said, run)
