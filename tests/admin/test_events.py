# SPDX-License-Identifier: MIT
"""GET /events: each line as it is written, for many readers, some of them slow."""
import contextlib
import json
import signal
import socket
import threading
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path
from harness.sink import Connection, Daemon, check, equal, sample_body, sign, source, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(180)]

SLOWER = 5 if sink.WRAPPER else 1


def start(**more):
    address = socket_path()
    more.setdefault("sources", [source("foil"), source("git", scheme="github")])
    return Daemon(admin={"address": "unix:" + address}, **more), Admin(address)


def deliver(daemon, id):
    body = sample_body("foil", id=id)
    return daemon.send("/foil", sign("foil", body), body)


def test_lines_as_they_come():
    upstream = Upstream(lambda request, sock: response(200))
    daemon, admin = start(destinations=[{"name": "app", "url": upstream.url}])
    deliver(daemon, "before")
    wait_for(lambda: daemon.lines(verdict="forwarded"), "the first one")
    with admin.watch() as stream:
        check("a stream begins at once", stream.status == 200 and
              "content-type: text/event-stream\r\n" in stream.head and
              stream.next().startswith(":"), stream.head)
        deliver(daemon, "one")
        line = stream.line()
        equal("it is the line of the log", line, daemon.lines(verdict="stored", id="one")[0])
        equal("the forwarder's line comes, too",
              [(line := stream.line())["verdict"], line["destination"]], ["forwarded", "app"])
        verdicts, took = [], []
        for _ in range(5):
            began = time.monotonic()
            deliver(daemon, "one")
            verdicts.append(stream.line()["verdict"])
            took.append(time.monotonic() - began)
        equal("a duplicate", verdicts, ["duplicate"] * 5)
        check("a line comes at once", min(took) < SLOWER, took)
        daemon.send("/nowhere")
        equal("a refusal without a source", [(line := stream.line())["verdict"], line["source"]],
              ["refused", None])
    upstream.close()


def test_filters():
    daemon, admin = start()
    streams = {query: admin.watch(query) for query in
               ("?source=git", "?verdict=refused", "?source=foil&verdict=stored")}
    for stream in streams.values():
        stream.next()
    daemon.send("/foil")
    deliver(daemon, "a")
    daemon.deliver("github", path="/git")
    daemon.send("/nowhere")
    daemon.send("/git")
    for query, count in (("?source=git", 2), ("?verdict=refused", 3),
                         ("?source=foil&verdict=stored", 1)):
        lines = [streams[query].line() for _ in range(count)]
        equal(f"{query}: just those", [(line["source"], line["verdict"]) for line in lines], {
            "?source=git": [("git", "stored"), ("git", "refused")],
            "?verdict=refused": [("foil", "refused"), (None, "refused"), ("git", "refused")],
            "?source=foil&verdict=stored": [("foil", "stored")]}[query])
    for query in ("?source=", "?verdict=x", "?id=1", "?source=a&source=b"):
        equal(f"{query}: refused", admin.ask("/events" + query).status, 400)
    for stream in streams.values():
        stream.close()


def test_refusals_that_the_log_leaves_out():
    """The clock stands still, so all requests share one second."""
    daemon, admin = start()
    with admin.watch() as stream, daemon.connect() as connection:
        stream.next()
        for _ in range(200):
            connection.write(sink.request("/nowhere"))
            connection.read()
        lines = [stream.line() for _ in range(200)]
    equal("all refusals are events", [line["verdict"] for line in lines], ["refused"] * 200)
    equal("though the log leaves some out", len(daemon.lines(verdict="refused")), 50)


@pytest.mark.first
def test_heartbeat():
    _, admin = start(real_time=True)
    began = time.monotonic()
    with admin.watch() as stream:
        stream.next()
        equal("a comment comes on a quiet stream", stream.next(), ":")
        ends = [time.monotonic()]
        check("not before 15 s", ends[0] - began > 14, ends[0] - began)
        # A machine that stalls delays one comment.
        while ends[-1] - began >= 25 * SLOWER and len(ends) < 4:
            began = ends[-1]
            stream.next()
            ends.append(time.monotonic())
        check("every 15 s", ends[-1] - began < 25 * SLOWER, ends)


