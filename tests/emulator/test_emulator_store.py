# SPDX-License-Identifier: MIT
"""hookline emulate --store: what survives a restart, and which files stay untouched."""
import json
import os
import signal
import sqlite3
import stat
import time

import pytest

from harness import emulator
from harness import upstream
from harness.cli import USAGE, Run, sink
from harness.sink import check, equal, wait_for

pytestmark = [pytest.mark.valgrind, pytest.mark.running, pytest.mark.threads]


def start(folder, *arguments):
    return emulator.Emulator("--store", f"{folder}/store.db", "--retry=0", *arguments,
                             folder=folder)


def base_of(emulated):
    return f"/v1/organizations/{emulated.organization}"


def create_all(emulated, url):
    """An endpoint of each provider, created by the provider's API."""
    foil = emulator.Client(emulated, "foil").ask(
        "POST", base_of(emulated) + "/webhooks/endpoints",
        {"name": "kept", "url": url, "event_types": ["gate.session.approved"]}).json["data"]
    shodai = emulator.Client(emulated, "shodai", "X-API-Key", "").ask(
        "POST", "/v0/webhooks", {"url": url}).json["data"]
    trulayer = emulator.Client(emulated, "trulayer").ask(
        "POST", "/v1/webhooks", {"url": url, "secret": "0123456789abcdef"}).json
    emulated.secrets |= {foil["signing_secret"], shodai["secret"], "0123456789abcdef"}
    return foil, shodai, trulayer


def listed(emulated):
    foil = emulator.Client(emulated, "foil").ask("GET", base_of(emulated) + "/webhooks/endpoints")
    shodai = emulator.Client(emulated, "shodai", "X-API-Key", "").ask("GET", "/v0/webhooks")
    trulayer = emulator.Client(emulated, "trulayer").ask("GET", "/v1/webhooks")
    return foil.json["data"], shodai.json["data"], trulayer.json["webhooks"]


def remembers(number, sentence):
    folder = sink.Folders.new()
    receiver = emulator.receiver()
    first = start(folder)
    foil, _, _ = create_all(first, receiver.url)
    before = listed(first)
    client = emulator.Client(first, "foil")
    event = client.ask("POST", f"{base_of(first)}/webhooks/endpoints/{foil['id']}/test"
                       ).json["data"]["event_id"]

    def get(emulated):
        return emulator.Client(emulated, "foil").ask(
            "GET", f"{base_of(emulated)}/events/{event}").json["data"]

    wait_for(lambda: get(first)["webhook_deliveries"][0]["status"] == "succeeded", "the delivery")
    recorded = get(first)
    organization = first.organization
    if number == signal.SIGKILL:
        first.kill()
    else:
        first.stop(number)
    equal(f"{sentence}: the store is its owner's",
          stat.S_IMODE(os.stat(f"{folder}/store.db").st_mode), 0o600)
    second = start(folder)
    equal(f"{sentence}: the organization is the same", second.organization, organization)
    equal(f"{sentence}: so are the endpoints", listed(second), before)
    equal(f"{sentence}: so are the events and their deliveries", get(second), recorded)
    answer = emulator.Client(second, "foil").ask(
        "POST", f"{base_of(second)}/webhooks/endpoints/{foil['id']}/test")
    equal(f"{sentence}: an old endpoint is delivered to", answer.status, 202)
    request = receiver.wait(2)[1]
    stamp = upstream.header(request, "X-Foil-Timestamp")
    equal(f"{sentence}: ... signed by its old secret", upstream.header(request, "X-Foil-Signature"),
          sink.mac_of(foil["signing_secret"].encode(), stamp.encode() + b"." + request.body))
    second.stop()
    receiver.close()


def test_after_a_stop():
    remembers(signal.SIGTERM, "after a stop")


def test_after_a_kill():
    remembers(signal.SIGKILL, "after a kill")


