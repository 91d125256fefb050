# SPDX-License-Identifier: MIT
"""answer: upstream. The sender gets the application's response byte for byte, after the delivery
is durable."""
import json
import os
import threading
import time

import pytest

from harness import sink
from harness.ports import free_port
from harness.sink import Clock, Daemon, check, equal, request, sign, source, wait_for
from harness.upstream import Upstream, header, response

pytestmark = [pytest.mark.compiler, pytest.mark.valgrind, pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]

# Foil's Gate answers with an encrypted envelope.
ENVELOPE = json.dumps({"object": "gate_envelope", "ciphertext": "q83vEjRWeJA=" * 40}).encode()


def gate_body(number):
    return json.dumps({"id": f"wevt_{number}", "object": "webhook_event",
                       "type": "gate.session.approved", "created": "2026-11-22T00:00:00Z",
                       "data": {"session": f"gts_{number}"}}).encode()


def deliver(daemon, number, path="/foil", now=None):
    body = gate_body(number)
    return daemon.send(path, sign("foil", body, now=now), body)


def start(url, *, env=None, folder=None, timeout=60, retry_seconds=(3600,), other=None,
          real_time=False, **more):
    destinations = [{"name": "gate", "url": url, "sources": ["foil"], "timeout_seconds": timeout,
                     "retry_seconds": list(retry_seconds), **more}]
    if other:
        destinations.append({"name": "other", "url": other, "types": ["other.*", "gate.*"]})
    return Daemon(real_time=real_time, sources=[source("foil", answer="upstream"), source("plain", "foil")], threads=2,
                  destinations=destinations, env=env, folder=folder,
                  limits={"shutdown_seconds": 2})


def query(daemon, sql):
    with sink.open_store(daemon.store) as db:
        return db.execute(sql).fetchall()


def in_thread(function, *arguments):
    """Starts a thread; the list holds the function's result once the thread ends."""
    result = []
    thread = threading.Thread(target=lambda: result.append(function(*arguments)), daemon=True)
    thread.start()
    return thread, result


def lines(daemon, verdict, count=1, **wanted):
    return wait_for(lambda: len(found := daemon.lines(verdict=verdict, destination="gate",
                                                      **wanted)) >= count and found,
                    f"{count} lines {verdict}: " + daemon.raw_log().decode()[-2000:])


def test_byte_for_byte():
    upstream, other = Upstream(), Upstream()
    stored = []
    daemon = start(upstream.url, other=other.url)

    def answer(request, sock):
        stored.append(query(daemon, "SELECT count(*) FROM delivery WHERE type = "
                                    "'gate.session.approved'")[0][0])
        return response(200, ENVELOPE, [("Content-Type", "application/vnd.foil.envelope+json")])

    upstream.answer = answer
    got = deliver(daemon, 1)
    equal("Foil's gate.session.approved: the envelope reaches the sender byte for byte",
          (got.status, got.header("content-type"), got.body),
          (200, "application/vnd.foil.envelope+json", ENVELOPE))
    equal("the delivery was in the store before the application had it", stored, [1])
    equal("the application got the sender's bytes", upstream.requests[0].body, gate_body(1))
    lines(daemon, "forwarded")
    equal("it is not sent again", (len(upstream.requests),
                                   query(daemon, "SELECT count(*) FROM unsent")), (1, [(0,)]))
    other.wait(1)
    equal("another destination gets it, too", other.requests[0].body, gate_body(1))
    got = deliver(daemon, 1)
    equal("a repeat of what is done is a duplicate",
          (got.status, got.json["status"], len(upstream.requests)), (200, "duplicate", 1))
    everything = bytes(range(256)) * 100
    for status, type_, body in ((200, "application/octet-stream", everything), (204, None, b""),
                                (202, None, b"taken"), (418, "text/plain; charset=utf-8", b"tea"),
                                (302, "text/html", b"<p>elsewhere"), (200, "application/json", b""),
                                (503, "text/plain", b"not now"), (500, None, b"\0\n\xff")):
        headers = [("Content-Type", type_)] if type_ else []
        upstream.answer = lambda r, s, a=response(status, body, headers): a
        got = deliver(daemon, f"{status}_{len(body)}")
        equal(f"{status} and {len(body)} bytes of {type_} arrive as they are",
              (got.status, got.header("content-type"), got.body), (status, type_ or "", body))
    upstream.answer = upstream.hang
    equal("a source without it is answered at once, whatever the application does",
          deliver(daemon, "plain", "/plain").json["status"], "accepted")
    for server in (upstream, other):
        server.close()


