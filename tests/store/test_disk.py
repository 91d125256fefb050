# SPDX-License-Identifier: MIT
"""Full, failing and slow disks, and invalid stores: no 200 before a delivery is durable, a message
that names file and error, and no needless restart."""
import contextlib
import json
import os
import random
import resource
import select
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.conservation import Sender, UnreliableMachine, read_store
from harness.sink import (SECRETS, Daemon, Folders, check, equal, request, sign, skip, source,
                          wait_for, write_file)

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]

SLOWER = 5 if sink.WRAPPER else 1


def body_of(id, size=100):
    return json.dumps({"id": id, "type": "webhook.test", "fill": "x" * size}).encode()


class Patient(UnreliableMachine):
    """A machine without forwarding, with a disk that fails on request."""
    def __init__(self, **store):
        super().__init__(None, 0, **store)
        self.accepted = {}
        self.admin = Admin(socket_path())
        self.config["admin"] = {"address": f"unix:{self.admin.address}"}
        self.start()

    def deliver(self, id, size=100):
        body = body_of(id, size)
        answer = self.daemon.deliver("foil", body)
        if answer.status == 200:
            self.accepted[id] = body
        return answer

    def said(self, *words):
        return any(all(word in line for word in words)
                   for line in self.daemon.messages().splitlines())

    def until_it_stops(self):
        wait_for(lambda: self.said("fsync failed, stopping"), "the message")

    def is_whole(self, sentence):
        """Cuts the power; every acknowledged delivery survives."""
        self.kill()
        self.start()
        equal(f"{sentence}: after a power loss it knows all that it acknowledged",
              {self.daemon.deliver("foil", body).json["status"] for body in self.accepted.values()},
              {"duplicate"})
        self.daemon.stop()
        stored = [(row["id"], row["body"]) for row in read_store(self.store)]
        check(f"{sentence}: all of it is in the store, once",
              len(stored) == len(set(stored)) and set(stored) >= set(self.accepted.items()),
              len(stored), len(self.accepted))


def is_good_refusal(answer, machine):
    text = answer.body.decode()
    return (answer.status == 503 and answer.code == "unavailable" and
            int(answer.header("Retry-After")) > 0 and machine.folder not in text and
            "store.db" not in text and not any(s in text for s in SECRETS.values()))


def a_fault_that_passes(sentence, lines, words):
    """Immediate refusals, one message, and recovery without a restart."""
    machine = Patient()
    for i in range(5):
        equal(f"{sentence}: before it, deliveries are accepted",
              machine.deliver(f"before_{i}").status, 200)
    machine.fault(*lines)
    answers, times = [], []
    for i in range(10):
        began = time.monotonic()
        answers.append(machine.deliver(f"during_{i}", 20000))
        times.append(time.monotonic() - began)
    check(f"{sentence}: 503, when to come back, and nothing that is none of the sender's business",
          all(is_good_refusal(answer, machine) for answer in answers), answers)
    # A busy machine may delay single answers.
    check(f"{sentence}: at once", min(times) < 0.5 * SLOWER, times)
    check(f"{sentence}: the message names the file and says what is wrong",
          machine.said(machine.store, *words), machine.daemon.tail())
    equal(f"{sentence}: and is there once, not for each delivery",
          machine.daemon.messages().count("cannot store"), 1,
          machine.daemon.tail())
    check(f"{sentence}: each has its line", len(machine.daemon.lines(verdict="failed")) == 10,
          machine.daemon.raw_log())
    equal(f"{sentence}: forgeries are still told from our own trouble",
          machine.daemon.send("/foil", body=b"{}").status, 401)
    equal(f"{sentence}: what is known is still known",
          machine.daemon.deliver("foil", machine.accepted["before_0"]).status in (200, 503), True)
    machine.fault()
    answer = machine.deliver("during_0", 20000)
    check(f"{sentence}: when it is over the same delivery is accepted, without a restart",
          answer.status == 200 and answer.json["status"] == "accepted", answer)
    check(f"{sentence}: which it says", machine.daemon.messages().endswith("storing deliveries again\n"),
          machine.daemon.tail())
    equal(f"{sentence}: and again, it is a duplicate",
          machine.daemon.deliver("foil", body_of("during_0", 20000)).json["status"], "duplicate")
    machine.is_whole(sentence)


