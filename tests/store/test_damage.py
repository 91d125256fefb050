# SPDX-License-Identifier: MIT
"""A damaged page of the store costs the deliveries on it, and no other: they are parked, listed and
counted, and everything else flows."""
import os
import random

import pytest

from harness import cli, sink
from harness.admin import Admin, socket_path, value
from harness.sink import Daemon, Folders, check, equal, sample_body, source, wait_for
from harness.upstream import Upstream, header, response

pytestmark = [pytest.mark.running, pytest.mark.seconds(120)]

COUNT, PAGE = 60, 4096
FILL = b"f" * 900  # four deliveries on a page


class Store:
    """A store with COUNT deliveries that no destination has received."""
    def __init__(self, fill=FILL):
        self.folder = os.path.realpath(Folders.new())
        self.file = f"{self.folder}/hookline.db"
        self.fill = fill
        self.admin = Admin(socket_path())
        self.app = Upstream(lambda request, sock: response(200))
        self.config = {"sources": [source("foil")], "store": {"file": self.file},
                       "admin": {"address": f"unix:{self.admin.address}"},
                       "destinations": [{"name": "app", "url": self.app.url}]}
        self.daemon = Daemon(self.config)
        self.put(0)
        wait_for(lambda: len(self.app.requests) == 1, "the first delivery")
        self.daemon.stop()
        daemon = Daemon({key: value for key, value in self.config.items()
                         if key != "destinations"})
        for i in range(1, COUNT):
            self.put(i, daemon)
        daemon.stop()

    def put(self, number, daemon=None):
        body = sample_body("foil", id=f"evt{number}")[:-1] + b', "fill": "%s#%d#"}' % (self.fill, number)
        return (daemon or self.daemon).deliver("foil", body).json

    def write(self, page, data, offset=0):
        with open(self.file, "r+b") as file:
            file.seek((page - 1) * PAGE + offset)
            file.write(data)

    def find(self, text):
        """Returns the page that contains the text, and its offset there."""
        with open(self.file, "rb") as file:
            at = file.read().index(text)
        return at // PAGE + 1, at % PAGE

    def root(self, table):
        with sink.open_store(self.file) as db:
            return db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?",
                              (table,)).fetchone()[0]

    def start(self):
        self.daemon = Daemon(self.config, real_time=True)  # writes the low-water mark

    def ids(self):
        """The ids that the application has received."""
        return {header(r, "Hookline-Id") for r in self.app.requests}

    def settle(self):
        """Waits until each delivery has reached the application, or is parked as damaged. Returns
        the damaged rows."""
        def damaged():
            rows = [row for row in self.listed() if row.get("damaged") and
                    row["destinations"] == {"app": "parked"}]
            return rows if len(rows) + len(self.ids()) >= COUNT else None
        return wait_for(lambda: (rows := damaged()) is not None and [rows],
                        "all deliveries")[0]

    def listed(self):
        answer = self.admin.ask("/deliveries?limit=1000")
        assert answer.status == 200, answer
        return answer.json["deliveries"]


def damage_leaf(store, data):
    page, _ = store.find(b'"evt20"')
    store.write(page, data)


KINDS = {
    "zeros": lambda store: damage_leaf(store, bytes(PAGE)),
    "random bytes": lambda store: damage_leaf(store, random.Random(1).randbytes(PAGE)),
    "a changed byte": lambda store: change_byte(store),
    "a changed key": lambda store: change_key(store),
}


def change_byte(store):
    page, offset = store.find(b'"evt20"')
    store.write(page, b"X", offset + 1)


def change_key(store):
    """Changes the seq of the row in its cell, which begins with the size and the seq as varints."""
    page, offset = store.find(b'"evt20"')
    with open(store.file, "rb") as file:
        file.seek((page - 1) * PAGE)
        data = file.read(PAGE)
    cells = [int.from_bytes(data[8 + 2 * i:10 + 2 * i], "big") for i in range(data[4])]
    cell = max(c for c in cells if c < offset)
    assert data[cell + 2] == 21, data[cell:cell + 4]
    store.write(page, bytes([99]), cell + 2)


