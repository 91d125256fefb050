# SPDX-License-Identifier: MIT
"""Forwarding: contents, signature and order of requests. A restart, a kill -9 or a clock jump
changes none of them."""
import base64
import contextlib
import hmac
import json
import sqlite3
import threading
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.ports import free_port
from harness.sink import SECRETS, Clock, Daemon, Folders, check, equal, sample_body, sign, source, wait_for
from harness.upstream import Upstream, header, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]

SECRET = base64.b64encode(b"destination-secret-0123456789abc").decode()
WHSEC = "whsec_" + SECRET
FAST = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]  # retry_seconds


def destination(upstream, name="app", **more):
    return {"name": name, "url": upstream if isinstance(upstream, str) else upstream.url,
            "timeout_seconds": sink.LONG, **more}


def with_secret(text=WHSEC):
    sink.Watch.words |= {text.encode(), SECRET.encode()}
    return {"file": sink.write_file(f"{Folders.new()}/secret", text + "\n")}


def body_of(number, kind="webhook.test", fill=""):
    return json.dumps({"id": f"evt_{number}", "object": "webhook_event", "type": kind,
                       "data": {"fill": fill}}).encode()


def deliver(daemon, number, kind="webhook.test", path="/foil", scheme="foil"):
    body = body_of(number, kind)
    answer = daemon.send(path, sign(scheme, body), body)
    if answer.status != 200:
        raise AssertionError(f"{answer}")
    return body


def verdicts(daemon, verdict, count, **wanted):
    """Waits for `count` lines of that verdict."""
    return wait_for(lambda: len(found := daemon.lines(verdict=verdict, **wanted)) >= count and found,
                    f"{count} lines {verdict}: {daemon.raw_log().decode()[-2000:]}")


def query(daemon, sql):
    with sink.open_store(daemon.store) as db:
        return db.execute(sql).fetchall()


# ---- requests

def test_exact_bytes():
    upstream = Upstream()
    raw = bytes(range(256)) * 3
    key = b"shop-secret-0123456789"
    sink.Watch.words.add(key)
    schemes = list(SECRETS)
    daemon = Daemon(sources=[*(source(s) for s in schemes),
                             source("shop", secrets=[key.decode()],
                                    description="signature X-Shop; encoding hex; content {body}")],
                    destinations=[destination(upstream)])
    for number, scheme in enumerate(schemes, 1):
        body = sample_body(scheme)
        # The daemon must forward the signature header unchanged.
        headers = sign(scheme, body)
        answer = daemon.send("/" + scheme, [*headers, ("Content-Type", f"application/x-{scheme}"),
                                            ("X-Other", "not signed"), ("Cookie", "not ours")], body)
        equal(f"{scheme}: is stored", answer.status, 200)
        sent = upstream.wait(number)[-1]
        equal(f"{scheme}: the bytes arrive as they were sent", sent.body, body)
        equal(f"{scheme}: the content-type arrives", header(sent, "content-type"),
              f"application/x-{scheme}")
        equal(f"{scheme}: the signature's headers arrive",
              [header(sent, name) for name, _ in headers], [value for _, value in headers])
        equal(f"{scheme}: other headers do, but no secret",
              (header(sent, "x-other"), header(sent, "cookie")), ("not signed", ""))
        equal(f"{scheme}: the source, the scheme, the seq and the attempt are told",
              [header(sent, "Hookline-" + n) for n in ("Source", "Scheme", "Seq", "Attempt")],
              [scheme, scheme, str(number), "1"])
    sent = upstream.requests[0]
    line = daemon.lines(verdict="stored", source="foil")[0]
    equal("the signed id, the type and the times are told",
          [header(sent, "Hookline-" + n) for n in ("Id", "Type", "Signed-At")],
          [line["id"], line["type"], str(line["signed_at"])])
    check("the time of arrival is told",
          abs(int(header(sent, "Hookline-Received-At")) - time.time()) < 600)
    equal("it is a POST to the destination's path", (sent.method, sent.path), ("POST", "/hooks"))
    check("hooklined says who it is", header(sent, "User-Agent").startswith("hooklined/"))
    equal("nothing is asked to continue first", header(sent, "Expect"), "")
    body = raw
    mac = sink.mac_of(key, body)
    equal("a body of any bytes: is stored", daemon.send("/shop", [("X-Shop", mac)], body).status,
          200)
    sent = upstream.wait(len(schemes) + 1)[-1]
    equal("a body of any bytes: arrives", sent.body, raw)
    equal("without a content-type there is none", header(sent, "content-type"), "")
    mac = sink.mac_of(key, b"")
    daemon.send("/shop", [("X-Shop", mac)], b"")
    sent = upstream.wait(len(schemes) + 2)[-1]
    equal("an empty body arrives empty", (sent.body, header(sent, "Content-Length")), (b"", "0"))
    upstream.close()


