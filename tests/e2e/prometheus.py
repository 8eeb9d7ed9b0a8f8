"""A real Prometheus scrapes two servers on different backends; its sums, its recording rules, and the
alert on connections that are held."""

from __future__ import annotations

import argparse
import atexit
import http.client
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from harness import ROOT, Checks, Server, Session, arguments, free_port, run, until

RULES = ROOT / "dashboards/rules.yml"
#: The alert over `webrtc_connections_unreleased` waits for minutes; in a copy it waits for this.
SHORT_FOR = "3s"
EACH = {"smol": 2, "tokio": 3}


def held_alerts(rules: dict[str, Any]) -> list[str]:
    """Alerts that fire on one held peer."""
    every = [rule for group in rules["groups"] for rule in group["rules"]]
    return [it["alert"] for it in every if "alert" in it and re.search(r"webrtc_connections_unreleased\)? *> *0", it["expr"])]


def shortened(text: str, alerts: list[str]) -> str:
    """The rules as they are, but for the `for:` of those alerts."""
    for alert in alerts:
        text = re.sub(rf"(- alert: {alert}\n(?:(?!- alert:).*\n)*? *for: )\S+", rf"\g<1>{SHORT_FOR}", text)
    return text


class Prometheus:
    def __init__(self, rules: str, targets: dict[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="anypeer-prometheus-")
        self.folder = Path(self._folder.name)
        (self.folder / "rules.yml").write_text(rules)
        jobs = [{"targets": [urlsplit(url).netloc], "labels": {"server": name}} for name, url in targets.items()]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "anypeer", "static_configs": jobs}],
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.port = free_port()

    def __enter__(self) -> Prometheus:
        self.log = (self.folder / "log").open("w+")
        command = [
            "/usr/bin/prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=self.folder)
        atexit.register(self.process.kill)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        atexit.unregister(self.process.kill)
        self.log.close()
        self._folder.cleanup()

    def get(self, path: str, **query: str) -> Any:
        """What the API answers; None while it does not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", f"/api/v1/{path}?{urlencode(query)}")
            answer = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return answer.get("data") if answer["status"] == "success" else None

    def value(self, query: str) -> float | None:
        """Of a query with one series."""
        result = (self.get("query", query=query) or {}).get("result") or []
        return float(result[0]["value"][1]) if len(result) == 1 else None

    async def reaches(self, checks: Checks, query: str, expected: float, limit: float = 30) -> None:
        """Asks until it does: scrapes are a second apart."""
        try:
            await until(f"{query} to be {expected}", lambda: self.value(query) == expected, limit)
        except AssertionError:
            pass
        checks.equal(query, self.value(query), expected)

    def firing(self) -> list[dict[str, Any]]:
        alerts = (self.get("alerts") or {}).get("alerts", [])
        return [it for it in alerts if it["state"] == "firing"]


async def fleet(options: argparse.Namespace, checks: Checks, rules: dict[str, Any], text: str) -> None:
    with Server(options.binary, "smol") as smol, Server(options.binary, "tokio") as tokio:
        servers = {"smol": smol, "tokio": tokio}
        targets = {name: server.url for name, server in servers.items()} | ({"held": options.held} if options.held else {})
        with Prometheus(text, targets) as prometheus:
            await scraped(prometheus, checks, len(targets))
            await rules_load(prometheus, checks, rules)
            sessions = [await Session(server, f"{name}-{n}").open() for name, server in servers.items() for n in range(EACH[name])]
            await prometheus.reaches(checks, 'sum(webrtc_connections{state="connected",server!="held"})', sum(EACH.values()))
            for name, count in EACH.items():
                await prometheus.reaches(checks, f'sum(webrtc_connections{{state="connected",server="{name}"}})', count)
            await prometheus.reaches(checks, 'sum(webrtc_connections_unreleased{server!="held"})', 0)
            await recorded(prometheus, checks, rules)
            for session in sessions:
                await session.delete()
                await session.close()
            await prometheus.reaches(checks, 'sum(webrtc_connections{state="connected",server!="held"})', 0)
            await prometheus.reaches(checks, 'sum(webrtc_connections_closed_total{server!="held"})', sum(EACH.values()))
            if options.held:
                await held(prometheus, checks, rules)
            others = [it["labels"] for it in prometheus.firing() if it["labels"].get("instance") != urlsplit(options.held or "").netloc]
            checks.equal("alerts that fire for healthy servers", others, [])
        for server in servers.values():
            server.end_checked(checks)


async def scraped(prometheus: Prometheus, checks: Checks, count: int) -> None:
    def up() -> list[Any]:
        targets = (prometheus.get("targets") or {}).get("activeTargets", [])
        return targets if len(targets) == count and all(it["health"] == "up" for it in targets) else []

    try:
        found = await until("all targets to be up", up)
        checks.check("all targets are scraped", True, got=f"{len(found)} are up")
    except AssertionError as error:
        got = [(it["scrapeUrl"], it["health"], it["lastError"]) for it in (prometheus.get("targets") or {}).get("activeTargets", [])]
        checks.check("all targets are scraped", False, str(error), got)


async def rules_load(prometheus: Prometheus, checks: Checks, rules: dict[str, Any]) -> None:
    expected = sum(len(group["rules"]) for group in rules["groups"])

    def evaluated() -> list[Any]:
        groups = (prometheus.get("rules") or {}).get("groups", [])
        found = [rule for group in groups for rule in group["rules"]]
        return found if found and all(it["health"] != "unknown" for it in found) else []

    found = await until("all rules to be evaluated", evaluated)
    bad = [(it["name"], it.get("lastError")) for it in found if it["health"] != "ok"]
    checks.check(f"the {expected} rules of rules.yml evaluate", len(found) == expected and not bad, "all ok", bad or f"{len(found)} ok")


async def recorded(prometheus: Prometheus, checks: Checks, rules: dict[str, Any]) -> None:
    """Each recording rule gives what its expression gives."""
    records = [rule for group in rules["groups"] for rule in group["rules"] if "record" in rule]
    if not records:
        checks.check("recording rules", True, got="there are none in rules.yml; the totals are queried above")
    for rule in records:
        await until(f"{rule['record']} to be recorded", lambda: prometheus.get("query", query=rule["record"])["result"])
        difference = f"max(abs(sum({rule['record']}) - sum({rule['expr']})))"
        await prometheus.reaches(checks, difference, 0)


async def held(prometheus: Prometheus, checks: Checks, rules: dict[str, Any]) -> None:
    """The alert fires for the server that holds a closed peer."""
    names = held_alerts(rules)

    def fires() -> Any:
        return next((it for it in prometheus.firing() if it["labels"]["alertname"] in names and it["labels"].get("instance")), None)

    try:
        alert = await until(f"{names} to fire", fires, 60)
    except AssertionError as error:
        checks.check("the alert on held connections fires", False, str(error), prometheus.get("alerts"))
        return
    said = f"{alert['labels']['alertname']} ({alert['labels'].get('severity')}): {alert['annotations'].get('summary')}"
    checks.check("the alert on held connections fires", True, got=said)


async def main(options: argparse.Namespace, checks: Checks) -> None:
    text = RULES.read_text()
    rules = yaml.safe_load(text)
    names = held_alerts(rules)
    checks.check("rules.yml has an alert on held connections", names, "one over webrtc_connections_unreleased > 0", names)
    short = shortened(text, names)
    old, new = ([rule for group in yaml.safe_load(it)["groups"] for rule in group["rules"]] for it in (text, short))
    changed = [f"{a['alert']}: for {a['for']} -> {b['for']}" for a, b in zip(old, new) if a != b]
    print(f"note  a copy of rules.yml is used, in which only this differs: {'; '.join(changed)}", flush=True)
    promtool = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    checks.check("promtool takes rules.yml", promtool.returncode == 0, "status 0", promtool.stderr.strip())
    await fleet(options, checks, rules, short)
    if not options.held:
        print("note  without --held URL the alert was not tested", flush=True)


if __name__ == "__main__":
    sys.exit(run(main, arguments(__doc__, lambda parser: parser.add_argument("--held", metavar="URL", help="a server that holds a closed peer"))))
