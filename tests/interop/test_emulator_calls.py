# SPDX-License-Identifier: MIT
"""The providers' documented curl calls work with the emulator's address in place of theirs, and
receivers without hookline code accept its deliveries."""
import json
import shutil
import subprocess

import pytest

from harness import interop
from harness.interop import sink
from harness.emulator import Emulator
from harness.sink import check, equal, skip, wait_for

pytestmark = [pytest.mark.running]

PROVIDERS = ("foil", "shodai", "trulayer")
SECRETS = interop.Secrets(PROVIDERS)
# Documented call of each provider, and the status of its answer.
CALLS = {
    "foil": ("{base}/v1/organizations/{organization}/webhooks/endpoints/{id}/test",
             "Authorization: Bearer {key}", 202),
    "shodai": ("{base}/v0/webhooks/{id}/test", "X-API-Key: {key}", 201),
    "trulayer": ("{base}/v1/webhooks/{id}/test", "Authorization: Bearer {key}", 200),
}


def curl(url, *headers):
    """Status and JSON of the answer."""
    lines = [argument for header in headers for argument in ("--header", header)]
    result = subprocess.run(["curl", "--silent", "--noproxy", "*", "--request", "POST", "--url", url,
                             *lines, "--write-out", "\n%{http_code}"], capture_output=True,
                            text=True, timeout=sink.PATIENCE, check=True)
    body, status = result.stdout.rsplit("\n", 1)
    return int(status), json.loads(body)


def call(emulator, provider, *headers):
    url, authorization, _ = CALLS[provider]
    endpoint = next(one for one in emulator.start["endpoints"] if one["provider"] == provider)
    words = {"base": emulator.base, "organization": emulator.organization, "id": endpoint["id"],
             "key": emulator.key(provider)}
    return curl(url.format(**words), authorization.format(**words), *headers)


def seen_of(provider, answer):
    """Receiver's status and code as the provider reports them; Foil reports them later."""
    if provider == "trulayer":
        return answer["status"], json.loads(answer["body"])["code"]
    return answer["data"].get("responseStatus"), None


def delivered(emulator, receiver, name):
    for provider in PROVIDERS:
        before = len(receiver.received())
        status, answer = call(emulator, provider)
        equal(f"{provider}'s curl call is answered as documented", status, CALLS[provider][2], answer)
        got = wait_for(lambda: receiver.received()[before:], "the delivery")[0]
        check(f"{name} takes {provider}'s delivery, body and all", got["code"] == "verified", got)
        if provider != "foil":
            equal(f"{provider} tells of {name}'s answer", seen_of(provider, answer)[0], 200, answer)
        before += 1
        _, answer = call(emulator, provider, "Hookline-Fault: tamper")
        got = wait_for(lambda: receiver.received()[before:], "the delivery")[0]
        check(f"{name} refuses {provider}'s where it is tampered with", got["code"] == "signature", got)
        if provider == "trulayer":
            equal(f"{provider} tells what {name} said", seen_of(provider, answer), (401, "signature"))


def with_receiver(receiver, name):
    endpoints = [argument for provider in PROVIDERS for argument in
                 ("--endpoint", f"{provider}={receiver.url(provider)},{SECRETS.where(provider)}")]
    emulator = Emulator("--retry", "0", *endpoints)
    delivered(emulator, receiver, name)
    emulator.stop()


def test_in_python():
    if shutil.which("curl") is None:
        skip("the providers' curl calls work with the emulator", "no curl")
        return
    with interop.in_python(SECRETS) as receiver:
        with_receiver(receiver, "Python")


def test_in_node():
    why = interop.missing(node=True) or (None if shutil.which("curl") else "no curl")
    if why:
        skip("a receiver in Node takes what the emulator delivers", why)
        return
    with interop.in_node(SECRETS) as receiver:
        with_receiver(receiver, "Node")
