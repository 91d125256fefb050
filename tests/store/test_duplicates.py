# SPDX-License-Identifier: MIT
"""A repeated delivery, a thousand times at once or after a restart, is stored and forwarded once.
Retention deletes only old, finished deliveries, whatever the clock says."""
import contextlib
import json
import os
import sqlite3
import threading
import time

import pytest

from harness import sink
from harness.conservation import read_store
from harness.recorder import Recorder
from harness.sink import Clock, Daemon, Folders, check, equal, request, sign, source, wait_for

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]

DAY = 86400
SLOWER = 5 if sink.WRAPPER else 1


def new_store():
    return os.path.join(os.path.realpath(Folders.new()), "store.db")


def start(store, upstream=None, sources=("foil",), env=None, **options):
    more = {"destinations": [{"name": "app", "url": upstream.url,
                              "timeout_seconds": sink.LONG}]} if upstream else {}
    return Daemon(sources=[source(name) for name in sources], store={"file": store, **options},
                  threads=2, env=env, real_time=True, **more)


def body_of(id, size=0):
    return json.dumps({"id": id, "type": "webhook.test", "fill": "x" * size}).encode()


def tell(daemon, body, scheme="foil", now=None):
    """The answer's status for a delivery."""
    answer = daemon.deliver(scheme, body, now=now)
    return answer.json["status"] if answer.status == 200 else answer.status


def storm(daemon, data, connections=100, each=10):
    """Sends the same bytes on many connections at once; returns the answers."""
    answers, gate = [], threading.Barrier(connections)

    def send():
        with daemon.connect() as connection:
            gate.wait(sink.PATIENCE)
            connection.write(data * each)
            answers.extend(connection.read() for _ in range(each))

    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_at_once():
    upstream, store = Recorder(), new_store()
    daemon = start(store, upstream, ("foil", "trulayer", "standard"))
    connections, each = (100, 10) if not sink.WRAPPER else (20, 5)
    many = connections * each
    bodies = {"foil": body_of("evt_1"), "trulayer": sink.sample_body("trulayer"),
              "standard": sink.sample_body("standard")}
    for number, (scheme, body) in enumerate(bodies.items(), 1):
        answers = storm(daemon, request("/" + scheme, sign(scheme, body), body), connections, each)
        said = [answer.json.get("status") for answer in answers]
        equal(f"{scheme}: {many} times the same at once: one is accepted, all others duplicates",
              (said.count("accepted"), said.count("duplicate")), (1, many - 1))
        equal(f"{scheme}: all with 200", {answer.status for answer in answers}, {200})
        equal(f"{scheme}: it has one line as stored",
              len(daemon.lines(source=scheme, verdict="stored")), 1)
        equal(f"{scheme}: the others say that they are duplicates of which one",
              [line["seq"] for line in daemon.lines(source=scheme, verdict="duplicate")],
              [number] * (many - 1))
    daemon.deliver("foil", body_of("evt_last"))
    wait_for(lambda: len(upstream.requests()) >= len(bodies) + 1, "the application")
    daemon.stop()
    equal("each of them is forwarded once", sorted(r.body for r in upstream.requests()),
          sorted([*bodies.values(), body_of("evt_last")]))
    equal("each of them is in the store once", [row["body"] for row in read_store(store)],
          [*bodies.values(), body_of("evt_last")])
    daemon = start(store, upstream, ("foil", "trulayer", "standard"))
    for scheme, body in bodies.items():
        equal(f"{scheme}: after a restart it is still a duplicate", tell(daemon, body, scheme),
              "duplicate")
    daemon.kill()
    daemon = start(store, upstream, ("foil", "trulayer", "standard"))
    for scheme, body in bodies.items():
        equal(f"{scheme}: and after a kill", tell(daemon, body, scheme), "duplicate")
    daemon.stop()
    equal("the application hears nothing of them", len(upstream.requests()), len(bodies) + 1)
    upstream.stop()


