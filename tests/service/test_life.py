# SPDX-License-Identifier: MIT
"""Life of the daemon: shutdown, log rotation and failures, load."""
import base64
import json
import os
import signal
import socket
import threading

import pytest

from harness import sink
from harness.sink import (Daemon, Folders, Stopwatch, check, equal, request, sample_body, sign,
                          skip, source, wait_for)

pytestmark = [pytest.mark.running, pytest.mark.threads]


def signed(body, **how):
    return request("/foil", sign("foil", body), body, **how)


def delivery(number, fill=""):
    return json.dumps({"id": f"evt_{number}", "type": "webhook.test", "fill": fill}).encode()


def is_deaf(daemon):
    """True if the daemon refuses connections."""
    try:
        daemon.connect().close()
    except OSError:
        return True
    return False


def test_stopping():
    for number in (signal.SIGTERM, signal.SIGINT):
        name = signal.Signals(number).name
        daemon = Daemon(real_time=True, sources=[source("foil")], threads=2, limits={"shutdown_seconds": sink.LONG})
        idle = [daemon.connect() for _ in range(5)]
        idle[0].write(signed(delivery(0)))
        equal(f"{name}: a connection is there and had its answer", idle[0].read().status, 200)
        data, chunked = signed(delivery(1)), signed(delivery(2), chunk=10)
        halves = [(data, len(data) - 5), (data, 30), (chunked, len(chunked) - 20)]
        busy = [daemon.connect() for _ in halves]
        for connection, (whole, sent) in zip(busy, halves):
            connection.write(whole[:sent])
        # The answer to this request proves that the daemon has read the halves.
        equal(f"{name}: before it, all is well", daemon.deliver("foil").status, 200)
        daemon.tell(number)
        wait_for(lambda: is_deaf(daemon), "the end of listening")
        check(f"{name}: idle connections are closed", all(c.ended() for c in idle))
        for what, connection, (whole, sent) in zip(("a half-sent body", "a half-sent header",
                                                    "half a chunk"), busy, halves):
            connection.write(whole[sent:])
            answer = connection.read()
            check(f"{name}: {what} may be ended, is answered, and that is the last answer",
                  answer and answer.status == 200 and answer.header("Connection") == "close" and
                  connection.ended(), answer)
        equal(f"{name}: it exits as soon as it can, with 0", daemon.wait(), 0, daemon.tail())
        equal(f"{name}: what was answered while it stopped has its lines",
              {line["id"] for line in daemon.lines()} >= {"evt_0", "evt_1", "evt_2"}, True)


def test_stopping_has_an_end():
    clock = Stopwatch()
    daemon = Daemon(sources=[source("foil")], limits={"shutdown_seconds": 5},
                    env=clock.environment())
    with daemon.connect() as connection, daemon.connect() as other, daemon.connect() as idle:
        connection.write(signed(delivery(1))[:-5])
        other.write(signed(delivery(2))[:-5])
        equal("two requests are half-sent", daemon.deliver("foil").status, 200)
        clock.set(clock.seconds + 10)  # the daemon spares new connections
        daemon.tell(signal.SIGTERM)
        check("shutdown_seconds: they begin", idle.ended())
        clock.set(clock.seconds + 4)
        other.write(signed(delivery(2))[-5:])
        equal("shutdown_seconds: until then a request may be ended",
              (other.read().status, other.ended()), (200, True))
        clock.set(clock.seconds + 1)
        equal("shutdown_seconds: who does not end is cut then, and the exit is clean", daemon.wait(),
              0, daemon.tail())
        check("shutdown_seconds: it says that one was cut", "cut 1 open connection(s)" in
              daemon.messages(), daemon.tail())
        check("shutdown_seconds: the one that was cut got no answer", connection.ended())


def test_a_second_signal():
    for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM),
                          (signal.SIGTERM, signal.SIGINT)):
        daemon = Daemon(sources=[source("foil")], limits={"shutdown_seconds": sink.LONG})
        with daemon.connect() as connection:
            connection.write(signed(delivery(1))[:-5])
            daemon.deliver("foil")
            daemon.tell(first)
            wait_for(lambda: "stopping" in daemon.messages(), "the first signal")
            wait_for(lambda: is_deaf(daemon), "the end of listening")
            daemon.tell(second)
            equal(f"{second.name} after {first.name} ends it at once", daemon.wait(), -second)


