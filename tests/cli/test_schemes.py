# SPDX-License-Identifier: MIT
"""hookline schemes: lists every scheme and explains each as its description defines it."""
import json
import os
import re

import pytest

from harness.cli import GOOD, USAGE, sink
from harness.papers import Papers, vector_files, watched
from harness.sink import check, equal

pytestmark = [pytest.mark.running]

papers = Papers()
DEFINITIONS = os.path.join(sink.SOURCE, "lib", "schemes.def")


def defined():
    """Schemes of the library's table, in its order: [name, title, documentation, description]."""
    with open(DEFINITIONS, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    text = re.sub(r'"\s*\n\s*"', "", text)
    return [re.findall(r'"([^"]*)"', row) for row in text.split("SCHEME(")[1:]]


def test_listed():
    rows = defined()
    equal("the table was found", len(rows), len(EXPLAINED))
    run = watched("schemes")
    lines = run.out.splitlines()
    equal("every scheme has a line, in the library's order",
          [line.split()[0] for line in lines], [row[0] for row in rows], run)
    check("with its title and its documentation",
          all(row[1] in line and line.endswith(" " + row[2]) for row, line in zip(rows, lines)), run)
    run = watched("schemes", "--json")
    equal("so it is as JSON", [json.loads(line) for line in run.out.splitlines()],
          [{"name": r[0], "title": r[1], "documentation": r[2]} for r in rows], run)


EXPLAINED = {
    "foil": ("X-Foil-Signature", "SIGNATURE", "hex", "{timestamp}.{body}",
             "header X-Foil-Timestamp", "seconds", "body member id", "text", None),
    "tripwire": ("X-Tripwire-Signature", "SIGNATURE", "hex", "{timestamp}.{body}",
                 "header X-Tripwire-Timestamp", "seconds", "body member id", "text", None),
    "shodai": ("X-Shodai-Webhook-Signature", "sha256=SIGNATURE", "hex", "{timestamp}.{body}",
               "header X-Shodai-Webhook-Timestamp", "seconds",
               "header X-Shodai-Webhook-Id, equal to the body's id", "text", None),
    "trulayer": ("X-TruLayer-Signature", "sha256=SIGNATURE", "hex", "{body}",
                 "body member sent_at", "any", None, "text", None),
    "standard": ("webhook-signature", "v1,SIGNATURE; several are separated by blanks", "base64",
                 "{id}.{timestamp}.{body}", "header webhook-timestamp", "seconds",
                 "header webhook-id", "base64", "whsec_"),
    "svix": ("svix-signature or webhook-signature", "v1,SIGNATURE; several are separated by blanks",
             "base64", "{id}.{timestamp}.{body}", "header svix-timestamp or webhook-timestamp",
             "seconds", "header svix-id or webhook-id", "base64", "whsec_"),
    "stripe": ("Stripe-Signature", "t=TIME,v1=SIGNATURE", "hex", "{timestamp}.{body}", "item t",
               "seconds", "body member id", "text", None),
    "github": ("X-Hub-Signature-256", "sha256=SIGNATURE", "hex", "{body}", None, None, None, "text",
               None),
    "slack": ("X-Slack-Signature", "v0=SIGNATURE", "hex", "v0:{timestamp}:{body}",
              "header X-Slack-Request-Timestamp", "seconds", "body member event_id", "text",
              None),
}


def test_explained():
    for name, title, documentation, description in defined():
        run = watched("schemes", name, "--json")
        got = run.json()
        equal(f"{name}: headers, content, time, id and secret are as the description says",
              (got["signature"]["header"], got["signature"]["form"], got["signature"]["encoding"],
               got["content"], got["time"]["where"], got["time"]["unit"], got["id"],
               got["secret"]["form"], got["secret"]["prefix"]), EXPLAINED[name], run)
        equal(f"{name}: the rest as well",
              (got["name"], got["title"], got["documentation"], got["description"],
               got["tolerance_s"], got["time"]["optional"]),
              (name, title, documentation, description, 300, name == "trulayer"), run)
        equal(f"{name}: a delivery id is named if the sender sends one", got["delivery"],
              "X-GitHub-Delivery" if name == "github" else None, run)
        run = watched("schemes", name)
        clauses = [" ".join(c.split()) + ";" for c in description.split(";") if c.strip()]
        check(f"{name}: a person reads the same, clause by clause",
              run.status == GOOD and run.out.startswith(f"{name}: {title}\n")
              and documentation in run.out and EXPLAINED[name][0] in run.out
              and [line.strip() for line in run.out.splitlines()[-len(clauses):]] == clauses, run)
        check(f"{name}: a person learns that nobody signs that id",
              ("header X-GitHub-Delivery, not signed" in run.out) == (name == "github"), run)
        check(f"{name}: in lines that fit", all(len(line) <= 100 for line in run.out.splitlines()
                                                  if documentation not in line),
              run)
        check(f"{name}: it says what one has to know of the secret",
              ("all bytes are the key" in run.out)
              != ("base64 after an optional prefix whsec_" in run.out), run)


def test_ones_own():
    for name, file in vector_files():
        if "description" not in file:
            continue
        run = watched("schemes", "--description", papers.file(file["description"]), "--json")
        check(f"{name}: a description is taken apart, too",
              run.status == GOOD and run.json()["content"] in file["description"]
              and run.json()["signature"]["encoding"] in ("hex", "base64", "base64url"), run)
    box = next(f for n, f in vector_files() if n == "custom-box.json")
    got = watched("schemes", "--description", papers.file(box["description"]), "--json").json()
    equal("a second header, a unit and a tolerance are told",
          (got["signature"]["also"], got["time"]["unit"], got["tolerance_s"]),
          ("box-signature-secondary", "rfc3339", 600))
    run = watched("schemes", "--description", papers.file(box["description"]))
    check("a person is told of the second header", "box-signature-secondary" in run.out, run)


def test_wrong():
    for name, how, said in (
            ("the name is not known", ["whsec_0123456789"], "unknown scheme"),
            ("the name is empty", [""], "unknown scheme"),
            ("there are two names", ["foil", "svix"], "expected [NAME]"),
            ("there are name and description", ["foil", "--description", "/nowhere"], "cannot be combined"),
            ("the description is not there", ["--description", "/nowhere"], "/nowhere: No such"),
            ("the description is a folder", ["--description", papers.folder], "Is a directory"),
            ("the description is refused",
             ["--description", papers.file("signature X; encoding hex; content {timestamp}")],
             ": "),
            ("the description is empty", ["--description", papers.file("")], ": ")):
        run = watched("schemes", *how)
        check(f"if {name}, it says so", run.status == USAGE and said in run.err and run.out == ""
              and "whsec_0123456789" not in run.err, said, run)
