# SPDX-License-Identifier: MIT
"""Conservation with mixed destinations: hooklined is killed while an application fails at random,
and in some rounds its store is removed, replaced, moved, cut or damaged while it runs.

A delivery whose request began after such an event, and that was answered 200, can be read in the
file at the configured path. One that was answered before may have gone with the file; the figures
count it. Each delivery that is left reaches each destination that wants it, and no other.
"""
import collections
import dataclasses
import json
import os
import random
import sqlite3
import time

import pytest

from harness import conservation, sink
from harness.admin import Admin, socket_path
from harness.conservation import PAGE, RATE, SLOWER, SOAK_SECONDS, Delivery, Machine, Sender
from harness.recorder import Recorder
from harness.sink import Folders, check, equal, request, sign, source, wait_for

pytestmark = [pytest.mark.first, pytest.mark.running, pytest.mark.seconds(120)]

KILLS, ROUND_KILLS = 200, 8  # of the soak, and of each of its rounds
SIZES = ((0, 100, 500, 1000, 4000), (4000, 30000, 100000))
SENDERS = 8
TYPES = ("gate.open", "invoice.paid", "invoice.draft", "webhook.test")
SCHEMES = {"foil": "foil", "gate": "foil", "trulayer": "trulayer", "standard": "standard",
           "github": "github"}  # of each source
DESTINATIONS = {
    "all": {"types": ["*"]},
    "ordered": {"ordered": True, "sources": ["standard"]},
    "typed": {"types": ["gate.*", "invoice.paid"]},
}
FAILURES = (404, 429, 500)


# ---- senders

class TimedDelivery(Delivery):
    """A delivery that remembers when each request that was answered 200 began. Each request has the
    same signature, because without an id the signature identifies a delivery."""
    def __init__(self, source_name, type_name, id, body):
        super().__init__(SCHEMES[source_name], id, body)
        self.source, self.type = source_name, type_name
        self.acknowledged = []
        headers = sign(self.scheme, body, id=id)
        if self.scheme == "github":
            headers.append(("X-GitHub-Delivery", id))
        self.bytes = request("/" + source_name, headers, body)

    def request(self):
        return self.bytes

    def passed_over(self, destination):
        """Returns the reason why the destination does not take it, or None."""
        wanted = DESTINATIONS[destination]
        if self.source not in wanted.get("sources", SCHEMES):
            return "source"
        if any(entry == "*" for entry in wanted.get("types", ["*"])):
            return None
        if self.type is None:
            return "no_type"
        return None if self.type.startswith("gate.") or self.type == "invoice.paid" else "type"