def test_faults_that_pass():
    a_fault_that_passes("no space", ["room 0"], ["full"])
    a_fault_that_passes("no space, says the write", ["write * ENOSPC"], ["full"])
    a_fault_that_passes("writes fail", ["write * EIO"], ["I/O error"])
    a_fault_that_passes("the disk became read-only", ["write * EROFS"], [])
    a_fault_that_passes("the quota is used up", ["write * EDQUOT"], [])


def test_half_of_it_fits():
    """The disk fills up at random bytes inside deliveries."""
    machine, rng = Patient(), random.Random(1)
    for turn in range(20 if not sink.WRAPPER else 3):
        used = sum(os.path.getsize(f"{machine.folder}/{f}") for f in os.listdir(machine.folder))
        machine.fault(f"room {used + rng.randrange(60000)}")
        for i in range(4):
            machine.deliver(f"half_{turn}_{i}", 25000)
        machine.fault()
        machine.deliver(f"after_{turn}")
    check("space that ends anywhere: some were accepted, some were not",
          20 < len(machine.accepted) < 100 or sink.WRAPPER, len(machine.accepted))
    machine.is_whole("space that ends anywhere")


def senders_meet(sentence, machine, faults, seconds=2):
    """Runs senders while the disk fails and recovers, and returns the senders."""
    senders = [Sender(machine, f"{i}", 40, sentence) for i in range(8)]
    for sender in senders:
        sender.start()
    for lines in faults:
        time.sleep(seconds / len(faults))
        machine.fault(*lines)
        if "room 0" in lines:
            wait_for(lambda: any(503 in d.answers for s in senders for d in list(s.all)), "a refusal")
    for sender in senders:
        sender.halt.set()
    return senders


def test_under_load():
    machine = Patient()
    senders = senders_meet("faults under load", machine,
                           [["room 0"], [], ["write * EIO"], [], ["write store.db EIO"], []])
    for sender in senders:
        sender.join()
    machine.kill()
    machine.start()
    machine.daemon.stop()
    stored = {row["body"] for row in read_store(machine.store)}
    deliveries = [d for sender in senders for d in sender.all]
    check("faults under load: some were refused", any(503 in d.answers for d in deliveries))
    equal("faults under load: every one of them was accepted in the end",
          [d.answers for d in deliveries if not d.promised], [])
    equal("faults under load: and nothing that was acknowledged is lost",
          [d.answers for d in deliveries if d.promised and d.body not in stored], [])


def failed_sync(sentence, lines, load=False):
    """After a failed fsync the disk's state is unknown: the daemon stops, and the next one finds
    every acknowledged delivery."""
    machine = Patient()
    for i in range(20):
        machine.deliver(f"before_{i}", 3000)
    machine.fault(*lines)
    if load:
        senders = senders_meet(sentence, machine, [lines], 0.5)
    else:
        answer = machine.deliver("lost")
        check(f"{sentence}: 503", is_good_refusal(answer, machine), answer)
        # The kernel lets the next fsync succeed, yet the stopping daemon must not answer 200.
        with contextlib.suppress(OSError, AssertionError):
            for i in range(5):
                machine.deliver(f"after_{i}")
    machine.until_it_stops()
    machine.fault()
    equal(f"{sentence}: it ends with 1", machine.daemon.wait(), 1, machine.daemon.tail())
    check(f"{sentence}: the message names the file and says what is wrong",
          machine.said(machine.store, "sync") or machine.said(machine.store, "I/O error"),
          machine.daemon.tail())
    if load:
        machine.lose_power()
        machine.start()
        for sender in senders:
            sender.join()
        machine.kill()
        machine.start()
        machine.daemon.stop()
        stored = {row["body"] for row in read_store(machine.store)}
        deliveries = [d for sender in senders for d in sender.all]
        equal(f"{sentence}: nothing that was acknowledged is lost",
              [d.answers for d in deliveries if d.promised and d.body not in stored], [])
    else:
        machine.start()
        equal(f"{sentence}: after a start it accepts again", machine.deliver("new").status, 200)
        machine.is_whole(sentence)


@pytest.mark.first
def test_fsync_fails():
    failed_sync("fsync of the log fails", ["fsync store.db-wal EIO"])
    failed_sync("fsync fails", ["fsync * EIO"])
    failed_sync("fsync says that there is no space", ["fsync * ENOSPC"])
    failed_sync("fsync fails under load", ["fsync * EIO"], load=True)


