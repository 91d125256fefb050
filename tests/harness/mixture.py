# SPDX-License-Identifier: MIT
"""Conservation in a mixture that a seed draws: plain, ordered, filtered and late destinations, a
source with `answer: upstream`, forgeries, duplicates, senders that hang up, watchers of /events,
reloads and a full disk, while kills and power cuts end the daemon.

Each delivery that was answered 200 is in the store once, and reaches each destination that wants it;
a refused one does neither.
"""
import collections
import contextlib
import dataclasses
import json
import os
import random
import signal
import sqlite3
import threading
import time

from harness import sink
from harness.admin import Admin, socket_path
from harness.conservation import RATE, SLOWER, Delivery, Sender, UnreliableMachine
from harness.recorder import Recorder
from harness.sink import Connection, check, equal, request, sign, source, wait_for, write_file

SENDERS, WATCHERS = 8, 2
SHOWN = 100  # rows whose destinations the admin API is asked for
SIZES = ((0, 100, 500, 1000, 4000), (0, 100, 500, 1000, 4000), (4000, 30000, 100000))
TYPES = ("gate.open", "invoice.paid", "invoice.draft", "webhook.test")
SCHEMES = {"foil": "foil", "gate": "foil", "trulayer": "trulayer", "standard": "standard",
           "github": "github"}  # of each source
DESTINATIONS = {
    "all": {"types": ["*"]},
    "ordered": {"ordered": True, "sources": ["standard"]},
    "typed": {"types": ["gate.*", "invoice.paid"]},
    "late": {"sources": ["foil"]},  # not there at first
}
OTHER_TYPES = ["gate.*", "webhook.test"]  # of "typed", after some reloads
FAILURES = (404, 429, 500)
# Answers to a genuine delivery: source or size that a reload took away, the application's own ones,
# no answer of the application, a full disk or a shutdown.
REFUSALS = {404, 413, 429, 500, 502, 503, 504}
NOT_STORED = {404, 413, 503}  # by a source that answers itself


@dataclasses.dataclass
class Traits:
    """What happens in a round."""
    disk: bool = False      # emulated, so that power cuts lose what was not synced
    fills: bool = False     # the disk is full for a while; needs `disk`
    reloads: bool = False
    watched: bool = False   # streams of /events
    rude: bool = False      # forgeries, twins, and senders that hang up or give up

    @classmethod
    def draw(cls, rng):
        disk = rng.random() < 0.4
        return cls(disk, disk and rng.random() < 0.5, *(rng.random() < 0.6 for _ in range(3)))

    def __str__(self):
        return " ".join(name for name, there in vars(self).items() if there) or "plain"


# ---- senders

class MixedDelivery(Delivery):
    """A delivery that remembers when each request that was answered 200 began. Each request has the
    same signature, because without an id the signature identifies a delivery."""
    def __init__(self, source_name, type_name, id, body):
        super().__init__(SCHEMES[source_name], id, body)
        self.source, self.type = source_name, type_name
        self.forged = False
        self.acknowledged, self.began = [], None
        headers = sign(self.scheme, body, id=id)
        if self.scheme == "github":
            headers.append(("X-GitHub-Delivery", id))
        self.bytes = request("/" + source_name, headers, body)

    def request(self):
        return self.bytes

    def forge(self):
        """Changes the body behind the signature."""
        self.forged, self.body = True, self.body[:-1] + b"~"
        self.bytes = self.bytes[:-1] + b"~"

    def record(self, answer, began):
        self.answers.append(answer)
        if answer in ("accepted", "duplicate"):
            self.acknowledged.append(began)

    def passed_over(self, destination, types=None):
        """Returns the reason why the destination does not take it, or None."""
        wanted = DESTINATIONS[destination]
        if self.source not in wanted.get("sources", SCHEMES):
            return "source"
        types = types or wanted.get("types", ["*"])
        if "*" in types:
            return None
        if self.type is None:
            return "no_type"
        return None if any(self.type.startswith(entry[:-1]) if entry.endswith("*") else
                           self.type == entry for entry in types) else "type"

    def is_refused(self):
        """Tells if no request for it can have stored it."""
        return self.forged or (self.source != "gate" and set(self.answers) <= NOT_STORED)

    def is_told_wrong(self):
        """Tells if it was acknowledged as new twice, or as known before it was."""
        if self.source == "gate":  # the application answers
            return False
        told = [answer for answer in self.answers if answer in ("accepted", "duplicate")]
        return "accepted" in told[1:] or \
            ("duplicate" in told and not {"accepted", "none"} & set(self.answers))


