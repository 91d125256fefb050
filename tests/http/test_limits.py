# SPDX-License-Identifier: MIT
"""The daemon refuses large, slow, excess or invalid requests, and continues to serve."""
import os
import resource
import socket
import time

import pytest

from harness import sink
from harness.sink import Daemon, Stopwatch, check, equal, request, sample_body, sign, source, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(150)]

MIB = 1 << 20


def body_of_size(size):
    start, end = b'{"id":"evt_1","type":"webhook.test","fill":"', b'"}'
    return start + b"x" * (size - len(start) - len(end)) + end


def signed(body, **how):
    return request("/foil", sign("foil", body), body, **how)


def timeless(**more):
    """A daemon whose stopped clock lets it drain refused requests without a deadline."""
    return Daemon(sources=[source("foil")], env=Stopwatch().environment(), **more)


def test_sizes():
    for limit, daemon in ((MIB, timeless()), (1024, timeless(limits={"body_bytes": 1024}))):
        for chunk, how in ((None, "with its length"), (4096, "in chunks"), (97, "in small chunks")):
            if chunk == 97 and limit == MIB:
                continue
            for size, status in ((limit - 1, 200), (limit, 200), (limit + 1, 413),
                                 (limit + 2, 413), (2 * limit, 413)):
                body = body_of_size(size)
                answer = daemon.send("/foil", sign("foil", body), body, chunk=chunk)
                check(f"limit {limit}: {size} bytes {how}: {status}",
                      answer.status == status and
                      (answer.code == "body_too_large") == (status == 413) and
                      answer.header("Content-Type") == "application/json", answer)
        daemon.alive(f"limit {limit}: the next delivery is accepted")


def test_bodies_that_cannot_be_stopped():
    daemon = timeless()
    for size in (2 * MIB, 8 * MIB):
        for chunk, how in ((None, "with its length"), (65536, "in chunks")):
            with daemon.connect() as connection:
                problem = None
                try:
                    connection.write(signed(body_of_size(size), chunk=chunk))
                except OSError as e:
                    problem = e
                answer = connection.read()
                check(f"who sends {size // MIB} MiB {how} before reading gets the whole answer",
                      problem is None and answer and answer.code == "body_too_large", problem,
                      answer)
                check(f"{size // MIB} MiB {how}: the answer is the last on its connection",
                      answer.header("Connection") == "close" and connection.ended(), answer)
    equal("each of them has a line",
          len(daemon.lines(reason="body_too_large", status=413, verdict="refused")), 4)


def test_headers_too_large():
    daemon = Daemon(sources=[source("foil")])
    body = sample_body("foil")
    cases = {
        "a header of 500 KiB": [("X-Fill", "x" * 500 * 1024)],
        "a thousand headers": [(f"X-{i}", "x") for i in range(1000)],
        "a path of 500 KiB": [],
    }
    for name, more in cases.items():
        path = "/foil?" + "x" * 500 * 1024 if "path" in name else "/foil"
        check_refused_or_closed(name, daemon, request(path, sign("foil", body) + more, body))
    equal("60 further headers do no harm",
          daemon.send("/foil", sign("foil", body) + [(f"X-{i}", "x") for i in range(60)],
                      body).status, 200)
    equal("nor does a header of 4000 bytes",
          daemon.send("/foil", sign("foil", body) + [("X-Fill", "x" * 4000)], body).status, 200)


