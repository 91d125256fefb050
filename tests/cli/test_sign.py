# SPDX-License-Identifier: MIT
"""hookline sign: output matches the sender's documentation, passes hookline verify and runs in a
shell; incomplete input prints nothing."""
import re
import subprocess
import time

import pytest

from harness import cli
from harness.cli import GOOD, STALE, USAGE, Run, sink
from harness.papers import NOW, Papers, headers_of, vector_files, watched
from harness.sink import Watch, check, equal, sign
from harness.upstream import Upstream

pytestmark = [pytest.mark.compiler, pytest.mark.running]

papers = Papers()
KEY = "a-secret-0123456789"


def signed(*arguments, **options):
    """The output contains signatures on purpose, so only secrets count as leaks."""
    run = Run("sign", *arguments, **options)
    for secret in [*sink.SECRETS.values(), KEY]:
        if secret in run.out + run.err:
            Watch.leaks.append(f"hookline sign {arguments}: {run}")
    return run


def test_every_scheme():
    for scheme in sink.SECRETS:
        body = sink.sample_body(scheme, now=NOW)
        how, paper = papers.scheme(scheme), papers.body(body)
        identity = ["--id", "evt_1"] if scheme in ("standard", "svix") else []
        run = signed(*how, *paper, *identity, "--now", NOW)
        check(f"{scheme}: it signs as the sender's documentation says",
              run.status == GOOD and run.err == ""
              and headers_of(run.out) == sign(scheme, body, now=NOW), sign(scheme, body, now=NOW),
              run)
        again = watched("verify", *how, *paper, "--headers", "-", "--now", NOW,
                        stdin=run.out.encode())
        equal(f"{scheme}: what it prints is verified", again.status, GOOD, again)
        run = signed(*how, *paper)
        again = watched("verify", *how, *paper, "--headers", "-", stdin=run.out.encode())
        equal(f"{scheme}: so it is without a time, and without an id where the sender has one",
              again.status, STALE if scheme == "trulayer" else GOOD, run, again)


def test_given_time():
    body = b'{"type":"ping","sent_at":"2027-01-15T08:00:00Z"}'
    how = [*papers.scheme("trulayer"), *papers.body(body)]
    one, other = (signed(*how, "--now", now).out for now in (NOW, NOW + 5))
    equal("where the time stands in the body it is taken from there", one, other)


def test_every_description():
    """Descriptions of the vectors, each with one of its secrets."""
    for name, file in vector_files():
        vector = next((v for v in file["vectors"] if v["expect"] == "verified"
                       and "body" in v), None)
        if "description" not in file or vector is None:
            continue
        description = file["description"]
        how = ["--description", papers.file(description), *papers.secrets(*vector["secrets"][:1]),
               *papers.body(vector["body"].encode())]
        for option in ("url", "method"):
            how += ["--" + option, vector[option]] if option in vector else []
        others = re.findall(r"\{header:([^}]*)\}", description)
        for header in vector["headers"]:
            if header[0].lower() in [other.lower() for other in others]:
                how += ["--header", ": ".join(header)]
        words, Watch.words = Watch.words, set()  # some secrets are common words
        run = signed(*how, "--now", vector["now"])
        again = watched("verify", *how, "--headers", "-", "--now",
                        vector["now"], stdin=b"\n".join(
                            line for line in run.out.encode().split(b"\n")
                            if not any(line.lower().startswith(o.lower().encode() + b":")
                                       for o in others)))
        Watch.words = words
        equal(f"{name}: what is signed by a description is verified by it",
              (run.status, again.status), (GOOD, GOOD), run, again)


def test_several_secrets():
    body = b"{}"
    new, old = sink.SECRETS["standard"], sink.SECRETS["svix"]
    run = signed("--scheme", "standard", *papers.secrets(new, old), *papers.body(body), "--id",
                 "msg_1", "--now", NOW)
    expected = [dict(sign("standard", body, secret=s, now=NOW, id="msg_1"))["webhook-signature"]
                for s in (new, old)]
    equal("with several secrets a scheme that lists signatures has them all",
          dict(headers_of(run.out))["webhook-signature"].split(), expected)
    run = signed("--scheme", "github", *papers.secrets(KEY, "another-0123456789"),
                 *papers.body(body))
    equal("another one has that of the first", headers_of(run.out),
          sign("github", body, secret=KEY))


