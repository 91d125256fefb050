# SPDX-License-Identifier: MIT
"""Receivers written from the three providers' documentation, in Python and Node with standard
libraries only, accept hookline's signatures and refuse its faults."""
import time

from harness import interop
from harness.interop import cli, sink
from harness.sink import check, equal, skip

# No marks: cli/test_sign.py and test_send.py run the same code.

PROVIDERS = ("foil", "shodai", "trulayer")
SECRETS = interop.Secrets(PROVIDERS)
# Fault and the receiver's code; TruLayer signs no time.
FAULTS = {"wrong-secret": "signature", "secret-newline": "signature", "tamper": "signature",
          "reencode": "signature", "crlf": "signature", "unsigned": "missing_header",
          "stale": "timestamp", "future=412": "timestamp"}


def send(receiver, provider, *arguments):
    return cli.Run("send", "--scheme", provider, "--secret", SECRETS.where(provider), "--test",
                   *arguments, receiver.url(provider))


def sent(receiver, name):
    for provider in PROVIDERS:
        run = send(receiver, provider)
        last = receiver.received()[-1]
        check(f"{name}: takes {provider}'s test delivery, body and all, from hookline send",
              run.status == cli.GOOD and last["code"] == "verified", run, last)
        for fault, code in FAULTS.items():
            if provider == "trulayer" and code == "timestamp":
                continue
            run = send(receiver, provider, "--fault", fault)
            last = receiver.received()[-1]
            check(f"{name}: refuses {provider}'s with {fault}: {code}",
                  run.status == cli.REFUSED and last["code"] == code, run, last)


def signed(receiver, name):
    for provider in PROVIDERS:
        body = sink.sample_body(provider, "wevt_" + "0" * 32)
        headers, run = interop.signed(provider, SECRETS, body)
        post = {**headers, "Content-Type": "application/json"}
        # The body is no provider's envelope, so the receiver may refuse it, but only for that.
        status, said = receiver.ask("POST", provider, body, post)
        check(f"{name}: finds nothing wrong with {provider}'s headers from hookline sign",
              run.status == cli.GOOD and said["code"] in ("verified", "envelope", "data", "payload"),
              run, status, said)
        status, said = receiver.ask("POST", provider, body + b" ", post)
        equal(f"{name}: a blank more, and {provider}'s headers are refused", said["code"], "signature")
        if provider == "trulayer":
            continue
        for seconds in (-400, 400):  # beyond the tolerance, even if the receiver is slow
            headers, run = interop.signed(provider, SECRETS, body, "--now", int(time.time()) + seconds)
            _, said = receiver.ask("POST", provider, body, headers)
            equal(f"{name}: refuses {provider}'s of {seconds} seconds from now", said["code"],
                  "timestamp", run)


def test_in_python():
    with interop.in_python(SECRETS) as receiver:
        sent(receiver, "Python")
        signed(receiver, "Python")


def test_in_node():
    if why := interop.missing(node=True):
        skip("Node: takes what hookline signs, and refuses what it spoils", why)
        return
    with interop.in_node(SECRETS) as receiver:
        sent(receiver, "Node")
        signed(receiver, "Node")
