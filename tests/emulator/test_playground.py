# SPDX-License-Identifier: MIT
"""hookline emulate --for: hooklined, its own configuration, and an emulator that sends to each
source with its scheme."""
import json
import re

import pytest

from harness import emulator
from harness.certificates import Authority
from harness.cli import USAGE, Run, sink
from harness.ports import free_port
from harness.sink import check, equal, wait_for

pytestmark = [pytest.mark.running, pytest.mark.threads]

CUSTOM = ("signature X-Shop-Signature; encoding hex; timestamp header X-Shop-Time seconds; "
          "content {timestamp}|{method}|{url}|{body}; event type type;")
NAMES = ["foil", "tripwire", "shodai", "trulayer", "standard", "svix", "stripe", "github", "slack"]


def all_sources():
    """A source of each scheme, and some unusual ones."""
    return [*(sink.source(name) for name in NAMES),
            sink.source("second.foil", scheme="foil", path="/other/path",
                        secrets=["whsec_second_0123456789abcdef012345"]),
            sink.source("rotating", scheme="standard", secrets=[
                "whsec_" + sink.base64_text(b"new-secret-0123456789abcdef01234"),
                "whsec_" + sink.base64_text(b"old-secret-0123456789abcdef01234")]),
            sink.source("shop", description=CUSTOM, url="https://shop.example/hooks?a=b",
                        secrets=["shop-secret-0123456789abcdef"])]


def playground(daemon, *arguments, url=True, **options):
    emulated = emulator.Emulator(
        "--for", f"{daemon.folder}/hooklined.yaml",
        *(["--sink-url", f"http://127.0.0.1:{daemon.address[1]}/"] if url else []), "--retry=0",
        *arguments, **options)
    emulated.secrets |= set(sink.SECRETS.values()) | {"shop-secret-0123456789abcdef"}
    return emulated


def test(emulated, source, fault=None):
    return emulated.ask("POST", f"/emulator/sources/{source}/test",
                        [("Hookline-Fault", fault)] if fault else [])


def test_every_source():
    daemon = sink.Daemon(sources=all_sources())
    emulated = playground(daemon)
    found = {e["source"]: e for e in emulated.start["endpoints"]}
    names = NAMES + ["second.foil", "rotating", "shop"]
    equal("there is an endpoint for each source", list(found), names)
    equal("those of Foil, Tripwire, Shodai and TruLayer are reached by their APIs, the others by ours",
          {name: found[name]["provider"] for name in names},
          {**{name: "emulated" for name in names}, "foil": "foil", "tripwire": "tripwire",
           "second.foil": "foil", "shodai": "shodai", "trulayer": "trulayer"})
    equal("the URLs are those of the sources", found["second.foil"]["url"],
          f"http://127.0.0.1:{daemon.address[1]}/other/path")
    for name in names:
        answer = test(emulated, name)
        check(f"{name}: a test is taken by the sink",
              answer.status == 200 and answer.json["status"] == 200, answer)
        lines = wait_for(lambda: daemon.lines(source=name), "the line")
        equal(f"{name}: it is verified and stored", [line["verdict"] for line in lines], ["stored"],
              lines)
        answer = test(emulated, name, "wrong-secret")
        equal(f"{name}: a forgery is not", answer.json["status"], 401)
    wait_for(lambda: len(daemon.lines(verdict="refused")) == len(names), "the refusals")
    for name in names:
        if name != "github":
            answer = test(emulated, name, "future=4000")
            check(f"{name}: nor what comes from the future",
                  answer.json["status"] == 401 and "timestamp_too_new" in answer.json["body"],
                  answer)
    for name, fault in (("standard", "two-signatures"), ("stripe", "two-signatures")):
        equal(f"{name}: of two signatures one is enough", test(emulated, name, fault)
              .json["status"], 200)
    answer = test(emulated, "stripe", "duplicate")
    wait_for(lambda: daemon.lines(source="stripe", verdict="duplicate"), "the duplicate")
    check("a duplicate is known as one", True)
    test(emulated, "shodai", "burst=20,reorder")
    wait_for(lambda: len(daemon.lines(source="shodai", verdict="stored")) == 21, "the burst")
    check("a burst is stored", True)
    equal("a source that is none is 404", test(emulated, "nobody").status, 404)


