# SPDX-License-Identifier: MIT
"""200 only for deliveries that whoever opens the file at the configured path can read again."""
import glob
import os
import shutil
import sqlite3
import subprocess

import pytest

from harness import cli, sink
from harness.admin import Admin, socket_path, value
from harness.sink import Daemon, Folders, check, equal, sample_body, source, wait_for, write_file

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(120)]


class Place:
    """A daemon whose store has a folder of its own, so that the folder can be moved."""
    def __init__(self, link=False, **options):
        self.root = os.path.realpath(Folders.new())
        self.folder = f"{self.root}/store"
        os.mkdir(self.folder)
        self.file = f"{self.folder}/hookline.db"
        self.path = f"{self.root}/link.db" if link else self.file
        if link:
            os.symlink(self.file, self.path)
        self.admin = Admin(socket_path())
        self.config = {"sources": [source("foil")], "store": {"file": self.path},
                       "admin": {"address": f"unix:{self.admin.address}"}}
        self.daemon = Daemon(self.config, **options)

    def put(self, *ids):
        """Returns the statuses of the answers."""
        return [self.daemon.deliver("foil", sample_body("foil", id=id)).status for id in ids]

    def backup(self, where):
        subprocess.run(["sqlite3", "-readonly", self.file, f"VACUUM INTO '{where}'"], check=True)
        return where

    def restart(self, **options):
        self.daemon.stop()
        self.daemon = Daemon(self.config, **options)

    def ids(self):
        with sink.open_store(self.path) as db:
            equal("the store is whole", db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            return {row[0] for row in db.execute("SELECT id FROM delivery")}


def replaced_by_move(place):
    place.backup(f"{place.root}/backup.db")
    place.put("later")
    os.rename(f"{place.root}/backup.db", place.file)


def replaced_by_copy(place):
    place.backup(f"{place.root}/backup.db")
    place.put("later")
    shutil.copyfile(f"{place.root}/backup.db", place.file)


def replaced_and_log_removed(place):
    replaced_by_move(place)
    if os.path.exists(place.file + "-wal"):
        os.unlink(place.file + "-wal")


def link_retargeted(place):
    place.backup(f"{place.root}/other.db")
    os.unlink(place.path)
    os.symlink(f"{place.root}/other.db", place.path)


def link_to_a_hard_link(place):
    os.link(place.file, f"{place.root}/other.db")
    os.unlink(place.path)
    os.symlink(f"{place.root}/other.db", place.path)


def folder_replaced(place):
    os.rename(place.folder, place.folder + ".old")
    os.mkdir(place.folder)


# What happens to the files, the words of the message, and if deliveries from before are kept.
EVENTS = {
    "removed": (lambda p: os.unlink(p.file), "gone from this path", False),
    "all files removed": (lambda p: [os.unlink(f) for f in glob.glob(p.file + "*")], "gone from",
                          False),
    "renamed": (lambda p: os.rename(p.file, p.file + ".old"), "gone from this path", False),
    "replaced by a restore": (replaced_by_move, "another file is at this path", True),
    "overwritten by a restore": (replaced_by_copy, "another program has", True),
    "replaced, with its log removed": (replaced_and_log_removed, "another file is", True),
    "its folder moved": (lambda p: os.rename(p.folder, p.folder + ".old"), "gone from", None),
    "its folder replaced": (folder_replaced, "gone from this path", False),
    "truncated": (lambda p: os.truncate(p.file, 4096), "cut the file short", None),
    "its -wal removed": (lambda p: os.unlink(p.file + "-wal"), "-wal is gone", True),
    "its -wal replaced": (lambda p: os.replace(write_file(p.root + "/empty", ""), p.file + "-wal"),
                          "-wal is gone or replaced", True),
    "its -wal emptied": (lambda p: os.truncate(p.file + "-wal", 0), "-wal is cut short", False),
    "its -wal cut": (lambda p: os.truncate(p.file + "-wal", os.path.getsize(p.file + "-wal") - 9),
                     "-wal is cut short", False),
    "its -shm removed": (lambda p: os.unlink(p.file + "-shm"), "-shm is gone", True),
    "its -lock removed": (lambda p: os.unlink(p.file + "-lock"), "-lock is gone", True),
}


@pytest.mark.parametrize("event", EVENTS)
def test_noticed(event):
    do, words, kept = EVENTS[event]
    place = Place()
    equal(f"{event}: before it, deliveries are accepted", place.put("one", "two"), [200, 200])
    if event == "truncated":
        place.restart()  # copies the log into the file, so that a cut file has lost pages
        place.put("three")
    do(place)
    equal(f"{event}: the next delivery is refused, and all after it",
          place.put("a", "b", "c"), [503] * 3)
    messages = place.daemon.messages()
    check(f"{event}: one message names the file and what happened",
          messages.count("cannot store deliveries") == 1 and
          f"{place.path}: " in messages and words in messages and "restart hooklined" in messages,
          messages)
    ready = place.admin.ask("/readyz")
    check(f"{event}: it is not ready, with the reason",
          ready.status == 503 and words in ready.body.decode(), ready)
    equal(f"{event}: a metric tells", value(place.admin.metrics(), "hookline_store_displaced"), 1)
    if kept is None:
        equal(f"{event}: it stops cleanly", place.daemon.stop(), 0)
        return
    place.restart()
    equal(f"{event}: a restart accepts again", place.put("d"), [200])
    ids = place.ids()
    check(f"{event}: no delivery that was refused is there, unless it is whole", "d" in ids, ids)
    if kept:
        check(f"{event}: deliveries from before are there", {"one", "two"} <= ids, ids)
    place.daemon.stop()


def test_links():
    for do in (link_retargeted, link_to_a_hard_link):
        place = Place(link=True)
        place.put("one")
        do(place)
        equal(f"{do.__name__}: noticed", place.put("two"), [503])
        place.daemon.stop()
    place = Place()
    place.put("one")
    os.rename(place.folder, place.root + "/moved")
    os.symlink(place.root + "/moved", place.folder)
    equal("a folder that moved and left a link still leads to the store", place.put("two"), [200])
    equal("and both deliveries are there", place.ids(), {"one", "two"})
    place.daemon.stop()


def test_a_second_daemon():
    place = Place()
    place.put("one")
    other = f"{place.root}/other.db"
    os.link(place.file, other)
    code, _, said = sink.run("--store", other, "--source",
                             f"foil=foil:@{place.config['sources'][0]['secrets'][0]['file']}",
                             "--listen", "127.0.0.1:0")
    check("a hard link to an open store is refused", code == 1 and "another process has" in said,
          said)
    os.unlink(place.file + "-lock")
    code, _, said = sink.run("--store", place.file, "--source",
                             f"foil=foil:@{place.config['sources'][0]['secrets'][0]['file']}",
                             "--listen", "127.0.0.1:0")
    check("so is the store itself without its lock file", code == 1 and "another process has" in
          said, said)
    place.daemon.stop()


def test_idle():
    """Needs the real clock: it looks once a second."""
    place = Place(real_time=True)
    place.put("one")
    os.unlink(place.file)
    check("a removed store is noticed without a delivery",
          wait_for(lambda: place.admin.ask("/readyz").status == 503, "the finding"))
    place.daemon.stop()


def test_log_of_another_file():
    """A restore beside the -wal of a daemon that was killed."""
    place = Place()
    place.put(*(f"old{i}" for i in range(20)))
    place.backup(f"{place.root}/backup.db")
    place.put(*(f"new{i}" for i in range(200)))
    place.daemon.kill()
    os.rename(f"{place.root}/backup.db", place.file)
    place.daemon = Daemon(place.config)
    check("it says that the -wal belonged to another file",
          "belonged to another file" in place.daemon.messages(), place.daemon.messages())
    equal("it has moved it aside", len(glob.glob(place.file + "-wal.aside.*")), 1)
    equal("the restored store is the copy", place.ids(), {f"old{i}" for i in range(20)})
    place.daemon.kill()
    copy = os.path.realpath(Folders.new())
    for name in glob.glob(place.file + "*"):
        shutil.copy(name, copy)
    place.daemon = Daemon(place.config)
    place.put("last")
    place.daemon.kill()
    for name in glob.glob(place.file + "*"):
        shutil.copy(name, copy)
    place.config["store"]["file"] = place.path = place.file = f"{copy}/hookline.db"
    place.daemon = Daemon(place.config)
    check("a copy of all files keeps its -wal", "last" in place.ids())
    check("and says how much it recovered", "recovered after an unclean shutdown: applied a -wal of"
          in place.daemon.messages() and ", 0 damaged" in place.daemon.messages(),
          place.daemon.messages())
    place.daemon.stop()


def test_network():
    env = {"LD_PRELOAD": f"{sink.BUILD}/tests/preload/.libs/file_system.so", "FILE_SYSTEM": "6969"}
    place = Place(env=env)
    check("a store on NFS is warned about at start",
          "on a network file system (NFS)" in place.daemon.messages(), place.daemon.messages())
    equal("and works", place.put("one"), [200])
    place.daemon.stop()
    _, _, said = sink.run("--config", f"{place.daemon.folder}/hooklined.yaml", "--check",
                          env={**env, "FILE_SYSTEM": "fe534d42"})
    check("and by --check, on SMB as well", "network file system (SMB2)" in said, said)


def test_log_becomes_small():
    place = Place(real_time=True)
    reader = sqlite3.connect(f"file:{place.file}?mode=ro", uri=True, isolation_level=None)
    place.put("one")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM delivery").fetchall()
    for i in range(60):
        body = sample_body("foil", id=f"large{i}")[:-1] + b', "fill": "%s"}' % (b"x" * 200000)
        place.daemon.deliver("foil", body)
    wal = place.file + "-wal"
    check("an open reader keeps the log large", os.path.getsize(wal) > 8 << 20)
    check("a metric shows its size",
          value(place.admin.metrics(), "hookline_store_bytes", file="wal") > 8 << 20)
    reader.execute("ROLLBACK")
    reader.close()
    wait_for(lambda: os.path.getsize(wal) < 4 << 20, "a small log")
    equal("deliveries are accepted", place.put("two"), [200])
    place.daemon.stop()