def signature_of(request):
    """A Standard Webhooks signature, computed by Python's standard library."""
    content = b".".join((header(request, "webhook-id").encode(),
                         header(request, "webhook-timestamp").encode(), request.body))
    mac = hmac.new(base64.b64decode(SECRET), content, "sha256").digest()
    return "v1," + base64.b64encode(mac).decode()


def test_fresh_signature():
    plain, signed = Upstream(), Upstream()
    signed.answer = lambda r, s: response(500 if len(signed.requests) <= 2 else 200)
    daemon = Daemon(sources=[source("standard"), source("foil")],
                    destinations=[destination(plain, "plain"),
                                  destination(signed, "signed", secret=with_secret(),
                                              retry_seconds=FAST)])
    body = sample_body("standard")
    theirs = dict(sign("standard", body, id="msg_theirs"))
    daemon.send("/standard", list(theirs.items()), body)
    first = signed.wait(3)[0]
    verdicts(daemon, "forwarded", 1, destination="signed")
    again = signed.requests[-1]
    equal("without a secret the sender's signature goes through",
          header(plain.wait(1)[0], "webhook-signature"), theirs["webhook-signature"])
    equal("with a secret the signature is ours alone", header(first, "webhook-signature"),
          signature_of(first))
    check("so is the id", "msg_theirs" not in header(first, "webhook-id") and
          header(first, "webhook-id").startswith("hl_1_"))
    check("the time is that of the attempt",
          abs(int(header(first, "webhook-timestamp")) - time.time()) < 600)
    equal("the sender's id is still told", header(first, "Hookline-Id"), "msg_theirs")
    equal("at each attempt the id is the same and the signature is good",
          (header(again, "webhook-id"), header(again, "webhook-signature")),
          (header(first, "webhook-id"), signature_of(again)))
    seen = len(signed.requests)
    deliver(daemon, 1)
    of_foil = signed.wait(seen + 1)[-1]
    equal("of another scheme both signatures arrive",
          (header(of_foil, "webhook-signature"), header(of_foil, "x-foil-signature") != ""),
          (signature_of(of_foil), True))
    check("each delivery has an id of its own",
          header(of_foil, "webhook-id") != header(first, "webhook-id"))
    check("the secret is on no command line", WHSEC.encode() not in
          open(f"/proc/{daemon.process.pid}/cmdline", "rb").read())
    for upstream in (plain, signed):
        upstream.close()


def test_filters():
    everything, foil, gates, none = Upstream(), Upstream(), Upstream(), Upstream()
    daemon = Daemon(sources=[source("foil"), source("tripwire")],
                    destinations=[destination(everything, "everything"),
                                  destination(foil, "foil", sources=["foil"]),
                                  destination(gates, "gates", types=["gate.*", "exact"]),
                                  destination(none, "none", types=["gate"])])
    kinds = ["webhook.test", "gate.session.approved", "gate.", "exact", "exactly", "gat"]
    for number, kind in enumerate(kinds):
        deliver(daemon, number, kind)
    deliver(daemon, 100, "gate.x", "/tripwire", "tripwire")
    equal("without a filter everything comes", sorted(everything.wait(7) and everything.seqs()),
          list(range(1, 8)))
    equal("sources: only theirs come", sorted(foil.wait(6) and foil.seqs()), list(range(1, 7)))
    equal("types: only those come, and a * is for the rest of the name",
          sorted(gates.wait(4) and gates.seqs()), [2, 3, 4, 7])
    verdicts(daemon, "forwarded", 17)
    equal("types: nothing else comes", (len(none.requests), len(everything.requests)), (0, 7))
    daemon.stop()
    for upstream in (everything, foil, gates, none):
        upstream.close()


# ---- retries

RETRIED = [500, 503, 408, 429, 404, 400, 304]


