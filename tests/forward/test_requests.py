# SPDX-License-Identifier: MIT
"""Requests to a destination: headers, query, credentials, connection and pace."""
import base64
import contextlib
import json
import sqlite3
import ssl

import pytest

from harness import sink
from harness.admin import Admin, socket_path
from harness.certificates import Authority
from harness.ports import free_port
from harness.sink import Daemon, Folders, check, equal, sign, source, wait_for
from harness.upstream import Upstream, header, response

pytestmark = [pytest.mark.running, pytest.mark.threads, pytest.mark.seconds(300)]

WORD = "a-word-that-nobody-may-see"
sink.Watch.words |= {WORD.encode(), base64.b64encode(f"hook:{WORD}".encode())}


def destination(upstream, name="app", **more):
    return {"name": name, "url": upstream if isinstance(upstream, str) else upstream.url,
            "timeout_seconds": sink.LONG, **more}


def secret_file():
    return sink.write_file(f"{Folders.new()}/secret", WORD + "\n")


def deliver(daemon, number):
    body = json.dumps({"id": f"evt_{number}", "type": "webhook.test"}).encode()
    equal("the delivery is stored", daemon.send("/foil", sign("foil", body), body).status, 200)


def lines(daemon, verdict, count, **wanted):
    return wait_for(lambda: len(found := daemon.lines(verdict=verdict, **wanted)) >= count and found,
                    f"{count} lines {verdict}: {daemon.raw_log().decode()[-2000:]}")


def change(daemon, sql):
    with contextlib.closing(sqlite3.connect(daemon.store, timeout=sink.PATIENCE)) as db:
        db.execute(sql)
        db.commit()


# ---- headers and query

def test_what_the_sender_said():
    ports = [free_port(), free_port()]
    urls = [f"http://127.0.0.1:{ports[0]}/hooks?x=1", f"http://127.0.0.1:{ports[1]}/hooks"]
    config = {"sources": [source("foil")], "destinations": [
        destination(urls[0], "all", retry_seconds=[0] * 30),
        destination(urls[1], "few", retry_seconds=[0] * 30, headers=["X-GitHub-*"], query=False,
                    add_headers=[{"name": "X-Tenant", "value": "42"},
                                 {"name": "x-github-event", "value": "ours"},
                                 {"name": "X-Api-Key", "file": secret_file()}],
                    basic={"user": "hook", "password": {"env": "APP_PASSWORD"}})]}
    env = {"APP_PASSWORD": WORD}
    daemon = Daemon(config, env=env)
    deliver(daemon, 1)
    lines(daemon, "retried", 2)
    daemon.stop()
    said = ["user-agent: GitHub-Hookshot/1", "x-github-event: push", "x-github-delivery: 72d3",
            "content-encoding: gzip", "accept: text/plain", "cookie: a=b", "x-app-token: theirs",
            "hookline_seq: 9"]
    change(daemon, "UPDATE delivery SET query = 'tenant=42&q=a b#c', sum = NULL, "
                   f"headers = '{chr(10).join(said)}\n'")
    everything, few = (Upstream(port=port) for port in ports)
    daemon = Daemon(config, env=env, folder=daemon.folder)
    sent = everything.wait(1)[0]
    equal("the query is appended to the URL's", sent.path, "/hooks?x=1&tenant=42&q=a%20b%23c")
    equal("the sender's headers arrive, secrets and our own names do not",
          [header(sent, line.split(":")[0]) for line in said],
          ["GitHub-Hookshot/1", "push", "72d3", "gzip", "text/plain", "", "", ""])
    equal("the seq is ours", header(sent, "Hookline-Seq"), "1")
    sent = few.wait(1)[0]
    equal("query: false: the URL is as it is configured", sent.path, "/hooks")
    equal("headers: only those listed arrive, and the coding of the body",
          [header(sent, name) for name in ("x-github-delivery", "content-encoding")], ["72d3", "gzip"])
    check("headers: the User-Agent is ours then",
          header(sent, "User-Agent").startswith("hooklined/"), sent.headers)
    equal("add_headers: they arrive once, in place of the sender's",
          [header(sent, name) for name in ("X-Tenant", "X-GitHub-Event", "X-Api-Key")],
          ["42", "ours", WORD])
    equal("basic: user and password arrive", header(sent, "Authorization"),
          "Basic " + base64.b64encode(f"hook:{WORD}".encode()).decode())
    lines(daemon, "forwarded", 2)
    daemon.stop()
    everything.close()
    few.close()


# ---- connections

