# SPDX-License-Identifier: MIT
"""hookline emulate as a process: start, stop, messages, access, and abuse by clients. Other files
test the providers' APIs."""
import concurrent.futures
import fcntl
import json
import os
import re
import signal
import socket
import stat
import struct
import threading

import pytest

from harness import cli
from harness import emulator
from harness import schema
from harness import upstream
from harness.cli import TRANSPORT, USAGE, Run, sink
from harness.ports import free_port
from harness.sink import check, equal, wait_for

pytestmark = [pytest.mark.compiler, pytest.mark.running, pytest.mark.threads]

GIVEN = "whsec_given_on_the_command_line"
KEYS = ["foil", "foil.unscoped", "foil.foreign", "tripwire", "shodai", "shodai.unpaid", "shodai.forbidden",
        "trulayer", "trulayer.member", "trulayer.viewer", "trulayer.free"]


def start(receiver, *arguments, providers=("foil",), **options):
    endpoints = [f"--endpoint={name}={receiver.url}" for name in providers]
    return emulator.Emulator(*endpoints, *arguments, **options)


def test(emulated, source, **headers):
    """Test delivery by the emulator's own API."""
    return emulated.ask("POST", f"/emulator/sources/{source}/test",
                        [(name.replace("_", "-"), value) for name, value in headers.items()])


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def attempts(emulated):
    # The last line may be incomplete.
    return [json.loads(line) for line in emulated.output().split("\n")[1:-1]]


# ---- starting

def test_starting():
    receiver = upstream.Upstream()
    emulated = start(receiver, providers=("foil", "shodai", "trulayer", "stripe", "tripwire"))
    equal("the first line tells where everything is", sorted(emulated.start),
          ["base_url", "endpoints", "keys", "organization"])
    equal("the address is the one that is bound", emulated.ask("GET", "/emulator/endpoints").status,
          200)
    check("the organization's id is as Foil's are",
          re.fullmatch(r"org_[0-9a-hjkmnp-tv-z]{26}", emulated.organization))
    equal("there is a key for each thing that may be forbidden", list(emulated.start["keys"]), KEYS)
    equal("the folder of keys is its owner's", mode_of(f"{emulated.folder}/keys"), 0o700)
    for name, path in emulated.start["keys"].items():
        check(f"the key {name} is in a file that only its owner reads",
              os.path.isabs(path) and mode_of(path) == 0o600, path)
    check("all keys differ", len({emulated.key(name) for name in KEYS}) == len(KEYS))
    by_source = {e["source"]: e for e in emulated.start["endpoints"]}
    patterns = {"foil": r"we_[0-9a-f]{32}", "tripwire": r"we_[0-9a-f]{32}",
                "shodai": r"wh_[0-9a-f]{32}", "trulayer": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                "stripe": "stripe"}
    equal("there are the endpoints that were asked for", sorted(by_source), sorted(patterns))
    for source, pattern in patterns.items():
        endpoint = by_source[source]
        check(f"{source}: the endpoint's id is as its provider's are",
              re.fullmatch(pattern, endpoint["id"]), endpoint)
        equal(f"{source}: it is signed by that scheme and sent to that URL",
              (endpoint["scheme"], endpoint["url"]), (source, receiver.url))
        path = f"{emulated.folder}/keys/{source}.secret"
        equal(f"{source}: the secret is made in the folder of keys", mode_of(path), 0o600)
        with open(path, encoding="utf-8") as file:
            emulated.secrets.add(file.read().strip())
    key = emulated.start["keys"]["foil"]
    equal("the command that pings Foil's endpoint is ready", by_source["foil"]["ping"],
          ["hookline", "ping", "foil", "--endpoint", by_source["foil"]["id"], "--organization",
           emulated.organization, "--base-url", emulated.base, "--key", "@" + key])
    equal("Tripwire is a provider of its own, with its own key", by_source["tripwire"]["ping"],
          ["hookline", "ping", "tripwire", "--endpoint", by_source["tripwire"]["id"],
           "--organization", emulated.organization, "--base-url", emulated.base, "--key",
           "@" + emulated.start["keys"]["tripwire"]])
    equal("and as such it is listed", {
        e["source"]: (e["provider"], e["organization"]) for e in
        emulated.ask("GET", "/emulator/endpoints").json["endpoints"]}["tripwire"],
          ("tripwire", emulated.organization))
    equal("who has no test API is pinged through the emulator's own", by_source["stripe"]["ping"],
          ["hookline", "ping", "emulated", "stripe", "--base-url", emulated.base])
    for source in patterns:
        answer = test(emulated, source)
        equal(f"{source}: a test is sent, and answered", (answer.status, answer.json["status"]),
              (200, 200))
    equal("the lines of attempts name the providers", {l["provider"] for l in attempts(emulated)},
          {"foil", "tripwire", "shodai", "trulayer", "emulated"})
    line = attempts(emulated)[0]
    equal("an attempt is a line", sorted(line), ["attempt", "delivery", "duplicate", "endpoint",
                                                 "error", "event", "faults", "provider", "status",
                                                 "time"])
    receiver.close()