def test_bodies():
    how = papers.scheme("github")
    data = bytes(range(256)) * 10
    equal("a binary body is signed byte for byte",
          headers_of(signed(*how, *papers.body(data)).out), sign("github", data))
    equal("the standard input may be the body",
          headers_of(signed(*how, "--body", "-", stdin=data).out), sign("github", data))
    equal("the body may be on the command line",
          headers_of(signed(*how, "--data", "a=b").out), sign("github", b"a=b"))
    lines = papers.file(b"@a=b\r\nc\n\n")
    equal("or in a file, as curl names it, with its line ends",
          headers_of(signed(*how, "--data", "@" + lines).out), sign("github", b"@a=b\r\nc\n\n"))
    equal("or on standard input likewise",
          headers_of(signed(*how, "--data", "@-", stdin=b"@x\n").out), sign("github", b"@x\n"))
    equal("an empty one as well", headers_of(signed(*how, "--data", "").out), sign("github", b""))
    equal("and an empty file is an empty body", headers_of(signed(*how, *papers.body(b"")).out),
          sign("github", b""))
    run = signed(*how, "--data", "x", "--header", "X-GitHub-Event: push", "--json")
    got = run.json()
    equal("as JSON it has headers and body",
          ([(h["name"], h["value"]) for h in got["headers"]], got["body"], got["scheme"]),
          ([("X-GitHub-Event", "push"), *sign("github", b"x")], "x", "github"))
    got = signed(*how, "--body", "-", "--json", stdin=b"\xff\0").json()
    equal("a body that is no text is in base64", (got["body_base64"], "body" in got),
          ("/wA=", False))


def test_ids():
    how = ["--scheme", "standard", *papers.secrets(sink.SECRETS["standard"]), "--data", "{}"]
    one, other = (dict(headers_of(signed(*how).out))["webhook-id"] for _ in range(2))
    check("an id that the scheme needs is made", one.startswith("msg_") and one != other, one)
    shodai = [*papers.scheme("shodai"), "--data", '{"id":"evt_7"}']
    equal("where it has to be that of the body it is taken from there",
          dict(headers_of(signed(*shodai).out))["X-Shodai-Webhook-Id"], "evt_7")
    equal("unless another is given",
          dict(headers_of(signed(*shodai, "--id", "evt_8").out))["X-Shodai-Webhook-Id"], "evt_8")


# ---- curl

def test_curl():
    requests = []

    def answer(request, _):
        requests.append(request)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    receiver = Upstream(answer)
    path = "/it's?a=b&c=$HOME&d={e,f}[1-2]"
    url = receiver.url.replace("/hooks", path)
    odd = "it's \"$HOME\" `id` \\ @\n!"
    at = papers.folder + "/a name's $x"
    sink.write_file(at, odd)
    for name, how, stdin, body in (
            ("text", ["--data", odd], b"", odd.encode()),
            ("text that looks like a file", ["--body", "-"], b"@/etc/passwd", b"@/etc/passwd"),
            ("a file as curl names it", ["--data", "@" + at], b"", odd.encode()),
            ("an empty text", ["--data", ""], b"", b""),
            ("a file of an odd name", ["--body", at], b"", odd.encode()),
            ("the standard input", ["--body", "-"], b"\0\r\n\xff", b"\0\r\n\xff")):
        run = signed(*papers.scheme("stripe"), *how, "--header", "X-It: 's $x", "--header",
                     "X-Empty:", "--curl", url, stdin=stdin)
        line = run.out.replace("curl ", "curl -sS --max-time 60 ", 1)
        done = subprocess.run(["sh", "-c", line], input=stdin, capture_output=True, check=False)
        check(f"the command line with {name} runs in a shell",
              run.status == GOOD and done.returncode == 0 and len(requests) > 0, run, done.stderr)
        request = requests.pop()
        found = dict((n.lower(), v) for n, v in request.headers)
        check(f"and {name} arrives as it was signed",
              request.body == body and request.path == path and not requests
              and request.method == "POST" and found["x-it"] == "'s $x" and found["x-empty"] == ""
              and found["content-type"] == "application/json", request)
        now = int(found["stripe-signature"][2:].split(",")[0])
        equal(f"and {name} is signed rightly", found["stripe-signature"],
              sign("stripe", body, now=now)[0][1])
    run = signed(*papers.scheme("github"), "--test", "--method", "PUT", "--curl", receiver.url)
    subprocess.run(["sh", "-c", run.out.replace("curl ", "curl -sS --max-time 60 ", 1)],
                   capture_output=True, check=False)
    request = requests.pop()
    found = dict(request.headers)
    equal("a test event has its body in the command line, and the sender's headers",
          (request.method, found["X-GitHub-Event"], found["X-Hub-Signature-256"]),
          ("PUT", "ping", sign("github", request.body)[0][1]))
    description = papers.file("signature X-S; encoding hex; content {url}{body}")
    run = signed("--description", description, *papers.secrets(KEY), "--data", "x", "--curl",
                 receiver.url)
    check("a scheme that signs the URL signs that of the command line",
          sink.mac_of(KEY.encode(), receiver.url.encode() + b"x") in run.out, run)


# ---- wrong input