def test_each_its_own():
    upstream = Upstream(lambda r, s: response(200, b"for " + header(r, "Hookline-Id").encode()))
    daemon = start(upstream.url, concurrency=4)
    answers = [in_thread(deliver, daemon, number) for number in range(60)]
    for thread, _ in answers:
        thread.join(sink.PATIENCE)
    equal("sixty at a time: each sender gets the answer to its own delivery",
          [got[0].body for _, got in answers], [b"for wevt_%d" % n for n in range(60)])
    check("and the destination's concurrency is kept", upstream.most_busy <= 4, upstream.most_busy)
    upstream.close()


def test_same_at_once():
    upstream = Upstream()

    def answer(request, sock):
        upstream.hang()
        return response(200, ENVELOPE)

    upstream.answer = answer
    daemon = start(upstream.url)
    answers = [in_thread(deliver, daemon, 1) for _ in range(5)]
    upstream.wait(1)
    wait_for(lambda: len(daemon.lines(verdict="duplicate")) == 4, "four duplicates")
    upstream.release()
    for thread, _ in answers:
        thread.join(sink.PATIENCE)
    # The daemon logs a line before it queues the sender. A sender queued after the response, even
    # the one whose delivery was stored, gets the plain answer.
    answers = [got[0] for _, got in answers]
    check("the same delivery five times at once: who is in time gets the answer",
          ENVELOPE in [a.body for a in answers] and
          all(a.status == 200 and
              (a.body == ENVELOPE or a.json["status"] in ("accepted", "duplicate"))
              for a in answers), answers)
    lines(daemon, "forwarded")
    equal("and the application got it once", len(upstream.requests), 1)
    upstream.close()


def test_failures():
    port = free_port()
    daemon = start(f"http://127.0.0.1:{port}/", retry_seconds=[1] * 32, real_time=True)
    got = deliver(daemon, 1)
    equal("nobody listens: 502", (got.status, got.code), (502, "upstream_failed"))
    equal("which has the receipt of the line", [line["verdict"] for line in
                                                daemon.lines(receipt=got.receipt)], ["stored"])
    lines(daemon, "retried")
    upstream = Upstream(lambda r, s: response(200, ENVELOPE), port=port)
    lines(daemon, "forwarded")
    equal("and it is tried again until it is taken", upstream.requests[0].body, gate_body(1))
    equal("then a repeat is a duplicate", deliver(daemon, 1).json["status"], "duplicate")
    daemon.stop()
    upstream.close()

    upstream = Upstream()
    upstream.answer = upstream.hang
    daemon = start(upstream.url, timeout=1, retry_seconds=[1] * 32, real_time=True)
    got = deliver(daemon, 1)
    equal("no answer in time: 504", (got.status, got.code), (504, "upstream_timeout"))
    upstream.answer = lambda r, s: response(200, ENVELOPE)
    lines(daemon, "forwarded")
    check("and it is tried again until it is taken", len(upstream.requests) >= 2)
    daemon.stop()
    upstream.close()