@pytest.mark.parametrize("kind", KINDS)
def test_passed_by(kind):
    store = Store()
    KINDS[kind](store)
    store.start()
    rows = store.settle()
    lost = {f"evt{r['seq'] - 1}" for r in rows}
    check(f"{kind}: few deliveries are damaged", 1 <= len(rows) <= 4 and "evt20" in lost, rows)
    equal(f"{kind}: all others reach the application", store.ids() | lost,
          {f"evt{i}" for i in range(COUNT)})
    equal(f"{kind}: each damaged one is parked", {str(r["destinations"]) for r in rows},
          {"{'app': 'parked'}"})
    equal(f"{kind}: the list has every delivery",
          [r["seq"] for r in store.listed()], list(range(COUNT, 0, -1)))
    lines = lambda: {line["seq"] for line in
                     store.daemon.lines(verdict="parked", reason="damaged in the store")}
    check(f"{kind}: each has its line, with the reason",
          wait_for(lambda: lines() == {r["seq"] for r in rows}, "the lines"))
    one = store.admin.ask(f"/deliveries/{rows[0]['seq']}")
    check(f"{kind}: a damaged delivery shows its attempts",
          one.status == 200 and one.json["damaged"] and
          one.json["attempts"][0]["error"] == "damaged in the store", one)
    equal(f"{kind}: its body is our fault, not the reader's",
          store.admin.ask(f"/deliveries/{rows[0]['seq']}/body").status, 503)
    metrics_and_readiness(store, kind, len(rows))
    after(store, kind, rows, lost)


def metrics_and_readiness(store, kind, count):
    lag = lambda: [value(store.admin.metrics(), "hookline_undelivered_deliveries",
                         destination="app", state=state)
                   for state in ("waiting", "retrying", "parked")]
    check(f"{kind}: the lag is still told", wait_for(lambda: lag() == [0, 0, count], "the mark"))
    metrics, ready = store.admin.metrics(), store.admin.ask("/readyz")
    equal(f"{kind}: metrics count them",
          (value(metrics, "hookline_store_damaged_deliveries"),
           value(metrics, "hookline_store_damaged")), (count, 1))
    check(f"{kind}: it is not ready, with the number",
          ready.status == 503 and f"[-]content failed: {count} damaged" in ready.body.decode(), ready)
    run = cli.Run("store", "check", store.file)
    check(f"{kind}: the tool finds them while it runs",
          run.status == 1 and f", {count} damaged" in run.out and "DAMAGED" in run.out, run)
    run = cli.Run("store", "check", "--json", store.file)
    equal(f"{kind}: as JSON as well",
          [run.json()[key] for key in ("whole", "deliveries", "damaged", "keys_missing")][:3],
          [False, COUNT, count])


def after(store, kind, rows, lost):
    equal(f"{kind}: a sender's repetition of a damaged delivery is stored anew",
          [store.put(int(id[3:]))["status"] for id in sorted(lost)], ["accepted"] * len(lost))
    wait_for(lambda: store.ids() >= lost, "the repetitions")
    equal(f"{kind}: that of a readable one is a duplicate", store.put(1)["status"], "duplicate")
    for row in rows:
        equal(f"{kind}: a damaged delivery can be discarded",
              store.admin.ask(f"/deliveries/{row['seq']}/discard", "POST").status, 200)
    equal(f"{kind}: then it is ready",
          wait_for(lambda: (a := store.admin.ask("/readyz")).status == 200 and a, "ready").status,
          200)
    store.daemon.stop()
    store.app.close()


def test_pages_of_a_body():
    """SQLite notices no change in an overflow page: the sum does."""
    store = Store(fill=random.Random(2).randbytes(5000).hex().encode())
    page, _ = store.find(b"#20#")
    store.write(page, b"x" * 8, 100)
    store.start()
    equal("a changed body is not forwarded", [r["seq"] for r in store.settle()], [21])
    equal("and every other is", len(store.ids()), COUNT - 1)
    store.daemon.stop()
    store.app.close()


def test_other_tables():
    store = Store()
    store.write(store.root("keys"), bytes(PAGE))
    store.start()
    store.settle()
    run = cli.Run("store", "check", store.file)
    check("damaged keys are found", run.status == 1 and "keys         damaged" in run.out, run)
    equal("what is stored is still known, and forwarded", len(store.ids()), COUNT)
    equal("a new delivery cannot be stored: 503", store.daemon.deliver(
        "foil", sample_body("foil", id="new")).status, 503)
    equal("and it is not ready", store.admin.ask("/readyz").status, 503)
    store.daemon.stop()
    store.app.close()


def test_whole():
    store = Store()
    run = cli.Run("store", "check", store.file)
    check("a whole store is whole", run.status == 0 and ": whole\n" in run.out and
          f"{COUNT}, 0 damaged" in run.out and "0 missing" in run.out, run)
    equal("checking makes no file", sorted(os.listdir(store.folder)),
          ["hookline.db", "hookline.db-lock"])
    store.start()
    run = cli.Run("store", "check", "--json", store.file)
    check("a running one as well", run.status == 0 and run.json()["whole"], run)
    equal("it goes on", store.put(COUNT + 1)["status"], "accepted")
    for arguments, words in ((("store", "check", store.folder + "/none"), "cannot be opened"),
                             (("store", "check", store.config["sources"][0]["secrets"][0]["file"]),
                              "not a database"),
                             (("store", "mend", store.file), "expected check FILE")):
        run = cli.Run(*arguments)
        check(f"{words}: exit status 2", run.status == 2 and words in run.err, run)
    store.daemon.stop()
    store.app.close()
