# SPDX-License-Identifier: MIT
"""Certificate checks of the tool over https: receiver, provider, sink and, for the emulator,
application. An untrusted server receives nothing, and one line gives the reason."""
import os
import re
import ssl

import pytest

from harness import emulator
from harness.certificates import Authority
from harness.cli import GOOD, TRANSPORT, USAGE, Run, sink
from harness.papers import Papers
from harness.provider import KEY, Provider, arguments
from harness.sink import Daemon, Folders, check, equal, source, write_file
from harness.upstream import Upstream

pytestmark = [pytest.mark.running, pytest.mark.threads]

papers = Papers()
TOKEN = "token-0123456789-nobody-may-see"
sink.Watch.words.add(TOKEN.encode())
EXPIRED, COMING = ("20200101000000Z", "20210101000000Z"), ("20990101000000Z", "20991231000000Z")


class The:
    ca = other = socket = None
    servers = {}


def context_of(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


def served(*name, **how):
    return Upstream(tls=context_of(The.ca.issue(*name, **how)))


@pytest.fixture(scope="module", autouse=True)
def servers():
    The.ca, The.other = Authority(), Authority("Another CA")
    The.socket = os.path.join(Folders.new(), "admin.sock")
    picky = served()
    picky.tls.load_verify_locations(The.other.file)
    picky.tls.verify_mode, picky.tls.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2
    The.servers = {"good": served(), "expired": served(dates=EXPIRED),
                   "coming": served(dates=COMING), "elsewhere": served("elsewhere.example"),
                   "picky": picky}


def start():
    """Sink for a ping."""
    return Daemon(sources=[source("foil")], admin={"address": "unix:" + The.socket})


def callers(server, authorities, host="127.0.0.1"):
    """(name, arguments) of each command that connects to a server."""
    base = f"https://{host}:{server.port}"
    vouched = [f"--ca-file={authorities}"] if authorities else []
    at_sink = [f"--sink={base}", "--sink-token=env:TOKEN",
               *([f"--sink-ca={authorities}"] if authorities else [])]
    return (("send", ["send", base + "/hooks", *papers.scheme("github"), "--test", *vouched]),
            ("ping", [*arguments("foil", base, "unix:" + The.socket), *vouched]),
            ("deliveries", ["deliveries", *at_sink]),
            ("wait", ["wait", *at_sink]))


def run(command):
    return Run(*command, environment={"KEY": KEY, "TOKEN": TOKEN})


def test_not_believed():
    start()
    for what, name, authorities, host, said in (
            ("whom nobody vouches for", "good", None, "127.0.0.1", "certificate"),
            ("whom another authority vouches for", "good", The.other.file, "127.0.0.1",
             "certificate"),
            ("whose certificate has expired", "expired", The.ca.file, "127.0.0.1", "has expired"),
            ("whose certificate is not valid yet", "coming", The.ca.file, "127.0.0.1",
             "not yet valid"),
            ("whose certificate is for another name", "elsewhere", The.ca.file, "localhost",
             "localhost"),
            ("who wants a certificate", "picky", The.ca.file, "127.0.0.1", "handshake failure")):
        server = The.servers[name]
        for command, how in callers(server, authorities, host):
            got = run(how)
            check(f"{command}: {what} is not spoken to, and one line says why",
                  got.status == TRANSPORT and got.err.count("\n") == 1 and said in got.err
                  and got.err.startswith("hookline: "), got)
        equal(f"{what}: it has heard nothing", server.requests, [])


def test_believed():
    daemon, server = start(), The.servers["good"]
    for command, how in callers(server, The.ca.file):
        before = len(server.requests)
        run(how)
        check(f"{command}: whom the file vouches for is spoken to", len(server.requests) > before)
    provider = Provider("foil", (daemon.address, "/foil"))
    provider.server.tls = context_of(The.ca.issue())
    got = run([*arguments("foil", provider.base.replace("http:", "https:"), "unix:" + The.socket),
               "--ca-file", The.ca.file])
    equal("a ping through a provider's https is confirmed", got.status, GOOD, got)
    provider.close()


def test_wrong_files():
    folder, server = Folders.new(), The.servers["good"]
    before = len(server.requests)
    for what, path, why in (
            ("is not there", "/nowhere", "No such file"), ("is a folder", folder, "not a regular"),
            ("is empty", write_file(f"{folder}/empty", ""), "no PEM certificate"),
            ("has no certificate", The.ca.key, "no PEM certificate")):
        emulate = ["emulate", "--listen=127.0.0.1:0", f"--keys={folder}/keys", f"--ca-file={path}"]
        for command, how in (*callers(server, path), ("emulate", emulate)):
            got = run(how)
            check(f"{command}: a file of certificates that {what} is said to be so, and is wrong usage",
                  got.status == USAGE and got.out == "" and re.match(
                      f"hookline: --(ca-file|sink-ca): {re.escape(path)}: {why}", got.err), got)
    equal("nobody has been spoken to", len(server.requests), before)


def test_the_emulator():
    """The emulator reports a failed attempt as the provider's list does."""
    for what, name, given, said in (
            ("whom nobody vouches for", "good", [], "certificate"),
            ("whose certificate has expired", "expired", ["--ca-file", The.ca.file], "has expired"),
            ("who wants a certificate", "picky", ["--ca-file", The.ca.file], "handshake failure")):
        before = len(The.servers[name].requests)
        emulated = emulator.Emulator("--endpoint=foil=" + The.servers[name].url, "--retry=0", *given)
        client = emulator.Client(emulated, "foil")
        base = f"/v1/organizations/{emulated.organization}/webhooks/endpoints"
        endpoint = emulated.start["endpoints"][0]["id"]
        event = client.ask("POST", f"{base}/{endpoint}/test").json["data"]["event_id"]
        where = f"/v1/organizations/{emulated.organization}/events/{event}"
        delivery = sink.wait_for(lambda: (found := client.ask("GET", where).json["data"][
            "webhook_deliveries"][0])["status"] == "failed" and found, "the end of the delivery")
        check(f"an application {what} is sent nothing, and the provider's list says why",
              delivery["status"] == "failed" and said in (delivery["error"] or "")
              and len(The.servers[name].requests) == before, delivery)
        emulated.stop()