def test_rotation():
    path = os.path.join(Folders.new(), "log")
    daemon = Daemon(sources=[source("foil")], log={"file": path}, threads=2)
    total, halt = [0, 0], threading.Event()

    def send_until_told(which):
        with daemon.connect() as connection:
            while not halt.is_set():
                connection.write(signed(delivery(f"{which}_{total[which]}")))
                if connection.read().status == 200:
                    total[which] += 1

    threads = [threading.Thread(target=send_until_told, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(5):
            before = sum(total)
            wait_for(lambda: sum(total) > before + 50, "deliveries")
            os.rename(path, f"{path}.{turn}")
            daemon.tell(signal.SIGHUP)
            wait_for(lambda: daemon.messages().count("log reopened") == turn + 1, "the message")
        before = sum(total)
        wait_for(lambda: sum(total) > before + 50, "deliveries")
    finally:
        halt.set()
        for thread in threads:
            thread.join()
    ids = []
    for turn in range(6):
        with open(path if turn == 5 else f"{path}.{turn}", encoding="utf-8") as file:
            lines = [json.loads(line)["id"] for line in file]
        check(f"SIGHUP: file {turn} has lines of its time", lines)
        ids += lines
    equal("SIGHUP: over five rotations under load, no line is lost and none is doubled",
          sorted(ids), sorted(f"evt_{w}_{i}" for w in range(2) for i in range(total[w])))
    os.rename(path, path + ".kept")
    os.mkdir(path)
    daemon.tell(signal.SIGHUP)
    wait_for(lambda: "cannot reopen the log, lines go to the old file" in daemon.messages(), "the message")
    equal("SIGHUP: a log that cannot be opened leaves the old one", daemon.deliver("foil").status,
          200)
    with open(path + ".kept", "rb") as file:
        equal("SIGHUP: which goes on", file.read().splitlines()[-1].count(b'"evt_1"'), 1)
    daemon.log = path + ".kept"
    daemon.stop()
    daemon = Daemon(sources=[source("foil")])
    daemon.tell(signal.SIGHUP)
    wait_for(lambda: "configuration read again" in daemon.messages(), "the message")
    check("SIGHUP: no log is said to be reopened where there is none",
          "reopened" not in daemon.messages(), daemon.messages())
    daemon.alive("SIGHUP: standard output stays what it is")
    equal("SIGHUP: and gets the lines", len(daemon.lines()), 1)


def test_appending():
    path = os.path.join(Folders.new(), "log")
    for count in (1, 2):
        daemon = Daemon(sources=[source("foil")], log={"file": path})
        daemon.deliver("foil")
        daemon.stop()
        equal(f"a log is appended to: {count}", len(daemon.lines()), count)
    with open(path, "ab") as file:
        file.write(b"half a li")
    for count in (3, 4):
        daemon = Daemon(sources=[source("foil")], log={"file": path})
        daemon.deliver("foil")
        daemon.stop()
        check_torn_log(f"a log that ends in half a line, {count}", daemon.raw_log(), count)
    equal("a log is made so that not everybody reads it", os.stat(path).st_mode & 0o007, 0)


def test_places_that_cannot_be():
    daemon = Daemon(sources=[source("foil")])
    config = source("foil")
    path = sink.write_file(f"{daemon.folder}/second.yaml", json.dumps(
        {"listen": [{"address": f"127.0.0.1:{daemon.address[1]}"}], "sources": [config]}))
    code, out, err = sink.run("--config", path)
    check("a port in use: exit 1, and a line that says so",
          code == 1 and out == "" and err.strip().splitlines()[-1] ==
          f"hooklined: cannot listen on 127.0.0.1:{daemon.address[1]}: address already in use", code,
          err)
    path = sink.write_file(f"{daemon.folder}/log.yaml", json.dumps(
        {"log": {"file": "/nonexistent/log"}, "sources": [config]}))
    code, out, err = sink.run("--config", path)
    check("a log that cannot be opened: exit 1, and a line that says so",
          code == 1 and "/nonexistent/log: No such file or directory" in err, code, err)
    path = sink.write_file(f"{daemon.folder}/far.yaml", json.dumps(
        {"listen": [{"address": "192.0.2.1:0"}], "sources": [config]}))
    code, out, err = sink.run("--config", path)
    check("an address that is not ours: exit 1, and a line that says so",
          code == 1 and "192.0.2.1:0: Cannot assign requested address" in err, code, err)
    sentence = "a port that is not permitted: exit 4"
    if os.geteuid() == 0:
        skip(sentence, "root may")
    else:
        path = sink.write_file(f"{daemon.folder}/low.yaml", json.dumps(
            {"listen": [{"address": "127.0.0.1:81"}], "sources": [config]}))
        code, out, err = sink.run("--config", path)
        if code == 4:
            check(sentence, "Permission denied" in err, err)
        else:
            skip(sentence, "this machine permits it")


def test_several_addresses():
    daemon = Daemon(sources=[source("foil")], threads=2,
                    listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0"},
                            {"address": "[::1]:0"}][:3 if has_ipv6() else 2])
    addresses = daemon.addresses(3 if has_ipv6() else 2)
    for address in addresses:
        body = sample_body("foil")
        equal(f"it answers at {address[0]}",
              sink.send(address, "/foil", sign("foil", body), body).status, 200)
    if has_ipv6():
        check("an IPv6 sender's address is written in brackets",
              daemon.lines()[-1]["remote"].startswith("[::1]:"), daemon.lines()[-1])
    else:
        skip("an IPv6 sender's address is written in brackets", "no IPv6 here")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_logs_that_take_no_more():
    """A failed log delays no answer, because the store has the delivery."""
    daemon = Daemon(sources=[source("foil")], log={"file": "/dev/full"})
    daemon.log = "/dev/null"
    equal("a full disk under the log: deliveries are accepted",
          [daemon.deliver("foil", delivery(i)).status for i in range(3)], [200] * 3)
    equal("a full disk under the log: it stops, and exits with 0", daemon.stop(), 0)

    read, write = os.pipe()
    daemon = Daemon(sources=[source("foil")], stdout=write)
    os.close(write)
    os.close(read)
    equal("a pipe without a reader: deliveries are accepted",
          [daemon.deliver("foil", delivery(i)).status for i in range(3)], [200] * 3)
    equal("a pipe without a reader: it stops, and exits with 0", daemon.stop(), 0)


def test_a_log_without_a_reader_for_a_while():
    count = 40
    read, write = os.pipe()
    daemon = Daemon(sources=[source("foil")], log={"body": True}, stdout=write)
    os.close(write)
    answers = [daemon.deliver("foil", delivery(i, "x" * 10000)).status for i in range(count)]
    equal("a full pipe: deliveries are accepted", answers, [200] * count)
    with os.fdopen(read, "rb") as pipe:
        lines = [json.loads(pipe.readline())["id"] for _ in range(count)]
        equal("when it is read, no line is missing", lines, [f"evt_{i}" for i in range(count)])
        count = 400  # 1 MiB may be in flight, another one buffered
        for i in range(count):
            daemon.deliver("foil", delivery(f"more_{i}", "x" * 10000))
        lines, lost = [], 0
        while len(lines) + lost < count:
            line = json.loads(pipe.readline())
            lost += line.get("lost_lines", 0)
            lines += [line["id"]] if "id" in line else []
        check("of far more than a MiB lines are lost, and it is said how many, without a line more",
              0 < lost < count and len(lines) + lost == count, len(lines), lost)
    daemon.stop()

    read, write = os.pipe()
    daemon = Daemon(sources=[source("foil")], log={"body": True}, stdout=write)
    os.close(write)
    for i in range(20):
        daemon.deliver("foil", delivery(i, "x" * 10000))
    equal("a full pipe that is never read: it stops, and exits with 0", daemon.stop(), 0)
    os.close(read)


def check_torn_log(sentence, data, good):
    """Each acknowledged delivery has a whole line; others may be torn."""
    whole = torn = empty = 0
    for line in data.split(b"\n")[:-1]:
        try:
            whole += json.loads(line)["verdict"] == "stored"
        except ValueError:
            torn += 1
            empty += line == b""
    check(f"{sentence}, every line that was acknowledged is whole", whole == good, data)
    check(f"{sentence}, no line is empty", empty == 0, data)


@pytest.mark.first
def test_load():
    """Enough concurrent senders to exercise every thread."""
    clients, each = 8, 200 if not sink.WRAPPER else 20
    daemon = Daemon(sources=[source("foil"), source("github")], threads=4)
    statuses = [[] for _ in range(clients)]

    def deliver(client):
        with daemon.connect() as connection:
            for i in range(each):
                connection.write(signed(delivery(f"{client}_{i}", "x" * (i * 7 % 300))))
                statuses[client].append(connection.read().status)
                if i % 20 == 0:
                    connection.write(request("/nothing"))
                    connection.read()

    threads = [threading.Thread(target=deliver, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(f"{clients} senders with {each} deliveries each: all are accepted",
          sum(statuses, []), [200] * clients * each)
    ids = [line["id"] for line in daemon.lines(verdict="stored")]
    equal("each has its line, once, and no line is broken", sorted(ids),
          sorted(f"evt_{c}_{i}" for c in range(clients) for i in range(each)))


def test_bodies_through_a_pipe():
    """Each body exceeds the pipe's capacity; together they fit the log buffer."""
    read, write = os.pipe()
    daemon = Daemon(sources=[source("foil")], log={"body": True}, stdout=write, threads=4)
    os.close(write)
    got = []

    def drain():
        with os.fdopen(read, "rb") as pipe:
            for line in pipe:
                got.append(line)

    reader = threading.Thread(target=drain)
    reader.start()
    count = 2
    statuses = []

    def deliver(client):
        for i in range(count):
            body = delivery(f"{client}_{i}", chr(97 + client) * (70000 + 1000 * i))
            statuses.append(daemon.deliver("foil", body).status)

    threads = [threading.Thread(target=deliver, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: len(got) == 6 * count, "the reader, for whom it waits a second when it stops")
    daemon.stop()
    reader.join()
    equal("large bodies over a pipe: all are accepted", set(statuses), {200})
    lines = [json.loads(line) for line in got]
    good = len(lines) == 6 * count and all(
        set(json.loads(line["body"])["fill"]) == {chr(97 + int(line["id"].split("_")[1]))}
        for line in lines)
    check("large bodies over a pipe: no line is mixed with another", good, len(lines))


def test_bodies_in_the_log():
    daemon = Daemon(sources=[source("github")], log={"body": True})
    texts = ["", "plain", 'quotes " and \\ backslashes', "lines\r\nand\ttabs", "\0\x01\x1f\x7f",
             "ünïcödé €  𝄞", "\ufeffbom", "</script>", "x" * 100000]
    binaries = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\xe2\x82",
                bytes(range(256)), b"\xf0\x80\x80\x80", b"\x80" * 70000]
    for text in texts:
        body = text.encode()
        status = daemon.deliver("github", body).status
        line = daemon.lines()[-1]
        equal(f"the body {text[:20]!r} is in its line, as it was",
              (status, line.get("body"), line.get("body_base64")), (200, text, None))
    for body in binaries:
        status = daemon.deliver("github", body).status
        line = daemon.lines()[-1]
        equal(f"the body {body[:8]!r}, no text, is there as base64",
              (status, line.get("body"), base64.b64decode(line.get("body_base64", ""))),
              (200, None, body))
    daemon.send("/github", sign("github", b"a forgery", secret="another"), b"a forgery")
    line = daemon.lines(verdict="refused")[-1]
    check("a refused body is not in the log", "body" not in line and "body_base64" not in line, line)
    check("a log line has no control character in it",
          not any(c < 0x20 or c == 0x7f for c in daemon.raw_log().replace(b"\n", b"")))


def test_closed_streams():
    """The first file opened would reuse the descriptor of a closed stream."""
    def close():
        for number in (0, 1, 2):
            os.close(number)

    folder = Folders.new()
    daemon = Daemon(sources=[source("foil")], folder=folder, setup=close, ready=False,
                    listen=[{"address": f"unix:{folder}/sock"}])
    daemon.address = f"{folder}/sock"
    wait_for(lambda: not is_deaf(daemon), "somebody who listens")
    daemon.alive("with its standard streams closed it receives")
    daemon.tell(signal.SIGTERM)
    equal("and stops when its log cannot be written", daemon.process.wait(sink.PATIENCE), 0)
    said = []
    for name in os.listdir(folder):
        with open(f"{folder}/{name}", "rb") as file:
            data = file.read()
        if b"listening on" in data or b'"verdict"' in data:
            said.append(name)
    equal("what it says goes into no file", said, [])


def test_strange_ids():
    daemon = Daemon(sources=[source("foil")])
    for name, id in (("quotes", 'a"b\\c'), ("a line end", "a\nb"), ("letters", "évt_ü"),
                     ("a NUL", "a\0b"), ("an emoji", "😀")):
        body = json.dumps({"id": id, "type": id}, ensure_ascii=False).encode()
        answer = daemon.send("/foil", sign("foil", body), body)
        check(f"an id with {name}: the answer and the line are JSON",
              answer.status in (200, 400) and answer.json and daemon.lines()[-1], answer)
    check("each has one line", len(daemon.lines()) == 5, daemon.raw_log())