def test_fsync_fails_in_a_checkpoint():
    """Large deliveries force checkpoints, and no request waits for a checkpoint."""
    machine = Patient()
    machine.deliver("first")
    machine.fault("fsync store.db EIO")
    for i in range(40):
        with contextlib.suppress(OSError, AssertionError):
            machine.deliver(f"large_{i}", 900000)
    machine.until_it_stops()
    machine.fault()
    equal("fsync of the file fails: it is seen, and it ends with 1", machine.daemon.wait(), 1,
          machine.daemon.tail())
    check("fsync of the file fails: the message names the file",
          machine.said(machine.store, "I/O error"), machine.daemon.tail())
    machine.start()
    machine.deliver("last")
    machine.is_whole("fsync of the file fails")


def test_fsync_fails_once_in_a_checkpoint():
    """The next fsync succeeds although pages are lost, so recovery must use the WAL."""
    machine = Patient()
    machine.deliver("first")
    machine.fault("fsync store.db EIO")

    def repair():
        wait_for(lambda: machine.said("I/O error"), "the message")
        machine.fault()

    thread = threading.Thread(target=repair)
    thread.start()
    for i in range(40):
        with contextlib.suppress(OSError, AssertionError):
            machine.deliver(f"large_{i}", 900000)
    thread.join()
    equal("fsync of the file fails once: it ends with 1", machine.daemon.wait(), 1,
          machine.daemon.tail())
    machine.start()
    machine.deliver("last")
    machine.is_whole("fsync of the file fails once")


def commits(machine):
    durations = machine.admin.metrics()["hookline_journal_commit_duration_seconds"]
    return next(number for suffix, _, number in durations.samples if suffix == "_count")


def test_a_slow_disk():
    machine, size = Patient(), 20000
    log, answers = machine.store + "-wal", []

    def deliver(i):
        answers.append(machine.deliver(f"slow_{i}", size).status)

    threads = [threading.Thread(target=deliver, args=(i,)) for i in range(100)]
    machine.hold()
    before, length = commits(machine), os.path.getsize(log)
    threads[0].start()
    wait_for(lambda: os.path.getsize(log) > length, "the transaction")
    for thread in threads[1:]:
        thread.start()
    wait_for(lambda: value(machine.admin.metrics(), "hookline_journal_queue_bytes") >=
             size * (len(threads) - 1), "the others")
    equal("a slow disk: nobody is answered before", answers, [])
    machine.fault()
    for thread in threads:
        thread.join()
    made = commits(machine) - before
    equal("a slow disk: 100 at once are accepted", answers, [200] * 100)
    check("a slow disk: by a few commits together", 0 < made < 10, made)
    machine.is_whole("a slow disk")


@pytest.mark.first
def test_a_full_queue():
    machine = Patient(queue_bytes=200000)
    machine.hold()
    waiting, answers, refused = {}, {}, []

    def read(connection):
        body = waiting.pop(connection)
        answers[body] = connection.read()
        connection.close()
        return answers[body]

    for part in range(2):  # the writer may empty its queue once before it hangs
        sent = []
        for i in range(30):
            body = body_of(f"queue_{part}_{i}", 20000)
            sent.append(machine.daemon.connect())
            sent[-1].write(request("/foil", sign("foil", body), body))
            waiting[sent[-1]] = body
        ready = select.select([c.sock for c in sent], [], [], sink.PATIENCE)[0]
        refused += [read(c) for c in sent if c.sock in ready]
    check("a full queue: who finds no room is refused, with a good answer, though the disk never moves",
          len(refused) > 1 and all(is_good_refusal(answer, machine) for answer in refused), refused)
    machine.fault()
    for connection in list(waiting):
        read(connection)
    machine.accepted = {json.loads(body)["id"]: body for body, answer in answers.items()
                        if answer.status == 200}
    check("a full queue: some are accepted, and all others refused with a good answer",
          0 < len(machine.accepted) < 60 and all(is_good_refusal(answer, machine) for answer in
                                                 answers.values() if answer.status != 200),
          [answer.status for answer in answers.values()])
    equal("a full queue: later there is room again", machine.deliver("later").status, 200)
    machine.is_whole("a full queue")


# ---- without the preloaded disk