def test_by_their_apis():
    daemon = sink.Daemon(sources=all_sources())
    emulated = playground(daemon)
    ids = {e["source"]: e["id"] for e in emulated.start["endpoints"]}
    base = f"/v1/organizations/{emulated.organization}"
    for source, key in (("foil", "foil"), ("tripwire", "tripwire"), ("tripwire", "foil"),
                        ("second.foil", "foil")):
        foil = emulator.Client(emulated, key)
        answer = foil.ask("POST", f"{base}/webhooks/endpoints/{ids[source]}/test")
        event = answer.json["data"]["event_id"]
        line = wait_for(lambda: daemon.lines(id=event), "the line")[0]
        equal(f"Foil's test of {source} arrives there", (line["source"], line["verdict"]),
              (source, "stored"))
        delivery = wait_for(lambda: [d for d in foil.ask("GET", f"{base}/events/{event}").json[
            "data"]["webhook_deliveries"] if d["status"] != "pending"], "the delivery")[0]
        equal("... and Foil shows what the sink has answered",
              (delivery["status"], delivery["response_status"],
               json.loads(delivery["response_body"])["source"]), ("succeeded", 200, source))
    answer = emulator.Client(emulated, "shodai", "X-API-Key", "").ask(
        "POST", f"/v0/webhooks/{ids['shodai']}/test")
    equal("Shodai's test arrives", (answer.status, answer.json["data"]["ok"],
                                    answer.json["data"]["responseStatus"]), (201, True, 200))
    answer = emulator.Client(emulated, "trulayer").ask("POST",
                                                       f"/v1/webhooks/{ids['trulayer']}/test")
    equal("TruLayer's test arrives, and shows the sink's answer",
          (answer.status, answer.json["status"], json.loads(answer.json["body"])["source"]),
          (200, 200, "trulayer"))


def test_told_by_the_configuration():
    port = free_port()
    folder = sink.Folders.new()
    daemon = sink.Daemon(sources=[sink.source("foil")], folder=folder,
                         listen=[{"address": f"0.0.0.0:{port}"}],
                         admin={"address": f"unix:{folder}/admin.sock"})
    emulated = playground(daemon, url=False)
    endpoint = emulated.start["endpoints"][0]
    equal("without --sink-url it is where hooklined listens", endpoint["url"],
          f"http://127.0.0.1:{port}/foil")
    equal("the sink's administrator's address is known, too", endpoint["ping"][-2:],
          ["--sink", f"unix:{folder}/admin.sock"])
    equal("a test arrives", test(emulated, "foil").json["status"], 200)
    emulated.stop()
    daemon.stop()


def test_several_addresses():
    """A configuration may listen on several addresses."""
    folder = sink.Folders.new()
    tls = {"certificate": f"{folder}/certificate", "key": f"{folder}/key"}
    plain, second = {"address": "127.0.0.1:1001"}, {"address": "127.0.0.1:1002"}
    secure, proxied = {"address": "0.0.0.0:1003", "tls": tls}, {"address": "127.0.0.1:1004",
                                                                "proxy_protocol": True}
    for listen, url in (([plain, second], "http://127.0.0.1:1001"),
                        ([secure], "https://127.0.0.1:1003"),
                        ([secure, {**secure, "address": "127.0.0.1:1005"}],
                         "https://127.0.0.1:1003"),
                        ([secure, plain], "http://127.0.0.1:1001"),
                        ([proxied, secure], "https://127.0.0.1:1003"),
                        ([{"address": "unix:x"}, proxied, second], "http://127.0.0.1:1002")):
        path = sink.write_file(f"{folder}/hooklined.yaml", json.dumps(
            {"sources": [sink.source("foil")], "listen": listen, "trusted_proxies": ["127.0.0.1"]}))
        emulated = emulator.Emulator("--for", path, folder=folder)
        equal(f"of {[one['address'] for one in listen]} it is {url}",
              emulated.start["endpoints"][0]["url"], url + "/foil")
        emulated.stop()
    got = Run("emulate", "--listen=127.0.0.1:0", "--keys", f"{folder}/keys", "--for",
              sink.write_file(f"{folder}/hooklined.yaml", json.dumps(
                  {"sources": [sink.source("foil")], "listen": [proxied],
                   "trusted_proxies": ["127.0.0.1"]})))
    check("where only a proxy gets to, its URL has to be told",
          got.status == USAGE and "--sink-url" in got.err, got)


def test_a_sink_that_speaks_tls():
    authority = Authority()
    daemon = sink.Daemon(sources=[sink.source("foil")], listen=[
        {"address": f"127.0.0.1:{free_port()}", "tls": authority.tls()}])
    emulated = playground(daemon, "--ca-file", authority.file, url=False)
    equal("a sink that speaks TLS is spoken to so", test(emulated, "foil").json["status"], 200)
    emulated.stop()
    daemon.stop()


def test_an_administrator_with_a_token():
    folder = sink.Folders.new()
    port = free_port()
    token = sink.write_file(f"{folder}/a token", "token_0123456789abcdef0123456789abcdef\n")
    daemon = sink.Daemon(sources=[sink.source("foil")], folder=folder,
                         admin={"address": f"0.0.0.0:{port}", "token": {"file": token}})
    emulated = playground(daemon)
    emulated.secrets.add("token_0123456789abcdef0123456789abcdef")
    ping = emulated.start["endpoints"][0]["ping"]
    equal("the command says how the administrator is reached, and where the token is", ping[-4:],
          ["--sink", f"127.0.0.1:{port}", "--sink-token", "@" + token])
    got = Run(*ping[1:])
    equal("and is confirmed", got.status, 0, got)
    emulated.stop()
    daemon.stop()