class MixedSender(Sender):
    """Sends to all sources; some payloads have no type or are no JSON."""
    pause = 0.1

    def __init__(self, *arguments, rude=False, **options):
        super().__init__(*arguments, **options)
        self.rude = rude

    def make(self):
        id = f"evt_{self.label}_{len(self.all)}"
        name, type_name = self.random.choice(list(SCHEMES)), self.random.choice(TYPES)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        size = self.random.choice(self.sizes) if self.random.random() < 0.98 else 60000
        fill = self.random.randbytes(size // 2).hex()
        body = json.dumps({"id": id, "type": type_name, "sent_at": now, "fill": fill}).encode()
        if name == "github" or self.random.random() < 0.05:
            type_name, body = None, f'\ufeff{id}: "\\ud83d" {fill}'.encode()
        self.all.append(MixedDelivery(name, type_name, id, body))
        return self.all[-1]

    def deliver(self, delivery):
        if delivery.began is None:
            delivery.began = time.monotonic()
            if self.rude and self.random.random() < 0.2:
                self.random.choice((self.forge, self.hang_up, self.hang_up, self.send_twins,
                                    self.give_up))(delivery)
                return
        began = time.monotonic()
        before = len(delivery.answers)
        super().deliver(delivery)
        if delivery.answers[before:] and delivery.answers[-1] in ("accepted", "duplicate"):
            delivery.acknowledged.append(began)

    def forge(self, delivery):
        delivery.forge()
        if (answer := self.attempt(delivery)) is not None:
            delivery.answers.append(answer)

    def give_up(self, delivery):
        """Does not repeat a delivery that was refused."""
        began = time.monotonic()
        if (answer := self.attempt(delivery)) is not None:
            delivery.record(answer, began)
        if answer in (None, "none"):
            self.later(delivery, began + 0.02)

    def hang_up(self, delivery):
        """Leaves within the request, or before the answer; some come back."""
        data = delivery.request()
        end = self.random.choice((len(data), self.random.randrange(1, len(data))))
        with contextlib.suppress(OSError), Connection(self.target.address, self.patience) as other:
            other.write(data[:end])
            if end == len(data):
                delivery.answers.append("none")
        if self.random.random() < 0.5:
            self.later(delivery, time.monotonic() + self.random.random() * 0.1)

    def send_twins(self, delivery):
        """Sends it on two connections at once."""
        began, answers = time.monotonic(), []
        with contextlib.suppress(OSError, AssertionError, ValueError), \
                Connection(self.target.address, self.patience) as one, \
                Connection(self.target.address, self.patience) as other:
            for twin in (one, other):
                answers.append("none")
                twin.write(delivery.request())
            for i, twin in enumerate((one, other)):
                if (answer := twin.read()) is not None:
                    answers[i] = answer.json["status"] if answer.status == 200 else answer.status
        for answer in sorted(answers, key=str):
            delivery.record(answer, began)
        if not delivery.acknowledged:
            self.later(delivery, time.monotonic() + 0.02)


class Watcher(threading.Thread):
    """Reads /events for a while, again and again; some watchers stop reading before they leave."""
    def __init__(self, admin, seed):
        super().__init__(daemon=True)
        self.admin, self.random = admin, random.Random(seed)
        self.halt = threading.Event()
        self.stored = set()  # numbers of stored deliveries

    def run(self):
        while not self.halt.is_set():
            with contextlib.suppress(OSError, AssertionError, ValueError, IndexError):
                self.watch()
            time.sleep(0.01)

    def watch(self):
        query = self.random.choice(("", "?verdict=stored", "?source=foil"))
        with self.admin.watch(query) as stream:
            end = time.monotonic() + self.random.uniform(0, 0.5) * SLOWER
            while time.monotonic() < end and (line := stream.line()) is not None:
                if line["verdict"] == "stored":
                    self.stored.add(line["seq"])
            if self.random.random() < 0.3:
                self.halt.wait(self.random.random() * SLOWER)


# ---- machine

class MixedMachine(UnreliableMachine):
    """A machine whose store has a folder of its own. A generation of the store ends with an event
    that replaces its files: another file may give the same numbers to other deliveries."""
    def __init__(self, upstream, seed, traits, late):
        super().__init__(None, seed, kept=random.Random(f"{seed}/kept").choice((0, 0.5)))
        self.application, self.traits = upstream, traits
        self.random = random.Random(f"{seed}/machine")
        self.root, self.folder = self.folder, f"{self.folder}/store"
        self.store, self.older_copy = f"{self.folder}/hookline.db", f"{self.root}/older.db"
        self.admin = Admin(socket_path())
        self.config.update(store={"file": self.store},
                           admin={"address": f"unix:{self.admin.address}"})
        self.sources = [source(name, scheme, tolerance_seconds=86400)
                        for name, scheme in SCHEMES.items()]
        self.event = self.began = self.done = None
        self.generation = self.stops = self.cuts = self.reloads = self.fills = 0
        self.generations = {}  # of each start
        # The number of the start that brings the destination "late"; None: never, and destinations
        # stay. The moment from which on it takes deliveries.
        self.late, self.late_since = late, None
        self.filters = [DESTINATIONS["typed"]["types"]]  # all that "typed" has had
        self.at_rest = lambda: None

    def environment(self):
        return super().environment() if self.traits.disk else {}

    def draw_config(self, start, whole):
        """Draws the part of the configuration that a reload can change; `whole` changes nothing. The
        path of a URL tells the application which process sends."""
        gone, changes = set(), not whole and self.traits.reloads
        # A destination that is not there while an event makes a new store does not get its rows.
        if changes and self.late is not None:
            gone = {name for name in DESTINATIONS if self.random.random() < 0.2}
        if self.late is None or start < self.late:
            gone.add("late")
        types = self.random.choice((DESTINATIONS["typed"]["types"], OTHER_TYPES)) if changes else \
            DESTINATIONS["typed"]["types"]
        if types not in self.filters:
            self.filters.append(types)
        self.config["destinations"] = [
            {"name": name, "url": f"{self.application.url}/{name}/{start}/{self.reloads}",
             "timeout_seconds": sink.LONG, "retry_seconds": [1] * 32, **more,
             **({"types": types} if name == "typed" else {})}
            for name, more in DESTINATIONS.items() if name not in gone]
        if not self.config["destinations"]:
            del self.config["destinations"]
        upstream = "all" not in gone and not (changes and self.random.random() < 0.2)
        absent = self.random.choice(("gate", "trulayer", "github")) \
            if changes and self.random.random() < 0.2 else None
        self.config["sources"] = [
            {**one, **({"answer": "upstream"} if one["name"] == "gate" and upstream else {})}
            for one in self.sources if one["name"] != absent]
        self.config["limits"] = {"body_bytes": 3000 if changes and self.random.random() < 0.3
                                 else 1 << 20, "connections": self.random.choice((100, 10000))}

    def start(self, ready=True, whole=False):
        os.makedirs(self.folder, exist_ok=True)
        self.draw_config(self.starts + 1, whole)
        self.generations[self.starts + 1] = self.generation
        super().start(ready)
        if ready and self.late_since is None and \
                any(one["name"] == "late" for one in self.config.get("destinations", [])):
            self.late_since = time.monotonic()

    def reload(self):
        self.reloads += 1
        self.draw_config(self.starts, whole=False)
        config = {"threads": 1, **self.config,
                  "limits": {**sink.UNHURRIED, **self.config["limits"]}}
        path = f"{self.daemon.folder}/hooklined.yaml"
        write_file(path + ".new", json.dumps(config))
        os.replace(path + ".new", path)
        self.daemon.tell(signal.SIGHUP)

    def fill(self):
        """Leaves room for a random part of the next deliveries."""
        self.fills += 1
        used = sum(os.path.getsize(f"{self.folder}/{name}") for name in os.listdir(self.folder))
        self.fault(f"room {used + self.random.randrange(60000)}")

    def end(self, ready=True):
        """Ends the daemon by a kill, a power cut or, rarely, a signal."""
        draw = self.random.random()
        if draw < 0.05 and ready:
            self.stops += 1
            self.daemon.stop()
        else:
            self.daemon.kill()
            if self.traits.disk and draw < 0.5:
                self.cuts += 1
                self.lose_power()
            else:
                self.kills += 1
        self.fault()
        self.at_rest()
        self.at_rest = lambda: None

    @property
    def ends(self):
        return self.kills + self.cuts

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
        time.sleep(0.05)
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
    """Runs one machine through kills and power cuts, and perhaps one event; then compares senders,
    watchers, store and application."""
    def __init__(self, upstream, seed, traits, kills, event=None, rate=RATE / 4):
        self.seed, self.traits, self.upstream = seed, traits, upstream
        self.random = random.Random(f"{seed}/round")
        late = None if event else 1 + self.random.randrange(kills)
        self.machine = MixedMachine(upstream, seed, traits, late)
        sizes = self.random.choice(SIZES)
        self.senders = [MixedSender(self.machine, f"{seed}_{i}", rate / SENDERS, seed, sizes=sizes,
                                    rude=traits.rude) for i in range(SENDERS)]
        self.watchers = [Watcher(self.machine.admin, f"{seed}/watcher {i}")
                         for i in range(WATCHERS * traits.watched)]
        self.run(kills, event)
        self.compare()

    # ---- run

    def run(self, kills, event):
        machine = self.machine
        machine.start(whole=True)
        for thread in self.senders + self.watchers:
            thread.start()
        try:
            when = self.random.randrange(kills // 3, kills)
            while machine.ends < kills:
                self.live()
                if event and machine.ends >= when and machine.event is None:
                    self.let_happen(event)
                machine.end()
                if self.random.random() < 0.1:
                    machine.start(ready=False)
                    time.sleep(self.random.uniform(0, 0.05) * SLOWER)
                    machine.end(ready=False)
                if machine.ends >= kills:
                    # A destination that refuses (429) gets a pace, down to one delivery a second.
                    self.upstream.recover()
                machine.start(whole=machine.ends >= kills)
        finally:
            for thread in self.senders + self.watchers:
                thread.halt.set()
        for sender in self.senders:
            sender.join()
        self.waited, left = None, machine.undelivered()
        try:
            while left:  # as long as it makes progress, however slow the machine is
                left = wait_for(lambda left=left: [machine.undelivered()]
                                if machine.undelivered() < left else None, "the forwarder")[0]
        except AssertionError as error:
            self.waited = error

    def live(self):
        """One life of the daemon, with reloads and a full disk at random moments. A few lives are
        long enough for a checkpoint and for housekeeping."""
        lives = (0.3, 1.5) if self.random.random() < 0.05 else (0.02, 0.3)
        end = time.monotonic() + self.random.uniform(*lives) * SLOWER
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.random.expovariate(10 / SLOWER)))
            if self.traits.reloads and self.random.random() < 0.5:
                self.machine.reload()
            if self.traits.fills:
                self.random.choice((self.machine.fill, self.machine.fault))()
        if not self.traits.disk and not os.path.exists(self.machine.older_copy):
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
        self.shown = {row["seq"]: (row, machine.admin.ask(f"/deliveries/{row['seq']}"))
                      for row in self.random.sample(self.rows, min(SHOWN, len(self.rows)))}
        self.shown_damaged = {seq: machine.admin.ask(f"/deliveries/{seq}") for seq in damaged}
        machine.daemon.stop()
        for watcher in self.watchers:
            watcher.join()
        self.requests = [(r, *r.path.split("/")[2:4]) for r in self.upstream.requests()]
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

    def refused(self):
        """Returns deliveries that were only refused, forged or sent in part, but are in the store or
        reached an application. A store that was moved away and back may hold a refused one."""
        there = self.bodies | {body for _, body in self.reached}
        return [f"{d.id} at {d.source} {d.answers}" for d in self.deliveries.values()
                if d.body in there and d.is_refused() and (d.forged or not self.machine.event)]

    def answered_wrong(self):
        """Returns answers that no genuine delivery deserves, or no forged one."""
        return [f"{d.id} at {d.source} {d.answers}" for d in self.deliveries.values()
                if {a for a in d.answers if a not in ("accepted", "duplicate", "none")} -
                REFUSALS - ({401} if d.forged else set()) or
                (d.forged and {"accepted", "duplicate"} & set(d.answers))]

    def new_twice(self):
        return [f"{d.id} at {d.source} {d.answers}" for d in self.deliveries.values()
                if d.is_told_wrong()] if not self.machine.event else []

    def watched_wrong(self):
        """Returns numbers that a watcher was told as stored, but that are not in the store."""
        seqs = {row["seq"] for row in self.rows}
        return sorted(seq for watcher in self.watchers for seq in watcher.stored - seqs) \
            if not self.machine.event else []

    def reason(self, d, name):
        """Returns the reason why the destination does not take the delivery, None if it does, and
        "unknown" if that depends on the moment of a reload."""
        reasons = {d.passed_over(name, types) for types in
                   (self.machine.filters if name == "typed" else [None])}
        late = name == "late" and (self.machine.late_since is None or
                                   d.began <= self.machine.late_since)
        if None in reasons and (late or len(reasons) > 1):
            return "unknown"
        return reasons.pop()

    def not_forwarded(self):
        return [f"{row['seq']} to {name}" for row in self.rows for name in DESTINATIONS
                if self.is_right(row) and (name, row["body"]) not in self.reached and
                self.reason(self.deliveries[row["body"]], name) is None]

    def forwarded_wrong(self):
        return [f"{r.headers} to {name}" for r, name, _ in self.requests
                if r.body not in self.deliveries or
                self.reason(self.deliveries[r.body], name) not in (None, "unknown")]

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
        for seq, (row, answer) in self.shown.items():
            d = self.deliveries.get(row["body"])
            told = {one["name"]: (one["state"], one.get("reason"))
                    for one in answer.json.get("destinations", [])}
            right = {name: ("done", None) if (reason := self.reason(d, name)) is None else
                     ("passed_over", reason) for name in DESTINATIONS
                     if self.reason(d, name) != "unknown" and (name != "late" or self.machine.late)
                     } if d else {}
            if not right.items() <= told.items():
                wrong.append(f"{seq} {told} instead of {right}")
        return wrong

    def damaged_wrong(self):
        """Damaged deliveries that some destination still waits for, or that seem to be whole."""
        return [f"{seq} {answer.body[:300]}" for seq, answer in self.shown_damaged.items()
                if answer.status == 200 and
                not (answer.json.get("damaged") and
                     all(one["state"] in ("parked", "done", "passed_over")
                         for one in answer.json["destinations"]))]

    def repeated(self):
        """Returns the number of repetitions, and those by one process. A destination that a reload
        removes and another one brings back may get again what was in flight."""
        count = collections.Counter((name, start, r.headers["hookline-seq"], r.body)
                                    for r, name, start in self.requests)
        by_one = [f"{seq} {n} times at {name} by process {start}"
                  for (name, start, seq, _), n in count.items() if n > 1]
        return len(self.requests) - len(self.reached), [] if self.machine.reloads else by_one