def test_what_would_be_tried_again():
    """The end of the emulator ends all retries; the store records that."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        folder = sink.Folders.new()
        receiver = emulator.receiver(500)
        first = emulator.Emulator("--store", f"{folder}/store.db", "--retry=86400",
                                  f"--endpoint=foil={receiver.url}", folder=folder)
        foil = emulator.Client(first, "foil")
        endpoint = first.start["endpoints"][0]["id"]
        event = foil.ask("POST", f"{base_of(first)}/webhooks/endpoints/{endpoint}/test").json[
            "data"]["event_id"]

        def get(emulated):
            return emulator.Client(emulated, "foil").ask(
                "GET", f"{base_of(emulated)}/events/{event}").json["data"]["webhook_deliveries"][0]

        before = wait_for(lambda: (d := get(first))["attempts"] and d, "the attempt")
        equal(f"{number.name}: what failed is pending", before["status"], "pending")
        time.sleep(0.002)  # timestamps have millisecond resolution
        if number == signal.SIGKILL:
            first.kill()
        else:
            first.stop(number)
        second = start(folder)
        after = get(second)
        check(f"{number.name}: it has failed by the next start, and says why", after["status"] ==
              "failed" and (after["error"] or "").startswith("given up: the emulator"), after)
        check(f"{number.name}: ... and when", after["updated_at"] > before["updated_at"], before, after)
        equal(f"{number.name}: what was answered to it is kept",
              (after["attempts"], after["response_status"]), (1, 500))
        second.stop()
        receiver.close()


def test_names_that_sqlite_knows():
    folder = sink.Folders.new()
    for name in (":memory:", "file:x?mode=memory"):
        organizations = set()
        for _ in range(2):
            emulated = emulator.Emulator("--store", name, folder=folder)
            organizations.add(emulated.organization)
            emulated.stop()
        equal(f"{name} is a file that is remembered", len(organizations), 1, os.listdir(folder))


def test_ready_made():
    """Endpoints of --endpoint."""
    folder = sink.Folders.new()
    receiver = emulator.receiver()
    names = ("foil", "shodai", "trulayer", "stripe")

    def endpoints(url, *more):
        emulated = start(folder, *[f"--endpoint={name}={url}" for name in names], *more)
        found = {e["source"]: e["id"] for e in emulated.start["endpoints"]}
        return emulated, found

    first, ids = endpoints(receiver.url)
    first.stop()
    second, again = endpoints(receiver.url + "/moved", "--fault=stale")
    equal("ready-made endpoints keep their ids", again, ids)
    rows = second.ask("GET", "/emulator/endpoints").json["endpoints"]
    equal("... and there is still one of each", sorted(e["source"] for e in rows), sorted(names))
    equal("... and they follow what is asked for now",
          {(e["url"], e["faults"]) for e in rows}, {(receiver.url + "/moved", "stale")})
    second.stop()
    third = start(folder)
    equal("who asks for none gets none", third.start["endpoints"], [])
    equal("... but they are still there", len(third.ask("GET", "/emulator/endpoints")
                                             .json["endpoints"]), 4)
    third.stop()
    receiver.close()


def test_only_one():
    folder = sink.Folders.new()
    first = start(folder)
    for path in (f"{folder}/store.db", f"{folder}/link.db"):
        if not os.path.exists(path):
            os.symlink(f"{folder}/store.db", path)
        got = Run("emulate", "--listen=127.0.0.1:0", "--keys", f"{folder}/keys", "--store", path)
        check(f"a second emulator on {os.path.basename(path)} is refused",
              got.status == USAGE and "another process has this store open" in got.err, got)
    equal("the first one goes on", first.ask("GET", "/emulator/endpoints").status, 200)
    first.stop()
    start(folder).stop()
    check("the store is free when it has stopped", True)


def test_foreign():
    folder = sink.Folders.new()

    def try_it(name):
        path = f"{folder}/{name}"
        with open(path, "rb") as file:
            before = file.read()
        got = Run("emulate", "--listen=127.0.0.1:0", "--keys", f"{folder}/keys", "--store", path)
        with open(path, "rb") as file:
            check(f"{name} is refused, and left as it was",
                  got.status == USAGE and path in got.err and file.read() == before, got)
        return got

    with sqlite3.connect(f"{folder}/other.db") as db:
        db.execute("CREATE TABLE mine(x)")
    db.close()
    check("a database of another program is called so",
          "expected a store of an emulator" in try_it("other.db").err)
    daemon = sink.Daemon(sources=[sink.source("foil")])
    daemon.stop()
    os.rename(daemon.store, f"{folder}/hooklined.db")
    check("hooklined's own store is another one",
          "expected a store of an emulator" in try_it("hooklined.db").err)
    sink.write_file(f"{folder}/text", "no database\n" * 1000)
    try_it("text")
    store = sink.Folders.new()
    start(store).stop()
    with open(f"{store}/store.db", "rb") as file:
        data = file.read()
    sink.write_file(f"{folder}/cut.db", data[:100] + b"\xff" * 3000 + data[3100:])
    try_it("cut.db")
    with sqlite3.connect(f"{store}/store.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    os.rename(f"{store}/store.db", f"{folder}/newer.db")
    check("a newer store says what to do", "newer hookline" in try_it("newer.db").err)


def test_full_disk():
    """The API reports a store that it cannot write, and stays up."""
    folder = sink.Folders.new()
    receiver = emulator.receiver()
    emulated = start(folder, f"--endpoint=foil={receiver.url}",
                     f"--endpoint=trulayer={receiver.url}")
    db = sqlite3.connect(f"{folder}/store.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    foil = emulated.start["endpoints"][0]["id"]
    answer = emulator.Client(emulated, "foil").ask(
        "POST", f"{base_of(emulated)}/webhooks/endpoints/{foil}/test")
    check("what cannot be recorded is refused, in the provider's form",
          answer.status >= 500 and answer.json["error"]["code"], answer)
    equal("nothing was sent", len(receiver.requests), 0)
    equal("what is not recorded goes on",
          emulated.ask("POST", "/emulator/sources/trulayer/test").json["status"], 200)
    db.execute("ROLLBACK")
    db.close()
    answer = emulator.Client(emulated, "foil").ask(
        "POST", f"{base_of(emulated)}/webhooks/endpoints/{foil}/test")
    equal("it is well when the store is", answer.status, 202)
    receiver.close()


def test_unreadable():
    """An unreadable store is an error, not an empty store."""
    folder = sink.Folders.new()
    receiver = emulator.receiver()
    emulated = start(folder, f"--endpoint=foil={receiver.url}")
    foil_endpoint, webhook, other = create_all(emulated, receiver.url)
    foil = emulator.Client(emulated, "foil")
    shodai = emulator.Client(emulated, "shodai", "X-API-Key", "")
    trulayer = emulator.Client(emulated, "trulayer")
    event = foil.ask("POST", f"{base_of(emulated)}/webhooks/endpoints/{foil_endpoint['id']}/test"
                     ).json["data"]["event_id"]
    path = f"{base_of(emulated)}/webhooks/endpoints/{foil_endpoint['id']}"
    calls = [("Foil's list", foil, "GET", f"{base_of(emulated)}/webhooks/endpoints", b""),
             ("Foil's test", foil, "POST", path + "/test", b""),
             ("Foil's change", foil, "PATCH", path, {"name": "x"}),
             ("Foil's event", foil, "GET", f"{base_of(emulated)}/events/{event}", b""),
             ("Foil's events", foil, "GET", f"{base_of(emulated)}/events", b""),
             ("Shodai's list", shodai, "GET", "/v0/webhooks", b""),
             ("Shodai's webhook", shodai, "GET", f"/v0/webhooks/{webhook['id']}", b""),
             ("Shodai's test", shodai, "POST", f"/v0/webhooks/{webhook['id']}/test", b""),
             ("TruLayer's list", trulayer, "GET", "/v1/webhooks", b""),
             ("TruLayer's test", trulayer, "POST", f"/v1/webhooks/{other['id']}/test", b"")]
    db = sqlite3.connect(f"{folder}/store.db")
    wait_for(lambda: not db.execute("SELECT 1 FROM delivery WHERE status != 'succeeded'").fetchall(),
             "the delivery")
    with db:
        db.executescript("ALTER TABLE endpoint RENAME TO gone; ALTER TABLE delivery RENAME TO lost;"
                         "ALTER TABLE event RENAME TO away")
    for name, client, method, where, body in calls:
        answer = client.ask(method, where, body)
        check(f"{name}: what cannot be read is not said to be missing",
              answer.status == 500 and "store" in answer.body.decode() and answer.json["error"],
              answer)
    for method, where in (("GET", "/emulator/endpoints"), ("POST", "/emulator/sources/foil/test")):
        equal(f"{where}: nor is it in the emulator's own API",
              emulated.ask(method, where).status, 503)
    with db:
        db.execute("ALTER TABLE away RENAME TO event")
    answer = foil.ask("GET", f"{base_of(emulated)}/events/{event}")
    equal("an event whose deliveries cannot be read is not said to have none", answer.status, 500,
          answer)
    with db:
        db.executescript("ALTER TABLE gone RENAME TO endpoint; ALTER TABLE lost RENAME TO delivery")
    equal("it is well when the store is", [client.ask(method, where, body).status
                                           for _, client, method, where, body in calls],
          [200, 202, 200, 200, 200, 200, 200, 201, 200, 200])
    db.close()
    receiver.close()


def test_limits():
    """The store keeps a limited number of events."""
    folder = sink.Folders.new()
    start(folder).stop()
    db = sqlite3.connect(f"{folder}/store.db")
    with db:
        db.executemany("INSERT INTO event(provider, id, type, body, created_us)"
                       " VALUES ('foil', ?, 'webhook.test', '{}', 1)",
                       [(f"wevt_{i:032x}",) for i in range(10500)])
    equal("the newest 10000 events are kept",
          db.execute("SELECT count(*), max(id) FROM event").fetchone(),
          (10000, f"wevt_{10499:032x}"))
    db.close()
    emulated = start(folder)
    answer = emulator.Client(emulated, "foil").ask("GET", base_of(emulated) + "/events?limit=200")
    check("that many are listed as the provider lists them",
          answer.status == 200 and len(answer.json["data"]) == 200
          and answer.json["pagination"]["has_more"], json.dumps(answer.json)[:300])