def test_what_a_duplicate_is():
    store = new_store()
    twin = source("twin", "foil")
    daemon = Daemon(sources=[source("foil"), twin, source("trulayer"), source("standard")],
                    store={"file": store})
    body = body_of("evt_1")
    equal("the first one is accepted", tell(daemon, body), "accepted")
    answer = daemon.deliver("foil", body, path="/twin")
    equal("the same id at another source is no duplicate", answer.json["status"], "accepted")
    answer = daemon.deliver("foil", body, path="/twin")
    check("there, it is one the second time", answer.json["status"] == "duplicate" and
          answer.json["source"] == "twin" and answer.json["id"] == "evt_1", answer)
    equal("signed anew at another time it is a duplicate",
          tell(daemon, body, now=int(time.time()) - 5), "duplicate")
    equal("the same id with another body is a duplicate: the id tells",
          tell(daemon, body_of("evt_1", 10)), "duplicate")
    equal("another id is none", tell(daemon, body_of("evt_2")), "accepted")
    equal("nor is the same id in capitals", tell(daemon, body_of("EVT_1")), "accepted")
    now = int(time.time())  # the MAC is the key, and covers the time
    equal("nor one with a NUL and more after it", tell(daemon, b'{"id":"evt_1\\u0000x"}', now=now),
          "accepted")
    equal("which is itself known again", tell(daemon, b'{"id":"evt_1\\u0000x"}', now=now), "duplicate")
    equal("without a signed id the MAC tells: accepted", tell(daemon, sink.sample_body("trulayer"),
                                                              "trulayer"), "accepted")
    # The scheme does not read this body's id.
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for fill in "ab":
        one = json.dumps({"type": "ping", "id": "evt_1", "sent_at": now, "fill": fill}).encode()
        equal("without a signed id another body is no duplicate", tell(daemon, one, "trulayer"),
              "accepted")
        equal("and the same body is one", tell(daemon, one, "trulayer"), "duplicate")
    first = daemon.send("/foil", sign("foil", body_of("evt_3"), secret="stolen"), body_of("evt_3"))
    equal("a forgery", first.status, 401)
    equal("leaves nothing that would make the real one a duplicate", tell(daemon, body_of("evt_3")),
          "accepted")
    forged = daemon.send("/foil", sign("foil", body, secret="stolen"), body)
    equal("a forgery of a known id is refused, not a duplicate", forged.status, 401)
    daemon.stop()


def change(store, *statements):
    """Changes a stopped daemon's store."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def ids_in(store):
    """The ids in a running daemon's store."""
    with sink.open_store(store) as db:
        return {row[0] for row in db.execute("SELECT id FROM delivery")}


def age(ids, days):
    names = ", ".join(f"'{id}'" for id in ids)
    return f"UPDATE delivery SET received_us = received_us - {days * DAY * 1000000}" \
           f" WHERE id IN ({names})"


@pytest.mark.first
def test_old_ones():
    upstream, store = Recorder(), new_store()
    daemon = start(store, upstream, keep_days=3)
    old, new = [f"old_{i}" for i in range(350)], [f"new_{i}" for i in range(20)]
    for id in old + new:
        tell(daemon, body_of(id))
    wait_for(lambda: len(upstream.requests()) == len(old + new), "the application")
    daemon.stop()
    # One delivery waits for a retry, one is parked, the others are delivered.
    with contextlib.closing(sqlite3.connect(store)) as db:
        app = db.execute("SELECT number FROM destination").fetchone()[0]
        seqs = dict(db.execute("SELECT id, seq FROM delivery"))
        at = time.time_ns() // 1000
        db.execute("INSERT INTO unsent VALUES (?, ?, 1, ?, ?)",
                   (app, seqs["old_5"], at + DAY * 1000000, at))
        db.execute("INSERT INTO unsent VALUES (?, ?, 9, NULL, ?)", (app, seqs["old_7"], at))
        db.commit()
    change(store, age(old, 4))
    daemon = start(store, upstream, keep_days=3)
    wait_for(lambda: ids_in(store) == {"old_5", "old_7", *new}, "the old ones to go")
    check("what is older than keep_days and done goes; what is waited for or given up stays", True)
    equal("what has gone is accepted anew", tell(daemon, body_of("old_0")), "accepted")
    equal("and is a duplicate from then on", tell(daemon, body_of("old_0")), "duplicate")
    equal("what stays is a duplicate", [tell(daemon, body_of(id)) for id in
                                        ("old_5", "old_7", *new)], ["duplicate"] * 22)
    daemon.kill()
    daemon = start(store, upstream, keep_days=3)
    equal("after a kill, too", [tell(daemon, body_of(id)) for id in ("old_0", "old_5", "old_7",
                                                                     *new)], ["duplicate"] * 23)
    equal("and what has gone is still gone", tell(daemon, body_of("old_1")), "accepted")
    daemon.stop()
    rows = read_store(store)
    equal("no seq is used twice", [row["seq"] for row in rows if row["id"] in ("old_0", "old_1")],
          [len(old + new) + 1, len(old + new) + 2])
    upstream.stop()