def backup(machine, path):
    with sink.open_store(machine.store) as db:
        db.execute("VACUUM INTO ?", (path,))


def judge(round, what):
    """Checks all guarantees; returns the figures."""
    gone, lost = round.missing()
    repeated, by_one = round.repeated()
    machine = round.machine
    damaged = bool(machine.event and machine.event.damages)
    figures = collections.Counter({
        "kills": machine.kills, "power cuts": machine.cuts, "stops": machine.stops, "rounds": 1,
        "reloads": machine.reloads, "full disks": machine.fills, "sent": len(round.deliveries),
        "acknowledged": sum(bool(d.acknowledged) for d in round.deliveries.values()),
        "no answer": round.answers["none"], "503": round.answers[503], "repetitions": repeated,
        "watched": sum(len(watcher.stored) for watcher in round.watchers),
        "forwarded": len(round.reached), "damaged" if damaged else "taken away": len(gone),
        "lost": len(lost)})
    figures[f"rounds {what}"] += 1
    print(f"# seed {round.seed}: {what}, {round.traits}: {dict(figures)}, {dict(round.answers)}",
          flush=True)
    for sentence, wrong in (
            ("nothing that was acknowledged is lost", lost),
            ("nothing is in the store that was not sent like that, or twice", round.stored_wrong()),
            ("nothing that was refused is in the store or at a destination", round.refused()),
            ("nothing is acknowledged as new twice, and nothing new as known", round.new_twice()),
            ("each answer is a right one", round.answered_wrong()),
            ("what watchers saw stored is in the store", round.watched_wrong()),
            ("all that is in the store has reached each destination that wants it",
             round.not_forwarded()),
            ("nothing has reached another destination", round.forwarded_wrong()),
            ("the ordered destination has got them in their order", round.out_of_order()),
            ("each destination shows it as done, or the reason why it was passed over",
             round.told_wrong()),
            ("a damaged delivery is shown as such, and none waits for it", round.damaged_wrong()),
            ("a process has sent nothing twice", by_one)):
        equal(f"{what}: {sentence}", wrong[:10], [], f"seed {round.seed}, {round.traits}",
              f"{len(wrong)} in all")
    check(f"{what}: the forwarder comes to its end", round.waited is None, round.waited,
          f"seed {round.seed}, {round.traits}")
    if not damaged:
        equal(f"{what}: the store is whole", round.integrity, "ok", f"seed {round.seed}")
    return figures


def run_round(seed, what, traits, kills, event=None):
    rng = random.Random(f"{seed}/application")
    upstream = Recorder(seed, rng.choice((FAILURES, (404, 500), (404, 500), (500,))))
    figures = judge(Round(upstream, seed, traits, kills, event), what)
    upstream.stop()
    return figures
