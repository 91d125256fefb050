# SPDX-License-Identifier: MIT
"""Diagnoses of a ping: each failure is produced, and one sentence names it. The emulator's faults
produce it, else a scripted provider."""
import os
import re
import threading
import time

import pytest

from harness import sinks
from harness.cli import (GOOD, PROVIDER_REFUSED, REFUSED, STALE, TIMEOUT, TRANSPORT, Run, at_once,
                         sink, tells, unless_late)
from harness.provider import KEY, Provider, arguments, body_of
from harness.scene import KINDS, Scene
from harness.sink import Clock, Daemon, check, equal, source, wait_for
from harness.upstream import Upstream

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(150)]

IN_KEY = {"KEY": KEY}
SHORT = 10 if sink.WRAPPER else 1  # seconds, for deliveries that never come


def diagnosed(sentence, got, outcome, name, *said):
    """Exit status, diagnosis name and words of the text, in one line on standard error."""
    told = got.json()
    check(sentence, (got.status, told["diagnosis"]) == (outcome, name)
          and all(tells(told["text"], word, got.took) for word in said),
          f"expected {outcome} {name} {said}", got)
    if outcome != GOOD:
        equal(f"{sentence}: one line on standard error", got.err, f"hookline: {told['text']}\n")
    return told


def hinted(ping):
    """The sink limits how often it searches for a hint, since anybody can cause a refusal."""
    def look():
        got = ping()
        return got if "hint" in got.json()["sink"] else None
    return wait_for(look, "a hint of the sink's")


# ---- faults of the emulator

HINTS = ("secret_newline", "body_reencoded", "body_newline")

FAULTS = (
    ("future=412", STALE, "clock", ("the sink's is {412} s behind", "agrees with this machine's")),
    ("stale=600", STALE, "clock", ("signed {600} s before it arrived", "delayed in transit")),
    ("secret-newline", REFUSED, "secret_newline", ("ends with a newline",)),
    ("wrong-secret", REFUSED, "signature_mismatch", ("no secret of this source",)),
    ("reencode", REFUSED, "body_reencoded", ("parsed and written again", "proxy")),
    ("crlf", REFUSED, "body_newline", ("newline",)),
    ("tamper", REFUSED, "signature_mismatch", ("no secret of this source",)),
    ("unsigned", REFUSED, "missing_header", ("headers are missing",)),
    ("oversize", REFUSED, "body_too_large", ("limits.body_bytes",)),
    ("duplicate", GOOD, "confirmed", ("stored as|duplicate of",)),
    ("two-signatures", GOOD, "confirmed", ("stored as",)),
    ("delay", GOOD, "confirmed", ("stored as",)),
)


def test_faults():
    scene = Scene("--retry", "600", real_time=True)
    for kind in KINDS:
        for words, outcome, name, said in FAULTS:
            def ping(kind=kind, words=words):
                return scene.ping(kind, "--json", "--fault", words)
            got = hinted(ping) if name in HINTS else ping()
            told = diagnosed(f"{kind}, {words}", got, outcome, name, *said)
            if name != "confirmed":
                line = scene.sink.lines(receipt=told["sink"]["receipt"])
                equal(f"{kind}, {words}: and it is about the sink's line of this very request",
                      [(entry["reason"], entry["status"]) for entry in line],
                      [(told["sink"]["reason"], told["provider_says"]["status"])])
    for words in ("truncate", "reset"):
        pings = at_once(*(lambda kind=kind: scene.ping(kind, "--json", "--fault", words)
                          for kind in KINDS))
        for kind, got in zip(KINDS, pings):
            diagnosed(f"{kind}, {words}", got, PROVIDER_REFUSED, "unreachable", "could not deliver")
    for kind in KINDS:
        got = scene.ping(kind, "--fault", "stale")
        check(f"{kind}: without --json the rows end with the refusal, and the sentence follows",
              tells(got.out, r"\nrefused +[0-9]+ ms  timestamp_too_old, answered 401, signed {600} s "
                    "earlier", got.took) and got.err.startswith("hookline: the delivery arrived at source "), got)
    scene.close()


# ---- scripted providers

