# SPDX-License-Identifier: MIT
"""Guards: addresses that a source does not allow, addresses with too many refusals, and genuine
requests above the rate."""
import json
import signal
import socket
import threading
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path, value
from harness.sink import (Connection, Daemon, Stopwatch, check, equal, request, sample_body, sign,
                          source, wait_for)

pytestmark = [pytest.mark.running, pytest.mark.threads]


class From(Connection):
    """Connection from another local address."""
    def __init__(self, daemon, host):
        self.sock = socket.create_connection(daemon.address, sink.PATIENCE, (host, 0))
        self.input = self.sock.makefile("rb")

    def ask(self, data):
        self.write(data)
        return self.read()


def good(id="evt_1"):
    body = sample_body("foil", id=id)
    return request("/foil", sign("foil", body), body)


def forged():
    return request("/foil", [("X-Foil-Timestamp", str(int(time.time()))),
                             ("X-Foil-Signature", "0" * 64)], sample_body("foil"))


def ask(daemon, data, host="127.0.0.1"):
    with From(daemon, host) as connection:
        return connection.ask(data)


def ask_at_once(daemon, requests, host="127.0.0.1"):
    with From(daemon, host) as connection:
        connection.write(b"".join(requests))
        return [connection.read() for _ in requests]


def start(**more):
    address = socket_path()
    more.setdefault("sources", [source("foil")])
    daemon = Daemon(admin={"address": "unix:" + address}, **more)
    return daemon, Admin(address)


def refusals(admin, reason, name="foil"):
    metrics = admin.metrics()
    try:
        return value(metrics, "hookline_refusals_total", source=name, reason=reason)
    except (AssertionError, KeyError, StopIteration, IndexError):
        return 0


# ---- allow

def test_allowed_addresses():
    daemon, admin = start(sources=[
        source("foil", allow=["127.0.0.2", "127.0.1.0/24", "2001:db8::/32", "::1"]),
        source("open", scheme="foil")])
    for host, status in (("127.0.0.2", 200), ("127.0.1.0", 200), ("127.0.1.255", 200),
                         ("127.0.0.1", 403), ("127.0.0.3", 403), ("127.0.2.0", 403)):
        answer = ask(daemon, good(), host)
        equal(f"allow: {host} gets {status}", (answer.status, answer.code),
              (status, "address_not_allowed" if status == 403 else None))
    answer = ask(daemon, forged(), "127.0.0.3")
    equal("allow: what is forged, too, is refused for its address", answer.code,
          "address_not_allowed")
    equal("allow: but not by a source that has none",
          ask(daemon, good().replace(b"/foil", b"/open", 1), "127.0.0.3").status, 200)
    lines = daemon.lines(reason="address_not_allowed", status=403, verdict="refused")
    equal("allow: each has a line, with its address",
          [line["remote"].split(":")[0] for line in lines],
          ["127.0.0.1", "127.0.0.3", "127.0.2.0", "127.0.0.3"])
    equal("allow: and nothing in it that it has sent", {line["id"] for line in lines}, {None})
    equal("allow: they are counted by reason", refusals(admin, "address_not_allowed"), 4)


def test_allowed_addresses_of_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError as e:
        sink.skip("allow: a lone address of IPv6", e)
        return
    for allow, status in (("::1", 200), ("::1/128", 200), ("::/64", 200), ("::2", 403),
                          ("2001:db8::/32", 403), ("127.0.0.0/8", 403), ("0.0.0.0/0", 403)):
        daemon = Daemon(sources=[source("foil", allow=[allow])], listen=[{"address": "[::1]:0"}])
        with daemon.connect() as connection:
            connection.write(good())
            equal(f"allow: {allow}: ::1 gets {status}", connection.read().status, status)
        daemon.stop()


# ---- rate

