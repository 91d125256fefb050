# SPDX-License-Identifier: MIT
"""Backup and restore by the commands of hooklined(8): back up under load, lose the store, restore
the copy."""
import glob
import os
import re
import shutil
import subprocess
import time

import pytest

from harness import conservation
from harness import sink
from harness.conservation import Machine, Sender, read_store
from harness.recorder import Recorder
from harness.sink import Daemon, Folders, check, equal, sample_body, sign, source, wait_for
from harness.upstream import Upstream, header, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300),
              pytest.mark.skipif(shutil.which("sqlite3") is None, reason="no sqlite3")]

WRAPPED = bool(sink.WRAPPER)
RATE = 30 if WRAPPED else 300
BEFORE = 100 if WRAPPED else 1000  # acknowledged deliveries before a backup
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def scripts(kind):
    """The manual's scripts of this kind."""
    with open(os.path.join(sink.SOURCE, "daemon/hooklined.8"), encoding="utf-8") as file:
        shown = re.findall(rf'^\.\\" check: {kind}\n\.Bd .*\n((?:.*\n)*?)\.Ed$', file.read(), re.M)
    return [text.replace("\\e", "\\") for text in shown]


def do(script, folder, backups):
    """Runs a script without its systemctl commands; the caller stops the daemon."""
    script = re.sub(r"(&&\n *)?systemctl .*", "", script)
    script = script.replace("/var/lib/hookline", folder).replace("/var/backups", backups)
    script = script.replace("-o _hookline -g _hookline ", "")
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False,
                          timeout=sink.PATIENCE * 3)
    if done.returncode != 0:
        raise AssertionError(f"{script}\n{done.returncode}: {done.stdout}{done.stderr}")
    return f"{backups}/hookline.db"


def new_machine(upstream):
    machine = Machine(upstream)
    machine.store = machine.config["store"]["file"] = f"{machine.folder}/hookline.db"
    return machine


def promised(threads):
    return [d for thread in threads for d in list(thread.all) if d.promised]


def is_private(path):
    return os.stat(path).st_mode & 0o077 == 0


def backup_under_load(machine, threads, script, what):
    """Returns the copy's path, the deliveries acknowledged before it, and the copy's rows."""
    goal = len(promised(threads)) + BEFORE
    wait_for(lambda: len(promised(threads)) >= goal, "deliveries", sink.PATIENCE * 5)
    before, began = promised(threads), time.monotonic()
    backups = Folders.new()
    # An earlier backup left a partial copy.
    sink.write_file(f"{backups}/hookline.db.new", b"SQLite format 3\0" + b"half of a copy" * 1000)
    path = do(script, machine.folder, backups)
    print(f"# {what}: {os.path.getsize(path)} bytes in {time.monotonic() - began:.2f} s")
    rows = read_store(path)  # includes PRAGMA integrity_check
    bodies = {row["body"] for row in rows}
    equal(f"{what}: nothing that was acknowledged before it began is missing",
          [d.id for d in before if d.body not in bodies][:10], [])
    sent = {d.body for thread in threads for d in list(thread.all)}
    equal(f"{what}: nothing else is in it", [r["id"] for r in rows if r["body"] not in sent][:10],
          [])
    wait_for(lambda: len(promised(threads)) > len(before), "deliveries after it began")
    check(f"{what}: nobody but its owner can read it", is_private(path))
    return path, before, rows


def restore_under_load(seed, script, what):
    upstream = Recorder(seed)
    machine = new_machine(upstream)
    machine.start()
    threads = [Sender(machine, f"{seed}_{i}", RATE / 6, seed) for i in range(6)]
    for thread in threads:
        thread.start()
    try:
        path, before, rows = backup_under_load(machine, threads, script, what)
        wait_for(lambda: len(promised(threads)) >= len(rows) + BEFORE / 2, "more after it",
                 sink.PATIENCE * 5)
        machine.kill()
        # The restore must remove the lost store's -wal.
        check(f"{what}: the log of the lost store is beside it",
              os.path.exists(machine.store + "-wal"))
        do(scripts("restore")[0], machine.folder, os.path.dirname(path))
        kept = read_store(machine.store)
        equal(f"{what}: the restored store is the copy", kept, rows)
        machine.start()
        restored = len(promised(threads))
        wait_for(lambda: len(promised(threads)) > restored + BEFORE / 2, "deliveries after it",
                 sink.PATIENCE * 5)
    finally:
        for thread in threads:
            thread.halt.set()
        for thread in threads:
            thread.join(sink.PATIENCE * 2)
    wait_for(lambda: conservation.count_unforwarded(machine.store) == 0, "the forwarder",
             sink.PATIENCE * 3)
    # "none": the kill came between a request and its answer.
    told = {a for thread in threads for d in thread.all for a in d.answers}
    equal(f"{what}: senders were answered 200, or nobody was there", told - {"none"},
          {"accepted", "duplicate"})
    machine.daemon.stop()
    after_restore(what, before, threads, read_store(machine.store), upstream)
    machine.start()
    equal(f"{what}: all that is in the store is known when it comes again",
          conservation.find_unknown(machine, before[-200:]), [])
    machine.daemon.stop()
    upstream.stop()