class MixedSender(Sender):
    """Sends to all sources; some payloads have no type or are no JSON."""
    def make(self):
        id = f"evt_{self.label}_{len(self.all)}"
        name, type_name = self.random.choice(list(SCHEMES)), self.random.choice(TYPES)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        size = self.random.choice(self.sizes) if self.random.random() < 0.98 else 60000
        fill = self.random.randbytes(size // 2).hex()
        body = json.dumps({"id": id, "type": type_name, "sent_at": now, "fill": fill}).encode()
        if name == "github" or self.random.random() < 0.05:
            type_name, body = None, f'\ufeff{id}: "\\ud83d" {fill}'.encode()
        self.all.append(TimedDelivery(name, type_name, id, body))
        return self.all[-1]

    def attempt(self, delivery):
        began = time.monotonic()
        answer = super().attempt(delivery)
        if answer in ("accepted", "duplicate"):
            delivery.acknowledged.append(began)
        return answer


# ---- events: what happens to the files of the store

def backup(machine, path):
    with sink.open_store(machine.store) as db:
        db.execute("VACUUM INTO ?", (path,))


def replace(machine, path):
    yield
    os.rename(path, machine.store)


def remove(machine):
    yield
    os.unlink(machine.store)


def remove_all(machine):
    yield
    for name in os.listdir(machine.folder):
        os.unlink(f"{machine.folder}/{name}")


def replace_by_backup(machine):
    path = f"{machine.root}/backup.db"
    backup(machine, path)
    yield from replace(machine, path)


def replace_by_older_copy(machine):
    yield from replace(machine, machine.older_copy)


def replace_by_empty(machine):
    yield from replace(machine, sink.write_file(f"{machine.root}/empty.db", b""))


def move(machine):
    yield
    os.rename(machine.folder, f"{machine.root}/moved")


def move_for_a_while(machine):
    yield
    os.rename(machine.folder, f"{machine.root}/moved")
    machine.at_rest = lambda: os.rename(f"{machine.root}/moved", machine.folder)


def remove_side_file(suffix):
    def event(machine):
        yield
        os.unlink(machine.store + suffix)
    return event


def cut_wal(machine):
    yield
    size = os.path.getsize(machine.store + "-wal")
    os.truncate(machine.store + "-wal", machine.random.randrange(size + 1))


def damage(machine):
    """Overwrites a page but the first, which holds the header and the schema."""
    pages = os.path.getsize(machine.store) // PAGE
    if pages < 2:
        return
    data = machine.random.choice((bytes(PAGE), machine.random.randbytes(PAGE)))
    yield
    with open(machine.store, "r+b") as file:
        file.seek(machine.random.randrange(1, pages) * PAGE)
        file.write(data)


@dataclasses.dataclass
class Event:
    """`do` yields before it changes a file. `takes`: deliveries may go with the file."""
    do: object
    takes: bool = True
    displaces: bool = True
    damages: bool = False


EVENTS = {
    "removed": Event(remove),
    "removed with all files": Event(remove_all),
    "replaced by a backup": Event(replace_by_backup),
    "replaced by an older copy": Event(replace_by_older_copy),
    "replaced by an empty file": Event(replace_by_empty),
    "moved": Event(move),
    "moved and moved back": Event(move_for_a_while, takes=False),
    "-wal removed": Event(remove_side_file("-wal")),
    "-wal cut": Event(cut_wal),
    "-shm removed": Event(remove_side_file("-shm"), takes=False),
    "-lock removed": Event(remove_side_file("-lock"), takes=False),
    "damaged": Event(damage, displaces=False, damages=True),
}


# ---- machine

class MixedMachine(Machine):
    """A machine whose store has a folder of its own. A generation of the store ends with an event:
    another file may give the same numbers to other deliveries."""
    def __init__(self, upstream, seed):
        super().__init__(None)
        self.application, self.random = upstream, random.Random(f"{seed}/machine")
        self.root, self.folder = self.folder, f"{self.folder}/store"
        self.store, self.older_copy = f"{self.folder}/hookline.db", f"{self.root}/older.db"
        self.admin = Admin(socket_path())
        self.config.update(
            sources=[source(name, scheme, **({"answer": "upstream"} if name == "gate" else {}))
                     for name, scheme in SCHEMES.items()],
            store={"file": self.store}, admin={"address": f"unix:{self.admin.address}"})
        self.event = self.began = self.done = None
        self.generation = self.stops = 0
        self.generations = {}  # of each start
        self.at_rest = lambda: None

    def start(self, ready=True):
        os.makedirs(self.folder, exist_ok=True)
        self.generations[self.starts + 1] = self.generation
        self.config["destinations"] = [
            {"name": name, "url": f"{self.application.url}/{name}/{self.starts + 1}",
             "timeout_seconds": sink.LONG, "retry_seconds": [1] * 32, **more}
            for name, more in DESTINATIONS.items()]
        super().start(ready)

    def end(self):
        """Ends the daemon, mostly by a kill."""
        if self.random.random() < 0.8:
            self.kill()
        else:
            self.stops += 1
            self.daemon.stop()
        self.at_rest()
        self.at_rest = lambda: None

    def happen(self, event):
        """Changes the files while the daemon runs; returns False if there was nothing to change."""
        steps = event.do(self)
        if next(steps, self) is self:
            return False
        self.event, self.began = event, time.monotonic()
        for _ in steps:
            pass
        self.done, self.generation = time.monotonic(), self.generation + 1
        return True

    def undelivered(self):
        family = self.admin.metrics()["hookline_undelivered_deliveries"]
        return sum(value for _, labels, value in family.samples if labels["state"] != "parked")


# ---- one round

def rows_of(path, count):
    """Reads what another process can read, also of a damaged store."""
    rows = []
    with sink.open_store(path) as db:
        db.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in db.execute("SELECT * FROM delivery ORDER BY seq")], []
        except sqlite3.DatabaseError:
            pass
        unreadable = []
        for seq in range(1, count + 1):
            try:
                rows += map(dict, db.execute("SELECT * FROM delivery WHERE seq = ?", (seq,)))
            except sqlite3.DatabaseError:
                unreadable.append(seq)
    return rows, unreadable


