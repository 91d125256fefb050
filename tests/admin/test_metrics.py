# SPDX-License-Identifier: MIT
"""/metrics: valid for Prometheus and promtool, correct values, and names documented in
hooklined(8)."""
import os
import re

import pytest

from harness import sink
from harness.admin import Admin, lint, parse_metrics, socket_path, value
from harness.sink import Daemon, check, equal, sample_body, sign, source, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads]


def well_formed(sentence, admin):
    answer = admin.ask("/metrics")
    equal(f"{sentence}: the type says text and its version", answer.header("Content-Type"),
          "text/plain; version=0.0.4; charset=utf-8")
    try:
        families = parse_metrics(answer.body.decode())
    except AssertionError as e:
        check(f"{sentence}: the text is well-formed", False, e, answer.body.decode())
        raise
    check(f"{sentence}: the text is well-formed", True)
    equal(f"{sentence}: a linter finds nothing", list(lint(families)), [])
    return families


def test_the_parser_can_fail():
    for text in ("a 1\n", "# HELP a x\na 1", "# HELP a x\n# TYPE a gauge\nb 1\n",
                 "# HELP a x\n# TYPE a gauge\n# TYPE a gauge\n",
                 "# HELP a x\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n",
                 "# HELP a x\n# TYPE a gauge\na{x=\"\\q\"} 1\n",
                 "# HELP a x\n# TYPE a gauge\na{x=\"1\",} 1\n",
                 "# HELP a x\n# TYPE a gauge\na{x=\"1\"}\n",
                 "# HELP a x\n# TYPE a gauge\na 1\na 1\n", "# HELP a x\n# HELP a x\n",
                 "# HELP a x\n# TYPE a gauge\na 1 \n\n"):
        try:
            parse_metrics(text)
            failed = False
        except (AssertionError, AttributeError):
            failed = True
        check(f"the parser refuses {text!r}", failed)
    for text in ("# HELP a x\n# TYPE a counter\na 1\n", "# HELP hookline_a_total x\n",
                 "# HELP hookline_a_total x\n# TYPE hookline_a_total gauge\n",
                 "# HELP hookline_a_ms x\n# TYPE hookline_a_ms gauge\n",
                 "# HELP hookline_a_count x\n# TYPE hookline_a_count gauge\n",
                 "# HELP hookline_h x\n# TYPE hookline_h histogram\nhookline_h_bucket{le=\"1\"} 1\n"
                 "hookline_h_sum 1\nhookline_h_count 1\n"):
        check(f"the linter finds something in {text!r}", list(lint(parse_metrics(text))))


def test_figures():
    answers = {"status": 500}
    upstream = Upstream(lambda request, sock: response(answers["status"]))
    address = socket_path()
    daemon = Daemon(sources=[source("foil"), source("git", scheme="github")],
                    admin={"address": "unix:" + address}, threads=2,
                    destinations=[{"name": "app", "url": upstream.url, "retry_seconds": [1]},
                                  {"name": "audit", "url": upstream.url, "sources": ["git"]}])
    admin = Admin(address)
    well_formed("before anything came", admin)
    body = sample_body("foil", id="evt_1")
    for _ in range(3):
        daemon.send("/foil", sign("foil", body), body)
    for path in ("/nowhere", "/nowhere?x", "/other", "/foil"):
        daemon.send(path, body=b"12345")
    daemon.send("/foil", method="GET")
    got = admin.metrics()
    for verdict, name, expected in (("stored", "foil", 1), ("duplicate", "foil", 2),
                                    ("refused", "foil", 2), ("refused", "", 3),
                                    ("stored", "git", 0), ("failed", "foil", 0)):
        equal(f"{expected} of source \"{name}\" were {verdict}",
              value(got, "hookline_deliveries_total", source=name, verdict=verdict), expected)
    for reason, name, expected in (("not_found", "", 3), ("missing_header", "foil", 1),
                                   ("method_not_allowed", "foil", 1)):
        equal(f"{expected} of source \"{name}\" were refused: {reason}",
              value(got, "hookline_refusals_total", source=name, reason=reason), expected)
    equal("what no sender has done wrong yet is there, too, so that the first time is an increase",
          [value(got, "hookline_refusals_total", source="git", reason=reason) for reason in (
              "signature_mismatch", "address_not_allowed", "rate_limited", "too_many_refusals")],
          [0] * 4)
    equal("the bytes of all bodies are counted",
          value(got, "hookline_received_bytes_total", source="foil"), 3 * len(body) + 5)
    equal("paths that nobody knows make no labels",
          {labels["source"] for _, labels, _ in got["hookline_deliveries_total"].samples},
          {"foil", "git", ""})
    open_connections_are_counted(daemon, admin)
    # The store commits an attempt before the counter moves; the gauge is read from the store.
    parked = wait_for(lambda: (m := admin.metrics()) and
                      value(m, "hookline_undelivered_deliveries", destination="app",
                            state="parked") == 1 and
                      value(m, "hookline_attempts_total", destination="app",
                            outcome="parked") == 1 and m, "the delivery to be parked")
    equal("attempts are counted by what followed",
          [value(parked, "hookline_attempts_total", destination="app", outcome=outcome)
           for outcome in ("forwarded", "retried", "parked")], [0, 1, 1])
    equal("what is parked has no age",
          value(parked, "hookline_oldest_undelivered_age_seconds", destination="app"), 0)
    answers["status"] = 200
    equal("a replay is taken", admin.post("/deliveries/1/replay").status, 200)
    wait_for(lambda: value(admin.metrics(), "hookline_attempts_total", destination="app",
                           outcome="forwarded") == 1, "the replayed delivery")
    done = admin.metrics()
    equal("nothing is undelivered then",
          [value(done, "hookline_undelivered_deliveries", destination="app", state=state)
           for state in ("waiting", "retrying", "parked")], [0, 0, 0])
    check("the journal counted its commits", done["hookline_journal_commit_duration_seconds"]
          .samples[-1][2] >= 4 and value(done, "hookline_journal_healthy") == 1)
    check("the store and the disk have sizes", value(done, "hookline_store_bytes", file="db") > 8192 and
          value(done, "hookline_store_bytes", file="wal") > 0 and
          value(done, "hookline_store_free_bytes") > 0)
    families = well_formed("after everything", admin)
    manual(families)
    upstream.close()


def open_connections_are_counted(daemon, admin):
    with daemon.connect() as one, daemon.connect() as two:
        for connection in (one, two):
            connection.write(b"GET /foil HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.read("GET")
        # The daemon notices closed peers a moment later.
        wait_for(lambda: value(admin.metrics(), "hookline_connections") == 2, "two connections")
    wait_for(lambda: value(admin.metrics(), "hookline_connections") == 0, "none")
    check("open connections are counted", True)


def manual(families):
    with open(os.path.join(sink.SOURCE, "daemon/hooklined.8"), encoding="utf-8") as file:
        section = re.split(r"^\.Sh METRICS\n", file.read(), flags=re.M)[1].split("\n.Sh ")[0]
    equal("hooklined(8) explains each metric, and no other",
          set(re.findall(r"^\.It Cm (hookline_\w+)", section, re.M)), set(families))
    labels = {name for family in families.values() for _, have, _ in family.samples
              for name in have} - {"le"}
    equal("and each label", set(re.findall(r"\.Ql (\w+)", section.split(".Bl")[0])), labels)


def test_a_scrape_of_nothing():
    address = socket_path()
    Daemon(sources=[source("foil")], admin={"address": "unix:" + address})
    families = well_formed("without destinations", Admin(address))
    check("there are no figures about destinations", "hookline_attempts_total" not in families)