class World:
    """Sink, and pings against it."""
    def __init__(self, *sources, **config):
        self.socket = os.path.join(sink.Folders.new(), "admin.sock")
        self.daemon = Daemon(sources=sources or [source(kind) for kind in KINDS],
                             admin={"address": "unix:" + self.socket}, **config)

    def ping(self, server, *more):
        got = Run(*arguments(server.kind, server.base, "unix:" + self.socket, "--json", *more),
                  environment=IN_KEY)
        server.close()
        return got

    def in_time(self, make, *said):
        """Ping with SHORT seconds to a provider from `make`; repeated if it ends before `said`
        appears."""
        return unless_late(lambda: self.ping(make(), "--timeout", SHORT), lambda got: got.json()[
            "diagnosis"] in ("not_triggered", "no_answer", "nothing_came") and not all(
                re.search(word, got.json()["text"]) for word in said))

    def to(self, path):
        return self.daemon.address, path


def test_secrets_and_sources():
    shared = "a-secret-that-two-sources-share-0123"
    sink.Watch.words.add(shared.encode())
    world = World(source("foil"), source("partner", "foil", ["the secret of the partner 0123456"]),
                  source("twin", "foil", [sink.SECRETS["foil"]], path="/twin"))
    sink.Watch.words.add(b"the secret of the partner 0123456")
    diagnosed("the secret is another source's", hinted(lambda: world.ping(
        Provider("foil", world.to("/foil"), secret="the secret of the partner 0123456"))),
        REFUSED, "other_source", "matches source partner")
    diagnosed("it came to another source with the same secret", world.ping(
        Provider("foil", world.to("/twin"))),
        GOOD, "confirmed", "reached source twin", "expected at source foil")
    diagnosed("the endpoint's URL leads to another path", world.ping(
        Provider("foil", world.to("/fool"))),
        REFUSED, "not_found", "no source of the sink has the path")


def test_another_path():
    world = World()
    for kind in KINDS:
        diagnosed(f"{kind}: the endpoint's URL leads to another path", world.ping(
            Provider(kind, world.to("/hooks/x"))),
            REFUSED, "not_found", "no source of the sink has the path")
    world = World(source("agreements", "shodai"), source("quality", "trulayer"),
                  source("fraud", "foil"))
    for kind, name in (("foil", "fraud"), ("shodai", "agreements"), ("trulayer", "quality")):
        diagnosed(f"{kind}: the source has another name, and it is told which",
                  world.ping(Provider(kind, world.to("/" + name))),
                  *((TIMEOUT, "other_source_url") if kind == "shodai" else (GOOD, "confirmed")),
                  f"source {name}")
        diagnosed(f"{kind}: with that name it is good",
                  world.ping(Provider(kind, world.to("/" + name)), "--source", name),
                  GOOD, "confirmed", f"reached source {name}")


@pytest.mark.first
def test_no_delivery():
    world = World()

    def ping(kind, answer):
        return lambda: world.ping(Provider(kind, deliver=lambda event: answer), "--timeout", sink.LONG)
    # The ping learns each result long before its timeout.
    results = iter(at_once(*(ping(kind, answer) for kind in KINDS for answer in (
        None, (200, '{"hello":"there"}'), (502, "<html>Bad gateway</html>")))))
    for kind in KINDS:
        diagnosed(f"{kind}: nobody answers at the endpoint's URL", next(results), PROVIDER_REFUSED,
                  "unreachable", "could not deliver", "the endpoint's URL is unreachable from there",
                  "ECONNREFUSED" if kind == "foil" else "")
        diagnosed(f"{kind}: somebody else got it", next(results), TIMEOUT, "elsewhere",
                  "delivered it, but not to this sink: another server answered 200",
                  "" if kind == "shodai" else "hello")
        diagnosed(f"{kind}: a proxy in front has nobody behind it", next(results), TIMEOUT,
                  "elsewhere", "did not reach this sink: another server answered 502",
                  "" if kind == "shodai" else "Bad gateway")
    other = World()
    got = world.ping(Provider("trulayer", other.to("/trulayer")))
    diagnosed("another hooklined got it", got, TIMEOUT, "elsewhere", "not to this sink", "accepted")


def test_a_sink_that_is_slow_to_tell():
    """The busy sink reports the delivery only when it gets a request."""
    for kind in KINDS:
        events = []

        def deliver(event, kind=kind, events=events):
            now = time.time()
            events.append(sinks.event(
                1, source=kind, scheme=kind, id=event, type="webhook.test", test=True,
                time=time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(now)) +
                f"{int(now % 1 * 1000):03}Z", signed_at=int(now), receipt="0123456789abcdef"))
            return 200, '{"status":"accepted","receipt":"0123456789abcdef"}'

        def tell(_request, events=events):
            if events:
                stranger.send(events.pop())

        stranger = sinks.Stranger(before_page=tell)
        server = Provider(kind, deliver=deliver)
        got = Run(*arguments(kind, server.base, f"http://127.0.0.1:{stranger.port}", "--json"),
                  environment=IN_KEY)
        diagnosed(f"{kind}: a sink that is slow to tell is asked before nothing has come", got, GOOD,
                  "confirmed", "stored as 1")
        server.close()
        stranger.close()


