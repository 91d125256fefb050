# SPDX-License-Identifier: MIT
"""End-to-end guarantees under kills: each delivery answered with 200 is in the store once, byte for
byte, and reaches the application; nothing else does.

Senders deliver at a constant rate while the daemon is killed and restarted; judge() compares their
answers with the store. $SOAK_SEED repeats the random choices of a run (the seed is printed), not
its timing.
"""
import collections
import contextlib
import heapq
import json
import os
import random
import shutil
import sqlite3
import threading
import time

from harness import sink
from harness.ports import own_host
from harness.sink import BUILD, Connection, Daemon, Folders, check, equal, request, sign, source

# Deliveries in flight: sent to a destination, or answered by it and not yet on disk.
IN_FLIGHT = 4 * 8
SLOWER = 10 if sink.WRAPPER else 1
PAGE = 4096
RATE = 60 if sink.WRAPPER else 600  # deliveries a second
SOURCES = ("foil", "trulayer", "standard")  # signed id in the body, no id, signed id in a header


class Delivery:
    """One delivery that a sender repeats until it is answered."""
    def __init__(self, scheme, id, body):
        self.scheme, self.id, self.body = scheme, id, body
        self.answers = []  # "accepted", "duplicate", "none", or a status

    def request(self):
        return request("/" + self.scheme, sign(self.scheme, self.body, id=self.id), self.body)

    @property
    def promised(self):
        return any(answer in ("accepted", "duplicate") for answer in self.answers)