def after_restore(what, before, threads, rows, upstream):
    stored = {row["body"] for row in rows}
    there = {r.body for r in upstream.requests()}
    equal(f"{what}: after the restore nothing is missing that was acknowledged before the backup",
          [d.id for d in before if d.body not in stored][:10], [])
    equal(f"{what}: all that is in the store has reached the application",
          [row["id"] for row in rows if row["body"] not in there][:10], [])
    equal(f"{what}: nothing is in the store twice", len(stored), len(rows))
    sent = {d.body for thread in threads for d in thread.all}
    equal(f"{what}: nothing is in it that was not sent", len(stored - sent), 0)


@pytest.mark.flood
@pytest.mark.first
def test_under_load():
    seed = conservation.new_seed()
    for script in scripts("backup"):
        restore_under_load(seed, script, "VACUUM INTO" if "VACUUM" in script else ".backup")
    equal("hooklined(8) gives two ways to make a copy, and one to restore it",
          (len(scripts("backup")), len(scripts("restore"))), (2, 1))
    equal("the sockets are stopped before the store is moved away, and started after it",
          re.findall(r"systemctl (\w+) hooklined.socket hooklined-admin.socket hooklined.service$|"
                     r"^ *(mv|install) ", scripts("restore")[0], re.M),
          [("stop", ""), ("", "mv"), ("", "install"), ("start", "")])


def test_one_that_fails():
    """Runs the backup without sh -e, like an interactive shell."""
    folder, empty = Folders.new(), Folders.new()
    daemon = Daemon(sources=[source("foil")], store={"file": f"{folder}/hookline.db"})
    send(daemon, "kept")
    for script in scripts("backup"):
        backups = Folders.new()
        with open(do(script, folder, backups), "rb") as file:
            good = file.read()
        bad = script.replace("/var/lib/hookline", empty).replace("/var/backups", backups)
        done = subprocess.run(["sh", "-c", bad], capture_output=True, check=False)
        with open(f"{backups}/hookline.db", "rb") as file:
            equal("a backup that fails says so, and leaves the copy before it",
                  (done.returncode != 0, file.read() == good), (True, True), done.stderr)
    daemon.stop()


def send(daemon, id):
    body = sample_body("foil", id=id)
    return daemon.send("/foil", sign("foil", body), body).json["status"]


def requests_of(upstream, id):
    return [r for r in upstream.requests if header(r, "Hookline-Id") == id]


def test_duplicates():
    """Five deliveries around a backup, and the fate of each."""
    state = {"status": 200}
    upstream = Upstream(lambda request, sock: response(state["status"]))
    folder, key = Folders.new(), sink.write_file(f"{Folders.new()}/key", SECRET)
    config = {"sources": [source("foil")], "store": {"file": f"{folder}/hookline.db"},
              "destinations": [{"name": "app", "url": upstream.url, "retry_seconds": [1] * 32,
                                "timeout_seconds": sink.LONG,
                                "secret": {"file": key}}]}
    daemon = Daemon(config)
    send(daemon, "done")
    wait_for(lambda: conservation.count_unforwarded(config["store"]["file"]) == 0, "done")
    state["status"] = 500
    send(daemon, "waiting")
    wait_for(lambda: requests_of(upstream, "waiting"), "the first attempt")
    path = do(scripts("backup")[0], folder, Folders.new())
    state["status"] = 200
    send(daemon, "later")
    wait_for(lambda: conservation.count_unforwarded(config["store"]["file"]) == 0, "all")
    daemon.kill()
    taken = {id: requests_of(upstream, id)[-1] for id in ("waiting", "later")}
    counts = {id: len(requests_of(upstream, id)) for id in ("done", "waiting", "later")}
    do(scripts("restore")[0], folder, os.path.dirname(path))
    daemon = Daemon(config)
    wait_for(lambda: conservation.count_unforwarded(config["store"]["file"]) == 0, "what waited")
    after_a_while(daemon, upstream, taken, counts)
    wait_for(lambda: conservation.count_unforwarded(config["store"]["file"]) == 0, "the rest")
    daemon.stop()
    do(scripts("restore")[0], folder, os.path.dirname(path))
    equal("what was moved aside is there still, also after another restore",
          len(glob.glob(f"{folder}/damaged.*/hookline.db")), 2)
    upstream.close()


def after_a_while(daemon, upstream, taken, counts):
    again = requests_of(upstream, "waiting")
    equal("what waited at the backup is sent again, though it was taken after it",
          len(again), counts["waiting"] + 1)
    equal("with the same Hookline-Id and webhook-id",
          [header(again[-1], name) for name in ("Hookline-Id", "webhook-id")],
          [header(taken["waiting"], name) for name in ("Hookline-Id", "webhook-id")])
    equal("what was done before the backup is not", len(requests_of(upstream, "done")), counts["done"])
    equal("and is known when its sender repeats it", send(daemon, "done"), "duplicate")
    equal("what came after the backup is not known", send(daemon, "later"), "accepted")
    wait_for(lambda: len(requests_of(upstream, "later")) > counts["later"], "it")
    last = requests_of(upstream, "later")[-1]
    check("its webhook-id is another one", header(last, "webhook-id") != header(taken["later"],
                                                                                 "webhook-id"))
    equal("its number was given before", header(last, "Hookline-Seq"),
          header(taken["later"], "Hookline-Seq"))