def test_credentials():
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue())
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    names = []
    tls = Upstream(tls=context)

    def answer(request, sock):
        names.append(dict(one[0] for one in sock.getpeercert()["subject"])["commonName"])
        return response()

    tls.answer = answer
    path = f"{Folders.new()}/app.sock"
    local = Upstream(path=path)
    certificate, key = authority.issue("hookline client")
    daemon = Daemon(sources=[source("foil")], destinations=[
        destination(tls, "tls", ca_file=authority.file, certificate=certificate, key=key,
                    bearer={"file": secret_file()}),
        destination("http://app.example:81/a?b", "local", socket=path)])
    deliver(daemon, 1)
    equal("bearer: the token arrives", header(tls.wait(1)[0], "Authorization"), "Bearer " + WORD)
    equal("certificate: the server knows the client", names, ["hookline client"])
    sent = local.wait(1)[0]
    equal("socket: the URL gives host and path", (header(sent, "Host"), sent.path),
          ("app.example:81", "/a?b"))
    lines(daemon, "forwarded", 2)
    daemon.stop()
    tls.close()
    local.close()


def test_connections_age():
    peers = []
    upstream = Upstream(lambda r, sock: peers.append(sock.getpeername()) or response())
    daemon = Daemon(sources=[source("foil")], destinations=[destination(upstream, concurrency=1)])
    for number in (1, 2):
        deliver(daemon, number)
        lines(daemon, "forwarded", number)
    equal("a connection is used again", len(set(peers)), 1)
    daemon.clock.step(31, lambda: deliver(daemon, 2))
    deliver(daemon, 3)
    lines(daemon, "forwarded", 3)
    equal("a connection of 31 seconds is not, so that a changed address is followed",
          len(set(peers)), 2)
    daemon.stop()
    upstream.close()


# ---- pace

def test_rate():
    upstream = Upstream()
    daemon = Daemon(sources=[source("foil")],
                    destinations=[destination(upstream, rate={"per_second": 1, "burst": 3})])
    for number in range(1, 6):
        deliver(daemon, number)
    lines(daemon, "forwarded", 3)
    deliver(daemon, 6)
    equal("rate: a burst is sent at once, and no more", sorted(upstream.seqs()), [1, 2, 3])
    daemon.clock.step(1, lambda: deliver(daemon, 7))
    lines(daemon, "forwarded", 4)
    equal("rate: then one a second", sorted(upstream.seqs()), [1, 2, 3, 4])
    daemon.clock.step(5, lambda: deliver(daemon, 8))
    lines(daemon, "forwarded", 7)
    equal("rate: who was quiet has saved a burst", sorted(upstream.seqs()), list(range(1, 8)))
    daemon.stop()
    upstream.close()


def test_refusals():
    answers = iter([(429, b"", [("Retry-After", "1")]), (503, b"", [("Retry-After", "1")])])
    upstream = Upstream(lambda r, s: response(*next(answers, (200,))))
    address = socket_path()
    config = {"sources": [source("foil")], "admin": {"address": "unix:" + address},
              "destinations": [destination(upstream, concurrency=1, retry_seconds=[86400])]}
    daemon = Daemon(config)
    deliver(daemon, 1)
    line = lines(daemon, "retried", 1)[0]
    equal("429: the line says that the destination is paused",
          [line[k] for k in ("paused", "status", "tries")], [True, 429, 1])
    deliver(daemon, 2)
    equal("nothing else is sent meanwhile", upstream.seqs(), [1])
    with sink.open_store(daemon.store) as db:
        equal("no step of retry_seconds is used up",
              db.execute("SELECT seq, tries FROM unsent").fetchall(), [(1, 0)])
    admin = Admin(address)
    metrics = admin.metrics()
    equal("the metrics say so",
          [metrics[name].samples[0][-1] for name in
           ("hookline_attempts_refused_total", "hookline_destination_resting")], [1, 1])
    daemon.clock.step(400, lambda: deliver(daemon, 3))
    lines(daemon, "retried", 2)
    equal("503 with Retry-After is a refusal, too", daemon.lines(verdict="retried")[1]["paused"], True)
    daemon.clock.step(400, lambda: deliver(daemon, 4))
    found = lines(daemon, "forwarded", 4)
    equal("afterwards everything arrives, as a first try",
          sorted((one["seq"], one["tries"]) for one in found), [(n, 1) for n in range(1, 5)])
    daemon.stop()
    upstream.close()


def test_refused_for_ever():
    upstream = Upstream(lambda r, s: response(429))
    config = {"sources": [source("foil")],
              "destinations": [destination(upstream, retry_seconds=[0])]}
    daemon = Daemon(config)
    deliver(daemon, 1)
    lines(daemon, "retried", 1)
    daemon.stop()
    # 49 more refusals of the first try, and 50 of the second.
    change(daemon, "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 99)"
                   " INSERT INTO attempt SELECT 1, destination, i, 1 + (i > 49), 1, 429, NULL"
                   " FROM attempt, n")
    daemon = Daemon(config, folder=daemon.folder, real_time=True)
    line = lines(daemon, "parked", 1)[0]
    equal("from the 51st refusal in a row on each one uses up a try, and at last it is parked",
          ([one["tries"] for one in daemon.lines(destination="app")][-2:], line["tries"]),
          ([1, 2], 2))
    equal("nothing else was sent", len(upstream.requests), 3)
    daemon.stop()
    upstream.close()