def test_a_real_full_disk():
    folder = os.path.realpath(Folders.new())
    sentence = "a file system of 2 MiB"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        skip(sentence, "no mount: " + mounted.stderr.decode().strip().replace("\n", " "))
        return
    try:
        fill_and_empty(sentence, folder, f"{folder}/ballast")
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def fill_and_empty(sentence, folder, ballast):
    write_file(ballast, b"x" * 1000000)
    daemon = Daemon(sources=[source("foil")], store={"file": f"{folder}/store.db"})
    accepted, answers = [], []
    for i in range(60):
        answers.append(daemon.deliver("foil", body_of(f"fill_{i}", 40000)))
        if answers[-1].status == 200:
            accepted.append(body_of(f"fill_{i}", 40000))
    check(f"{sentence}: first 200, then 503", 0 < len(accepted) < 60 and
          {a.status for a in answers} == {200, 503} and answers[-1].status == 503,
          [a.status for a in answers], daemon.tail())
    check(f"{sentence}: the message says which file and what", f"{folder}/store.db" in
          daemon.messages() and "full" in daemon.messages(), daemon.tail())
    os.unlink(ballast)
    answer = daemon.deliver("foil", body_of("fill_59", 40000))
    check(f"{sentence}: with space again, it is accepted",
          answer.status == 200 and answer.json["status"] == "accepted", answer, daemon.tail())
    daemon.kill()
    daemon = Daemon(sources=[source("foil")], store={"file": f"{folder}/store.db"})
    equal(f"{sentence}: and what was acknowledged is there after a kill",
          {daemon.deliver("foil", body).json["status"] for body in accepted}, {"duplicate"})
    daemon.stop()