def test_who_never_reads():
    """The daemon cuts off a client that reads nothing for 30 s, so a run slower than that is
    repeated."""
    for _ in range(5):
        began = time.monotonic()
        kept, lost, total = read_late()
        if time.monotonic() - began < 25:
            break
    check("who did not read is told how many lines were lost", lost > 0 and kept < total, lost, kept)
    equal("every line was sent or counted as lost", kept + lost, total)


def read_late():
    """Number of lines that the late reader got, that were counted as lost, and that were
    written."""
    daemon, admin = start(log={"body": True})
    with socket.socket(socket.AF_UNIX) as deaf, admin.watch() as awake:
        deaf.connect(admin.address)
        deaf.settimeout(sink.PATIENCE)
        deaf.sendall(admin.request("/events"))
        data = b""
        while b"\n\n" not in data.replace(b"\r\n", b""):  # the first event: subscribed
            data += deaf.recv(1000)
        awake.next()
        fill = "x" * 100000
        total, seen = 60, []

        def read_all():
            while len(seen) < total:
                seen.append(awake.line())

        reader = threading.Thread(target=read_all)
        reader.start()
        took = []
        for i in range(total):
            body = json.dumps({"id": f"e{i}", "type": "a.b", "fill": fill}).encode()
            began = time.monotonic()
            equal_status = daemon.send("/foil", sign("foil", body), body).status
            took.append(time.monotonic() - began)
            if equal_status != 200:
                check("a delivery is accepted", False, equal_status)
            # The feed buffers a limited number of lines, and this client may be slow on a busy
            # machine.
            wait_for(lambda: len(seen) > i - 5, "the client that reads")
        reader.join(sink.PATIENCE)
        equal("who reads gets every line", [line["id"] for line in seen],
              [f"e{i}" for i in range(total)])
        check("nobody waits for who does not read", sorted(took)[total // 2] < SLOWER, took)
        deliver(daemon, "after")
        with contextlib.suppress(ConnectionResetError):
            while b'"id":"after"' not in data and (part := deaf.recv(1 << 20)):
                data += part
    told = data.split(b'event: lost\ndata: {"lost_lines":')[1:]
    return data.count(b'"verdict":'), sum(int(part.split(b"}")[0]) for part in told), total + 1


def test_many():
    daemon, admin = start(limits={"shutdown_seconds": sink.LONG})
    streams = [admin.watch() for _ in range(64)]
    equal("64 may watch", {stream.status for stream in streams}, {200})
    answer = admin.ask("/events")
    equal("the 65th is told to come later", (answer.status, answer.code), (503, "too_many_streams"))
    deliver(daemon, "one")
    equal("all get the line", {stream.line()["id"] for stream in streams}, {"one"})
    streams.pop().close()

    def one_more():
        deliver(daemon, "more")
        with Connection(admin.address) as connection:
            connection.write(admin.request("/events"))
            return b" 200 " in connection.input.readline()

    wait_for(one_more, "the place of who has left")
    check("who leaves makes room", True)
    equal("and other requests are answered", admin.ask("/livez").status, 200)
    daemon.tell(signal.SIGTERM)
    ends = []
    for stream in streams:
        while stream.next() is not None:
            pass
        ends.append(stream.ended)
    check("a stop ends each stream as it should end", all(ends) and len(ends) == 63)
    equal("and is clean, and waits for nobody", daemon.wait(), 0, daemon.tail())


def test_a_stop_does_not_wait_for_who_does_not_read():
    took = []
    while not took or took[-1] >= 10 * SLOWER and len(took) < 4:  # the machine may have stalled
        took.append(stop_beside_who_does_not_read())
    check("and over after some seconds", took[-1] < 10 * SLOWER, took)


def stop_beside_who_does_not_read():
    daemon, admin = start(log={"body": True})
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(admin.address)
        deaf.sendall(admin.request("/events"))
        deaf.recv(10)
        for i in range(20):
            body = json.dumps({"id": f"e{i}", "fill": "x" * 100000}).encode()
            daemon.send("/foil", sign("foil", body), body)
        began = time.monotonic()
        equal("a stop is clean though somebody does not read", daemon.stop(), 0)
        return time.monotonic() - began