def test_ready_commands():
    """The commands that the emulator prints work as printed."""
    folder = sink.Folders.new()
    daemon = sink.Daemon(sources=all_sources(), folder=folder,
                         admin={"address": f"unix:{folder}/admin.sock"})
    emulated = playground(daemon)
    for endpoint in emulated.start["endpoints"]:
        got = Run(*endpoint["ping"][1:])
        equal(f"{endpoint['source']}: the ping that is printed is confirmed", got.status, 0, got)
        lines = daemon.lines(source=endpoint["source"])
        equal(f"{endpoint['source']}: ... and was one delivery",
              [line["verdict"] for line in lines], ["stored"])


def test_changes():
    """The configuration changes between two starts with one store."""
    folder = sink.Folders.new()
    sources = [sink.source("a", scheme="stripe"), sink.source("b", scheme="foil")]
    daemon = sink.Daemon(sources=sources, folder=folder)
    emulated = playground(daemon, "--store", f"{folder}/emulator.db")
    ids = {e["source"]: e["id"] for e in emulated.start["endpoints"]}
    emulated.stop()
    daemon.stop()
    sources = [sink.source("a", scheme="foil"),
               sink.source("b", scheme="foil", secrets=["whsec_new_0123456789abcdef0123456789ab"])]
    daemon = sink.Daemon(sources=sources, folder=folder)
    emulated = playground(daemon, "--store", f"{folder}/emulator.db")
    found = {e["source"]: e for e in emulated.start["endpoints"]}
    equal("an endpoint stays, with another secret", found["b"]["id"], ids["b"])
    check("a source of another scheme gets another endpoint",
          found["a"]["provider"] == "foil" and found["a"]["id"].startswith("we_"), found)
    for name in ("a", "b"):
        equal(f"{name}: what is sent is taken", test(emulated, name).json["status"], 200)
    equal("no endpoint is left over",
          len(emulated.ask("GET", "/emulator/endpoints").json["endpoints"]), 2)


def test_mistakes():
    folder = sink.Folders.new()
    keys = f"{folder}/keys"

    def run(config, *more):
        path = sink.write_file(f"{folder}/hooklined.yaml", json.dumps(config))
        return Run("emulate", "--listen=127.0.0.1:0", "--keys", keys, "--for", path, *more)

    source = sink.source("foil")
    got = run({"sources": [source], "listen": [{"address": "127.0.0.1:0"}]})
    check("a port that nobody knows has to be told", got.status == USAGE and "--sink-url" in got.err,
          got)
    got = Run("emulate", "--listen=127.0.0.1:0", "--keys", keys, "--for", folder)
    check("a folder is no configuration", got.status == USAGE and
          got.err == f"hookline: {folder}: Is a directory\n", got)
    got = Run("emulate", "--listen=127.0.0.1:0", "--keys", keys, "--endpoint",
              "foil=http://127.0.0.1:1/,whsec_hereitis")
    check("a secret has no place on the command line, and is not repeated", got.status == USAGE and
          "@FILE" in got.err and "hereitis" not in got.err + got.out, got)
    source["secrets"] = [{"file": f"{folder}/nowhere"}]
    got = run({"sources": [source]})
    check("a secret that cannot be read is named", got.status == USAGE and
          "source foil" in got.err and f"{folder}/nowhere" in got.err, got)
    standard = sink.source("standard")
    for name, changed, said in (
            ("a scheme that there is not", {"scheme": "nonesuch"}, "unknown scheme; expected one of"),
            ("a secret that is none of its scheme's",
             {"secrets": [{"file": sink.write_file(f"{folder}/odd", "whsec_no base64!\n")}]},
             "secret")):
        got = run({"sources": [{**standard, **changed}]})
        check(f"{name} is refused at the start, as hooklined does, with its place",
              got.status == USAGE and said in got.err and
              re.match(rf"hookline: {folder}/hooklined\.yaml:\d+: source standard: ", got.err), got)
    got = Run("emulate", "--listen=127.0.0.1:0", "--keys", keys, "--endpoint",
              f"standard=http://127.0.0.1:1/,@{folder}/odd")
    check("so is such a secret of an --endpoint", got.status == USAGE and
          got.err.startswith("hookline: --endpoint standard: the secret "), got)
    got = run({"sources": [sink.source("foil")]}, "--sink-url", "localhost:8080")
    check("a sink's URL is one", got.status == USAGE and "http" in got.err, got)
    got = run({"sources": [sink.source("foil")]}, "--endpoint", "foil=http://127.0.0.1:1/")
    check("a source has one endpoint", got.status == USAGE and "duplicate endpoint" in got.err, got)
