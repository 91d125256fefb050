# SPDX-License-Identifier: MIT
"""Monitoring examples: each metric and label of the alert rules and the dashboard is in a real
scrape; promtool, if installed, accepts the rules and they fire as intended."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from harness import sink
from harness.admin import Admin, socket_path
from harness.certificates import Authority
from harness.sink import Daemon, check, equal, sample_body, sign, skip, source, wait_for
from harness.upstream import Upstream, response

pytestmark = [pytest.mark.running, pytest.mark.threads]

OF_PROMETHEUS = {"instance", "job"}  # labels that Prometheus adds
PROMTOOL = shutil.which("promtool")


def example(name):
    with open(os.path.join(sink.SOURCE, "examples", name), encoding="utf-8") as file:
        return file.read()


def scrape():
    """{metric: {label: values}} of a daemon with every kind of outcome, and the scraped text."""
    upstream = Upstream(lambda request, sock: response(410))
    address = socket_path()
    daemon = Daemon(sources=[source("foil")], admin={"address": "unix:" + address},
                    listen=[{"address": "127.0.0.1:0"},
                            {"address": "127.0.0.1:0", "tls": Authority().tls()}],
                    destinations=[{"name": "app", "url": upstream.url}])
    admin, body = Admin(address), sample_body("foil")
    for seconds in (0, -4000, 4000):
        daemon.send("/foil", sign("foil", body, now=int(time.time()) + seconds), body)
    daemon.send("/foil", sign("foil", body + b" "), body)
    wait_for(lambda: admin.list("state=parked"), "a parked delivery")
    known = {"up": {}}
    for family in admin.metrics().values():
        for suffix, labels, _ in family.samples:
            values = known.setdefault(family.name + suffix, {})
            for label, one in labels.items():
                values.setdefault(label, set()).add(one)
    text = admin.ask("/metrics").body
    daemon.stop()
    upstream.close()
    return known, text


def wrong_matchers(name, labels, matchers):
    for label, kind, text in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"', matchers):
        if label in OF_PROMETHEUS:
            continue
        if label not in labels:
            yield f"{name} has no label {label}"
        # Dashboard variables and negative matchers need no match in the scrape.
        elif kind in ("=", "=~") and "$" not in text:
            for one in text.split("|"):
                if one not in labels[label]:
                    yield f"{name}: no {label} is {one}"


def wrong_in(expression, known):
    """Metrics, labels and values of a PromQL expression that no scrape has."""
    names = re.findall(r"\b(hookline_\w+|up\b)(?:\{([^}]*)\})?", expression)
    if not names:
        yield f"no metric in {expression}"
    grouped = {label for labels in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
               for label in re.split(r",\s*", labels)}
    for name, matchers in names:
        if name not in known:
            yield f"no metric {name}"
            continue
        yield from wrong_matchers(name, known[name], matchers)
        for label in grouped - set(known[name]) - OF_PROMETHEUS:
            yield f"{name} has no label {label} to group by"


def labels_of(expression, known):
    """Labels of the result: the grouping labels, or all."""
    grouped = re.search(r"\bby\s*\(([^)]*)\)", expression)
    if grouped:
        return set(re.split(r",\s*", grouped[1]))
    return set(known[re.search(r"\b(hookline_\w+|up)\b", expression)[1]]) | OF_PROMETHEUS


def the_check_can_fail(known):
    for expression in ("hookline_nothing > 0", "1 > 0", 'hookline_connections{source="foil"}',
                       'hookline_undelivered_deliveries{state="lost"}',
                       "sum by (source) (hookline_connections)",
                       'hookline_deliveries_total{verdict=~"stored|kept"}'):
        check(f"the check finds what is wrong in {expression}", list(wrong_in(expression, known)))


def alerts():
    """(name, expression, text of the rule) of each alert."""
    for rule in example("prometheus-alerts.yml").split("- alert: ")[1:]:
        folded = re.search(r"^ {8}expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)", rule, re.M)
        yield rule.split("\n")[0], " ".join((folded[1] or folded[2]).split()), rule


def check_alerts(known):
    found = list(alerts())
    equal("the first alerts are about the oldest undelivered delivery",
          ["hookline_oldest_undelivered_age_seconds" in expression for _, expression, _ in found[:3]],
          [True, True, False])
    for name, expression, rule in found:
        equal(f"{name}: all that it asks for is in a scrape", list(wrong_in(expression, known)), [])
        used = set(re.findall(r"\$labels\.(\w+)", rule))
        equal(f"{name}: its text has no other labels", used - labels_of(expression, known), set())
        check(f"{name}: it says how urgent it is, and what is the matter",
              re.search(r"severity: (page|ticket)\n", rule) and "summary: " in rule)
    equal("no alert has the name of another one", len({name for name, _, _ in found}), len(found))


def promtool(sentence, *arguments, data=None):
    if PROMTOOL is None:
        skip(sentence, "no promtool")
        return
    done = subprocess.run([PROMTOOL, *arguments], input=data, capture_output=True, check=False)
    check(sentence, done.returncode == 0 and b"lint" not in done.stdout + done.stderr,
          done.stdout.decode(), done.stderr.decode())


SERIES = {  # 90 minutes of a healthy and of a failing daemon
    'hookline_oldest_undelivered_age_seconds{instance="a",destination="app"}': ("9x90", "4000x90"),
    'hookline_undelivered_deliveries{instance="a",destination="app",state="parked"}':
        ("0x90", "3x90"),
    'hookline_undelivered_deliveries{instance="a",destination="app",state="waiting"}':
        ("7x90", "7x90"),
    'up{instance="a",job="hookline"}': ("1x90", "0x90"),
    'hookline_journal_healthy{instance="a"}': ("1x90", "0x90"),
    'hookline_store_damaged{instance="a"}': ("0x90", "1x90"),
    'hookline_deliveries_total{instance="a",source="foil",verdict="failed"}': ("3x90", "0+1x90"),
    'hookline_deliveries_total{instance="a",source="foil",verdict="stored"}': ("0+1x90", "5x90"),
    'hookline_store_free_bytes{instance="a"}': ("1e11x90", "1e8x90"),
    'hookline_refusals_total{instance="a",source="foil",reason="signature_mismatch"}':
        ("0+1x90", "0+1x90"),
    'hookline_refusals_total{instance="a",source="foil",reason="timestamp_too_old"}':
        ("4x90", "0+1x90"),
    'hookline_refusals_total{instance="a",source="foil",reason="address_not_allowed"}':
        ("0+1x90", "0+1x90"),
    'hookline_refusals_total{instance="a",source="foil",reason="rate_limited"}': ("4x90", "0+1x90"),
    'hookline_attempts_total{instance="a",destination="app",outcome="retried"}':
        ("0+1x90", "0+1x90"),
    'hookline_attempts_total{instance="a",destination="app",outcome="forwarded"}':
        ("0+1x90", "5x90"),
    'hookline_tls_certificate_end_time_seconds{instance="a",address="[::]:443"}':
        ("1e9x90", "86400x90"),
    'hookline_start_time_seconds{instance="a"}': ("5x90", "0+1x90"),
}


REFUSED = 'hookline_refusals_total{instance="a",source="foil",reason="signature_mismatch"}'
ACCEPTED = 'hookline_deliveries_total{instance="a",source="foil",verdict="stored"}'
RETRIED = 'hookline_attempts_total{instance="a",destination="app",outcome="retried"}'
TAKEN = 'hookline_attempts_total{instance="a",destination="app",outcome="forwarded"}'
CASES = [  # case, series, alerts that fire at the end
    ("nothing, since there are neither senders nor destinations",
     {'up{instance="a",job="hookline"}': "1x90", 'hookline_journal_healthy{instance="a"}': "1x90",
      'hookline_start_time_seconds{instance="a"}': "5x90"}, []),
    ("no traffic", {REFUSED: "0x90", ACCEPTED: "0x90", RETRIED: "0x90", TAKEN: "0x90"}, []),
    ("a restart, with which counters begin anew",
     {REFUSED: "900x80 0x10", ACCEPTED: "900x80 0x10", RETRIED: "900x80 0x10", TAKEN: "900x80 0x10",
      'hookline_start_time_seconds{instance="a"}': "5x80 80x10"}, []),
    ("the only delivery within an hour is refused", {REFUSED: "0x70 1x20", ACCEPTED: "7x90"},
     ["HooklineSourceRefused"]),
    ("a sender whose secret is wrong is soon told to wait",
     {REFUSED.replace("signature_mismatch", "too_many_refusals"): "0x60 0+9x30", REFUSED: "9x90",
      ACCEPTED: "7x90"}, ["HooklineSourceRefused"]),
    ("a sender has other addresses",
     {REFUSED.replace("signature_mismatch", "address_not_allowed"): "0x60 0+9x30",
      ACCEPTED: "7x90"}, ["HooklineAddressNotAllowed"]),
    ("somebody has found the path",
     {REFUSED.replace("signature_mismatch", "address_not_allowed"): "0x60 3x30",
      ACCEPTED: "7x90"}, []),
    ("one is forged, and others are genuine", {REFUSED: "0x70 1x20", ACCEPTED: "7x80 8x10"}, []),
    ("a destination that hangs is tried now and then",
     {RETRIED: "0x60 0+1x30", TAKEN: "7x90",
      'hookline_destination_resting{instance="a",destination="app"}': "0 1 " * 45},
     ["HooklineDestinationFails"]),
    ("a destination was away, and is back", {RETRIED: "0x80 9x10", TAKEN: "7x85 9x5"}, []),
    ("a delivery is parked at once", {RETRIED: "0x90", TAKEN: "7x90"}, []),
    ("a large disk loses a little at the start", {'hookline_store_free_bytes{instance="a"}':
                                                 "9e10 8.9999e10 8.9998e10 8.9998e10x87"}, []),
    ("a disk fills within a day", {'hookline_store_free_bytes{instance="a"}': "9e10-1e8x90"},
     ["HooklineDiskFills"]),
]


def unit_test(series, firing):
    return {"interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [{
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": "90m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}
                                for name in firing]}]}


def promtool_tests(sentence, tests):
    """promtool reads JSON, since JSON is YAML."""
    rules = os.path.abspath(os.path.join(sink.SOURCE, "examples/prometheus-alerts.yml"))
    path = sink.write_file(f"{sink.Folders.new()}/test.yml", json.dumps(
        {"rule_files": [rules], "evaluation_interval": "1m", "tests": tests}))
    promtool(sentence, "test", "rules", path)


def check_firing():
    """Alerts on 90 minutes of healthy and of failing series."""
    names = sorted(name for name, _, _ in alerts())
    promtool_tests("no alert fires while all is well, and each when nothing is", [
        unit_test({series: values[bad] for series, values in SERIES.items()}, names if bad else [])
        for bad in (0, 1)])
    for what, series, firing in CASES:
        promtool_tests(f"{what}: {', '.join(firing) or 'no alert'}", [unit_test(series, firing)])


def check_promtool(text):
    promtool("promtool: the rules are good", "check", "rules",
             os.path.join(sink.SOURCE, "examples/prometheus-alerts.yml"))
    check_firing()
    with open(os.path.join(sink.SOURCE, "daemon/hooklined.8"), encoding="utf-8") as file:
        config = re.search(r'^\.\\" check: prometheus\n\.Bd .*\n((?:.*\n)*?)\.Ed$', file.read(),
                           re.M)[1]
    folder = sink.Folders.new()
    token = sink.write_file(f"{folder}/token", "0123456789abcdef\n")
    config = re.sub(r"credentials_file: [^\s}]+", f"credentials_file: {token}", config)
    path = sink.write_file(f"{folder}/prometheus.yml", config)
    promtool("promtool: the configuration of hooklined(8) is good", "check", "config", path)
    promtool("promtool: it finds nothing in a scrape", "check", "metrics", data=text)


# ---- the dashboard

def overlapping(panels):
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])):
            if taken.setdefault(cell, panel["title"]) != panel["title"] or cell[0] >= 24:
                yield panel["title"], taken[cell]
                break


def check_dashboard(known):
    board = json.loads(example("grafana-dashboard.json"))
    panels = board["panels"]
    variables = {"$" + one["name"] for one in board["templating"]["list"]} | {"$__rate_interval"}
    for panel in panels:
        targets = panel["targets"]
        equal(f"{panel['title']}: all that it asks for is in a scrape",
              [wrong for target in targets for wrong in wrong_in(target["expr"], known)], [])
        equal(f"{panel['title']}: its legend has no other labels",
              [label for target in targets
               for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
               if label not in labels_of(target["expr"], known)], [])
    text = example("grafana-dashboard.json")
    equal("the dashboard uses its variables only",
          set(re.findall(r"\$\w+", text.replace("${datasource}", ""))) - variables - {"$__all"}, set())
    for metric, label in re.findall(r"label_values\((\w+), (\w+)\)", text):
        check(f"the variable {label} has values",
              metric in known and label in set(known[metric]) | OF_PROMETHEUS)
    equal("the first panel is about the oldest undelivered delivery", panels[0]["targets"][0]["expr"]
          .count("hookline_oldest_undelivered_age_seconds"), 1)
    equal("no panel lies on another one, or out of sight", list(overlapping(panels)), [])
    equal("no two panels have the same number", len({one["id"] for one in panels}), len(panels))
    expressions = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    shown = set(re.findall(r"\bhookline_\w+", expressions + text))
    equal("each metric is on it", {re.sub("_(bucket|sum|count)$", "", name) for name in known} - {"up"}
          - {re.sub("_bucket$", "", name) for name in shown}, {"hookline_journal_healthy"})


def test_monitoring():
    known, text = scrape()
    the_check_can_fail(known)
    check_alerts(known)
    check_dashboard(known)
    check_promtool(text)