def test_a_file_that_may_not_grow():
    sentence = "RLIMIT_FSIZE"
    store = os.path.join(Folders.new(), "store.db")
    limits = (400000, resource.RLIM_INFINITY)
    daemon = Daemon(sources=[source("foil")], store={"file": store},
                    setup=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    answers = [daemon.deliver("foil", body_of(f"grow_{i}", 40000)) for i in range(20)]
    good = [i for i, a in enumerate(answers) if a.status == 200]
    check(f"{sentence}: first 200, then 503, and it lives", 0 < len(good) < 20 and
          {a.status for a in answers} == {200, 503} and daemon.process.poll() is None,
          [a.status for a in answers], daemon.tail())
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    answer = daemon.deliver("foil", body_of("grow_19", 40000))
    check(f"{sentence}: when it is lifted, it is accepted", answer.status == 200 and
          answer.json["status"] == "accepted", answer, daemon.tail())
    daemon.kill()
    daemon = Daemon(sources=[source("foil")], store={"file": store})
    equal(f"{sentence}: what was acknowledged is there after a kill",
          {daemon.deliver("foil", body_of(f"grow_{i}", 40000)).json["status"] for i in good},
          {"duplicate"})


# ---- invalid stores

def refused_store(sentence, store, *words, code=1, env=None, setup=None):
    """One clear line, the exit status, and an unchanged file."""
    def content():
        if not os.path.isfile(store):
            return None
        with open(store, "rb") as file:
            return file.read()

    before = content()
    path = write_file(f"{Folders.new()}/hooklined.yaml", json.dumps({
        "listen": [{"address": "127.0.0.1:0"}], "sources": [source("foil")],
        "store": {"file": store}}))
    status, out, err = sink.run("--config", path, env=env)
    lines = err.strip().splitlines()
    check(f"{sentence}: one line that names the file and says what is wrong",
          len(lines) == 1 and out == "" and store in err and
          all(word in err for word in words), err)
    equal(f"{sentence}: the exit status", status, code, err)
    equal(f"{sentence}: nothing in it is changed", content() == before, True)


def a_used_store():
    """A store with 50 deliveries, closed by a clean stop."""
    store = os.path.join(os.path.realpath(Folders.new()), "store.db")
    daemon = Daemon(sources=[source("foil")], store={"file": store})
    for i in range(50):
        daemon.deliver("foil", body_of(f"old_{i}", 3000))
    daemon.stop()
    return store


@pytest.mark.first
def test_bad_stores():
    store = a_used_store()
    with contextlib.closing(sqlite3.connect(store)) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version={version + 1}")
    refused_store("a store of a newer schema", store, "newer")

    store = a_used_store()
    os.truncate(store, os.path.getsize(store) // 2 // 4096 * 4096)
    refused_store("a store that was cut", store)
    store = a_used_store()
    os.truncate(store, 50)
    refused_store("a store that was cut to its first bytes", store)

    folder = os.path.realpath(Folders.new())
    refused_store("a file that is no database",
                  write_file(f"{folder}/text", "name,amount\n" * 1000), "not a database")
    refused_store("a short file that is no database", write_file(f"{folder}/note", "remember"))
    with contextlib.closing(sqlite3.connect(f"{folder}/other.db")) as db:
        db.execute("CREATE TABLE customer(name)")
        db.commit()
    refused_store("a database of somebody else", f"{folder}/other.db", "expected a store of hooklined")
    refused_store("a folder that does not exist", f"{folder}/nowhere/store.db",
                  "No such file or directory")
    os.mkdir(f"{folder}/folder.db")
    refused_store("a folder in place of a file", f"{folder}/folder.db")
    os.mkfifo(f"{folder}/pipe")
    refused_store("a pipe in place of a file", f"{folder}/pipe")


def test_names_that_sqlite_knows():
    """Acknowledged deliveries are on the disk, whatever the file's name."""
    for name in (":memory:", "file::memory:", "file:x?mode=memory"):
        folder = Folders.new()
        options = {"sources": [source("foil")], "store": {"file": name},
                   "setup": lambda folder=folder: os.chdir(folder)}
        daemon = Daemon(**options)
        equal(f"{name}: a delivery is taken", daemon.deliver("foil", body_of("kept")).status, 200)
        daemon.stop()
        check(f"{name}: it is a file", os.path.exists(f"{folder}/{name}"), os.listdir(folder))
        daemon = Daemon(**options)
        equal(f"{name}: after a restart it is still there",
              daemon.deliver("foil", body_of("kept")).json["status"], "duplicate")
        daemon.stop()


def test_newer_with_a_log():
    """A killed newer version leaves a WAL; the older daemon leaves this WAL unchanged, too."""
    store = os.path.join(os.path.realpath(Folders.new()), "store.db")
    daemon = Daemon(sources=[source("foil")], store={"file": store})
    daemon.deliver("foil", body_of("old"))
    copy = os.path.join(os.path.realpath(Folders.new()), "store.db")
    with contextlib.closing(sqlite3.connect(store, timeout=sink.PATIENCE)) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version={version + 1}")
        daemon.kill()
        for suffix in ("", "-wal"):
            shutil.copyfile(store + suffix, copy + suffix)
    with open(copy + "-wal", "rb") as file:
        log = file.read()
    refused_store("a newer store with a log", copy, "newer")
    with open(copy + "-wal", "rb") as file:
        equal("a newer store with a log: the log is as it was", file.read() == log, True)


def test_a_store_that_is_held():
    store = os.path.join(os.path.realpath(Folders.new()), "store.db")
    daemon = Daemon(sources=[source("foil")], store={"file": store})
    daemon.deliver("foil", body_of("held"))
    refused_store("a store that another process has open", store, "another")
    daemon.alive("a store that another process wants: the first one goes on")
    link = store + ".link"
    os.symlink(store, link)
    refused_store("the same store by another name", link, "another")


def test_read_only():
    folder = os.path.realpath(Folders.new())
    env = {"LD_PRELOAD": f"{sink.BUILD}/tests/preload/.libs/unsynced.so", "UNSYNCED_FOLDER": folder,
           "UNSYNCED_DISK": Folders.new(), "UNSYNCED_FAULTS": write_file(
               os.path.join(Folders.new(), "faults"), "open * EROFS\nwrite * EROFS\n")}
    refused_store("a read-only folder without a store", f"{folder}/store.db",
                  "Read-only file system", env=env)
    shutil.copyfile(a_used_store(), f"{folder}/store.db")
    refused_store("a read-only file system", f"{folder}/store.db", "Read-only file system", env=env)
    write_file(env["UNSYNCED_FAULTS"], "open store.db EROFS\n")
    refused_store("a read-only file", f"{folder}/store.db", env=env)
    if os.geteuid() == 0:
        read_only_for_others(folder)
    else:
        os.chmod(f"{folder}/store.db", 0o400)
        refused_store("a file that we may not write", f"{folder}/store.db", code=4)
        os.chmod(folder, 0o500)
        refused_store("a folder that we may not write", f"{folder}/new.db", "Permission denied",
                      code=4)
        os.chmod(folder, 0o700)


def read_only_for_others(folder):
    """A real read-only mount, if root may make one."""
    sentence = "a file system that is mounted read-only"
    commands = [["mount", "--bind", folder, folder],
                ["mount", "-o", "remount,bind,ro", folder]]
    if any(subprocess.run(c, capture_output=True, check=False).returncode for c in commands):
        subprocess.run(["umount", "-l", folder], capture_output=True, check=False)
        skip(sentence, "no mount")
        return
    try:
        refused_store(sentence, f"{folder}/store.db", "Read-only file system")
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