def test_retries():
    upstream = Upstream()
    statuses = iter(RETRIED + [204])
    upstream.answer = lambda r, s: response(next(statuses), b"")
    daemon = Daemon(real_time=True, sources=[source("foil")],
                    destinations=[destination(upstream, retry_seconds=[0] * len(RETRIED))])
    body = deliver(daemon, 1)
    upstream.wait(len(RETRIED) + 1)
    line = verdicts(daemon, "forwarded", 1)[0]
    equal("every status is tried again until it is 2xx",
          [line["status"] for line in daemon.lines(destination="app")],
          RETRIED + [204])
    equal("each attempt says which one it is",
          [header(r, "Hookline-Attempt") for r in upstream.requests], list("12344567"))
    check("each attempt sends the same bytes", all(r.body == body for r in upstream.requests))
    equal("the line says what came of it",
          {k: line[k] for k in ("verdict", "seq", "source", "id", "type", "destination", "status",
                                "tries", "reason")},
          {"verdict": "forwarded", "seq": 1, "source": "foil", "id": "evt_1",
           "type": "webhook.test", "destination": "app", "status": 204,
           "tries": len(RETRIED),
           "reason": None})
    retried = daemon.lines(verdict="retried")[0]
    check("the line about a retry says when and why",
          retried["due"] >= retried["time"][:10] and retried["tries"] == 1 and
          retried["reason"] == "HTTP status 500" and retried["duration_us"] >= 0, retried)
    equal("nothing is left to be sent", query(daemon, "SELECT count(*) FROM unsent"), [(0,)])
    equal("every attempt is in the store, and 429 has used up no try",
          query(daemon, "SELECT tries, status FROM attempt ORDER BY at_us"),
          list(zip([1, 2, 3, 4, 4, 5, 6, 7], RETRIED + [204])))
    upstream.close()


def test_parked():
    for status, more in ((410, {}), (400, {"park_statuses": [400, 422]}),
                         (307, {"park_statuses": [307]})):
        elsewhere, upstream = Upstream(), Upstream()
        upstream.answer = lambda r, s, status=status, to=elsewhere.url: response(
            status, b"", [("Location", to + "?token=1")])
        daemon = Daemon(sources=[source("foil")],
                        destinations=[destination(upstream, retry_seconds=FAST, **more)])
        deliver(daemon, 1)
        line = verdicts(daemon, "parked", 1)[0]
        to = f" to {elsewhere.url}" if status == 307 else ""
        equal(f"{status}: is parked at once, a redirect is not followed, and the line says where to",
              (len(upstream.requests), len(elsewhere.requests), line["status"], line["tries"],
               line["reason"]), (1, 0, status, 1, f"HTTP status {status}{to}"))
        daemon.stop()
        upstream.close()
        elsewhere.close()
    upstream = Upstream(lambda r, s: response(500))
    daemon = Daemon(sources=[source("foil")],
                    destinations=[destination(upstream, retry_seconds=[0, 0])])
    deliver(daemon, 1)
    line = verdicts(daemon, "parked", 1)[0]
    equal("after the last of retry_seconds it is parked", (len(upstream.requests), line["tries"]),
          (3, 3))
    equal("what is parked stays in the store", query(daemon, "SELECT seq, due_us FROM unsent"),
          [(1, None)])
    upstream.close()


def test_a_repetition_by_the_sender():
    upstream = Upstream(lambda r, s: response(503))
    daemon = Daemon(sources=[source("foil")],
                    destinations=[destination(upstream, retry_seconds=[3600])])
    body = deliver(daemon, 1)
    verdicts(daemon, "retried", 1)
    daemon.deliver("foil", body)
    equal("a repetition soon after an attempt changes nothing",
          "rearmed" in daemon.lines(verdict="duplicate")[0], False)
    upstream.answer = lambda r, s: response(410)
    equal("a retry is due an hour later", query(daemon, "SELECT tries FROM unsent"), [(1,)])
    with sqlite3.connect(daemon.store) as db:  # as if ten seconds had passed
        db.execute("UPDATE unsent SET set_us = set_us - 11000000")
    daemon.deliver("foil", body)
    line = verdicts(daemon, "parked", 1)[0]
    equal("later it is tried again at once, with the tries that are left", line["tries"], 2)
    upstream.answer = lambda r, s: response(200)
    daemon.deliver("foil", body)
    line = verdicts(daemon, "forwarded", 1)[0]
    equal("what was parked is tried with all its tries, and the line says so",
          (line["tries"], [x["rearmed"] for x in daemon.lines(verdict="duplicate")[1:]]),
          (1, [{"app": True}] * 2))
    daemon.deliver("foil", body)
    equal("what is done is done", ("rearmed" in daemon.lines(verdict="duplicate")[-1],
                                   query(daemon, "SELECT count(*) FROM unsent")), (False, [(0,)]))
    upstream.close()