def test_for_people():
    folder = sink.Folders.new()
    receiver = upstream.Upstream()
    out = open(f"{folder}/out", "wb")
    with open(f"{folder}/err", "wb") as err:
        process = cli.subprocess.Popen(
            [*sink.WRAPPER, cli.TOOL, "emulate", "--listen=127.0.0.1:0", "--keys", "it's keys",
             f"--endpoint=foil={receiver.url}"], cwd=folder, stdout=out, stderr=err,
            env=sink.environment(None, folder), preexec_fn=sink.die_with_parent)

    def said(name="out"):
        with open(f"{folder}/{name}", encoding="utf-8") as file:
            return file.read()

    wait_for(lambda: "hookline ping" in said() and said().endswith("\n"), "the ping line")
    check("people are told the address, the organization and the folder of keys",
          re.match(r"emulating Foil, Tripwire, Shodai and TruLayer at http://127\.0\.0\.1:\d+\n"
                   r"Foil's organization: org_\w{26}; API keys in /.*/it's keys\n", said()),
          said())
    words = re.search(r"^  (hookline ping .*)$", said(), re.M).group(1)
    check("the command can be copied into a shell",
          sink.shlex.split(words)[-1] == f"@{os.path.realpath(folder)}/it's keys/foil", words)
    address = re.search(r"http://(127\.0\.0\.1):(\d+)", said()).groups()
    with sink.Connection((address[0], int(address[1]))) as connection:
        ask_on(connection)
    wait_for(lambda: said("err").endswith("\n"), "the attempt")
    check("an attempt is a line on standard error",
          re.match(r"\S+Z foil we_\w+: event wevt_\w+, attempt 1: status 200\n$", said("err")),
          said("err"))
    process.send_signal(signal.SIGINT)
    equal("SIGINT ends it well", process.wait(sink.PATIENCE), 0)
    out.close()
    receiver.close()


def test_keys():
    receiver = upstream.Upstream()
    first = start(receiver)
    texts = {name: first.key(name) for name in KEYS}
    first.stop()
    os.unlink(f"{first.folder}/keys/shodai")
    second = start(receiver, folder=first.folder)
    equal("keys stay the same, but for the one that was removed",
          {name for name in KEYS if second.key(name) != texts[name]}, {"shodai"})
    second.stop()
    path = f"{first.folder}/keys/foil"
    for name, mode, data, said in (
            ("that others can read", 0o644, "sk_test_1\n", "others can read it"),
            ("that is empty", 0o600, "", "expected one line with a key"),
            ("with two lines", 0o600, "a\nb\n", "expected one line with a key"),
            ("that is too long", 0o600, "k" * 500, "expected one line with a key")):
        sink.write_file(path, data, mode)
        got = Run("emulate", "--listen=127.0.0.1:0", "--keys", f"{first.folder}/keys")
        check(f"a key {name} is a reason not to start",
              got.status == USAGE and said in got.err and path in got.err, got)
    os.unlink(path)
    os.symlink("/etc/hostname", path)
    got = Run("emulate", "--listen=127.0.0.1:0", "--keys", f"{first.folder}/keys")
    check("a key that is a symbolic link is a reason not to start", got.status == USAGE, got)
    receiver.close()


def test_keys_of_several_at_once():
    folder = sink.Folders.new()
    processes = [sink.subprocess.Popen(
        [*sink.WRAPPER, cli.TOOL, "emulate", "--listen=127.0.0.1:0", "--keys", "keys", "--json"],
        cwd=folder, env=sink.environment(None, folder), stdin=sink.subprocess.DEVNULL,
        stdout=sink.subprocess.PIPE, stderr=sink.subprocess.STDOUT, preexec_fn=sink.die_with_parent)
                 for _ in range(8)]
    said = [one.stdout.readline() for one in processes]
    check("emulators that begin in the same new folder all start",
          all(line.startswith(b'{"base_url"') for line in said), *said)
    equal("and make each key once", sorted(os.listdir(f"{folder}/keys")), sorted(KEYS))
    for one in processes:
        one.terminate()
        one.communicate(timeout=sink.PATIENCE)


def test_given_secrets():
    folder = sink.Folders.new()
    path = sink.write_file(f"{folder}/secret,1", "whsec_given_0123456789abcdef\n")
    receiver = upstream.Upstream()
    emulated = emulator.Emulator(f"--endpoint=foil={receiver.url}?a=1,2,@{path}",
                                 f"--endpoint=shodai={receiver.url}?a=1%2C2", "--listen=[::1]:0",
                                 folder=folder)
    emulated.secrets.add("whsec_given_0123456789abcdef")
    equal("the URL may have commas, where a secret follows", [
        e["url"] for e in emulated.start["endpoints"]],
          [receiver.url + "?a=1,2", receiver.url + "?a=1%2C2"])
    check("IPv6 has brackets", emulated.base.startswith("http://[::1]:"), emulated.base)
    emulated.address = ("::1", emulated.address[1])
    equal("a test is sent", test(emulated, "foil").status, 200)
    request = receiver.wait(1)[0]
    stamp = upstream.header(request, "X-Foil-Timestamp")
    equal("it is signed by the secret that was given", upstream.header(request, "X-Foil-Signature"),
          sink.mac_of(b"whsec_given_0123456789abcdef", stamp.encode() + b"." + request.body))
    check("which is not copied", not os.path.exists(f"{folder}/keys/foil.secret"))
    receiver.close()