def test_rates():
    clock = Stopwatch()
    daemon, admin = start(sources=[source("foil", rate={"per_second": 1, "burst": 3}),
                                   source("open", scheme="foil")], threads=2,
                          env=clock.environment())
    for _ in range(10):
        equal("rate: what is forged does not use it up", ask(daemon, forged()).status, 401)
    answers = ask_at_once(daemon, [good(f"evt_{i}") for i in range(6)])
    equal("rate: a burst is taken, and then no more", [a.status for a in answers],
          [200] * 3 + [429] * 3)
    limited = answers[3]
    check("rate: that is told with the seconds to wait",
          limited.status == 429 and limited.code == "rate_limited" and
          limited.header("Retry-After") == "1", limited)
    equal("rate: another source is not concerned",
          ask(daemon, good().replace(b"/foil", b"/open", 1)).status, 200)
    equal("rate: nor is what is wrong with a request", ask(daemon, forged()).status, 401)
    clock.set(clock.seconds + 1)
    equal("rate: after so many seconds one is taken",
          [answer.status for answer in ask_at_once(daemon, [good("evt_3")] * 2)], [200, 429])
    line = daemon.lines(reason="rate_limited")[0]
    check("rate: the line of what was not taken says which it was",
          line["verdict"] == "refused" and line["status"] == 429 and line["id"] == "evt_3" and
          "seq" not in line, line)
    equal("rate: it is counted by reason", refusals(admin, "rate_limited"),
          len(daemon.lines(reason="rate_limited")))
    equal("rate: nothing was stored but what was taken, and that was",
          [line["id"] for line in daemon.lines(source="foil", verdict="stored")],
          ["evt_0", "evt_1", "evt_2", "evt_3"])


def test_rates_of_many_at_once():
    """All event loops share one rate."""
    sink.Watch.signatures = False
    daemon = Daemon(sources=[source("foil", rate={"per_second": 20, "burst": 10})], threads=4)
    until = time.monotonic() + 2
    taken = [0] * 6

    def deliver(n):
        with daemon.connect() as connection:
            i = 0
            while time.monotonic() < until or i < 10:  # exceeds the burst even if it starts late
                connection.write(good(f"evt_{n}_{i}"))
                taken[n] += connection.read().status == 200
                i += 1

    began = time.monotonic()
    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(len(taken))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    check("rate: of more than that, the burst and so many a second are taken, by all threads "
          "together", 10 <= sum(taken) <= 10 + 20 * seconds + 1, taken, seconds)
    equal("rate: and each that was is stored", len(daemon.lines(verdict="stored")), sum(taken))
    sink.Watch.signatures = True


# ---- refused_per_minute

def in_one_minute(daemon, times, host):
    """Sends forged requests on one connection, all within the same minute."""
    with From(daemon, host) as connection:
        return [connection.ask(forged()).status for _ in range(times)]


def test_refused_addresses():
    daemon, admin = start(limits={"refused_per_minute": 5}, threads=2,
                          sources=[source("foil"), source("open", scheme="foil")],
                          env=Stopwatch().environment())
    equal("refusals: so many are answered as ever", in_one_minute(daemon, 5, "127.0.0.2"),
          [401] * 5)
    for name, data in (("a forgery", forged()), ("what is genuine", good()),
                       ("what is too large", request("/foil", body=b"x" * (1 << 20))),
                       ("another method", request("/foil", method="GET"))):
        answer = ask(daemon, data, "127.0.0.2")
        check(f"refusals: then {name} from this address is not heard, on any connection",
              answer.status == 429 and answer.code == "too_many_refusals" and
              answer.header("Retry-After") == "60", answer)
    equal("refusals: nor is what comes behind it on its connection",
          [answer.status for answer in ask_at_once(daemon, [forged(), good(), good()], "127.0.0.2")],
          [429] * 3)
    with From(daemon, "127.0.0.2") as connection:
        answer = connection.ask(good().replace(b"HTTP/1.1", b"HTTP/1.0"))
        check("refusals: who speaks HTTP/1.0 is told so, too, and closed",
              answer.code == "too_many_refusals" and connection.ended(), answer)
    equal("refusals: another address is heard", ask(daemon, good(), "127.0.0.3").status, 200)
    equal("refusals: this one is, where it was not refused",
          [ask(daemon, data, "127.0.0.2").status for data in
           (good().replace(b"/foil", b"/open", 1), request("/nothing"))], [200, 404])
    equal("refusals: unknown paths have a number between them",
          [answer.status for answer in ask_at_once(daemon, [
              request(f"/nothing/{n}") for n in range(6)], "127.0.0.2")], [404] * 4 + [429] * 2)
    equal("refusals: each has a line", len(daemon.lines(reason="too_many_refusals", status=429)), 10)
    equal("refusals: and is counted by reason, of its source or of none",
          (refusals(admin, "too_many_refusals"), refusals(admin, "too_many_refusals", "")), (8, 2))
    body = sample_body("foil")
    twice = request("/foil", [*sign("foil", body), ("Content-Length", "3")], body)
    answer = ask(daemon, twice, "127.0.0.2")
    check("refusals: what could be two requests ends the connection still",
          answer.code == "bad_request" and answer.header("Connection") == "close", answer)