def test_passed_over():
    upstream = Upstream()
    url = upstream.url
    admin = Admin(socket_path())
    daemon = Daemon(sources=[source("foil"), source("github"), source("slack")],
                    admin={"address": f"unix:{admin.address}"}, destinations=[
        {"name": "all", "url": url, "types": ["*", "x"], "sources": ["foil", "github"]},
        {"name": "mail", "url": url, "types": ["mail.*"], "sources": ["foil", "github"]},
        {"name": "foil", "url": url, "sources": ["foil"]}])
    check("the start warns about what can never be forwarded",
          "destination mail can take nothing of source github: scheme github names no type" in
          daemon.messages() and "no destination takes the deliveries of source slack" in
          daemon.messages(), daemon.messages())
    daemon.deliver("foil")
    daemon.deliver("github")
    daemon.deliver("slack")
    wait_for(lambda: len(daemon.lines(verdict="forwarded")) == 3, "the attempts")
    equal("the line says which destination passes it over, and why",
          [line.get("passed_over") for line in daemon.lines(verdict="stored")],
          [{"mail": "type"}, {"mail": "no_type"},
           {"all": "source", "mail": "source", "foil": "source"}])
    reasons = [{d["name"]: d.get("reason", d["state"]) for d in admin.one(i)["destinations"]}
               for i in (1, 2, 3)]
    equal("so does the delivery", reasons,
          [{"all": "done", "mail": "type", "foil": "done"},
           {"all": "done", "mail": "no_type", "foil": "source"},
           {"all": "source", "mail": "source", "foil": "source"}])
    equal("the list finds what nobody takes", [row["seq"] for row in admin.list("state=passed_over")],
          [3])
    metrics = admin.metrics()
    equal("it is counted", [
        value(metrics, "hookline_passed_over_total", destination="mail", reason="type"),
        value(metrics, "hookline_passed_over_total", destination="mail", reason="no_type"),
        value(metrics, "hookline_unwanted_total", source="slack"),
        value(metrics, "hookline_unwanted_total", source="foil")], [1, 1, 1, 0])
    upstream.close()


def test_retry_after():
    for form in ("seconds", "date"):
        upstream = Upstream()
        first = threading.Event()

        def answer(request, sock, form=form, first=first):
            if first.is_set():
                return response()
            first.set()
            # The upstream's clock is off by years; Retry-After is relative to its Date.
            value = "2" if form == "seconds" else "Sun, 06 Nov 1994 08:49:39 GMT"
            return response(429, b"", [("Retry-After", value),
                                       ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])

        upstream.answer = answer
        daemon = Daemon(real_time=True, sources=[source("foil")],
                        destinations=[destination(upstream, retry_seconds=FAST)])
        deliver(daemon, 1)
        upstream.wait(2)
        waited = upstream.requests[1].at - upstream.requests[0].at
        check(f"Retry-After as {form}: it is not tried before", waited >= 1.9, waited)
        daemon.stop()
        upstream.close()


# ---- order

def test_ordered():
    upstream = Upstream()
    lock, left = threading.Lock(), [3, 0, 2, 0, 0, 1] * 5

    def answer(request, sock):
        number = int(header(request, "Hookline-Seq")) - 1
        with lock:
            left[number] -= 1
            return response(500 if left[number] >= 0 else 200)

    upstream.answer = answer
    daemon = Daemon(real_time=True, sources=[source("foil")],
                    destinations=[destination(upstream, ordered=True, retry_seconds=FAST)])
    for number in range(30):
        deliver(daemon, number)
    verdicts(daemon, "forwarded", 30)
    good = [line["seq"] for line in daemon.lines(verdict="forwarded")]
    equal("ordered: they are taken in the order of arrival", good, list(range(1, 31)))
    seqs = upstream.seqs()
    equal("ordered: nothing overtakes what fails", seqs, sorted(seqs))
    equal("ordered: one is under way at a time", upstream.most_busy, 1)
    upstream.close()
    upstream = Upstream(lambda r, s: response(500 if header(r, "Hookline-Seq") == "2" else 200))
    daemon = Daemon(real_time=True, sources=[source("foil")],
                    destinations=[destination(upstream, ordered=True, retry_seconds=[0])])
    for number in range(4):
        deliver(daemon, number)
    verdicts(daemon, "forwarded", 3)
    equal("ordered: what is parked lets the others pass", upstream.seqs(), [1, 2, 2, 3, 4])
    upstream.close()