def test_bad_options():
    sink.Watch.words.add(GIVEN.encode())
    folder = sink.Folders.new()
    plain = sink.write_file(f"{folder}/plain", "plain")
    bad_config = sink.write_file(f"{folder}/bad.yaml", "sources: 1\n")
    for option, said in (
            (("--listen", "localhost"), "--listen: expected ADDRESS:PORT"),
            (("--listen", "127.0.0.1:99999"), "--listen: expected ADDRESS:PORT"),
            (("--listen", "unix:/tmp/x"), "--listen: expected ADDRESS:PORT"),
            (("--retry", "5,x"), "--retry: expected"), (("--retry", ""), "--retry: expected"),
            (("--retry", "5,,6"), "--retry: expected"), (("--retry", "-1"), "--retry: expected"),
            (("--retry", ",".join(["1"] * 17)), "--retry: expected"),
            (("--fault", "typo"), "--fault: typo: unknown fault; expected one of stale, future"),
            (("--endpoint", "foil"), "expected PROVIDER=URL"),
            (("--endpoint", "foyle=http://127.0.0.1/"), "--endpoint foyle: expected PROVIDER=URL; "
             "PROVIDER is one of foil, "),
            (("--endpoint", "foyle=http://h/," + GIVEN), "--endpoint foyle: expected"),
            (("--endpoint", "http://h/," + GIVEN), "--endpoint http: expected"),
            (("--endpoint", "foil=http://h/," + GIVEN), "after the comma"),
            (("--endpoint", f"foil=http://ada:{GIVEN}@127.0.0.1/"), "without user and password"),
            (("--endpoint", "foil=ftp://127.0.0.1/"), "begins with https:// or http://"),
            (("--endpoint", "foil=http://127.0.0.1/,@/nowhere"), "/nowhere"),
            (("--endpoint", "foil=http://127.0.0.1/", "--endpoint", "foil=http://127.0.0.1/x"),
             "duplicate endpoint"),
            (("--sink-url", "http://127.0.0.1:1"), "--sink-url needs --for"),
            (("--for", f"{folder}/nowhere.yaml"), "nowhere.yaml"),
            (("--for", bad_config), "bad.yaml:1:"),
            (("--store", folder), "--store: "), (("--store", f"{folder}/no/where"), "--store: "),
            (("--store", plain), "plain: "), (("--store", ""), "--store: expected the name"),
            (("--keys", plain), "--keys: "), (("--keys", f"{folder}/no/where"), "--keys: "),
            (("extra",), "expected options only, no arguments")):
        got = Run("emulate", "--keys", f"{folder}/keys", *option, folder=folder)
        check(f"emulate {' '.join(option)[:60]}: is refused, with a line that says why",
              got.status == USAGE and said in got.err and got.out == "", said, got)
    receiver = upstream.Upstream()
    got = Run("emulate", "--keys", f"{folder}/keys", "--listen", f"127.0.0.1:{receiver.port}")
    check("a port that is in use is named, with another exit status",
          got.status == TRANSPORT and f"cannot listen on 127.0.0.1:{receiver.port}: address "
          "already in use" in got.err, got)
    receiver.close()


# ---- stopping

def test_stopping():
    receiver = upstream.Upstream()
    receiver.answer = receiver.hang
    for number in (signal.SIGINT, signal.SIGTERM):
        emulated = start(receiver, providers=("foil", "trulayer"))
        count = len(receiver.requests)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(test(emulated, "trulayer")))
        waiting.start()
        receiver.wait(count + 1)
        equal(f"{number.name} ends it with 0", emulated.stop(number), 0)
        waiting.join()
        check("a delivery that hangs does not keep it, and whoever waits is told that it stops",
              answers[0].json["status"] == 0 and "stopping" in answers[0].json["error"], answers)
    receiver.close()


# ---- clients

def test_leaving():
    """Clients that disconnect before the answer."""
    receiver = upstream.Upstream()
    receiver.answer = receiver.hang
    emulated = start(receiver, providers=("foil", "shodai", "trulayer"))
    endpoints = {e["source"]: e for e in emulated.start["endpoints"]}
    paths = [("/emulator/sources/trulayer/test", "X: y"),
             (f"/v0/webhooks/{endpoints['shodai']['id']}/test",
              f"X-API-Key: {emulated.key('shodai')}"),
             (f"/v1/webhooks/{endpoints['trulayer']['id']}/test",
              f"Authorization: Bearer {emulated.key('trulayer')}")]
    for i in range(12):
        path, header = paths[i % 3]
        sock = socket.create_connection(emulated.address)
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n"
                     "Content-Length: 0\r\n\r\n".encode())
        receiver.wait(i + 1)
        if i % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    receiver.release()
    wait_for(lambda: len(attempts(emulated)) >= 12, "the attempts")
    equal("clients that leave while their answers wait do no harm", test(emulated, "foil").status,
          200)
    receiver.close()