def test_heads():
    daemon = timeless()
    body = sample_body("foil")
    for size, status in ((60000, 200), (70000, 431)):
        for name, path, more in ((f"a header of {size} bytes", "/foil", [("X-Fill", "x" * size)]),
                                 (f"headers of {size} bytes", "/foil",
                                  [(f"X-{i}", "x" * (size // 50)) for i in range(50)]),
                                 (f"a path of {size} bytes", "/foil?" + "x" * size, [])):
            answer = daemon.send(path, sign("foil", body) + more, body)
            check(f"{name}: {status}", answer.status == status and
                  answer.code == ("head_too_large" if status == 431 else None), answer)
    equal("each that is too long has a line",
          len(daemon.lines(reason="head_too_large", status=431, verdict="refused")), 3)
    daemon.stop()
    daemon = Daemon(sources=[source("foil")], limits={"head_bytes": 1000})
    equal("head_bytes: 1000: a header of 900 bytes is too long",
          daemon.send("/foil", sign("foil", body) + [("X-Fill", "x" * 900)], body).status, 431)
    daemon.alive("head_bytes: 1000: a delivery as it should be is not")


def check_refused_or_closed(name, daemon, data, end=False):
    with daemon.connect() as connection:
        try:
            connection.write(data)
            if end:
                connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            connection.sock.settimeout(sink.PATIENCE)
            got = connection.input.read(12)
        except OSError:
            got = b""
    check(f"{name}: 4xx or a close, nothing else", got == b"" or got.startswith(b"HTTP/1.1 4"), got)
    daemon.alive(f"{name}: the daemon lives and accepts the next delivery")


def test_junk():
    daemon = Daemon(sources=[source("foil")], limits={"header_seconds": 1, "body_seconds": 1})
    good = signed(sample_body("foil"))
    chunked = b"POST /foil HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    noise = bytes((i * 7919 >> 3) & 255 for i in range(65536))
    cases = {
        "nothing at all": b"",
        "an empty line": b"\r\n",
        "a NUL": b"\0",
        "a hello of TLS": bytes.fromhex("16030100c8010000c40303") + noise[:200],
        "binary junk": noise,
        "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
        "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
        "a version that there is not": b"POST /foil HTTP/9.9\r\nHost: a\r\n\r\n",
        "half a request line": b"POST /fo",
        "half a header": b"POST /foil HTTP/1.1\r\nX-Foil-Sig",
        "a header without a colon": b"POST /foil HTTP/1.1\r\nHost a\r\n\r\n",
        "a NUL in the path": b"POST /foil\0/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "a NUL in a header": b"POST /foil HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        "a request cut in its body": good[:-5],
        "a length that is no number": b"POST /foil HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
        "a negative length": b"POST /foil HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "a length of 2^64": b"POST /foil HTTP/1.1\r\nHost: a\r\nContent-Length: "
                            b"18446744073709551616\r\n\r\n",
        "a length of 2^64 - 1": b"POST /foil HTTP/1.1\r\nHost: a\r\nContent-Length: "
                                b"18446744073709551615\r\n\r\n",
        "two lengths that differ": b"POST /foil HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                   b"Content-Length: 5\r\n\r\nabc",
        "a length beside chunks": chunked.replace(b"Host", b"Content-Length: 3\r\nHost") +
                                  b"3\r\nabc\r\n0\r\n\r\n",
        "an encoding that there is not": b"POST /foil HTTP/1.1\r\nHost: a\r\n"
                                         b"Transfer-Encoding: gzip\r\n\r\nabc",
        "a chunk whose size is no number": chunked + b"xyz\r\nabc\r\n0\r\n\r\n",
        "a chunk of 2^64 bytes": chunked + b"10000000000000000\r\nabc\r\n",
        "a chunk of 2^64 - 1 bytes": chunked + b"ffffffffffffffff\r\nabc\r\n",
        "a chunk of 2^63 - 1 bytes": chunked + b"7fffffffffffffff\r\nabc\r\n",
        "a negative chunk": chunked + b"-1\r\nabc\r\n",
        "a chunk without its line end": chunked + b"3\r\nabcdef",
        "a chunk's extension without an end": chunked + b"3;" + b"x" * 100000,
        "trailers without an end": chunked + b"3\r\nabc\r\n0\r\n" + b"X: y\r\n" * 5000,
    }
    for name, data in cases.items():
        check_refused_or_closed(name, daemon, data, end=True)
    check("none of it became a delivery",
          all(line["bytes"] in (len(sample_body("foil")), 0, 3) for line in daemon.lines()))
    equal("HTTP/2 is not spoken, not even when asked for politely",
          daemon.send("/foil", [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                                ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")],
                      method="GET").status, 405)


def test_smuggled():
    """Request smuggling: a proxy and the daemon could disagree on the number of requests."""
    daemon = Daemon(sources=[source("foil")])
    body = sample_body("foil")
    inner = signed(body)
    head = b"POST /foil HTTP/1.1\r\nHost: a\r\n"
    cases = {
        "a length beside chunks": head + b"Content-Length: %d\r\n" % (len(inner) + 5) +
                                  b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        "chunks beside a length": head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"
                                  b"\r\n0\r\n\r\n" + inner,
        "two lengths": head + b"Content-Length: 0\r\ncontent-length: %d\r\n\r\n" % len(inner) +
                       inner,
        "the same length twice": head + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + inner,
    }
    for name, data in cases.items():
        with daemon.connect() as connection:
            connection.write(data)
            answer = connection.read()
            check(f"{name} is a bad request, and the connection ends",
                  answer.status == 400 and answer.code == "bad_request" and
                  answer.header("Connection") == "close" and connection.ended(), answer)
    equal("and what was smuggled behind it was not accepted",
          len(daemon.lines(verdict="stored")), 0)


def test_many_hang_up():
    """Many senders reset their connections mid-request."""
    daemon = Daemon(sources=[source("foil")], threads=2)
    good = signed(sample_body("foil"))
    connections = []
    for i in range(200):
        connection = daemon.connect()
        connection.write(good[:len(good) * i // 200])
        connections.append(connection)
    for connection in connections:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    daemon.alive("200 senders that hang up half-way leave it alive")
    equal("and none of theirs was accepted", len(daemon.lines(verdict="stored")), 1)


def test_deadlines():
    """The daemon checks connections once a second; a deadline starts at the check."""
    clock = Stopwatch()
    daemon = Daemon(sources=[source("foil")], env=clock.environment(),
                    limits={"header_seconds": 5, "body_seconds": 5, "idle_seconds": 5})
    good = signed(sample_body("foil"))
    head = good.index(b"\r\n\r\n") + 4
    chunked = signed(sample_body("foil"), chunk=10)

    def step(seconds):
        clock.step(seconds, lambda: daemon.deliver("foil"))

    cases = (("half a header", good[:20], None), ("half a body", good[:-3], None),
             ("half a chunk", chunked[:-30], None),
             ("headers byte by byte", good[:20], good[20:]),
             ("a body byte by byte", good[:head], good[head:]))
    for name, at_once, slowly in cases:
        with daemon.connect() as connection:
            connection.write(at_once)
            step(1)
            for i in range(5):
                if slowly:
                    connection.write(slowly[i:i + 1])
                step(1)
            check(f"{name}: until the deadline it may go on", not connection.is_ended())
            step(1)
            answer = connection.read()
            check(f"{name}: 408 behind the deadline",
                  answer and answer.status == 408 and answer.code == "request_timeout" and
                  answer.header("Connection") == "close", answer)
            check(f"{name}: and then a close", connection.ended())
    for name, data in (("a connection that never speaks", b""),
                       ("a connection that had its answer", good)):
        with daemon.connect() as connection:
            if data:
                connection.write(data)
                equal(f"{name}: it was a good one", connection.read().status, 200)
                step(1)
            step(5)
            check(f"{name} is open until it was idle for too long", not connection.is_ended())
            step(1)
            check(f"{name} is closed then, without a word", connection.ended())


def test_busy_ones():
    clock = Stopwatch()
    daemon = Daemon(sources=[source("foil")], limits={"idle_seconds": 5}, env=clock.environment())
    with daemon.connect() as connection:
        good_ones = 0
        for _ in range(6):
            connection.write(signed(sample_body("foil")))
            good_ones += connection.read().status == 200
            clock.step(4, lambda: daemon.deliver("foil"))
        equal("a connection that is busy is not taken for an idle one", good_ones, 6)


@pytest.mark.flood
def test_answers_that_nobody_reads():
    daemon = Daemon(real_time=True, sources=[source("foil")], limits={"connections": 1, "body_seconds": 1})
    with daemon.connect() as connection:
        connection.sock.settimeout(sink.PATIENCE)
        flood = request("/nothing", method="GET") * 200
        try:
            for _ in range(20000):  # exceeds the kernel's socket buffers
                connection.write(flood)
            check("who never reads cannot send for ever", False)
        except OSError:
            check("who never reads cannot send for ever", True)
        wait_for(lambda: daemon.deliver("foil").status == 200, "the end of the connection")
        check("who never reads is cut off, and another has the place", True)


def test_the_longest_idle_makes_room():
    daemon = Daemon(sources=[source("foil")], limits={"connections": 4})
    good = signed(sample_body("foil"))
    held = [daemon.connect() for _ in range(4)]
    for connection in held:
        connection.write(good)
        equal("a connection within the limit is served", connection.read().status, 200)
    held[0].write(good)
    held[0].read()
    held[2].write(good[:20])  # a head that has begun is no request in progress
    with daemon.connect() as fifth:
        fifth.write(good)
        equal("one more is served, too", fifth.read().status, 200)
        check("instead, the one whose peer was silent longest ends", held[1].ended())
        check("and no other", not any(held[i].is_ended() for i in (0, 2, 3)))
        with daemon.connect() as sixth, daemon.connect() as seventh:
            for connection in (sixth, seventh):
                connection.write(good)
                equal("and so for each", connection.read().status, 200)
            check("in the order of their silence", held[3].ended() and held[0].ended())
    crowd = [daemon.connect() for _ in range(300)]
    with daemon.connect() as last:
        last.write(good)
        equal("300 silent connections lock nobody out", last.read().status, 200)
    for connection in crowd + held:
        connection.close()


def test_too_many_connections():
    app = Upstream()
    app.answer = lambda *_: app.hang() or response()
    daemon = Daemon(sources=[source("foil", answer="upstream")], limits={"connections": 2},
                    destinations=[{"name": "app", "url": app.url}], threads=2)
    held = [daemon.connect() for _ in range(2)]
    for i, connection in enumerate(held):
        connection.write(signed(sample_body("foil", id=f"evt_{i}")))
    wait_for(lambda: len(app.requests) == 2, "both to wait for the application")
    for _ in range(3):
        with daemon.connect() as third:
            third.write(signed(sample_body("foil", id="evt_2")))
            answer = third.read()
            check("while all wait for an answer, one more is told so, and when to come back",
                  answer.status == 503 and answer.code == "too_many_connections" and
                  int(answer.header("Retry-After")) > 0 and answer.header("Connection") == "close",
                  answer)
            check("and closed", third.ended())
    equal("nothing of theirs was accepted", len(app.requests), 2)
    app.release()
    equal("those within the limit are answered",
          [connection.read().status for connection in held], [200, 200])
    for connection in held:
        connection.close()
    app.close()


def test_no_descriptor_is_left():
    daemon = Daemon(real_time=True, sources=[source("foil")])
    process = f"/proc/{daemon.process.pid}"
    limit = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)

    def seconds_spent():
        with open(f"{process}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")

    daemon.alive("a delivery is taken")
    if not os.access(f"{process}/fd", os.R_OK):
        sink.skip("without descriptors it waits for one", "the process cannot be looked at")
        return
    few = len(os.listdir(f"{process}/fd")) + 5
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (few, limit[1]))
    held = [daemon.connect() for _ in range(30)]
    wait_for(lambda: len(os.listdir(f"{process}/fd")) == few, "the last descriptor to be used")
    before, began = seconds_spent(), time.monotonic()
    time.sleep(2)  # a busy loop would show in the CPU time
    spent, passed = seconds_spent() - before, time.monotonic() - began
    check("without descriptors it waits for one, and does not spend its time on that",
          spent < passed / 4, spent, passed)
    held[0].write(signed(sample_body("foil", id="evt_2")))
    equal("connections that are open are served meanwhile", held[0].read().status, 200)
    for connection in held:
        connection.close()
    daemon.alive("with descriptors again it takes the next one")
    held = [daemon.connect() for _ in range(20)]
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, limit)
    held[-1].write(signed(sample_body("foil", id="evt_3")))
    equal("and who has waited for one", held[-1].read().status, 200)


def test_keep_alive_and_pipelining():
    daemon = Daemon(sources=[source("foil")])
    bodies = [sample_body("foil", id=f"evt_{i}") for i in range(50)]
    with daemon.connect() as connection:
        ids = []
        for body in bodies:
            connection.write(signed(body))
            ids.append(connection.read().json["id"])
        equal("50 deliveries on one connection are answered", ids, [f"evt_{i}" for i in range(50)])
        connection.write(b"".join(signed(b, chunk=i % 3 * 7 or None) for i, b in enumerate(bodies)))
        ids = [connection.read().json["id"] for _ in bodies]
        equal("50 sent at once are answered in order", ids, [f"evt_{i}" for i in range(50)])
        connection.write(signed(bodies[0]) + request("/nothing") + request("/foil", method="GET") +
                         request("/foil", body=b"{}") + signed(bodies[1]))
        equal("a refusal between two deliveries takes nothing from them",
              [connection.read().status for _ in range(5)], [200, 404, 405, 401, 200])
    lines = [line["id"] for line in daemon.lines(verdict="stored")]
    equal("their lines are in order, too", lines, [f"evt_{i}" for i in range(50)])
    lines = [line["id"] for line in daemon.lines(verdict="duplicate")]
    equal("and those of what was sent again", lines, [f"evt_{i}" for i in [*range(50), 0, 1]])
    with daemon.connect() as connection:
        data = signed(bodies[0]) + signed(bodies[1])
        for i in range(0, len(data), 7):
            connection.write(data[i:i + 7])
        equal("requests in pieces of 7 bytes are put together",
              [connection.read().json["id"] for _ in range(2)], ["evt_0", "evt_1"])
    with daemon.connect() as connection:
        body = bodies[0]
        connection.write(request("/foil", [*sign("foil", body), ("Connection", "close")], body))
        answer = connection.read()
        check("who asks for a close gets it", answer.status == 200 and connection.ended(), answer)
    with daemon.connect() as connection:
        connection.write(signed(body).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = connection.read()
        check("who speaks HTTP/1.0 gets an answer and a close",
              answer.status == 200 and connection.ended(), answer)


def test_expectations():
    daemon = Daemon(sources=[source("foil")])
    body = sample_body("foil")
    with daemon.connect() as connection:
        data = request("/foil", [*sign("foil", body), ("Expect", "100-continue")], body)
        head = data.index(b"\r\n\r\n") + 4
        connection.write(data[:head])
        equal("who expects 100-continue gets it", connection.read().status, 100)
        connection.write(data[head:])
        equal("and then the answer", connection.read().status, 200)
        connection.write(signed(body))
        equal("and the connection goes on", connection.read().status, 200)
    answer = daemon.send("/foil", [*sign("foil", body), ("Expect", "a miracle")], body)
    check("another expectation is not met, and it is said in JSON",
          answer.status == 417 and answer.code == "expectation_failed" and
          answer.header("Content-Type") == "application/json", answer)
    data = request("/foil", [*sign("foil", body), ("Expect", "100-continue"),
                             ("Content-Length", str(2 * MIB))])
    with daemon.connect() as connection:
        connection.write(data.replace(b"Content-Length: 0\r\n", b""))
        answer = connection.read()
        equal("who asks before sending too much is refused before it is sent", answer.status, 413)


def test_floods_of_refusals():
    daemon = Daemon(sources=[source("foil")])
    body = sample_body("foil")
    bad = request("/foil", [*sign("foil", body)[:1], ("X-Foil-Signature", "0" * 64)], body)
    seconds, refusals, good = 2, 0, 0
    with daemon.connect() as connection:
        for _ in range(seconds):
            for _ in range(6):
                connection.write(bad * 50 + signed(body))
                refusals += sum(connection.read().status == 401 for _ in range(50))
                good += connection.read().status == 200
            daemon.clock.set(daemon.clock.seconds + 1)
        connection.write(bad)
        refusals += connection.read().status == 401
    lines = daemon.lines(verdict="refused")
    check("a flood of refusals writes some 50 lines a second",
          len(lines) <= 50 * (seconds + 2) + 1, refusals, len(lines))
    equal("what was left out is counted: nothing is missing",
          len(lines) + sum(line.get("refusals_not_logged", 0) for line in daemon.lines()),
          refusals)
    equal("what was accepted meanwhile was written, all of it",
          len(daemon.lines(status=200)), good)