def test_what_counts():
    daemon = Daemon(sources=[source("foil", rate={"per_second": 1, "burst": 1}),
                             source("closed", scheme="foil", allow=["192.0.2.1"])],
                    limits={"refused_per_minute": 4, "body_bytes": 1000},
                    env=Stopwatch().environment())
    late = sample_body("foil", id="evt_late")
    late = request("/foil", sign("foil", late, now=int(time.time()) - 1000), late)
    statuses = [answer.status for answer in ask_at_once(daemon, [good()] * 6, "127.0.0.2")]
    for _ in range(5):
        equal("refusals: a right signature does not count, however late",
              ask(daemon, late, "127.0.0.2").code, "timestamp_too_old")
    equal("refusals: nor does what is beyond the rate",
          (statuses, ask(daemon, forged(), "127.0.0.2").status), ([200] + [429] * 5, 401))
    cases = [("method", request("/foil", method="GET"), 405),
             ("large body", request("/foil", body=b"x" * 1001), 413),
             ("much larger one", request("/foil", body=b"x" * 5000), 413),
             ("missing signature", request("/foil", body=b"{}"), 401)]
    for name, data, status in cases:
        equal(f"refusals: the {name} counts: heard", ask(daemon, data, "127.0.0.3").status, status)
    equal("refusals: and all together are too many", ask(daemon, good(), "127.0.0.3").status, 429)
    equal("refusals: an address that is not allowed counts, too",
          [answer.status for answer in ask_at_once(daemon, [request("/closed", body=b"x")] * 6,
                                                   "127.0.0.3")], [403] * 4 + [429] * 2)


def test_the_minute_ends():
    clock = Stopwatch()
    daemon = Daemon(sources=[source("foil")], limits={"refused_per_minute": 2},
                    env=clock.environment())
    ask(daemon, forged())
    clock.set(clock.seconds + 20)
    ask(daemon, forged())
    left = []
    for seconds in (0, 1, 38):
        clock.set(clock.seconds + seconds)
        left.append(ask(daemon, good()).header("Retry-After"))
    equal("refusals: Retry-After counts down to the end of the first one's minute, whatever comes "
          "meanwhile", left, ["40", "39", "1"])
    clock.set(clock.seconds + 1)
    equal("refusals: and then one is heard", ask(daemon, good()).status, 200)