def test_others_meanwhile():
    """Shodai does not return the event's id, so any delivery between request and answer may be
    ours."""
    world = World()

    def deliver(event):
        for other in ("evt_before", "evt_just_before"):
            server.really_deliver(other)
        return server.really_deliver(event)
    server = Provider("shodai", world.to("/shodai"), deliver=deliver)
    told = diagnosed("shodai: others came meanwhile", world.ping(server), GOOD, "confirmed",
                     "may be another")
    check("shodai: others came meanwhile: it is not exact", told["exact"] is False, told)


def test_an_older_one():
    """An older event arrives after the provider has answered."""
    world = World()

    def later(event, kind):
        time.sleep(0.7)
        body = body_of(kind, event)
        sink.send(*world.to("/" + kind), sink.sign(kind, body, secret="wrong" * 5, id=event), body)
    for kind in ("shodai", "trulayer"):
        threads = []

        def deliver(event, kind=kind, threads=threads):
            threads.append(threading.Thread(target=later, args=(event, kind)))
            threads[-1].start()
        # A late ping cannot tell that the event came later.
        got = unless_late(
            lambda kind=kind, deliver=deliver: world.ping(Provider(kind, deliver=deliver)),
            lambda got: got.json()["diagnosis"] == "signature_mismatch")
        diagnosed(f"{kind}: what came later is not taken for it", got, PROVIDER_REFUSED, "unreachable")
        for thread in threads:
            thread.join()
        equal(f"{kind}: and it did come later",
              [line["reason"] for line in world.daemon.lines(source=kind)],
              ["signature_mismatch"] * len(threads))


@pytest.mark.first
def test_too_late():
    """The sink stores the delivery; the provider never gets the answer."""
    world = World()
    for kind in KINDS:
        def deliver(event):
            server.really_deliver(event)
        server = Provider(kind, world.to("/" + kind), deliver=deliver)
        told = diagnosed(f"{kind}: the provider gave up before our answer was there",
                         world.ping(server), PROVIDER_REFUSED, "answer_lost",
                         "stored as", "came too late")
        equal(f"{kind}: and what was stored is that", told["sink"]["verdict"], "stored")

        def replace(event):
            server.really_deliver(event)
            return 504, "gateway timeout"
        server = Provider(kind, world.to("/" + kind), deliver=replace)
        if kind == "trulayer":  # a ping in the same second would be a duplicate
            time.sleep(1.1)
        diagnosed(f"{kind}: somebody in between answered in our place", world.ping(server),
                  PROVIDER_REFUSED, "answer_replaced", "answered 200, but \\w+ got 504")


def test_never():
    world = World()
    got = world.in_time(lambda: Provider("foil", deliver=lambda event: "never", at_once=False),
                        "reported only pending")
    diagnosed("foil took the order and never sent it", got, TIMEOUT, "nothing_came",
              f"within {SHORT} s", "reported only pending")
    got = world.in_time(lambda: Provider("foil", deliver=lambda event: "never", at_once=False,
                                         readable=False), "auth")
    diagnosed("and the key may not read what became of it", got, TIMEOUT, "nothing_came",
              "auth.insufficient_scope")

    def skip(status, told):
        told["data"]["latest_delivery"]["status"] = "skipped"
        return status, told
    server = Provider("foil", deliver=lambda event: "never", say=skip)
    diagnosed("foil has not sent it since the endpoint is disabled", world.ping(server),
              PROVIDER_REFUSED, "disabled", "is the endpoint disabled")
    server = Provider("foil", world.to("/foil"), readable=False, secret="another secret of 26")
    diagnosed("what was refused is found without it, but not for certain", world.ping(server),
              REFUSED, "signature_mismatch", "may be another delivery")
    server = Provider("foil", world.to("/foil"), readable=False)
    told = diagnosed("a key that may not read is good enough for what arrives", world.ping(server),
                     GOOD, "confirmed", "stored as")
    check("and it is told that the provider does not tell",
          any(row["what"] == "provider" and "reports nothing" in row["text"]
              for row in told["timeline"]), told)