def test_concurrency():
    upstream = Upstream()

    def answer(request, sock):
        upstream.hang()
        return response()

    upstream.answer = answer
    daemon = Daemon(sources=[source("foil")], destinations=[destination(upstream, concurrency=3)])
    for number in range(10):
        deliver(daemon, number)
    upstream.wait(3)
    deliver(daemon, 10)
    equal("concurrency: three are under way", upstream.busy, 3)
    upstream.release()
    wait_for(lambda: set(upstream.seqs()) == set(range(1, 12)), "all of them")
    check("concurrency: never more", upstream.most_busy <= 3, upstream.most_busy)
    upstream.close()


# ---- restarts

def test_restart():
    port = free_port()
    config = {"sources": [source("foil")],
              "destinations": [destination(f"http://127.0.0.1:{port}/hooks", retry_seconds=[1] * 32)]}
    daemon = Daemon(config)
    for number in range(20):
        deliver(daemon, number)
    verdicts(daemon, "retried", 1)
    daemon.stop()
    upstream = Upstream(port=port)
    daemon = Daemon(config, folder=daemon.folder)
    wait_for(lambda: set(upstream.seqs()) == set(range(1, 21)), "all of them")
    verdicts(daemon, "forwarded", 20)
    equal("what was not delivered is delivered after a restart, once",
          sorted(upstream.seqs()), list(range(1, 21)))
    equal("nothing is left", query(daemon, "SELECT count(*) FROM unsent"), [(0,)])
    upstream.close()


def test_killed():
    upstream = Upstream()
    hold = threading.Event()

    def answer(request, sock):
        if int(header(request, "Hookline-Seq")) % 5 == 0 and not hold.is_set():
            return upstream.hang()
        return response()

    upstream.answer = answer
    config = {"sources": [source("foil")], "destinations": [destination(upstream, concurrency=16)]}
    daemon = Daemon(config)
    for number in range(50):
        deliver(daemon, number)
    # The daemon logs a line once the outcome is durable.
    recorded = {line["seq"] for line in verdicts(daemon, "forwarded", 40)}
    equal("40 are delivered and 10 hang", (len(recorded), len(upstream.wait(50))), (40, 50))
    before = len(upstream.requests)
    daemon.kill()
    hold.set()
    upstream.release()
    daemon = Daemon(config, folder=daemon.folder)
    verdicts(daemon, "forwarded", 10)
    deliver(daemon, 50)
    verdicts(daemon, "forwarded", 11)
    equal("after a kill -9 only what had no recorded success is sent again, and what is new",
          sorted(upstream.seqs()[before:]), [*range(5, 51, 5), 51])
    upstream.close()


def test_unrecorded():
    """The store rejects outcomes for a while; a trigger simulates the failure."""
    upstream = Upstream()

    def answer(request, sock):
        upstream.hang()
        return response()

    def change(sql):
        with contextlib.closing(sqlite3.connect(daemon.store, timeout=sink.PATIENCE)) as db:
            db.execute(sql)

    upstream.answer = answer
    config = {"sources": [source("foil")], "destinations": [destination(upstream, concurrency=2)]}
    daemon = Daemon(config, real_time=True)
    for number in range(5):
        deliver(daemon, number)
    upstream.wait(2)
    change("CREATE TRIGGER refuse_all BEFORE INSERT ON attempt"
           " BEGIN SELECT RAISE(ABORT, 'nothing is taken'); END")
    upstream.release()
    wait_for(lambda: "cannot store" in daemon.messages(), "the complaint")
    upstream.wait(5)
    equal("an outcome that cannot be recorded is not told",
          daemon.lines(verdict="forwarded") + daemon.lines(verdict="retried"), [])
    change("DROP TRIGGER refuse_all")
    verdicts(daemon, "forwarded", 5)
    equal("it is recorded as soon as it can be, and nothing is sent again",
          sorted(upstream.seqs()), [1, 2, 3, 4, 5])
    daemon.stop()
    equal("nothing is left", query(daemon, "SELECT (SELECT count(*) FROM unsent), cursor, "
                                           "(SELECT count(*) FROM attempt) FROM destination"),
          [(0, 5, 5)])
    daemon = Daemon(config, folder=daemon.folder)
    deliver(daemon, 5)
    upstream.wait(6)
    equal("a restart sends nothing again but what is new", upstream.seqs()[5:], [6])
    upstream.close()


