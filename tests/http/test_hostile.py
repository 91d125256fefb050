# SPDX-License-Identifier: MIT
"""Requests that break the rules of HTTP, and peers that want the daemon's memory or its
connections."""
import re
import socket
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.sink import (Connection, Daemon, check, equal, request, sample_body, sign, source,
                          wait_for)

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(150)]

HEAD = b"POST /foil HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1 << 20


def start(**more):
    daemon = Daemon(sources=[source("foil")], admin={"address": f"unix:{socket_path()}"}, **more)
    return daemon, Admin(re.search(r"admin listening on unix:(\S+)", daemon.messages())[1])


def signed(body=None, **how):
    body = sample_body("foil") if body is None else body
    return request("/foil", sign("foil", body), body, **how)


def forged(size):
    """The head of a request that looks signed."""
    return (HEAD + b"X-Foil-Timestamp: %d\r\nX-Foil-Signature: %s\r\nContent-Length: %d\r\n\r\n" %
            (time.time(), b"0" * 64, size))


# ---- heads and chunks

def test_requests_with_two_meanings():
    daemon = Daemon(sources=[source("foil")])
    inner = signed()
    cases = {
        "a line feed alone ends no line": HEAD.replace(b"\r\n", b"\n") + b"\n",
        "a carriage return in a value": HEAD + b"X: a\rb\r\n\r\n",
        "a carriage return before the end of a line": HEAD + b"X: a\r\r\n\r\n",
        "white space before the colon": HEAD + b"Content-Length : 5\r\n\r\n",
        "a field without a name": HEAD + b": x\r\n\r\n",
        "white space before the first field": b"POST /foil HTTP/1.1\r\n Host: a\r\n\r\n",
        "a continued line": HEAD + b"X: a\r\n b\r\n\r\n",
        "no Host": b"POST /foil HTTP/1.1\r\n\r\n",
        "two Hosts": HEAD + b"Host: a\r\n\r\n",
        "two Hosts in HTTP/1.0": b"POST /foil HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "a Host with a blank": b"POST /foil HTTP/1.1\r\nHost: a b\r\n\r\n",
        "a Host with a user": b"POST /foil HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "two blanks in the request line": b"POST  /foil HTTP/1.1\r\nHost: a\r\n\r\n",
        "a list of lengths": HEAD + b"Content-Length: 0, 0\r\n\r\n",
        "a length with a sign": HEAD + b"Content-Length: +0\r\n\r\n",
        "an empty length": HEAD + b"Content-Length:\r\n\r\n",
        "two codings": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
        "chunks with a vertical tab": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "chunks in HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n",
        "a size in C": CHUNKED + b"0x10\r\n",
        "garbage behind a size": CHUNKED + b"0 GARBAGE\r\n\r\n",
        "a size with a sign": CHUNKED + b"+0\r\n\r\n",
        "no size": CHUNKED + b";a=b\r\n",
        "a chunk that ends in a line feed": CHUNKED + b"1\r\na\n0\r\n\r\n",
        "a trailer that is no field": CHUNKED + b"0\r\nX\r\n\r\n",
        "a continued trailer": CHUNKED + b"0\r\nX: a\r\n b\r\n\r\n",
        "a user in an absolute URL": b"POST http://a@b/foil HTTP/1.1\r\nHost: b\r\n\r\n",
    }
    for name, data in cases.items():
        with daemon.connect() as connection:
            connection.write(data + inner)
            answer = connection.read()
            check(f"{name}: 400, and the connection ends",
                  answer.status == 400 and answer.code == "bad_request" and
                  answer.header("Connection") == "close" and answer.header("Date") and
                  connection.ended(), answer)
    equal("nothing behind any of them was read", daemon.lines(verdict="stored"), [])
    equal("each has a line that names the path, if there is one",
          len(daemon.lines(reason="bad_request", status=400)), len(cases))
    daemon.alive("who keeps to the rules is served")


def test_requests_with_one_meaning():
    daemon = Daemon(sources=[source("foil")])
    body = sample_body("foil")
    head = request("/foil", [*sign("foil", body), ("Transfer-Encoding", "chunked")])
    head = head.replace(b"Content-Length: 0\r\n", b"")
    size = b"%x" % len(body)
    cases = {
        "an empty line before it": b"\r\n" + signed(),
        "chunks with extensions": head + size + b" ;a=b;c\r\n" + body + b"\r\n0;d\r\n\r\n",
        "chunks with leading zeros and capitals": head + b"00" + size.upper() + b"\r\n" + body +
                                                  b"\r\n000\r\n\r\n",
        "chunks with trailers": head + size + b"\r\n" + body + b"\r\n0\r\nX-A: b\r\nHost: c\r\n\r\n",
        "CHUNKED in capitals": head.replace(b"chunked", b"CHUNKED") + size + b"\r\n" + body +
                               b"\r\n0\r\n\r\n",
        "a value beyond ASCII": signed().replace(b"\r\n\r\n", b"\r\nX: \xc3\xa4\r\n\r\n", 1),
    }
    with daemon.connect() as connection:
        for name, data in cases.items():
            connection.write(data)
            equal(f"{name}: accepted", connection.read().status, 200)
        connection.write(b"".join(cases.values()))
        equal("and all at once", [connection.read().status for _ in cases], [200] * len(cases))


