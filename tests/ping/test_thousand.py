# SPDX-License-Identifier: MIT
"""Many pings through a real emulator to a real sink, over all three providers, in sequence and
fifty at once: each confirms its own delivery."""
import collections
import json
import subprocess
import threading
import time

import pytest

from harness import cli
from harness.cli import sink
from harness.scene import KINDS, Scene
from harness.sink import check, equal

# Marked only `threads`: other files test a single ping.
pytestmark = [pytest.mark.first, pytest.mark.threads, pytest.mark.seconds(300)]

ALL, AT_ONCE = 1000, 50
SECONDS = 20  # budget of the sequential pings; a slow build runs fewer


def ping(scene, kind):
    done = subprocess.run([*sink.WRAPPER, cli.TOOL, *scene.arguments(kind), "--json",
                           "--timeout", "600"], capture_output=True, check=False,
                          cwd=scene.emulator.folder)
    try:
        return kind, done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        return kind, done.returncode, {}, done.stdout + done.stderr


def one_after_the_other(scene, count):
    return [ping(scene, KINDS[i % 3]) for i in range(count)]


def at_once(scene, count):
    """Runs `count` pings, at most AT_ONCE at a time."""
    results, numbers, lock = [], iter(range(count)), threading.Lock()

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            got = ping(scene, KINDS[number % 3])
            with lock:
                results.append(got)
    threads = [threading.Thread(target=work) for _ in range(min(AT_ONCE, count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def how_many(scene):
    """Measured number of pings that fit into the time, at most ALL."""
    one_after_the_other(scene, 3)
    began = time.monotonic()
    one_after_the_other(scene, 3)
    return max(2 * AT_ONCE, min(ALL, int(3 * SECONDS / (time.monotonic() - began))))


def emulated(scene):
    """Deliveries of the emulator's log: {event id: [(provider, status)]}."""
    attempts = collections.defaultdict(list)
    for line in scene.emulator.output().split("\n")[1:-1]:
        attempt = json.loads(line)
        attempts[attempt["event"]].append((attempt["provider"], attempt["status"]))
    return attempts


def ours(told):
    """Fields of the delivery that a ping reports as its own."""
    return {key: told.get("sink", {}).get(key)
            for key in ("source", "seq", "id", "receipt", "type")}


def check_all(name, scene, results):
    count = len(results)
    bad = [r for r in results if r[1] != 0 or not r[2].get("confirmed")]
    check(f"{name}: {count} of {count} are confirmed", not bad, len(bad), *bad[:3])
    inexact = [r for r in results if not r[2].get("exact")]
    check(f"{name}: none of them is in doubt", not inexact, len(inexact), *inexact[:3])
    told = [r[2] for r in results]
    equal(f"{name}: no two of them take the same delivery for theirs",
          len({t["sink"].get("receipt") for t in told if t}), count)
    lines = {line["receipt"]: line for line in scene.sink.lines() if "receipt" in line}
    wrong = [t for t in told if ours(t) != {key: lines.get(ours(t)["receipt"], {}).get(key)
                                            for key in ours(t)}]
    check(f"{name}: what each says is what the sink's line says", not wrong, len(wrong), *wrong[:3])
    stored = {entry["seq"]: entry for entry in scene.admin.list()}
    wrong = [t for t in told if stored.get(t["sink"].get("seq"), {}).get("id") !=
             t["sink"].get("id")]
    check(f"{name}: and what the store has", not wrong, len(wrong), *wrong[:3])
    check_events(name, scene, results)


def check_events(name, scene, results):
    attempts = emulated(scene)
    wrong = [(kind, told) for kind, _, told, _ in results if kind == "foil" and (
        told["provider_says"].get("event_id") != told["sink"].get("id")
        or attempts.get(told["sink"].get("id")) != [("foil", 200)])]
    check(f"{name}: foil's are the events that foil says it has sent", not wrong, *wrong[:3])
    wrong = [told for kind, _, told, _ in results if kind == "shodai"
             and attempts.get(told["sink"].get("id")) != [("shodai", 200)]]
    check(f"{name}: shodai's are events that shodai has sent, each once", not wrong, *wrong[:3])
    deliveries = {}
    for line in scene.emulator.output().split("\n")[1:-1]:
        attempt = json.loads(line)
        deliveries[attempt["delivery"]] = attempt["event"]
    wrong = [told for kind, _, told, _ in results if kind == "shodai"
             and deliveries.get(told["provider_says"]["delivery_id"]) != told["sink"].get("id")]
    check(f"{name}: and each the one that belongs to the delivery which shodai's answer names",
          not wrong, *wrong[:3])
    wrong = [told for kind, _, told, _ in results if kind == "trulayer"
             and told["sink"].get("receipt", "?") not in told["provider_says"].get("body", "")]
    check(f"{name}: trulayer's are those whose receipt trulayer got", not wrong, *wrong[:3])


def test_a_thousand():
    scene = Scene(sources=KINDS, answer=False)
    count = how_many(scene)
    began = time.monotonic()
    row = one_after_the_other(scene, count)
    middle = time.monotonic()
    crowd = at_once(scene, count // 2)
    end = time.monotonic()
    print(f"# {len(row)} in a row: {middle - began:.1f} s, {len(crowd)} with {AT_ONCE} at once: "
          f"{end - middle:.1f} s", flush=True)
    check_all("in a row", scene, row)
    check_all(f"{AT_ONCE} at once", scene, crowd)
    lines = [line for line in scene.sink.lines() if "receipt" in line]
    equal("the sink has seen as many deliveries as there were pings", len(lines), len(row) + len(crowd) + 6)
    equal("it has refused none", {line["verdict"] for line in lines}, {"stored"})
    scene.close()