def test_the_newest_goes_too():
    """Retention may delete every delivery, yet no seq is reused."""
    store = new_store()
    daemon = start(store, keep_days=1)
    for i in range(5):
        tell(daemon, body_of(f"old_{i}"))
    daemon.stop()
    change(store, age([f"old_{i}" for i in range(5)], 4))
    daemon = start(store, keep_days=1)
    wait_for(lambda: len(ids_in(store)) <= 1, "the old ones to go")
    daemon.kill()
    daemon = start(store, keep_days=1)
    tell(daemon, body_of("new"))
    equal("a seq is never used again, though everything was old",
          daemon.lines(verdict="stored")[-1]["seq"], 6)
    daemon.stop()


@pytest.mark.flood
@pytest.mark.first
def test_too_many_bytes():
    upstream, store = Recorder(), new_store()
    daemon = start(store, upstream, max_bytes=4 << 20)
    for i in range(400):
        tell(daemon, body_of(f"size_{i}", 20000))
    wait_for(lambda: len(upstream.requests()) == 400, "the application")

    def small_enough():
        return sum(len(row["body"]) for row in rows()) < 4 << 20

    def rows():
        with sink.open_store(store) as db:
            db.row_factory = sqlite3.Row
            return db.execute("SELECT seq, body FROM delivery ORDER BY seq").fetchall()

    wait_for(small_enough, "the store to shrink")
    time.sleep(1.5)
    seqs = [row["seq"] for row in rows()]
    check("max_bytes: the oldest go, no more than must", 100 < len(seqs) < 220 and
          seqs == list(range(401 - len(seqs), 401)), seqs)
    for i in range(400, 800):
        tell(daemon, body_of(f"size_{i}", 20000))
    wait_for(lambda: len(upstream.requests()) == 800, "the application")
    wait_for(small_enough, "the store to shrink")
    daemon.stop()
    check("max_bytes: the file does not grow for ever", os.path.getsize(store) < 3 * (4 << 20),
          os.path.getsize(store))
    # Unforwarded deliveries must stay.
    upstream.stop()
    store = new_store()
    daemon = start(store, upstream, max_bytes=1 << 20)
    for i in range(100):
        tell(daemon, body_of(f"size_{i}", 20000))
    time.sleep(2.5)
    equal("max_bytes: what is waited for stays, whatever it takes", len(ids_in(store)), 100)
    daemon.stop()


@pytest.mark.first
def test_the_clock_jumps():
    now = int(time.time())
    for days in (1, -1):
        clock, store = Clock(now), new_store()
        daemon = start(store, env=clock.environment(), keep_days=1)
        said = [tell(daemon, body_of(f"before_{i}"), now=now) for i in range(5)]
        clock.set(now + days * DAY + (60 if days > 0 else -60))
        later = now + days * DAY
        said += [tell(daemon, body_of(f"after_{i}"), now=later) for i in range(5)]
        equal(f"{days:+} day while it runs: all are accepted", said, ["accepted"] * 10)
        time.sleep(2.5)
        equal(f"{days:+} day while it runs: nothing is given up too early", len(ids_in(store)), 10)
        equal(f"{days:+} day while it runs: all are duplicates",
              [tell(daemon, body_of(f"{when}_{i}"), now=later) for i in range(5)
               for when in ("before", "after")], ["duplicate"] * 10)
        clock.set(now)
        equal(f"{days:+} day, and back again: a new one is accepted, an old one is known",
              [tell(daemon, body_of(id), now=now) for id in ("new", "before_1", "after_1")],
              ["accepted", "duplicate", "duplicate"])
        time.sleep(2.5)
        equal(f"{days:+} day, and back: nothing is given up too early", len(ids_in(store)), 11)
        daemon.stop()