class Sender(threading.Thread):
    """Delivers at a constant rate regardless of answers, and retries unanswered deliveries."""
    patience = 5
    pause = 0.02  # before a delivery without an answer is sent again

    def __init__(self, target, name, rate, seed, sizes=(0, 100, 500, 1000, 4000)):
        super().__init__(daemon=True)
        sink.Watch.signatures = False  # too many to search for
        self.target, self.label, self.rate, self.sizes = target, name, rate, sizes
        self.random = random.Random(f"{seed}/{name}")
        self.all, self.again, self.count = [], [], 0
        self.halt = threading.Event()
        self.connection = None

    def make(self):
        number = len(self.all)
        id = f"evt_{self.label}_{number}"
        size = self.random.choice(self.sizes) if self.random.random() < 0.98 else 60000
        scheme = self.random.choice(SOURCES)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = json.dumps({"id": id, "type": "webhook.test", "sent_at": now,
                           "fill": self.random.randbytes(size // 2).hex()}).encode()
        self.all.append(Delivery(scheme, id, body))
        return self.all[-1]

    def attempt(self, delivery):
        """Returns the answer, "none" without an answer, None without a connection."""
        try:
            if self.connection is None:
                self.connection = Connection(self.target.address, self.patience)
        except OSError:
            return None
        try:
            self.connection.write(delivery.request())
            answer = self.connection.read()
            if answer is None:
                raise ConnectionError
        except (OSError, AssertionError, ValueError):
            # A partial answer counts as none.
            self.disconnect()
            return "none"
        return answer.json["status"] if answer.status == 200 else answer.status

    def disconnect(self):
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.close()
        self.connection = None

    def deliver(self, delivery):
        answer = self.attempt(delivery)
        now = time.monotonic()
        if answer is None:
            self.later(delivery, now)
            time.sleep(0.01)
            return
        delivery.answers.append(answer)
        if answer not in ("accepted", "duplicate"):
            self.later(delivery, now + self.pause)
        elif len(delivery.answers) < 3 and self.random.random() < 0.05:
            # Some senders repeat answered deliveries, too.
            self.later(delivery, now + self.random.random())

    def later(self, delivery, at):
        self.count += 1
        heapq.heappush(self.again, (at, self.count, delivery))

    def run(self):
        due = time.monotonic()
        while not self.halt.is_set() or self.again:
            now = time.monotonic()
            if self.again and self.again[0][0] <= now:
                self.deliver(heapq.heappop(self.again)[2])
            elif not self.halt.is_set() and due <= now:
                due += 1 / self.rate
                self.deliver(self.make())
            else:
                soon = [self.again[0][0]] if self.again else []
                soon += [] if self.halt.is_set() else [due]
                time.sleep(min(max(min(soon) - now, 0), 0.05))
        self.disconnect()


class Machine:
    """The daemon's machine: the folder of its store, and the effects of a kill on it."""
    def __init__(self, upstream, **store):
        self.folder = os.path.realpath(Folders.new())
        self.store = f"{self.folder}/store.db"
        self.config = {"sources": [source(name) for name in SOURCES],
                       "listen": [{"address": f"{own_host()}:0"}],
                       "store": {"file": self.store, **store}}
        self.upstream = upstream
        self.address = ("127.0.0.1", 9)  # discard port, until a daemon runs
        self.daemon = None
        self.starts = self.kills = 0

    def environment(self):
        return {}

    def start(self, ready=True):
        """Starts the daemon; the URL's path tells the application which process sends."""
        self.starts += 1
        if self.upstream:
            self.config["destinations"] = [{"name": "app", "url": f"{self.upstream.url}/{self.starts}",
                                            "timeout_seconds": sink.LONG,
                                            "retry_seconds": [1] * 32}]
        self.daemon = Daemon(self.config, env=self.environment(), ready=ready, real_time=True)
        if ready:
            self.address = self.daemon.address

    def kill(self):
        self.kills += 1
        self.daemon.kill()


class UnreliableMachine(Machine):
    """A kill includes a power loss: unsynced data is lost, except for some pages."""
    def __init__(self, upstream, seed, synchronous=None, kept=0.0, **store):
        super().__init__(upstream, **store)
        self.disk, self.synchronous, self.kept = Folders.new(), synchronous, kept
        self.random = random.Random(f"{seed}/disk")
        self.faults = os.path.join(Folders.new(), "faults")

    def environment(self):
        modules = ["unsynced"] + (["synchronous"] if self.synchronous else [])
        return {"LD_PRELOAD": ":".join(f"{BUILD}/tests/preload/.libs/{m}.so" for m in modules),
                "UNSYNCED_FOLDER": self.folder, "UNSYNCED_DISK": self.disk,
                "UNSYNCED_FAULTS": self.faults, "SYNCHRONOUS": self.synchronous or "FULL"}

    def fault(self, *lines):
        """Replaces the disk's faults by these."""
        sink.write_file(self.faults + ".new", "\n".join(lines))
        os.replace(self.faults + ".new", self.faults)

    def hold(self):
        """Blocks every fsync until the next fault() call."""
        self.fault(f"slow {sink.LONG * 1000000}")

    def kill(self):
        super().kill()
        self.lose_power()

    def lose_power(self):
        for name in set(os.listdir(self.folder)) | set(os.listdir(self.disk)):
            here, there = f"{self.folder}/{name}", f"{self.disk}/{name}"
            if name.endswith(".new"):
                os.unlink(there)  # its rename was never synced
            elif not os.path.exists(there):
                os.unlink(here)
            else:
                if os.path.exists(here):
                    self.keep_some_pages(here, there)
                shutil.copyfile(there, here)

    def keep_some_pages(self, here, there):
        """Keeps some unsynced pages, as a kernel that wrote them back early does."""
        if self.kept == 0:
            return
        with open(here, "rb") as memory, open(there, "r+b") as disk:
            for offset in range(0, os.path.getsize(here), PAGE):
                page = memory.read(PAGE)
                disk.seek(offset)
                if disk.read(PAGE) != page and self.random.random() < self.kept:
                    disk.seek(offset)
                    disk.write(page)


def key_of(r):
    """Identifies a request to the application. The number is part of the key because a delivery
    that the store deleted gets a new number when it comes again."""
    return r.headers["hookline-seq"], r.body


class Result:
    """Facts about one run."""
    def __init__(self, seed, kills, deliveries, requests, store, unknown):
        self.seed, self.kills, self.deliveries = seed, kills, deliveries
        self.requests, self.store, self.unknown = requests, store, unknown
        self.answers = collections.Counter(a for d in deliveries for a in d.answers)

    def __str__(self):
        return (f"seed {self.seed}: {self.kills} kills, {len(self.deliveries)} deliveries, "
                f"{dict(self.answers)}, {len(self.store)} in the store, "
                f"{len(self.requests)} at the application")

    @staticmethod
    def some(wrong):
        wrong = list(wrong)
        return sorted(wrong)[:10] + ([f"and {len(wrong) - 10} more"] if len(wrong) > 10 else [])

    def lost(self):
        """Deliveries answered with 200, but not in the store."""
        stored = {row["body"] for row in self.store}
        return self.some(f"{d.id} {d.answers}" for d in self.deliveries
                         if d.promised and d.body not in stored)

    def lost_everywhere(self):
        """Deliveries answered with 200, but neither in the store nor at the application."""
        there = {row["body"] for row in self.store} | {r.body for r in self.requests}
        return self.some(f"{d.id} {d.answers}" for d in self.deliveries
                         if d.promised and d.body not in there)

    def forgotten(self):
        """Stored deliveries that were not recognized as duplicates."""
        return self.some(f"{d.id} {answer}" for d, answer in self.unknown)

    def told_wrong(self):
        """First attempts answered "duplicate", or later ones answered "accepted"."""
        def wrong(answers):
            told = [answer for answer in answers if answer in ("accepted", "duplicate")]
            return answers[0] == "duplicate" or "accepted" in told[1:]
        return self.some(f"{d.id} {d.answers}" for d in self.deliveries if wrong(d.answers))

    def refused(self):
        """Answers with a status other than 200, which no delivery here deserves."""
        return {answer: count for answer, count in self.answers.items()
                if answer not in ("accepted", "duplicate", "none")}

    def stored_twice(self):
        count = collections.Counter(row["body"] for row in self.store)
        return self.some(f"{n} times {body[:60]}" for body, n in count.items() if n > 1)

    def stored_wrong(self):
        """Rows of the store that no sender sent."""
        sent = {d.body: d for d in self.deliveries}
        wrong = []
        for row in self.store:
            d = sent.get(row["body"])
            key = d and (d.id if d.scheme != "trulayer" else None)
            if d is None or (row["source"], row["scheme"], row["id"]) != (d.scheme, d.scheme, key):
                wrong.append(f"{row['seq']} {row['source']} {row['id']} {row['body'][:60]}")
        return self.some(wrong)

    def not_forwarded(self):
        there = {r.body for r in self.requests}
        return self.some(f"{row['seq']} {row['id']}" for row in self.store
                         if row["body"] not in there)

    def forwarded_wrong(self):
        """Requests at the application that differ from the store."""
        stored = {row["body"]: row for row in self.store}
        return self.some(f"{r.headers} {r.body[:60]}" for r in self.requests
                         if r.body not in stored or
                         r.headers.get("hookline-seq") != str(stored[r.body]["seq"]) or
                         r.headers.get("hookline-source") != stored[r.body]["source"])

    def forwarded_again(self):
        return len(self.requests) - len({key_of(r) for r in self.requests})

    def forwarded_again_by_one(self):
        """Deliveries that one process forwarded more than once."""
        count = collections.Counter((key_of(r), r.path) for r in self.requests)
        return self.some(f"{key[0]} {n} times at {path}" for (key, path), n in count.items() if n > 1)


def read_store(path):
    """Checks the store of a stopped daemon and returns its rows."""
    with sink.open_store(path) as db:
        db.row_factory = sqlite3.Row
        good = db.execute("PRAGMA integrity_check").fetchone()[0]
        if good != "ok":
            raise AssertionError(f"the store is damaged: {good}")
        return [dict(row) for row in db.execute("SELECT * FROM delivery ORDER BY seq")]


def count_unforwarded(path):
    with sink.open_store(path) as db:
        return db.execute("SELECT (SELECT count(*) FROM delivery WHERE seq > (SELECT min(cursor)"
                          " FROM destination)) + (SELECT count(*) FROM unsent)").fetchone()[0]


def count_given_up(path):
    with sink.open_store(path) as db:
        return db.execute("SELECT coalesce(max(seq), 0) - count(*) FROM delivery").fetchone()[0]


def find_unknown(machine, deliveries):
    """Sends stored deliveries again; returns those not answered "duplicate"."""
    sender = Sender(machine, "again", 1, 0)
    sender.patience = sink.PATIENCE
    stored = {row["body"] for row in read_store(machine.store)}
    answers = [(d, sender.attempt(d)) for d in deliveries if d.body in stored]
    sender.disconnect()
    return [(d, answer) for d, answer in answers if answer != "duplicate"]


def kill_and_start(machine, rng, lives):
    """Runs the daemon for one life and kills it, sometimes before it is ready."""
    if rng.random() < 0.15:
        machine.start(ready=False)
        time.sleep(rng.uniform(0, 0.05) * SLOWER)
    else:
        machine.start()
        time.sleep(rng.uniform(*lives) * SLOWER)
    machine.kill()


def run(machine, upstream, seed, *, kills, senders=12, rate=RATE, lives=(0.02, 0.15),
        least_given_up=0, **how):
    """Kills the daemon a number of times; then lets the senders and the daemon finish. Returns the
    Result."""
    rng = random.Random(seed)
    threads = [Sender(machine, f"{seed}_{i}", rate / senders, seed, **how) for i in range(senders)]
    machine.start()
    for thread in threads:
        thread.start()
    try:
        time.sleep(rng.uniform(*lives) * SLOWER)
        machine.kill()
        while machine.kills < kills:
            kill_and_start(machine, rng, lives)
        machine.start()
    finally:
        for thread in threads:
            thread.halt.set()
    for thread in threads:
        thread.join()
    with contextlib.suppress(AssertionError):  # the Result reports it
        sink.wait_for(lambda: count_unforwarded(machine.store) == 0, "the forwarder")
        sink.wait_for(lambda: count_given_up(machine.store) >= least_given_up, "what is too much")
    machine.daemon.stop()
    deliveries = [d for thread in threads for d in thread.all]
    machine.config["store"].pop("max_bytes", None)  # keeps rows during the search
    machine.start()
    unknown = find_unknown(machine, random.Random(seed).sample(deliveries,
                                                               min(500, len(deliveries))))
    machine.daemon.stop()
    return Result(seed, machine.kills, deliveries, list(upstream.requests()),
                  read_store(machine.store), unknown)


def check_repetitions(what, result):
    again, limit = result.forwarded_again(), result.kills * IN_FLIGHT
    check(f"{what}: what has reached it more than once was in flight at a kill", again <= limit,
          f"{again} are more than {limit}", result)
    equal(f"{what}: and there was a kill in between", result.forwarded_again_by_one(), [], result)


def judge(what, result):
    """Checks all guarantees."""
    print(f"# {what}: {result}")
    for sentence, wrong in (
            ("nothing that was acknowledged is lost", result.lost()),
            ("nothing is in the store twice", result.stored_twice()),
            ("nothing is in the store that was not sent like that", result.stored_wrong()),
            ("nothing new is taken for a repeated one, nothing repeated for a new one",
             result.told_wrong()),
            ("all of the store is known when it is delivered again", result.forgotten()),
            ("no answer was anything but 200", result.refused()),
            ("all that is in the store has reached the application", result.not_forwarded()),
            ("nothing else has", result.forwarded_wrong())):
        equal(f"{what}: {sentence}", wrong, type(wrong)(), result)
    check_repetitions(what, result)


def keep_house(what, machine, upstream, seed, kills):
    """Kills the daemon near its housekeeping, one second after the start: it deletes old rows,
    packs keys and checkpoints the WAL. Deliveries are large."""
    result = run(machine, upstream, seed, kills=kills, lives=(0.98, 1.1), least_given_up=1,
                 sizes=(100, 10000, 50000))
    print(f"# {what}: {result}")
    check(f"{what}: some deliveries were given up", len(result.store) < len(result.deliveries),
          result)
    for sentence, wrong in (
            ("none of them that the application has not got", result.lost_everywhere()),
            ("what is left is what was sent", result.stored_wrong()),
            ("and is known when it is delivered again", result.forgotten()),
            ("and has reached the application", result.not_forwarded()),
            ("no answer was anything but 200", result.refused())):
        equal(f"{what}: {sentence}", wrong, type(wrong)(), result)
    check_repetitions(what, result)


def new_seed():
    seed = int(os.environ.get("SOAK_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"# SOAK_SEED={seed}", flush=True)
    return seed