def test_many():
    receiver = upstream.Upstream()
    emulated = start(receiver, providers=("foil", "shodai", "trulayer", "stripe"))
    sources = ["foil", "shodai", "trulayer", "stripe"] * 13
    with concurrent.futures.ThreadPoolExecutor(52) as pool:
        answers = list(pool.map(lambda source: test(emulated, source), sources))
    equal("52 calls at once are all answered", {a.status for a in answers}, {200})
    equal("each of them has an event of its own", len({a.json["id"] for a in answers}), 52)
    sent = [json.loads(r.body) for r in receiver.requests]
    delivered = {body["id"] for body in sent if "id" in body}
    equal("every event was delivered, once", (len(receiver.requests), len(delivered)), (52, 39))
    check("... and is the one that its call was answered with",
          delivered <= {a.json["id"] for a in answers})
    with sink.Connection(emulated.address) as connection:
        statuses = [ask_on(connection) for _ in range(50)]
    equal("a connection serves many calls, one after the other", set(statuses), {200})
    receiver.close()


def ask_on(connection):
    connection.write(ASK)
    return connection.read().status


ASK = (b"POST /emulator/sources/foil/test HTTP/1.1\r\nHost: localhost\r\n"
       b"Content-Length: 0\r\n\r\n")


def test_peculiar():
    """Rare but legal HTTP."""
    receiver = upstream.Upstream()
    emulated = start(receiver)
    with sink.Connection(emulated.address) as connection:
        connection.write(ASK * 5)
        answers = [connection.read() for _ in range(5)]
    equal("requests that come before the answer to the first are answered, too",
          [a.status for a in answers], [200] * 5)
    equal("... each with its own", len({a.json["id"] for a in answers}), 5)
    with sink.Connection(emulated.address) as connection:
        connection.write(ASK)
        connection.sock.shutdown(socket.SHUT_WR)
        answer = connection.read()
    check("who has said all that there is to say gets the answer",
          answer is not None and answer.status == 200, answer)
    answer = ask_raw(emulated, ASK.replace(b"HTTP/1.1", b"HTTP/1.0"))
    equal("HTTP/1.0 is understood", answer.status, 200)
    equal("blanks behind a header's value are none of it", emulated.ask("GET", "/v1/webhooks", [
        ("Authorization", f"Bearer {emulated.key('trulayer')} \t ")]).status, 200)
    body = b'{"provider":"foil","kind":"none"}'
    with sink.Connection(emulated.address) as connection:
        connection.write(b"PUT /emulator/trouble HTTP/1.1\r\nHost: localhost\r\n"
                         b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        first = connection.read()
        connection.write(body)
        second = connection.read()
    equal("who asks whether the body may come is told so", (first.status, second.status),
          (100, 200))
    receiver.close()


def ask_raw(emulated, data):
    with sink.Connection(emulated.address) as connection:
        connection.write(data)
        return connection.read()


def test_nonsense():
    receiver = upstream.Upstream()
    emulated = start(receiver)
    head = b"POST /emulator/trouble HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    # libh2o answers unparsable requests in plain text.
    for name, data in (("no HTTP", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n"),
                       ("a request line without an end", b"GET\r\n\r\n")):
        equal(f"{name} is answered with 400", ask_raw(emulated, data).status, 400)
    for name, data, status in (
            ("a body of a negative length", head + b"Content-Length: -1\r\n\r\n", 400),
            ("a body that is announced too large", head + b"Content-Length: 99999999999\r\n\r\n",
             413),
            ("a body that is a little too large",
             b"PUT" + head[4:] + b"Content-Length: 1048577\r\n\r\n" + b" " * 1048577, 413)):
        answer = ask_raw(emulated, data)
        check(f"{name} is answered with {status} and JSON",
              answer is not None and answer.status == status and "error" in answer.json, answer)
    answer = emulated.ask("PUT", "/emulator/trouble", body=b"x" * 3000000)
    equal("a huge body is 413", answer.status, 413)
    answer = sink.send(emulated.address, "/emulator/trouble", [], b" " * 3000000, method="PUT",
                       chunk=100000)
    equal("likewise in chunks", answer.status, 413)
    for name, body in (("no JSON", b"{"), ("an array", b"[]"), ("nothing", b""), ("a NUL", b"{}\0"),
                       ("two objects", b"{}{}"), ("JSON that is nested without an end",
                                                  b'{"a":' * 20000),
                       ("other members", b'{"provider":"foil","kind":"none","x":1}'),
                       ("members of other types", b'{"provider":1,"kind":"none"}'),
                       ("an unknown provider", b'{"provider":"x","kind":"none"}'),
                       ("an unknown kind", b'{"provider":"foil","kind":"x"}')):
        answer = emulated.ask("PUT", "/emulator/trouble", body=body)
        check(f"a body that is {name} is 400, with a reason",
              answer.status == 400 and answer.json["error"]["message"], answer)
    answer = emulated.ask("PUT", "/emulator/trouble",
                          body=b'{"provider":"foil","kind":"none"}' + b" " * (1048576 - 33))
    equal("a body of just 1 MiB is read", answer.status, 200)
    for path in ("/", "/v1", "/emulator", "/emulator/", "/emulator/sources//test", "/%", "/v2/x",
                 "/emulator/sources/%00/test", "/emulator/sources/%zz/test",
                 "/emulator/sources/" + "x" * 3000 + "/test"):
        answer = emulated.ask("POST", path)
        check(f"POST {path[:40]} is 404, and JSON", answer.status == 404 and "error" in answer.json,
              answer)
    equal("HEAD is answered without a body",
          emulated.ask("HEAD", "/emulator/endpoints").body, b"")
    equal("it is well afterwards", test(emulated, "foil").status, 200)
    receiver.close()


def test_request_ids():
    """Each answer has an id of its own, which the envelopes of Foil and Shodai repeat."""
    receiver = upstream.Upstream()
    emulated = start(receiver, providers=("foil", "tripwire", "shodai", "trulayer"))
    ids = {e["source"]: e["id"] for e in emulated.start["endpoints"]}
    foil = f"/v1/organizations/{emulated.organization}/webhooks/endpoints"
    paths = {"foil": foil, "tripwire": foil, "shodai": "/v0/webhooks", "trulayer": "/v1/webhooks"}
    seen = []
    for provider, path in paths.items():
        client = emulator.Client(emulated, provider,
                                 *(("X-API-Key", "") if provider == "shodai" else ()))
        answers = {"good": client.ask("GET", path),
                   "a test": client.ask("POST", f"{path}/{ids[provider]}/test"),
                   "no key": client.ask("GET", path, key=""),
                   "unknown": client.ask("POST", f"{path}/{ids[provider]}0/test"),
                   "another method": client.ask("PUT", path),
                   "no JSON": client.ask("POST", path, b"{")}
        for name, answer in answers.items():
            seen.append(answer.header("X-Request-Id"))
            part = answer.json.get("meta", answer.json.get("error"))
            told = {"trulayer": seen[-1]}.get(provider) or part.get(
                "requestId" if provider == "shodai" else "request_id")
            check(f"{provider}, {name}: it is in the header, and in the body where that has one",
                  re.fullmatch("req_[0-9a-f]{32}", seen[-1]) and told == seen[-1], answer)
    for path in ("/emulator/endpoints", "/emulator/nowhere", "/nowhere"):
        seen.append(emulated.ask("GET", path).header("X-Request-Id"))
    equal("no two are the same", (len(set(seen)), "" in seen), (len(seen), False))
    receiver.close()


# ---- access

def test_foreigners():
    receiver = upstream.Upstream()
    emulated = start(receiver)
    host = f"127.0.0.1:{emulated.address[1]}"

    def ask(*headers, method="POST", path="/emulator/sources/foil/test"):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return ask_raw(emulated, f"{method} {path} HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n"
                       .encode())

    equal("a name that points here by somebody's DNS is refused",
          (ask(("Host", "evil.example")).status, ask(("Host", "evil.example")).code),
          (403, "foreign_host"))
    equal("... for what only reads, too",
          ask(("Host", "evil.example"), method="GET", path="/emulator/endpoints").status, 403)
    equal("a page of another site is refused",
          ask(("Host", host), ("Origin", "http://evil.example")).code, "foreign_origin")
    equal("a page of our own is not", ask(("Host", host), ("Origin", f"http://{host}")).status, 200)
    equal("nothing was delivered for the others", len(receiver.requests), 1)
    answer = emulated.ask("GET", "/emulator/endpoints")
    check("no secret and no key is listed",
          not any(secret in answer.body.decode() for secret in
                  [emulated.key(name) for name in KEYS] +
                  [open(f"{emulated.folder}/keys/foil.secret", encoding="utf-8").read().strip()]),
          answer)
    answer = emulated.ask("DELETE", "/emulator/endpoints")
    equal("another method is refused", (answer.status, answer.header("Allow")), (405, "GET"))
    emulated.stop()
    emulated = start(receiver, "--listen=0.0.0.0:0")
    emulated.address = ("127.0.0.1", emulated.address[1])
    equal("who listens for others does not let them have a say",
          emulated.ask("GET", "/emulator/endpoints").code, "not_local")
    receiver.close()


# ---- trouble

def test_trouble():
    receiver = upstream.Upstream()
    emulated = start(receiver, providers=("foil", "shodai", "trulayer"))
    paths = {"foil": f"/v1/organizations/{emulated.organization}/webhooks/endpoints",
             "shodai": "/v0/webhooks", "trulayer": "/v1/webhooks"}
    by_key = {name: lambda name=name: emulator.Client(emulated, name).ask("GET", paths["foil"])
              .status for name in ("foil", "tripwire")}

    def be(provider, kind):
        answer = emulated.ask("PUT", "/emulator/trouble", body={"provider": provider, "kind": kind})
        equal(f"{provider} is told to be {kind}", answer.status, 200)

    for provider, path in paths.items():
        be(provider, "html")
        answer = emulated.ask("GET", path)
        check(f"{provider}: HTML in place of JSON", answer.status == 200 and
              answer.header("Content-Type").startswith("text/html") and b"<h1>" in answer.body,
              answer)
        be(provider, "500")
        answer = emulated.ask("GET", path)
        check(f"{provider}: an error of no API", answer.status == 500 and b"<h1>" in answer.body)
        others = [emulated.ask("GET", p).status for p in paths.values()]
        equal(f"{provider}: the others go on", sorted(others), [401, 401, 500])
        be(provider, "none")
        equal(f"{provider}: it is over", emulated.ask("GET", path).status, 401)
    for provider, other in (("foil", "tripwire"), ("tripwire", "foil")):
        be(provider, "500")
        equal(f"{provider}: its key tells it from {other}, whose path it shares",
              (by_key[provider](), by_key[other]()), (500, 200))
        be(provider, "none")
    be("foil", "huge")
    answer = emulated.ask("GET", paths["foil"])
    check("10 MB are sent", len(answer.body) == 10000000 and answer.status == 200)
    be("foil", "reset")
    try:
        sock = socket.create_connection(emulated.address, sink.PATIENCE)
        sock.sendall(f"GET {paths['foil']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        got = sock.recv(100)
    except ConnectionResetError:
        got = "reset"
    sock.close()
    equal("the connection is reset", got, "reset")
    be("foil", "hang")
    sock = socket.create_connection(emulated.address, sink.PATIENCE)
    sock.sendall(f"GET {paths['foil']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    equal("a provider that hangs keeps nobody else", emulated.ask("GET", paths["shodai"]).status,
          401)
    sock.settimeout(0.2)
    try:
        sock.recv(1)
        check("who hangs does not answer", False)
    except TimeoutError:
        check("who hangs does not answer", True)
    gone = socket.create_connection(emulated.address, sink.PATIENCE)
    gone.sendall(f"GET {paths['foil']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    gone.close()
    equal("it stops although somebody waits", emulated.stop(), 0)
    sock.close()
    receiver.close()


# ---- deliveries

def test_retries():
    state, between = {"answers": [500, 503, 200]}, []

    def answer(request, _sock):
        status = state["answers"].pop(0)
        if status == 503:
            between.append(delivery(json.loads(request.body)["id"]))
        return upstream.response(status)

    receiver = upstream.Upstream(answer)
    emulated = start(receiver, "--retry=1,1,1", providers=("foil", "trulayer"))
    client = emulator.Client(emulated, "foil")
    base = f"/v1/organizations/{emulated.organization}"
    endpoint = emulated.start["endpoints"][0]["id"]
    event = client.ask("POST", f"{base}/webhooks/endpoints/{endpoint}/test").json["data"]["event_id"]

    def delivery(event):
        return client.ask("GET", f"{base}/events/{event}").json["data"]["webhook_deliveries"][0]

    wait_for(lambda: delivery(event)["status"] == "succeeded", "the third attempt")
    equal("a delivery that failed is pending until it is tried again",
          [(d["status"], d["attempts"], d["response_status"]) for d in between],
          [("pending", 1, 500)])
    equal("it is tried until it succeeds", delivery(event)["attempts"], 3)
    requests = receiver.requests
    equal("each attempt carries the same event", len({r.body for r in requests}), 1)
    stamps = [upstream.header(r, "X-Foil-Timestamp") for r in requests]
    equal("... and is signed anew", len(set(stamps)), 3, stamps)
    gaps = [b.at - a.at for a, b in zip(requests, requests[1:])]
    check("... on the schedule", all(gap > 0.9 for gap in gaps), gaps)
    lines = attempts(emulated)
    equal("each is a line", [(line["attempt"], line["status"]) for line in lines],
          [(1, 500), (2, 503), (3, 200)])
    state["answers"] = [500] * 9
    event = client.ask("POST", f"{base}/webhooks/endpoints/{endpoint}/test").json["data"]["event_id"]
    last = wait_for(lambda: (d := delivery(event))["status"] == "failed" and d, "the last attempt")
    equal("at the end it has failed", (last["attempts"], last["response_status"]), (4, 500))
    receiver.close()
    emulated.stop()


def test_retries_of_what_is_disabled():
    disabled = []

    def answer(_request, _sock):
        disabled.append(client.ask("DELETE", endpoint).status)
        return upstream.response(500)

    receiver = upstream.Upstream(answer)
    emulated = start(receiver, "--retry=1,1,1")
    client = emulator.Client(emulated, "foil")
    base = f"/v1/organizations/{emulated.organization}"
    endpoint = f"{base}/webhooks/endpoints/{emulated.start['endpoints'][0]['id']}"
    event = client.ask("POST", endpoint + "/test").json["data"]["event_id"]

    def delivery():
        return client.ask("GET", f"{base}/events/{event}").json["data"]["webhook_deliveries"][0]

    wait_for(lambda: delivery()["status"] == "failed", "the end of it")
    got = delivery()
    equal("an endpoint is disabled before the second attempt", disabled, [200])
    check("then its delivery has failed, and it is told why", got["attempts"] == 1
          and got["response_status"] == 500 and "disabled" in got["error"], got)
    equal("nothing more was sent", len(receiver.requests), 1)
    receiver.close()
    emulated.stop()


def test_last_words():
    """Deliveries that still have retries left when the emulator ends."""
    receiver = upstream.Upstream(lambda request, sock: upstream.response(500))
    for number, sentence in ((signal.SIGTERM, "stops"), (signal.SIGKILL, "is killed")):
        folder = sink.Folders.new()
        arguments = ("--retry=60", "--store", f"{folder}/store.db")
        emulated = start(receiver, *arguments, folder=folder)
        client = emulator.Client(emulated, "foil")
        base = f"/v1/organizations/{emulated.organization}"
        endpoint = emulated.start["endpoints"][0]["id"]
        event = client.ask("POST", f"{base}/webhooks/endpoints/{endpoint}/test"
                           ).json["data"]["event_id"]
        wait_for(lambda: attempts(emulated), "the first attempt")
        if number == signal.SIGKILL:
            emulated.kill()
        else:
            emulated.stop(number)
        emulated = start(receiver, *arguments, folder=folder)
        client = emulator.Client(emulated, "foil")
        delivery = client.ask("GET", f"{base}/events/{event}").json["data"]["webhook_deliveries"][0]
        equal(f"when it {sentence}, what nobody will try again has failed",
              (delivery["status"], delivery["attempts"], delivery["response_status"]),
              ("failed", 1, 500))
        check(f"when it {sentence}: ... and says why", "given up" in (delivery["error"] or ""),
              delivery)
        emulated.stop()
    receiver.close()


def test_unreachable():
    port = free_port()
    emulated = emulator.Emulator(f"--endpoint=foil=http://127.0.0.1:{port}/",
                                 "--endpoint=stripe=https://127.0.0.1:" + str(port), "--retry=0")
    answer = test(emulated, "foil").json
    check("nobody there is an error and no status",
          answer["status"] == 0 and answer["error"] and answer["body"] == "", answer)
    equal("the line says so, too", [(line["status"], line["error"] is None)
                                    for line in attempts(emulated)], [(0, False)])
    plain = upstream.Upstream()
    context, certificate = upstream.make_certificate(emulated.folder)
    secure = upstream.Upstream(tls=context)
    emulated.stop()
    for name, url, arguments, status in (
            ("plain HTTP on a port for TLS", f"http://127.0.0.1:{secure.port}/", [], 0),
            ("TLS on a port for plain HTTP", f"https://127.0.0.1:{plain.port}/", [], 0),
            ("a certificate of nobody's", secure.url, [], 0),
            ("a certificate that --ca-file knows", secure.url, ["--ca-file", certificate], 200)):
        emulated = emulator.Emulator(f"--endpoint=foil={url}", "--retry=0", *arguments)
        answer = test(emulated, "foil").json
        check(f"{name}: the status is {status}", answer["status"] == status and
              (answer["error"] is None) == (status == 200), answer)
        emulated.stop()
    plain.close()
    secure.close()


def test_odd_answers():
    state = {}
    receiver = upstream.Upstream(lambda request, sock: state["answer"])
    emulated = start(receiver, "--retry=0")
    for name, answer, status, body in (
            ("a redirect, which is not followed",
             upstream.response(302, b"", [("Location", "/elsewhere")]), 302, ""),
            ("bytes that are no UTF-8", upstream.response(200, b"a\xff\x00b"), 200,
             "a\ufffd\ufffdb"),
            ("nothing", upstream.response(204, b""), 204, ""),
            ("5 MB", upstream.response(200, b"x" * 5000000), 200, "x" * 4096),
            ("an answer that breaks off", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 0, ""),
            ("no HTTP", b"220 smtp.example ESMTP\r\n", 0, ""),
            ("no answer at all", b"", 0, "")):
        state["answer"] = answer or None
        if status == 0 and answer:
            receiver.answer = lambda request, sock: (sock.sendall(answer), None)[1]
        got = test(emulated, "foil").json
        equal(f"a receiver that answers with {name}", (got["status"], got["body"]), (status, body))
        receiver.answer = lambda request, sock: state["answer"]
    receiver.close()


def test_live_events():
    receiver = upstream.Upstream()
    emulated = start(receiver, providers=("foil", "shodai", "trulayer"))
    client = emulator.Client(emulated, "foil")
    base = f"/v1/organizations/{emulated.organization}"
    made = client.ask("POST", f"{base}/webhooks/endpoints",
                      {"name": "other", "url": receiver.url + "/other",
                       "event_types": ["gate.session.approved"]}).json["data"]
    emulated.secrets.add(made["signing_secret"])

    def publish(**body):
        return emulated.ask("POST", "/emulator/events", body=body)

    answer = publish(provider="foil", type="gate.session.approved", data={"a": 1})
    equal("an event goes to all endpoints that subscribe", (answer.status,
                                                            answer.json["deliveries"]), (202, 2))
    receiver.wait(2)
    equal("it is one event", {json.loads(r.body)["id"] for r in receiver.requests},
          {answer.json["id"]})
    equal("it has the data", json.loads(receiver.requests[0].body)["data"], {"a": 1})
    answer = publish(provider="foil", type="session.result.persisted")
    equal("who does not subscribe is left alone", answer.json["deliveries"], 1)
    client.ask("DELETE", f"{base}/webhooks/endpoints/{made['id']}")
    equal("nor is who is disabled", publish(provider="foil", type="gate.session.approved")
          .json["deliveries"], 1)
    for provider, type in (("shodai", "agreement.transitioned"), ("trulayer", "failure.detected")):
        count = len(receiver.requests)
        equal(f"{provider} has events, too", publish(provider=provider, type=type, data={})
              .json["deliveries"], 1)
        body = wait_for(lambda: [b for b in (json.loads(r.body) for r in receiver.requests[count:])
                                 if b["type"] == type], "it")[0]
        equal(f"{provider}: empty data is data", body["data"], {})
    for name, body in (("an unknown provider", {"provider": "x", "type": "y"}),
                       ("no type", {"provider": "foil", "type": ""}),
                       ("data that is no object", {"provider": "foil", "type": "y", "data": 1})):
        equal(f"{name} is 400", publish(**body).status, 400)
    for data in (b'"\xff"', b'"a\\u0000b"', b'"a\\u12g4b"'):
        answer = emulated.ask("POST", "/emulator/events", body=b'{"provider":"trulayer",'
                              b'"type":"failure.detected","data":{"x":%s}}' % data)
        check(f"{data} in the data is 400, and not sent as something else",
              answer.status == 400 and not any(b'"x"' in r.body for r in receiver.requests), answer)
    receiver.close()


def test_documented_events():
    """Without data an event has that of the provider's documents."""
    receiver = upstream.Upstream()
    emulated = start(receiver, providers=("foil", "tripwire", "shodai", "trulayer"))
    ids = {e["source"]: e["id"] for e in emulated.start["endpoints"]}

    def published(provider, type):
        count = len(receiver.requests)
        answer = emulated.ask("POST", "/emulator/events", body={"provider": provider, "type": type})
        equal(f"{provider}, {type}: it goes to the endpoint of this provider only",
              (answer.status, answer.json["deliveries"]), (202, 1))
        return receiver.wait(count + 1)[count]

    def has(provider, type, facts):
        request = published(provider, type)
        data = json.loads(request.body)["data"]
        found = list(schema.problems(facts, data))
        check(f"{provider}, {type}: the data is as documented", not found, *found, data)
        return request

    for provider, title in (("foil", "Foil"), ("tripwire", "Tripwire")):
        types = {**schema.FOIL_DATA, "gate.session.approved": schema.foil_gate(provider),
                 "webhook.test": schema.FOIL_BODY["properties"]["data"]}
        for type, facts in types.items():
            request = has(provider, type, facts)
        equal(f"{provider}: a test names the endpoint", json.loads(request.body)["data"]["endpoint"],
              {"id": ids[provider]})
        equal(f"{provider}: the headers are its own", sorted(
            name for name, _ in request.headers if re.match("X-(Foil|Tripwire)-", name, re.I)),
              [f"X-{title}-Signature", f"X-{title}-Timestamp"])
    for type, facts in schema.SHODAI_DATA.items():
        has("shodai", type, facts)
    found = list(schema.problems(schema.TRULAYER_BODY,
                                 json.loads(published("trulayer", "ping").body)))
    check("trulayer: a ping has no data", not found, *found)
    for provider, type in (("trulayer", "failure.detected"), ("shodai", "agreement.unheard-of")):
        equal(f"{provider}, {type}: undocumented data is empty",
              json.loads(published(provider, type).body)["data"], {})
    for provider, source, status in (("tripwire", "tripwire", 200), ("foil", "tripwire", 404),
                                     ("tripwire", "foil", 404)):
        answer = emulated.ask("PUT", f"/emulator/endpoints/{provider}/{ids[source]}/faults",
                              body={"faults": "stale"})
        equal(f"the endpoint of {source} has faults as one of {provider}", answer.status, status)
    receiver.close()


def test_broken_pipe():
    """The reader closes the pipe after the first line, as `head -1` does."""
    receiver = upstream.Upstream()
    folder = sink.Folders.new()
    process = cli.subprocess.Popen(
        [*sink.WRAPPER, cli.TOOL, "emulate", "--json", "--listen=127.0.0.1:0", "--keys", "keys",
         f"--endpoint=foil={receiver.url}"], cwd=folder, stdout=cli.subprocess.PIPE,
        stderr=cli.subprocess.DEVNULL, env=sink.environment(None, folder),
        preexec_fn=sink.die_with_parent)
    base = json.loads(process.stdout.readline())["base_url"]
    process.stdout.close()
    address = ("127.0.0.1", int(base.rsplit(":", 1)[1]))
    with sink.Connection(address) as connection:
        answers = [ask_on(connection) for _ in range(3)]
    equal("nobody who reads its lines is no reason to fail", answers, [200] * 3)
    process.send_signal(signal.SIGTERM)
    process.wait(sink.PATIENCE)
    receiver.close()


def test_nobody_reads():
    """The reader stops after the first line and keeps the pipe open, as test harnesses do."""
    count = 200
    for json_lines in (True, False):
        receiver = upstream.Upstream()
        folder = sink.Folders.new()
        said = "out" if json_lines else "err"
        process = cli.subprocess.Popen(
            [*sink.WRAPPER, cli.TOOL, "emulate", *(["--json"] if json_lines else []), "--keys",
             "keys", "--listen=127.0.0.1:0", f"--endpoint=foil={receiver.url}"], cwd=folder,
            stdout=cli.subprocess.PIPE, stderr=cli.subprocess.PIPE,
            env=sink.environment(None, folder), preexec_fn=sink.die_with_parent)
        port = re.search(rb"http://127\.0\.0\.1:(\d+)", process.stdout.readline()).group(1)
        fcntl.fcntl({"out": process.stdout, "err": process.stderr}[said], fcntl.F_SETPIPE_SZ, 4096)
        with sink.Connection(("127.0.0.1", int(port))) as connection:
            answers = [ask_on(connection) for _ in range(count)]
        equal(f"whoever does not read standard {said} keeps no delivery from going out",
              (set(answers), len(receiver.requests)), ({200}, count))
        if json_lines:
            lines = [json.loads(process.stdout.readline()) for _ in range(count)]
            equal("... and finds a line about each of them later", {l["status"] for l in lines},
                  {200})
        process.send_signal(signal.SIGTERM)
        equal("... nor the emulator from ending", process.wait(sink.PATIENCE), 0)
        process.stdout.close()
        process.stderr.close()
        receiver.close()