def test_repeated():
    upstream = Upstream(lambda r, s: response(500, b"not now"))
    daemon = start(upstream.url)
    equal("the application's 500 reaches the sender", deliver(daemon, 1).status, 500)
    lines(daemon, "retried")
    upstream.answer = lambda r, s: response(200, ENVELOPE)
    got = deliver(daemon, 1)
    equal("a repeat of what is not done is handed over again", (got.status, got.body),
          (200, ENVELOPE))
    lines(daemon, "forwarded")
    equal("nothing is left of it", query(daemon, "SELECT count(*) FROM unsent"), [(0,)])
    upstream.answer = lambda r, s: response(410, b"never", [("Retry-After", "7"),
                                                            ("Content-Encoding", "x-own")])
    got = deliver(daemon, 2)
    equal("a 410 reaches the sender, with the headers that it needs",
          (got.status, got.header("Retry-After"), got.header("Content-Encoding"),
           header(upstream.requests[-1], "Accept-Encoding")), (410, "7", "x-own", "identity"))
    lines(daemon, "parked")
    upstream.answer = lambda r, s: response(200, ENVELOPE)
    equal("a repeat of what was parked, too", deliver(daemon, 2).body, ENVELOPE)
    upstream.close()


def test_long_answers():
    upstream = Upstream()
    daemon = start(upstream.url)
    longest = os.urandom(1 << 20)
    upstream.answer = lambda r, s: response(200, longest)
    got = deliver(daemon, 1)
    check("an answer of 1 MiB reaches the sender", got.status == 200 and got.body == longest)
    upstream.answer = lambda r, s: response(200, longest + b"x")
    got = deliver(daemon, 2)
    equal("a longer one does not: 502", (got.status, got.code), (502, "upstream_failed"))
    check("and the delivery stays to be tried again",
          "too long" in lines(daemon, "retried", seq=2)[0]["reason"])
    upstream.close()


def test_left_alone():
    upstream = Upstream()

    def answer(request, sock):
        upstream.hang()
        return response(200, ENVELOPE)

    upstream.answer = answer
    daemon = start(upstream.url)
    body = gate_body(1)
    connection = daemon.connect()
    connection.write(request("/foil", sign("foil", body), body))
    upstream.wait(1)
    connection.close()
    upstream.release()
    lines(daemon, "forwarded")
    check("a sender that leaves has delivered all the same", len(upstream.requests) == 1)
    daemon.stop()
    upstream.close()


def test_stopped():
    """The upstream hangs for longer than shutdown_seconds, two here."""
    upstream = Upstream()
    upstream.answer = upstream.hang
    daemon = start(upstream.url, timeout=3600, real_time=True)
    thread, got = in_thread(deliver, daemon, 1)
    upstream.wait(1)
    equal("a stop while a sender waits: it ends", daemon.stop(), 0)
    thread.join(sink.PATIENCE)
    equal("and the sender is told to try again", [answer.status for answer in got], [502])
    equal("and the delivery is still to be sent", query(daemon, "SELECT count(*) FROM unsent"),
          [(1,)])
    upstream.close()


def test_killed():
    upstream = Upstream()
    upstream.answer = upstream.hang
    daemon = start(upstream.url, timeout=1000)
    body = gate_body(1)
    connection = daemon.connect()
    connection.write(request("/foil", sign("foil", body), body))
    upstream.wait(1)
    daemon.kill()
    connection.close()
    upstream.answer = lambda r, s: response(200, ENVELOPE)
    daemon = start(upstream.url, timeout=1000, folder=daemon.folder)
    lines(daemon, "forwarded")
    equal("a kill -9 while a sender waits: the next start sends the delivery at once",
          [r.body for r in upstream.requests], [body] * 2)
    upstream.close()


def test_turned_on_later():
    """Deliveries queued before `answer: upstream` was set are still forwarded."""
    port = free_port()
    plain = Daemon(sources=[source("foil")],
                   destinations=[{"name": "gate", "url": f"http://127.0.0.1:{port}/",
                                  "retry_seconds": [3600]}])
    for number in range(30):
        deliver(plain, number)
    wait_for(lambda: len(plain.lines(verdict="retried")) >= 3)
    plain.kill()
    left = 30 - query(plain, "SELECT count(*) FROM unsent")[0][0]
    upstream = Upstream(lambda r, s: response(200, ENVELOPE), port=port)
    daemon = start(upstream.url, folder=plain.folder)
    lines(daemon, "forwarded", left)
    equal("turned on later: those that waited are sent", len(set(upstream.seqs())), left)
    upstream.close()