def test_many_loops_count_together():
    daemon = Daemon(sources=[source("foil")], limits={"refused_per_minute": 100}, threads=4,
                    env=Stopwatch().environment())
    heard = [0] * 8

    def forge(n):
        with From(daemon, "127.0.0.9") as connection:
            for _ in range(40):
                heard[n] += connection.ask(forged()).status == 401

    threads = [threading.Thread(target=forge, args=(n,)) for n in range(len(heard))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("refusals: however many connections and threads, no less than so many are heard, and no "
          "more but for those under way", 100 <= sum(heard) <= 100 + len(heard), heard)


def test_without_a_limit():
    daemon = Daemon(sources=[source("foil")])
    equal("refusals: without a limit there is none", set(in_one_minute(daemon, 300, "127.0.0.1")),
          {401})
    equal("refusals: nobody is locked out", ask(daemon, good()).status, 200)


# ---- connections

def ended(admin, reason):
    return value(admin.metrics(), "hookline_connections_ended_total", reason=reason)


def test_connections_of_an_address():
    daemon, admin = start(limits={"connections_per_address": 3}, threads=2)
    held = [From(daemon, "127.0.0.2") for _ in range(3)]
    for connection in held:
        equal("connections: so many of an address are served", connection.ask(good()).status, 200)
    with From(daemon, "127.0.0.2") as fourth:
        answer = fourth.ask(good())
        check("connections: one more is told so, and when to come back",
              answer.status == 429 and answer.code == "too_many_from_address" and
              int(answer.header("Retry-After")) > 0 and answer.header("Connection") == "close",
              answer)
        check("connections: and closed", fourth.ended())
    equal("connections: it has a line", len(daemon.lines(reason="too_many_from_address")), 1)
    equal("connections: another address is served", ask(daemon, good(), "127.0.0.3").status, 200)
    equal("connections: those that were there are served still", held[0].ask(good()).status, 200)
    crowd = [From(daemon, "127.0.0.2") for _ in range(50)]
    wait_for(lambda: ended(admin, "too_many_from_address") >= 40, "the crowd to be cut")
    check("connections: a crowd is cut without a word, but for a few who will be told", True)
    equal("connections: the crowd of one address keeps nobody else out",
          ask(daemon, good(), "127.0.0.3").status, 200)
    for connection in crowd:
        connection.close()
    held.pop().close()

    def served():
        try:
            return ask(daemon, good(), "127.0.0.2").status == 200
        except (AttributeError, OSError):  # far above the limit the daemon closes without an answer
            return False
    check("connections: when one has closed, another one is served", wait_for(served, "a place"))
    for connection in held:
        connection.close()
    for _ in range(3):
        wait_for(served, "a place")
    check("connections: and nobody is counted who has left",
          wait_for(lambda: value(admin.metrics(), "hookline_connections") == 0, "all to leave"))


def test_slow_ones_are_counted():
    clock = Stopwatch()
    daemon, admin = start(limits={"header_seconds": 5, "body_seconds": 5, "idle_seconds": 5},
                          env=clock.environment())
    cases = (("slow_head", good()[:20]), ("slow_body", good()[:-3]), ("idle", b""))
    with daemon.connect() as one, daemon.connect() as two, daemon.connect() as three:
        for connection, (_, data) in zip((one, two, three), cases):
            connection.write(data)
        for seconds in (1, 6):  # the loop sees each state, then its deadline passes
            clock.step(seconds, lambda: daemon.deliver("foil"))
        for connection in (one, two, three):
            connection.input.read()
    for reason, _ in cases:
        equal(f"deadlines: what ended for its {reason} is counted once", ended(admin, reason), 1)
    wait_for(lambda: value(admin.metrics(), "hookline_connections") == 0, "all to leave")


@pytest.mark.flood
def test_who_never_reads_is_counted():
    daemon, admin = start(real_time=True, limits={"body_seconds": 1, "connections": 4})
    flood = request("/nothing", method="GET") * 200
    with daemon.connect() as connection:
        try:
            while True:
                connection.write(flood)
        except OSError:
            pass
        wait_for(lambda: ended(admin, "slow_reader") == 1, "the end of who never reads")
    check("deadlines: who never reads is counted", True)
    wait_for(lambda: value(admin.metrics(), "hookline_connections") == 0, "all to leave")
    held = [daemon.connect() for _ in range(4)]
    for connection in held:
        connection.write(good())
        connection.read()
    equal("connections: one more is served", daemon.send("/foil").code, "missing_header")
    equal("connections: and the one that made room is counted", ended(admin, "made_room"), 1)


def test_heads_that_cannot_be_read():
    daemon, admin = start(limits={"body_bytes": 1000})
    plain, body = request("/foil", method="GET"), sample_body("foil")
    many = request("/foil", [(f"X-{n}", "x") for n in range(101)])
    cases = (("no HTTP", b"hello\r\n\r\n"), ("a version that there is not", b"GET / HTTP/9.9\r\n\r\n"),
             ("more than 100 headers", many), ("a hello of TLS", b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3"),
             ("a head of 500 KiB", request("/foil", [("X-Fill", "x" * (500 << 10))])))
    for number, (what, data) in enumerate(cases, 1):
        with daemon.connect() as connection:
            try:
                connection.write(data)
            except OSError:
                pass
            wait_for(lambda number=number: ended(admin, "bad_head") == number, "it to be counted")
        check(f"heads: {what} is counted", True)
    with daemon.connect() as connection:
        for data in (good(), forged(), plain):
            connection.write(data)
            connection.read()
        connection.write(cases[0][1])
        check("heads: also behind requests that could be read", connection.read().status == 400 and
              wait_for(lambda: ended(admin, "bad_head") == len(cases) + 1, "it to be counted"))
    expects = request("/foil", [*sign("foil", body), ("Expect", "100-continue")], body)
    for data in (b"", good(), good() * 3, good()[:30], good()[:-3], expects[:-len(body)], expects,
                 request("/foil", body=b"x" * 2000), request("/foil", body=b"x" * 2000, chunk=50),
                 request("/foil", [("Expect", "more")]), plain * 50,
                 good().replace(b"HTTP/1.1", b"HTTP/1.0")):
        for reads in (True, False):
            with daemon.connect() as connection:
                connection.write(data)
                if reads:  # the answer, or the daemon's timeout
                    connection.sock.shutdown(socket.SHUT_WR)
                    connection.input.read()
    wait_for(lambda: value(admin.metrics(), "hookline_connections") == 0, "all to leave")
    equal("heads: nothing else is", ended(admin, "bad_head"), len(cases) + 1)


def test_each_reason_is_counted():
    daemon, admin = start(limits={"body_bytes": 1000, "head_bytes": 2000}, sources=[
        source("foil"), source("shodai"), source("closed", scheme="foil", allow=["192.0.2.1"]),
        source("slow", scheme="foil", rate={"per_second": 1, "burst": 1})],
        env=Stopwatch().environment())
    body = sample_body("foil")

    def signed(path, headers=None, body=body, **more):
        return request(path, sign("foil", body) if headers is None else headers, body, **more)
    late = sign("foil", body, now=int(time.time()) - 1000)
    early = sign("foil", body, now=int(time.time()) + 1000)
    right = sign("foil", body)
    cases = (
        ("address_not_allowed", "closed", signed("/closed")), ("rate_limited", "slow", signed("/slow")),
        ("body_too_large", "foil", signed("/foil", body=b"x" * 1001)),
        ("body_too_large", "foil", signed("/foil", body=b"x" * 5000)),
        ("body_too_large", "foil", signed("/foil", body=b"x" * 5000, chunk=100)),
        ("head_too_large", "foil", signed("/foil", [("X-Fill", "x" * 2000)])),
        ("head_too_large", "", signed("/nothing?" + "x" * 2000)),
        ("not_found", "", signed("/nothing")), ("method_not_allowed", "foil", signed("/foil", method="PUT")),
        ("bad_request", "foil", signed("/foil", [*right, ("Content-Length", "3")])),
        ("expectation_failed", "foil", signed("/foil", [("Expect", "more")])),
        ("missing_header", "foil", signed("/foil", [])), ("signature_mismatch", "foil", forged()),
        ("timestamp_too_old", "foil", signed("/foil", late)),
        ("timestamp_too_new", "foil", signed("/foil", early)),
        ("ambiguous_header", "foil", signed("/foil", right + right)),
        ("invalid_signature_format", "foil", signed("/foil", [right[0], (right[1][0], "?")])),
        ("invalid_timestamp", "foil", signed("/foil", [(right[0][0], "?"), right[1]])),
        ("invalid_payload", "shodai", signed("/shodai", sign("shodai", b"[]"), b"[]")))
    ask(daemon, signed("/slow"))
    for reason, name, data in cases:
        before = refusals(admin, reason, name)
        answer = ask(daemon, data)
        equal(f"{reason}: status, line and metric say so",
              (answer.code, refusals(admin, reason, name) - before,
               daemon.lines()[-1]["reason"], daemon.lines()[-1]["status"]),
              (reason, 1, reason, answer.status))
        line = daemon.lines()[-1]
        equal(f"{reason}: the line says who it was, and the answer which line it is",
              (line["remote"].split(":")[0], line["receipt"]), ("127.0.0.1", answer.receipt))


def test_reloads():
    config = {"sources": [source("foil")], "listen": [{"address": "127.0.0.1:0"}], "threads": 2}
    daemon = Daemon({**config, "limits": {"refused_per_minute": 100}},
                    env=Stopwatch().environment())
    said = "configuration read again"

    def tell(**change):
        times = daemon.messages().count(said)
        change["limits"] = {**sink.UNHURRIED, **change.get("limits", {})}
        sink.write_file(f"{daemon.folder}/hooklined.yaml", json.dumps({**config, **change}))
        daemon.tell(signal.SIGHUP)
        wait_for(lambda: daemon.messages().count(said) > times, "the reload")

    in_one_minute(daemon, 3, "127.0.0.2")
    tell(limits={"refused_per_minute": 2})
    equal("reload: refused_per_minute is in force at once, for what was before, too",
          (ask(daemon, good(), "127.0.0.2").status, ask(daemon, good(), "127.0.0.3").status),
          (429, 200))
    tell(limits={"refused_per_minute": 50})
    equal("reload: with a larger one who was refused is heard",
          ask(daemon, good(), "127.0.0.2").status, 200)
    tell(limits={"head_bytes": 50})
    equal("reload: head_bytes", ask(daemon, good()).code, "head_too_large")
    tell()
    with From(daemon, "127.0.0.5") as one:
        one.ask(good())
        tell(limits={"connections_per_address": 1})
        equal("reload: connections_per_address, for those that are open, too",
              (ask(daemon, good(), "127.0.0.5").code, one.ask(good()).status),
              ("too_many_from_address", 200))
    tell(sources=[{**config["sources"][0], "allow": ["127.0.0.4"]}])
    equal("reload: allow", (ask(daemon, good()).status, ask(daemon, good(), "127.0.0.4").status),
          (403, 200))
    tell(sources=[{**config["sources"][0], "rate": {"per_second": 1, "burst": 2}}])
    equal("reload: rate", [answer.status for answer in ask_at_once(daemon, [good()] * 3)],
          [200, 200, 429])
    tell()
    equal("reload: and without them all is heard", ask(daemon, good(), "127.0.0.2").status, 200)
    check("reload: nothing of it needs a restart", "restart" not in daemon.messages(),
          daemon.messages())