class Pending:
    """A Shodai that answers `pending`, and delivers in the meantime or later."""
    def __init__(self, world, *deliveries, after=0.0, path="/shodai", named=False):
        self.event = None
        self.deliveries, self.after, self.named = deliveries, after, named
        self.server = Provider("shodai", world.to(path), deliver=self.deliver, say=self.say)
        self.kind, self.base = "shodai", self.server.base

    def deliver(self, event):
        self.event = event
        if self.after:
            threading.Timer(self.after, self.send).start()
        else:
            self.send()

    def send(self):
        address, path = self.server.to
        for secret in self.deliveries:
            body = body_of("shodai", self.event)
            sink.send(address, path, sink.sign("shodai", body, id=self.event, secret=secret), body)

    def say(self, status, told):
        told["data"] = {"ok": False, "status": "pending",
                        "deliveryId": self.event if self.named else "whd_123"}
        return status, told

    def close(self):
        self.server.close()


def test_pending():
    """Shodai answers before the first attempt, and reports nothing more."""
    world = World(source("shodai"), source("other", "shodai", [sink.SECRETS["shodai"]]))
    good, wrong = None, "another secret of 26 bytes"
    for name, after in (("before the answer", 0), ("after it", 0.4)):
        told = diagnosed(f"it arrives {name}", world.ping(Pending(world, good, after=after)),
                         GOOD, "confirmed", "stored as", "may be another test delivery")
        equal(f"it arrives {name}: Shodai still says", told["provider_says"]["state"], "pending")
    told = diagnosed("the answer names the event", world.ping(
        Pending(world, good, after=0.4, named=True)), GOOD, "confirmed", "stored as")
    equal("then it is certain", (told["exact"], told["sink"]["found_by"]), (True, "id"))
    diagnosed("it is refused", world.ping(Pending(world, wrong, after=0.4)), REFUSED,
              "signature_mismatch", "no secret of this source", "may be another delivery")
    diagnosed("a refusal of somebody else's comes first", world.ping(
        Pending(world, wrong, good, after=0.4)), GOOD, "confirmed", "stored as")
    diagnosed("it never comes", world.in_time(lambda: Pending(world), "only pending"), TIMEOUT,
              "nothing_came", "reported only pending for delivery whd_123")
    diagnosed("its path is none of a source", world.in_time(
        lambda: Pending(world, good, path="/shodal"), "came to a path"), TIMEOUT, "nothing_came",
              "only pending for delivery whd_123", "1 request came to a path of no source")
    diagnosed("it comes to another source", world.in_time(
        lambda: Pending(world, good, path="/other"), "source other"), TIMEOUT, "other_source_url",
              "pass --source other")


def test_no_answer_from_the_provider():
    world = World()

    def one_that_hangs():
        one = Provider("trulayer", world.to("/trulayer"), say=lambda status, told: one.server.hang())
        return one

    diagnosed("it delivered and did not answer in time", world.in_time(one_that_hangs, "arrived anyway"),
              TRANSPORT, "no_answer", f"did not answer within {SHORT} s", "arrived anyway")
    server = Provider("foil", world.to("/foil"), say=lambda status, told: None)
    diagnosed("it hung up instead of answering", world.ping(server), TRANSPORT, "no_answer",
              "no answer from Foil at http://127.0.0.1:")


# ---- clocks

def test_clocks():
    """The sink and this machine share the clock that is behind."""
    clock = Clock(int(time.time()) - 412)
    world = World(env=clock.environment())
    for kind in KINDS:
        clock.set(int(time.time()) - 412)
        told = diagnosed(f"{kind}: the sink's clock is 412 s behind", world.ping(
            Provider(kind, world.to("/" + kind))), STALE, "clock", "the sink's is {412} s behind",
            "the sink's clock is {412} s behind this machine's")
        check(f"{kind}: the times of the rows are ours then",
              all(0 <= row["ms"] < 60000 for row in told["timeline"]), told["timeline"])
    clock.set(int(time.time()) + 3600)
    diagnosed("the sink's clock is an hour ahead", world.ping(
        Provider("foil", world.to("/foil"))), STALE, "clock", "{3600} s ahead of this machine's")


def test_other_reasons():
    app = Upstream(lambda r, s: None)
    world = World(source("foil", answer="upstream"), source("shodai", "trulayer"),
                  destinations=[{"name": "app", "url": app.url}])
    diagnosed("the sender gets the application's answer, and there is none",
              world.ping(Provider("foil", world.to("/foil"))), REFUSED, "application_failed",
              "Foil got 502", "upstream_failed")
    diagnosed("the source has the scheme of another sender",
              world.ping(Provider("shodai", world.to("/shodai"))), REFUSED, "missing_header",
              "another sender's scheme")
    app.close()
