"""The server against its own OpenAPI document, by schemathesis, with sessions open; and the event
stream, which does not end, by itself."""

from __future__ import annotations

import argparse
import asyncio
import copy
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import Checks, Server, Session, arguments, run, until, within
from sdp_offers import CHROMIUM

EVENTS = "/webrtc/monitor/events"
CLOSE_ONE = r"^/webrtc/connections(/\{id\})?$|/close$|/test/close/|/stop/"
CLOSE_ALL = r"/close-all$|/close_all$"
WHIP = r"^/whip/"
SEED = "9457"
PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
            }
        }
    },
}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def resolves(document: dict[str, Any], reference: str) -> bool:
    at: Any = document
    for name in reference.removeprefix("#/").split("/"):
        at = at.get(name) if isinstance(at, dict) else None
    return at is not None


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield path, method, operation


def check_document(checks: Checks, document: dict[str, Any]) -> list[str]:
    """What can be said of the document alone; the answer is references that lead nowhere."""
    references = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    dangling = sorted(it for it in references if not resolves(document, it))
    checks.check("each $ref of the document leads somewhere", not dangling, "all", dangling or f"{len(references)} do")
    ids = Counter(operation.get("operationId") for _, _, operation in operations(document))
    twice = sorted(str(it) for it, count in ids.items() if count > 1)
    checks.check("each operationId is there once", not twice, "all", f"twice: {twice}" if twice else f"{len(ids)} are")
    used = {reference.rsplit("/", 1)[1] for reference in references}
    unused = sorted(set(document["components"].get("schemas", {})) - used)
    checks.check("each schema is used", not unused, "all", unused or "all")
    return dangling


def prepared(document: dict[str, Any], dangling: list[str], ids: list[str], operation: str, group: str) -> dict[str, Any]:
    """With what exists as examples. References that lead nowhere are reported already: here they are
    mended, so that the rest can be tested."""
    document = copy.deepcopy(document)
    for reference in dangling:
        *parents, name = reference.removeprefix("#/").split("/")
        at = document
        for parent in parents:
            at = at.setdefault(parent, {})
        at[name] = PROBLEM
    for path, _, it in operations(document):
        # Two of each that closes: examples go together in their order, one waits and one does not.
        two = ids[2:4] if "/test/" in path else ids[:2]
        known = {"id": [operation] if "operations" in path else two, "connection": ids[:1], "server_id": [group], "stream": [group], "prefer": ["wait=1", "respond-async"]}
        for parameter in it.get("parameters", []):
            values = known.get(parameter["name"]) or (["none"] if parameter["in"] == "path" else [])
            if values:
                parameter["examples"] = {f"example-{number}": {"value": value} for number, value in enumerate(values)}
        for media_type, body in it.get("requestBody", {}).get("content", {}).items():
            body["example"] = CHROMIUM if media_type == "application/sdp" else "a=ice-ufrag:abcd\r\n"
    return document


def schemathesis(server: Server, document: dict[str, Any], *options: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory(prefix="anypeer-contract-") as folder:
        (Path(folder) / "openapi.json").write_text(json.dumps(document))
        command = [
            sys.executable, "-m", "schemathesis.cli", "--no-color", "run", "openapi.json", f"--url={server.url}", "--phases=examples,coverage,fuzzing",
            f"--seed={SEED}", "--generation-deterministic", "--workers=1", "--max-examples=100",
            "--request-timeout=15", "--max-redirects=0", "--continue-on-failure", "--warnings=off", *options,
        ]  # fmt: skip
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "contract_hooks", "PYTHONPATH": str(Path(__file__).parent), "COLUMNS": "160"}
        ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        return ended.returncode, f"{ended.stdout}\n{ended.stderr}"


def failures(output: str) -> str:
    """What schemathesis says of failures, without its progress."""
    begin = re.search(r"=+ (FAILURES|ERRORS) =+", output)
    end = re.search(r"=+ SUMMARY =+", output)
    return output[begin.start() if begin else 0 : end.end() if end and begin else len(output)].replace("\n", "\n      ")


async def part(server: Server, checks: Checks, document: dict[str, Any], name: str, *options: str) -> None:
    started = time.monotonic()
    status, output = await asyncio.to_thread(schemathesis, server, document, *options)
    took = f"{time.monotonic() - started:.0f} s"
    counts = re.findall(r"(?m)^ *(?:[✅❌🚫⏭]+ *)?(.*(?:passed|failed|generated|Tested|tested).*)$", output)
    checks.check(f"schemathesis: {name}", status == 0, "status 0", "; ".join([*(it.strip() for it in counts[-3:]), took]) if status == 0 else failures(output))


