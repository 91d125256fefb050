# SPDX-License-Identifier: MIT
"""Conservation in a mixture of destinations, senders, reloads, kills and power cuts, and in some
rounds the store is removed, replaced, moved, cut or damaged while hooklined runs.

A delivery whose request began after such an event, and that was answered 200, can be read in the
file at the configured path. One that was answered before may have gone with the file; the figures
count it. Each delivery that is left reaches each destination that wants it, and no other.
"""
import collections
import concurrent.futures
import dataclasses
import itertools
import multiprocessing
import os
import random
import time
import traceback

import pytest

from harness import conservation, sentences, sink
from harness.conservation import PAGE
from harness.mixture import Traits, backup, run_round
from harness.sink import Leftovers, check

pytestmark = [pytest.mark.first, pytest.mark.running, pytest.mark.seconds(120)]

SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", 0))
MACHINES = int(os.environ.get("SOAK_MACHINES") or 2 * os.cpu_count())
KILLS, EVENT_KILLS = 40, 8  # and power cuts, of a round without an event and with one


# ---- events: what happens to the files of the store

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


# ---- tests

def test_killed_and_replaced():
    run_round(conservation.new_seed(), "replaced by an older copy", Traits(rude=True), 3,
              EVENTS["replaced by an older copy"])


def test_killed_in_a_mixture():
    everything = Traits(**dict.fromkeys(vars(Traits()), True))
    run_round(conservation.new_seed(), "everything at once", everything, 4 if sink.WRAPPER else 12)


# ---- soak

def soak_round(seed):
    """Runs one round in a process of its own; returns its figures and its sentences."""
    rng, before = random.Random(seed), Leftovers()
    sentences.said.clear()
    sink.Watch.leaks.clear()
    figures = collections.Counter()
    try:
        if rng.random() < 0.15:
            kind = rng.choice(list(EVENTS))
            traits = dataclasses.replace(Traits.draw(rng), disk=False, fills=False)
            figures = run_round(seed, kind, traits, EVENT_KILLS, EVENTS[kind])
        else:
            figures = run_round(seed, "mixture", Traits.draw(rng), KILLS)
    except Exception:
        check("each round comes to its end", False, f"seed {seed}", traceback.format_exc(),
              *(daemon.tail() for daemon in sink.Daemon.running))
    before.remove_later_ones()
    check("no answer, no line and no message held a secret", not sink.Watch.leaks, *sink.Watch.leaks)
    return figures, list(sentences.said)


@pytest.mark.soak
def test_soak():
    """Runs rounds on several machines at once, the first one with the seed of the soak. A sentence
    that is true each time is said once."""
    began, seed = time.monotonic(), conservation.new_seed()
    rng = random.Random(seed)
    seeds = itertools.chain([seed], iter(lambda: rng.randrange(1 << 32), None))
    figures, said, rounds = sentences.figures, set(), set()
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(MACHINES, fork) as machines:
        while rounds or time.monotonic() - began < SOAK_SECONDS:
            while len(rounds) < MACHINES and time.monotonic() - began < SOAK_SECONDS:
                rounds.add(machines.submit(soak_round, next(seeds)))
            ended, rounds = concurrent.futures.wait(
                rounds, return_when=concurrent.futures.FIRST_COMPLETED)
            for more, sentences_of_round in (future.result() for future in ended):
                figures += more
                sentences.said += [one for one in sentences_of_round
                                   if one.result != "ok" or one.text not in said]
                said |= {one.text for one in sentences_of_round}
    figures["seconds"] += int(time.monotonic() - began)
    print(f"# in all: {dict(sorted(figures.items()))}", flush=True)
