# SPDX-License-Identifier: MIT
"""Stores with many deliveries, written faster than a daemon accepts them."""
import os
import sqlite3
import struct
import time

KEYS_A_ROW = 8192
HEADERS = ("content-type: application/json\nuser-agent: Provider-Webhooks/1.0\n"
           "x-foil-timestamp: 1800000000\nx-foil-signature: " + "0" * 64 + "\n")


def fill(path, count, body):
    """Adds `count` deliveries, some minutes old, to a store created by a daemon. Random hashes look
    like real ones, which are keyed."""
    now_us = time.time_ns() // 1000
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA journal_mode=OFF")
        first = db.execute("SELECT coalesce(max(seq), 0) + 1 FROM delivery").fetchone()[0]
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO delivery(seq, source, scheme, id, type, test, fresh, secret, received_us,"
            " signed_at, remote, headers, body)"
            " VALUES (?, 'foil', 'foil', ?, 'gate.session.approved', 0, 1, 0, ?, ?,"
            " '127.0.0.1:40000', ?, ?)",
            ((seq, f"wevt_{seq:032x}", now_us - 300_000_000, now_us // 1000000 - 300, HEADERS, body)
             for seq in range(first, first + count)))
        db.executemany(
            "INSERT INTO keys(first_seq, hashes) VALUES (?, ?)",
            ((seq, os.urandom(8 * min(KEYS_A_ROW, first + count - seq)))
             for seq in range(first, first + count, KEYS_A_ROW)))
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode=WAL")
    db.close()
    os.sync()  # else the daemon's first fsync would write this data


def count(path):
    """Returns the number of rows, and of hashes in the key index."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        stored = db.execute("SELECT count(*) FROM delivery").fetchone()[0]
        hashes = db.execute("SELECT coalesce(sum(length(hashes)), 0) FROM keys").fetchone()[0]
    db.close()
    return stored, hashes // struct.calcsize("Q")
