# SPDX-License-Identifier: MIT
"""Third-party packages, in both directions: hookline and hooklined accept signatures of
standardwebhooks, svix, stripe and @octokit/webhooks-methods, and these accept hookline's; each side
refuses changed or stale requests."""
import json
import time

from harness import interop
from harness.interop import cli, sink
from harness.sink import check, equal, skip

# No marks: cli/test_sign.py, test_verify.py and test_send.py run the same code.

SCHEMES = {"standard": "standardwebhooks", "svix": "svix", "stripe": "stripe",
           "github": "@octokit/webhooks-methods"}
UNTIMED = ("github",)
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
ID_OPTION = {"standard": ["--id", ID], "svix": ["--id", ID], "stripe": [], "github": []}
BODIES = {
    "a test event": '{"type":"ping","data":{}}',
    "blanks and a line end": '{ "type" : "ping" }\n',
    "letters of the whole world": '{"text":"Zoë, 東京, 🚀 and \\u00e9"}',
    "200 KB": json.dumps({"items": ["0123456789"] * 15000}),
}


def verify(scheme, secrets, headers, body):
    lines = [argument for header in headers.items() for argument in ("--header", ": ".join(header))]
    return cli.Run("verify", "--scheme", scheme, "--secret", secrets.where(scheme), *lines,
                   "--body", "-", stdin=body.encode())


def they_sign(packages, scheme, body, at=None, id=ID):
    status, headers = packages.ask("POST", "sign/" + scheme, json.dumps(
        {"secret": sink.SECRETS[scheme], "id": id, "at": int(at or time.time()), "body": body}))
    if status != 200:
        raise AssertionError(f"{SCHEMES[scheme]} does not sign: {headers}")
    return headers


def they_sign_we_verify(packages, secrets, scheme):
    name = SCHEMES[scheme]
    for what, body in BODIES.items():
        headers = they_sign(packages, scheme, body)
        run = verify(scheme, secrets, headers, body)
        equal(f"{name} signs {what}: hookline verify verifies", run.status, cli.GOOD, run)
        run = verify(scheme, secrets, headers, body[:-2] + " " + body[-1])
        equal(f"{name} signs {what}, one byte changes: hookline verify refuses", run.status,
              cli.REFUSED, run)
    for seconds in () if scheme in UNTIMED else (-400, 400):
        body = BODIES["a test event"]
        run = verify(scheme, secrets, they_sign(packages, scheme, body, time.time() + seconds), body)
        equal(f"{name} signs {seconds} seconds from now: hookline verify says that it is genuine, "
              "and not of now", run.status, cli.STALE, run)


def we_sign_they_verify(packages, secrets, scheme):
    name = SCHEMES[scheme]
    for what, body in BODIES.items():
        headers, run = interop.signed(scheme, secrets, body.encode(), *ID_OPTION[scheme])
        status, said = packages.ask("POST", scheme, body.encode(), headers)
        equal(f"hookline sign signs {what}: {name} verifies", (status, said["code"]),
              (200, "verified"), run)
        status, said = packages.ask("POST", scheme, (body[:-2] + " " + body[-1]).encode(), headers)
        equal(f"hookline sign signs {what}, one byte changes: {name} refuses", status, 400, said)
    # stripe limits only the past.
    for seconds in {"github": (), "stripe": (-400,)}.get(scheme, (-400, 400)):
        body = BODIES["a test event"].encode()
        headers, run = interop.signed(scheme, secrets, body, *ID_OPTION[scheme], "--now",
                                      int(time.time()) + seconds)
        status, said = packages.ask("POST", scheme, body, headers)
        equal(f"hookline sign signs {seconds} seconds from now: {name} refuses", status, 400, said,
              run)


def we_send_they_verify(packages, secrets, scheme):
    name = SCHEMES[scheme]
    for fault, status, outcome in (("", "200", cli.GOOD), ("two-signatures", "200", cli.GOOD),
                                   ("tamper", "400", cli.REFUSED),
                                   ("wrong-secret", "400", cli.REFUSED)):
        if fault == "two-signatures" and scheme in UNTIMED:
            continue  # the header holds one signature
        run = cli.Run("send", "--scheme", scheme, "--secret", secrets.where(scheme), "--test",
                      *(("--fault", fault) if fault else ()), packages.url(scheme))
        check(f"hookline send{' --fault ' + fault if fault else ''}: {name} answers {status}",
              run.status == outcome and status in run.out, run)


def they_deliver(packages, daemon, scheme):
    for what, body in BODIES.items():
        # Each body gets its own id, so none is a duplicate.
        headers = they_sign(packages, scheme, body, id=f"msg_{len(body)}")
        answer = daemon.send("/" + scheme, list(headers.items()), body)
        equal(f"{SCHEMES[scheme]} signs {what}: hooklined takes it", answer.status, 200, answer.body)
        answer = daemon.send("/" + scheme, list(headers.items()), body + "\n")
        equal(f"{SCHEMES[scheme]} signs {what}, a line end is added: hooklined refuses",
              (answer.status, answer.code), (401, "signature_mismatch"))


def test_packages():
    if why := interop.missing(packages=SCHEMES.values()):
        for name in SCHEMES.values():
            skip(f"{name} and hookline verify what the other signs", why)
        return
    secrets = interop.Secrets(SCHEMES)
    daemon = sink.Daemon(sources=[sink.source(scheme) for scheme in SCHEMES])
    with interop.with_packages(secrets) as server:
        for scheme in SCHEMES:
            they_sign_we_verify(server, secrets, scheme)
            we_sign_they_verify(server, secrets, scheme)
            we_send_they_verify(server, secrets, scheme)
            they_deliver(server, daemon, scheme)
    daemon.stop()