def first_events(server: Server, limit: int) -> tuple[http.client.HTTPResponse, list[str]]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=limit)
    connection.request("GET", EVENTS)
    response = connection.getresponse()
    lines = []
    while (line := response.fp.readline().decode()).strip() or not any(it.startswith("data") for it in lines):
        lines.append(line.strip())
    connection.close()
    return response, lines


async def events(server: Server, checks: Checks, document: dict[str, Any]) -> None:
    response, lines = await within("the first event", asyncio.to_thread(first_events, server, 5), 10)
    checks.equal("the stream of events is", (response.status, response.getheader("content-type")), (200, "text/event-stream"))
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    checks.equal("its first event is", fields.get("event"), "snapshot")
    snapshot = json.loads(fields.get("data", "{}"))
    checks.check("which has the summary and the connections", {"summary", "connections"} <= set(snapshot), "both", sorted(snapshot))
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        reply = await asyncio.to_thread(server.request, method, EVENTS)
        why = reply.why_no_problem([405])
        checks.check(f"{method} of it", not why and "GET" in reply.headers.get("allow", ""), "405, and Allow", why or reply.headers.get("allow"))


def opened_as(server: Server, number: int) -> str:
    """The id of the connection that was opened as that one."""
    rows = server.get("/webrtc/monitor/connections?view=row")["connections"].values()
    return next(str(row["connection_id"]) for row in rows if row["number"] == number)


async def with_token(options: argparse.Namespace, checks: Checks) -> None:
    """That the document says so where a token is needed, and that it is needed there."""
    with Server(options.binary, options.runtime, "t0ken") as server:
        document = server.get("/openapi.json")
        dangling = sorted({it["$ref"] for it in nodes(document) if isinstance(it.get("$ref"), str) and not resolves(document, it["$ref"])})
        guarded = [(path, method, it) for path, method, it in operations(document) if it.get("security") not in ([], [{}])]
        silent = [f"{method.upper()} {path}" for path, method, it in guarded if "401" not in it["responses"]]
        checks.check("each operation that needs a token has a response 401", not silent, "all", f"not so: {silent}" if silent else f"{len(guarded)} have")
        document = prepared(document, dangling, ["none"], "none", "none")
        every = f"--exclude-path-regex=^{EVENTS}$|{WHIP}"
        await part(server, checks, document, "with a token", every, "--header=Authorization: Bearer t0ken", "--checks=ignored_auth,not_a_server_error,status_code_conformance")
        server.end_checked(checks)


async def main(options: argparse.Namespace, checks: Checks) -> None:
    with Server(options.binary, options.runtime) as server:
        document = server.get("/openapi.json")
        dangling = check_document(checks, document)

        # One more for each example that closes it; the last is all of its group.
        sessions = [await Session(server, group).open() for group in ["contract"] * 4 + ["stopped"]]
        ids = [opened_as(server, n) for n in range(1, 5)]
        closed = await Session(server, "closed").open()
        await closed.delete()
        await closed.close()
        done = server.get("/webrtc/monitor/operations?state=completed")["operations"]

        document = prepared(document, dangling, ids, next(iter(done)), "stopped")
        await events(server, checks, document)
        reads = f"--exclude-path-regex=^{EVENTS}$|{CLOSE_ONE}|{CLOSE_ALL}|{WHIP}"
        await part(server, checks, document, "reads", reads, "--checks=all")
        # Not each text is an offer, which no schema can say: what is valid by the schema may be refused.
        await part(server, checks, document, "sessions", f"--include-path-regex={WHIP}", "--checks=all", "--exclude-checks=positive_data_acceptance")
        states = {session.pc.connectionState for session in sessions}
        checks.equal("after reads and offers the sessions are", states, {"connected"})
        # Last, as this closes them; one by one first, as none is left after all.
        await part(server, checks, document, "closes", f"--include-path-regex={CLOSE_ONE}", "--checks=all")
        left = await Session(server, "left").open()
        await part(server, checks, document, "closes of all", f"--include-path-regex={CLOSE_ALL}", "--checks=all")
        for session in [*sessions, left]:
            await within("all sessions to be closed", session.ended.wait())
            await session.close()
        await until("nothing live", lambda: server.live() == 0, 40)
        checks.check("the server is well", server.request("GET", "/health").status == 200, "200")
        server.end_checked(checks)
    await with_token(options, checks)


if __name__ == "__main__":
    sys.exit(run(main, arguments(__doc__, lambda parser: parser.add_argument("--runtime", default="smol"))))