def test_stopped_under_way():
    upstream = Upstream()
    upstream.answer = upstream.hang
    config = {"sources": [source("foil")], "limits": {"shutdown_seconds": 1},
              "destinations": [destination(upstream)]}
    daemon = Daemon(config)
    deliver(daemon, 1)
    upstream.wait(1)
    equal("a stop does not wait for an upstream that hangs", daemon.stop(), 0)
    line = daemon.lines(verdict="retried")
    check("what was under way is recorded, and not counted as a try",
          len(line) == 1 and line[0]["tries"] == 0, line)
    upstream.answer = lambda r, s: response()
    daemon = Daemon(config, folder=daemon.folder)
    verdicts(daemon, "forwarded", 1)
    equal("and tried at the next start", len(upstream.requests), 2)
    upstream.close()


def test_later_destination():
    one, two = Upstream(), Upstream()
    config = {"sources": [source("foil")], "destinations": [destination(one, "one")]}
    daemon = Daemon(config)
    for number in range(3):
        deliver(daemon, number)
    verdicts(daemon, "forwarded", 3)
    daemon.stop()
    config["destinations"].append(destination(two, "two"))
    daemon = Daemon(config, folder=daemon.folder)
    deliver(daemon, 3)
    verdicts(daemon, "forwarded", 2)
    equal("a destination that is added begins with what is new", two.seqs(), [4])
    equal("the others go on", sorted(one.seqs()), [1, 2, 3, 4])
    for upstream in (one, two):
        upstream.close()


# ---- time

def test_clocks():
    day = 86400
    for sentence, jump in (("ahead", day), ("back", -day)):
        now = int(time.time())
        clock = Clock(now)
        upstream = Upstream(lambda r, s: response(500))
        config = {"sources": [source("foil")],
                  "destinations": [destination(upstream, retry_seconds=[3600, 0, 0])]}
        daemon = Daemon(config, env=clock.environment())
        body = sample_body("foil", now=now)
        daemon.send("/foil", sign("foil", body, now=now), body)
        line = verdicts(daemon, "retried", 1)[0]
        due = query(daemon, "SELECT due_us FROM unsent")
        clock.set(now + jump)
        upstream.answer = lambda r, s: response()
        body = sample_body("foil", id="evt_2", now=now + jump)
        answer = daemon.send("/foil", sign("foil", body, now=now + jump), body)
        equal(f"a day {sentence}: deliveries are taken", answer.status, 200)
        verdicts(daemon, "forwarded", 1)
        equal(f"a day {sentence}: what is due in an hour stays so",
              (upstream.seqs(), query(daemon, "SELECT due_us FROM unsent"), line["seq"]),
              ([1, 2], due, 1))
        daemon.stop()
        daemon = Daemon(config, env=clock.environment(), folder=daemon.folder)
        if jump > 0:
            verdicts(daemon, "forwarded", 1)
            equal("a day ahead and a restart: it is long due", upstream.seqs(), [1, 2, 1])
        else:
            new = query(daemon, "SELECT due_us FROM unsent")[0][0]
            check("a day back and a restart: it does not wait for a day more",
                  new <= (now + jump + 3600 + 60) * 1000000, new, due, now)
        daemon.stop()
        upstream.close()


# ---- configuration

def test_command_line():
    upstream = Upstream()
    folder = Folders.new()
    secret = sink.write_file(f"{folder}/secret", SECRETS["foil"])
    daemon = Daemon(arguments=["--listen", "127.0.0.1:0", "--source", f"foil=foil:@{secret}",
                               "--store", f"{folder}/store", "--forward", upstream.url])
    deliver(daemon, 1)
    upstream.wait(1)
    equal("--forward: each delivery is sent there",
          verdicts(daemon, "forwarded", 1)[0]["destination"], "forward")
    upstream.close()


def test_proxies():
    proxy, upstream = Upstream(), Upstream()
    address = f"http://127.0.0.1:{proxy.port}"
    daemon = Daemon(sources=[source("foil")], destinations=[destination(upstream)],
                    env={"http_proxy": address, "HTTP_PROXY": address, "ALL_PROXY": address,
                         "all_proxy": address, "no_proxy": ""})
    deliver(daemon, 1)
    upstream.wait(1)
    equal("proxies of the environment are not used", len(proxy.requests), 0)
    for server in (proxy, upstream):
        server.close()
