# SPDX-License-Identifier: MIT
"""Manual use, for each provider: openssl signs, curl delivers."""
import json
import os
import subprocess
import time

import pytest


from harness.sink import Daemon, Folders, equal, write_file

pytestmark = [pytest.mark.running, pytest.mark.threads]

SECRET = "whsec_0123456789abcdef0123456789abcdef"
PROVIDERS = ("foil", "shodai", "trulayer")
LARGE = 2 << 20


def mac(secret, text):
    """openssl takes the secret as an argument, acceptable in tests only."""
    shown = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", secret], input=text.encode(),
                           capture_output=True, check=True).stdout.decode()
    return shown.rsplit("=", 1)[1].strip()


def signed(provider, secret, now, id="evt_1"):
    """The body, and the headers as curl options."""
    if provider == "foil":
        body = f'{{"id":"w{id}","object":"webhook_event","type":"webhook.test","data":{{}}}}'
        headers = [f"X-Foil-Timestamp: {now}", f"X-Foil-Signature: {mac(secret, f'{now}.{body}')}"]
    elif provider == "shodai":
        body = f'{{"id":"{id}","type":"webhook.test","apiVersion":"2026-06-01","data":{{}}}}'
        headers = [f"X-Shodai-Webhook-Id: {id}", f"X-Shodai-Webhook-Timestamp: {now}",
                   f"X-Shodai-Webhook-Signature: sha256={mac(secret, f'{now}.{body}')}"]
    else:
        sent_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        body = f'{{"type":"ping","webhook_id":"0","sent_at":"{sent_at}"}}'
        headers = [f"X-TruLayer-Signature: sha256={mac(secret, body)}"]
    return body, [option for header in headers for option in ("-H", header)]


class Curl:
    """Sends deliveries to one daemon."""
    def __init__(self, address):
        self.base = "http://%s:%d/" % address
        self.folder = Folders.new()
        self.body = os.path.join(self.folder, "body")

    def expect(self, sentence, status, code, path, *options, body=None):
        if body is not None:
            options = [*options, "--data-binary", "@" + write_file(self.body, body)]
        answer = os.path.join(self.folder, "answer")
        done = subprocess.run(["curl", "-sS", "--max-time", "120", "-o", answer, "-w", "%{http_code}",
                               *options, self.base + path], capture_output=True, text=True, check=False)
        with open(answer, encoding="utf-8") as file:
            said = json.load(file)
        equal(sentence, (done.stdout, said.get("status") or said["error"]["code"]), (status, code),
              said, done.stderr)


def test_curl():
    folder = Folders.new()
    secret = write_file(f"{folder}/secret", SECRET + "\n")
    daemon = Daemon(arguments=[
        "--listen", "127.0.0.1:0", "--log", f"{folder}/log", "--store", f"{folder}/store",
        *(option for name in PROVIDERS for option in ("--source", f"{name}={name}:@{secret}"))])
    daemon.log = f"{folder}/log"
    expect = Curl(daemon.address).expect
    for provider in PROVIDERS:
        now = int(time.time())
        body, headers = signed(provider, SECRET, now)
        expect(f"{provider}: a test delivery is accepted", "200", "accepted", provider, *headers,
               body=body)
        expect(f"{provider}: a changed body is a mismatch", "401", "signature_mismatch", provider,
               *headers, body=body + " ")
        expect(f"{provider}: without its headers it is refused", "401", "missing_header", provider,
               body=body)
        other_body, other = signed(provider, "another-secret", now)
        expect(f"{provider}: another secret is a mismatch", "401", "signature_mismatch", provider,
               *other, body=other_body)
        old_body, old = signed(provider, SECRET, now - 301, id="evt_old")
        expect(f"{provider}: 301 s ago is too old", "401", "timestamp_too_old", provider, *old,
               body=old_body)
        # 900 s allows for delays; tests with a stopped clock cover the exact second.
        new_body, new = signed(provider, SECRET, now + 900)
        expect(f"{provider}: 900 s ahead is too new", "401", "timestamp_too_new", provider, *new,
               body=new_body)
        expect(f"{provider}: 2 MiB are too large", "413", "body_too_large", provider, *new,
               body=bytes(LARGE))
        expect(f"{provider}: 2 MiB in chunks, unannounced, are too large", "413", "body_too_large",
               provider, *new, "-H", "Transfer-Encoding: chunked", "-H", "Expect:", body=bytes(LARGE))
        expect(f"{provider}: GET is not allowed", "405", "method_not_allowed", provider)
    body, headers = signed("shodai", SECRET, int(time.time()))
    expect("shodai: another id in the header is refused", "400", "webhook_id_mismatch", "shodai",
           *(header.replace(": evt_1", ": evt_2") for header in headers), body=body)
    expect("a path without a source is not found", "404", "not_found", "nothing", body="x")
    equal("hooklined exits with 0", daemon.stop(), 0)
    equal("the three that were accepted have their lines, and no other",
          len(daemon.lines(verdict="stored")), 3)