def test_wrong():
    github, standard = papers.scheme("github"), papers.scheme("standard")
    custom = ["--description", papers.file("signature X-S; encoding hex; timestamp header X-T "
                                           "seconds; content {timestamp}.{header:X-Tenant}.{body}"),
              *papers.secrets(KEY), "--data", "x"]
    url = ["--description", papers.file("signature X-S; encoding hex; content {url}{body}"),
           *papers.secrets(KEY), "--data", "x"]
    for name, how, said in (
            ("there is no body", github, "give one of --body FILE, --data TEXT and --test"),
            ("there are two", [*github, "--data", "x", "--test"], "give one of --body"),
            ("the body is not there", [*github, "--body", "/nowhere"], "/nowhere: No such file"),
            ("the body is a folder", [*github, "--body", papers.folder], "Is a directory"),
            ("there is no secret", ["--scheme", "github", "--data", "x"],
             "--secret is missing"),
            ("the file of --data is not there", [*github, "--data", "@/nowhere"],
             "--data: /nowhere: No such file or directory; for a text that begins with @ use --body -"),
            ("it has no name", [*github, "--data", "@"], "--data: expected the name of a file after @"),
            ("there are two files", [*github, "--data", "@/nowhere", "--body", "/nowhere"],
             "give one of --body"),
            ("headers are asked for by a file", [*github, "--data", "x", "-H", "@headers"],
             "--header: expected 'NAME: VALUE'"),
            ("the scheme is not known", ["--scheme", "hub", *papers.secrets(KEY), "--data", "x"],
             "unknown scheme"),
            ("a secret is wrong", ["--scheme", "standard", *papers.secrets("whsec_?"), "--data",
                                   "x"], "not base64, as the scheme says"),
            ("a second secret is wrong",
             ["--scheme", "standard", *papers.secrets(sink.SECRETS["standard"], "whsec_?"),
              "--data", "x"], "not base64, as the scheme says"),
            ("the id has a blank", [*standard, "--data", "x", "--id", "a b"],
             "expected 1 to 256 printable characters"),
            ("the id is empty", [*standard, "--data", "x", "--id", ""],
             "expected 1 to 256 printable characters"),
            ("the id is too long", [*standard, "--data", "x", "--id", "a" * 257],
             "expected 1 to 256 printable characters"),
            ("the id is monstrous", [*standard, "--data", "x", "--id", "a" * 5000],
             "expected at most 256 characters"),
            ("the scheme sends no id", [*github, "--data", "x", "--id", "a"],
             "this scheme sends no id header"),
            ("the body has not the id that the scheme sends",
             [*papers.scheme("shodai"), "--data", "{}"], "the scheme sends the id in a header"),
            ("a header that is signed is missing", custom,
             "the header X-Tenant is missing, but the scheme signs it"),
            ("a header that is signed is there twice",
             [*custom, "--header", "X-Tenant: a", "--header", "x-tenant: b"], "X-Tenant"),
            ("a header that is signed could be cut in two ways",
             [*custom, "--header", "X-Tenant: a.b"], "can be split in two ways"),
            ("the URL that is signed is missing", url, "signs the URL"),
            ("a header is none", [*github, "--data", "x", "--header", "X"], "found no colon"),
            ("a header has a line end", [*github, "--data", "x", "--header", "X: a\r\nY: b"],
             "contains a control character"),
            ("a header would be there twice",
             [*github, "--data", "x", "--header", "x-hub-signature-256: a"],
             "X-Hub-Signature-256 is set by signing"),
            ("the time is none", [*github, "--data", "x", "--now", "0"], "--now: expected a number"),
            ("the URL of curl is none", [*github, "--data", "x", "--curl", "a b"], "--curl: expected"),
            ("curl and JSON are asked for",
             [*github, "--data", "x", "--json", "--curl", "http://a.example/"], "cannot be combined"),
            ("nobody would know the body", [*github, "--test"], "--test needs --curl or --json")):
        run = signed(*how)
        check(f"if {name}, nothing is signed and it says so",
              run.status == USAGE and said in run.err and run.out == ""
              and run.err.startswith("hookline: "), said, run)
    run = signed("--description", "-", *papers.secrets(KEY), "--body", "-",
                 stdin=b"signature X-S; encoding hex; content {body};")
    check("if two come from the standard input, of which the second would be empty, it says so",
          run.status == USAGE and run.out == "" and "standard input: given for two files" in run.err,
          run)
    full = subprocess.run(["sh", "-c", 'exec "$@" >/dev/full', "sh", *sink.WRAPPER, cli.TOOL,
                           "sign", *github, "--data", "x"], capture_output=True, check=False)
    check("if the headers cannot be written, it says so",
          full.returncode == 5 and b"cannot write to standard output" in full.stderr, full)


def test_time_of_now():
    before = int(time.time())
    run = signed(*papers.scheme("foil"), "--data", "{}")
    at = int(dict(headers_of(run.out))["X-Foil-Timestamp"])
    check("without --now it signs the time of now", before <= at <= time.time(), run)