def integrity(path):
    try:
        with sink.open_store(path) as db:
            return db.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)


class Round:
    """Runs one machine through kills, and perhaps one event; then compares senders, store and
    application."""
    def __init__(self, upstream, seed, kind=None, kills=ROUND_KILLS, **sizes):
        self.seed, self.kind, self.upstream = seed, kind, upstream
        self.machine = MixedMachine(upstream, seed)
        self.random = random.Random(f"{seed}/round")
        self.senders = [MixedSender(self.machine, f"{seed}_{i}", RATE / 4 / SENDERS, seed, **sizes)
                        for i in range(SENDERS)]
        self.run(kills)
        self.compare()

    # ---- run

    def run(self, kills):
        machine = self.machine
        machine.start()
        for sender in self.senders:
            sender.start()
        try:
            when = self.random.randrange(kills // 3, kills)
            while machine.kills < kills:
                self.live()
                if self.kind and machine.kills >= when and machine.event is None:
                    self.let_happen(EVENTS[self.kind])
                machine.end()
                machine.start()
        finally:
            for sender in self.senders:
                sender.halt.set()
        for sender in self.senders:
            sender.join()
        self.waited = None
        try:
            wait_for(lambda: machine.undelivered() == 0, "the forwarder")
        except AssertionError as error:
            self.waited = error

    def live(self):
        time.sleep(self.random.uniform(0.02, 0.5) * SLOWER)
        if not os.path.exists(self.machine.older_copy):
            backup(self.machine, self.machine.older_copy)

    def let_happen(self, event):
        """After most events senders go on until the daemon has noticed."""
        if not self.machine.happen(event):
            return
        if event.displaces and self.random.random() < 0.8:
            wait_for(lambda: self.machine.admin.ask("/readyz").status == 503, "the finding")
        time.sleep(self.random.uniform(0, 0.5) * SLOWER)

    # ---- comparison

    def compare(self):
        machine = self.machine
        self.deliveries = {d.body: d for sender in self.senders for d in sender.all}
        self.answers = collections.Counter(a for d in self.deliveries.values() for a in d.answers)
        self.rows, damaged = rows_of(machine.store, 2 * len(self.deliveries))
        if machine.event and machine.event.damages:
            damaged += [row["seq"] for row in self.rows if not self.is_right(row)]
            self.rows = [row for row in self.rows if self.is_right(row)]
        self.bodies = {row["body"] for row in self.rows}
        self.shown = {row["seq"]: machine.admin.ask(f"/deliveries/{row['seq']}")
                      for row in self.rows}
        self.shown_damaged = {seq: machine.admin.ask(f"/deliveries/{seq}") for seq in damaged}
        machine.daemon.stop()
        self.requests = [(r, *r.path.split("/")[2:]) for r in self.upstream.requests()]
        self.reached = {(name, r.body) for r, name, _ in self.requests}
        self.integrity = integrity(machine.store)

    def missing(self):
        """Returns acknowledged deliveries that are not in the store: those that may be, because the
        event took them away, and those that are lost."""
        event, gone, lost = self.machine.event, [], []
        for d in self.deliveries.values():
            if d.acknowledged and d.body not in self.bodies:
                before = event and event.takes and d.acknowledged[-1] <= self.machine.done
                (gone if before else lost).append(f"{d.id} at {d.source} {d.answers}")
        return gone, lost

    def is_right(self, row):
        return row["body"] in self.deliveries and \
            row["source"] == self.deliveries[row["body"]].source

    def stored_wrong(self):
        """Rows that no sender sent, or that are there twice."""
        count = collections.Counter(row["body"] for row in self.rows)
        return [f"{row['seq']} {row['source']} {row['body'][:40]}" for row in self.rows
                if count[row["body"]] > 1 or not self.is_right(row)]

    def not_forwarded(self):
        return [f"{row['seq']} to {name}" for row in self.rows for name in DESTINATIONS
                if self.deliveries[row["body"]].passed_over(name) is None and
                (name, row["body"]) not in self.reached]

    def forwarded_wrong(self):
        return [f"{r.headers} to {name}" for r, name, _ in self.requests
                if r.body not in self.deliveries or self.deliveries[r.body].passed_over(name)]

    def out_of_order(self):
        """First successes at the ordered destination that came after a later delivery's."""
        newest, seen, wrong = collections.Counter(), set(), []
        for r, name, start in self.requests:
            generation, seq = self.machine.generations[int(start)], int(r.headers["hookline-seq"])
            if name != "ordered" or (generation, r.body) in seen:
                continue
            seen.add((generation, r.body))
            if seq < newest[generation]:
                wrong.append(f"{seq} after {newest[generation]}")
            newest[generation] = max(newest[generation], seq)
        return wrong

    def told_wrong(self):
        """Rows whose destinations are shown neither as done nor with the reason to pass over."""
        wrong = []
        for row in self.rows:
            answer, d = self.shown[row["seq"]], self.deliveries[row["body"]]
            told = {one["name"]: (one["state"], one.get("reason"))
                    for one in answer.json.get("destinations", [])}
            right = {name: ("done", None) if d.passed_over(name) is None else
                     ("passed_over", d.passed_over(name)) for name in DESTINATIONS}
            if told != right:
                wrong.append(f"{row['seq']} {told} instead of {right}")
        return wrong

    def damaged_wrong(self):
        """Damaged deliveries that some destination still waits for, or that seem to be whole."""
        return [f"{seq} {answer.body[:300]}" for seq, answer in self.shown_damaged.items()
                if answer.status == 200 and
                not (answer.json.get("damaged") and
                     all(one["state"] in ("parked", "done", "passed_over")
                         for one in answer.json["destinations"]))]

    def repeated(self):
        """Returns the number of repetitions, and those by one process."""
        count = collections.Counter((r.path, r.headers["hookline-seq"], r.body)
                                    for r, _, _ in self.requests)
        return (len(self.requests) - len(self.reached),
                [f"{seq} {n} times at {path}" for (path, seq, _), n in count.items() if n > 1])


def judge(round):
    """Checks all guarantees; returns the figures."""
    gone, lost = round.missing()
    repeated, by_one = round.repeated()
    event = round.machine.event
    damaged = bool(event and event.damages)
    what = f"kills, {round.kind if event else 'no event'}"
    figures = collections.Counter({
        "kills": round.machine.kills, "stops": round.machine.stops, "rounds": 1,
        f"rounds {round.kind if event else 'without an event'}": 1, "sent": len(round.deliveries),
        "acknowledged": sum(bool(d.acknowledged) for d in round.deliveries.values()),
        "503": round.answers[503], "repetitions": repeated, "forwarded": len(round.reached),
        "damaged" if damaged else "taken away": len(gone), "lost": len(lost)})
    print(f"# seed {round.seed}: {what}: {dict(figures)}, {dict(round.answers)}", flush=True)
    for sentence, wrong in (
            ("nothing that was acknowledged after it is lost", lost),
            ("nothing is in the store that was not sent like that, or twice", round.stored_wrong()),
            ("all that is in the store has reached each destination that wants it",
             round.not_forwarded()),
            ("nothing has reached another destination", round.forwarded_wrong()),
            ("the ordered destination has got them in their order", round.out_of_order()),
            ("each destination shows it as done, or the reason why it was passed over",
             round.told_wrong()),
            ("a damaged delivery is shown as such, and none waits for it", round.damaged_wrong()),
            ("a process has sent nothing twice", by_one)):
        equal(f"{what}: {sentence}", wrong[:10], [], f"seed {round.seed}", f"{len(wrong)} in all")
    check(f"{what}: the forwarder comes to its end", round.waited is None, round.waited)
    if not damaged:
        equal(f"{what}: the store is whole", round.integrity, "ok", f"seed {round.seed}")
    return figures


def run_round(seed, kind, **options):
    upstream = Recorder(seed, FAILURES)
    figures = judge(Round(upstream, seed, kind, **options))
    upstream.stop()
    return figures


def test_killed_and_replaced():
    run_round(conservation.new_seed(), "replaced by an older copy", kills=3)


@pytest.mark.soak
def test_soak():
    end, rng = time.monotonic() + SOAK_SECONDS, random.Random(conservation.new_seed())
    figures, kinds = collections.Counter(), []
    while time.monotonic() < end or figures["kills"] < KILLS:
        if not kinds:
            kinds = [*EVENTS, None]
            rng.shuffle(kinds)
        figures += run_round(rng.randrange(1 << 32), kinds.pop(), sizes=rng.choice(SIZES))
        Folders.remove()
    print(f"# in all: {dict(sorted(figures.items()))}", flush=True)