def test_extensions_and_trailers_end():
    daemon = Daemon(sources=[source("foil")])
    head = forged(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    for name, start_of, part in (("trailers", b"0\r\n", b"X: y\r\n"),
                                 ("one trailer", b"0\r\nX: ", b"y" * 100),
                                 ("extensions", b"", b"1;" + b"x" * 100 + b"\r\na\r\n"),
                                 ("one extension", b"1;", b"x" * 100)):
        with daemon.connect() as connection:
            connection.write(head + start_of)
            sent = 0
            try:
                while sent < 4 * MIB and not connection.is_ended():
                    connection.write(part * 20)
                    sent += 20 * len(part)
            except OSError:
                pass
            check(f"{name} without an end: the connection ends after some KiB", sent < 4 * MIB, sent)
    equal("each is a bad request", len(daemon.lines(reason="bad_request")), 4)


def test_every_answer_has_its_date():
    daemon, admin = start(health_path="/healthz")
    asked = [("POST", "/foil", 401), ("GET", "/foil", 405), ("HEAD", "/foil", 405),
             ("OPTIONS", "/foil", 204), ("POST", "/nothing", 404), ("GET", "/healthz", 200)]
    answers = [(method, path, status, daemon.send(path, method=method))
               for method, path, status in asked]
    answers += [(method, path, status, admin.ask(path, method)) for method, path, status in (
        ("GET", "/livez", 200), ("HEAD", "/metrics", 200), ("GET", "/nothing", 404))]
    for method, path, status, answer in answers:
        check(f"{method} {path}: {status}, with a Date, and a body unless it is for HEAD",
              answer.status == status and answer.header("Date").endswith(" GMT") and
              (answer.body == b"") == (method == "HEAD" or status == 204), answer)


# ---- refused by the head

def test_what_the_head_decides():
    daemon = Daemon(sources=[source("foil"), source("closed", "foil", allow=["192.0.2.1"])])
    line = b"Content-Length: %d\r\n\r\n"
    cases = (("an unknown path", b"/nothing", b"", 404), ("no signature", b"/foil", b"", 401),
             ("an address that is not allowed", b"/closed", b"X-Foil-Signature: 00\r\n", 403))
    for name, path, more, status in cases:
        head = HEAD.replace(b"/foil", path) + more
        for size in (100, MIB):
            with daemon.connect() as connection:
                connection.write(head + line % size)
                answer = connection.read()
                equal(f"{name}: refused before a body of {size} bytes has arrived",
                      answer.status, status)
                equal("a short body is passed over, a long one ends the connection",
                      answer.header("Connection"), "keep-alive" if size == 100 else "close")
                if size == 100:
                    connection.write(b"x" * 100 + signed())
                    equal("then the connection goes on", connection.read().status, 200)
                else:
                    check("it ends", connection.ended())
        for expected in (b"Expect: 100-continue\r\n" + line % 100,
                         b"Transfer-Encoding: chunked\r\n\r\n"):
            with daemon.connect() as connection:
                connection.write(head + expected)
                answer = connection.read()
                check(f"{name}: no 100 Continue and no chunk is awaited",
                      answer.status == status and connection.ended(), answer)
    with daemon.connect() as connection:
        connection.write(HEAD.replace(b"POST", b"PUT") + line % MIB)
        equal("another method is refused by the head", connection.read().status, 405)
    body = sample_body("foil")
    with daemon.connect() as connection:
        data = request("/nothing", sign("foil", body), body) + signed(body)
        for i in range(0, len(data), 40):
            connection.write(data[i:i + 40])
        equal("a refusal in pieces takes nothing from the delivery behind it",
              [connection.read().status for _ in range(2)], [404, 200])


def test_a_hint_needs_the_body():
    daemon = Daemon(sources=[source("foil"), source("gh", "github", ["a-secret-of-github-000000"])])
    body = b'{"action":"opened"}'
    with daemon.connect() as connection:
        data = request("/foil", sign("github", body, secret="a-secret-of-github-000000"), body)
        connection.write(data[:-len(body)])
        connection.write(body)
        equal("who has the signature of another source is refused after its body",
              connection.read().code, "missing_header")
    equal("so that the line can name that source",
          [(line["hint"], line["hint_source"]) for line in daemon.lines(reason="missing_header")],
          [("other_source", "gh")])


# ---- memory

def test_bodies_share_a_budget():
    daemon, admin = start(limits={"bodies_bytes": 8 * MIB})
    held, codes = [daemon.connect() for _ in range(40)], []
    for connection in held:
        try:
            connection.write(forged(MIB) + b"x" * (MIB - 1))
        except OSError:
            pass  # it has been told already
    wait_for(lambda: value(admin.metrics(), "hookline_connections_ended_total",
                           reason="bodies_full") >= 20, "those that do not fit")
    for line in daemon.lines(reason="bodies_full"):
        codes.append((line["status"], line["verdict"]))
    equal("a body beyond the budget: 503, and a line", set(codes), {(503, "failed")})
    equal("small deliveries are always served", daemon.deliver("foil").status, 200)
    for connection in held:
        connection.close()
    wait_for(lambda: value(admin.metrics(), "hookline_request_bytes") == 0, "the memory back")
    body = b'{"id":"evt_2","type":"webhook.test","fill":"' + b"x" * (MIB - 100) + b'"}'
    equal("when they have left, a large delivery is served, too",
          daemon.send("/foil", sign("foil", body), body).status, 200)
    with daemon.connect() as connection:
        connection.write(forged(MIB) + b"x" * (MIB - 1))
        wait_for(lambda: value(admin.metrics(), "hookline_request_bytes") > MIB // 2,
                 "the body to be counted")
    check("the metric counts what is in memory", True)


def test_a_refusal_by_the_budget_says_when_to_return():
    daemon, _ = start(limits={"bodies_bytes": 100000})
    with daemon.connect() as connection:
        connection.write(forged(MIB) + b"x" * 300000)
        answer = connection.read()
        check("503 with Retry-After",
              answer.status == 503 and answer.code == "bodies_full" and
              int(answer.header("Retry-After")) > 0 and connection.ended(), answer)


# ---- connections

def test_a_share_of_the_connections():
    daemon = Daemon(sources=[source("foil")], limits={"connections_per_address": 20})
    held = [daemon.connect() for _ in range(60)]
    with Connection.__new__(Connection) as other:
        other.sock = socket.create_connection(daemon.address, sink.PATIENCE, ("127.0.0.9", 0))
        other.input = other.sock.makefile("rb")
        other.write(signed())
        equal("another address has its own share", other.read().status, 200)
    for connection in held:
        connection.close()


# ---- health path

def test_health_path():
    daemon, _ = start(health_path="/healthz")
    for method in ("GET", "HEAD"):
        answer = daemon.send("/healthz?x=1", method=method)
        equal(f"{method}: 200 while deliveries can be stored",
              (answer.status, answer.body), (200, b"" if method == "HEAD" else b"ok\n"))
    equal("it leaves no line", daemon.lines(), [])
    answer = daemon.send("/healthz", sign("foil", sample_body("foil")), sample_body("foil"))
    equal("a delivery there is not taken for a check", (answer.status, answer.code),
          (404, "not_found"))
    equal("and has a line", len(daemon.lines(reason="not_found", path="/healthz")), 1)
    daemon = Daemon(sources=[source("foil")])
    equal("without health_path there is none", daemon.send("/healthz", method="GET").status, 404)


# ---- the admin API

def test_silent_connections_to_the_admin_api():
    daemon = Daemon(sources=[source("foil")], admin={"address": "127.0.0.1:0"})
    host, port = re.search(r"admin listening on (.*):(\d+)", daemon.messages()).groups()
    admin = Admin((host, int(port)), host="localhost")
    held = [Connection(admin.address) for _ in range(400)]
    for half in (b"", b"GET /livez HTTP/1.1\r\n"):
        for connection in held:
            try:
                connection.write(half)
            except OSError:
                pass
        for path in ("/livez", "/readyz", "/metrics", "/deliveries"):
            equal(f"400 silent connections: {path} is answered", admin.ask(path).status, 200)
    for connection in held:
        connection.close()


def test_who_leaves_frees_its_stream():
    daemon, admin = start()
    for _ in range(200):
        with Connection(admin.address) as connection:
            connection.write(admin.request("/events"))
            line = connection.input.readline()
            if b" 200 " not in line:
                check("200 watchers in a row find a place", False, line)
                return
    check("200 watchers in a row find a place, without a delivery in between", True)
    daemon.alive("and deliveries are accepted")


def test_browsers_reach_a_unix_socket():
    daemon, admin = start()
    equal("curl is answered", admin.ask("/deliveries", host="localhost").status, 200)
    for host in ("evil.example", "evil.example:9090"):
        answer = admin.ask("/deliveries", host=host)
        equal(f"Host: {host}: DNS rebinding through ssh -L is refused",
              (answer.status, answer.code), (403, "foreign_host"))
    for method, path in (("GET", "/events"), ("POST", "/deliveries/1/replay")):
        answer = admin.ask(path, method, [("Origin", "https://evil.example")], host="localhost")
        equal(f"{method} {path} from another site is refused",
              (answer.status, answer.code), (403, "foreign_origin"))
    with Connection(admin.address) as connection:
        connection.write(b"GET /deliveries HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n")
        equal("a second Host does not help", connection.read().status, 400)
    with Connection(admin.address) as connection:
        connection.write(b"GET http://evil.example/deliveries HTTP/1.1\r\nHost: localhost\r\n\r\n")
        equal("nor does an absolute URL", connection.read().status, 403)
    daemon.alive("and the daemon lives")
