"""What the end-to-end checks share: a server process, HTTP, WHIP sessions through aiortc, verdicts."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = ("smol", "tokio", "async-std")
#: A debug build on a busy machine answers within this, or does not.
PATIENCE = 30.0


def arguments(description: str | None, *more: Callable[[argparse.ArgumentParser], object]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/anypeer")
    for add in more:
        add(parser)
    options = parser.parse_args()
    if not options.binary.is_file():
        parser.error(f"there is no server at {options.binary}: give one with --binary")
    # So that servers end with a script that is terminated: `with` and `atexit` do not see signals.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return options


class Checks:
    """The verdicts of a script."""

    def __init__(self) -> None:
        self.failed = 0
        self.passed = 0

    def check(self, name: str, ok: object, expected: str = "", got: object = "") -> bool:
        if ok:
            self.passed += 1
            print(f"ok    {name}" + (f": {got}" if got != "" else ""), flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}: expected {expected}, got {got}", flush=True)
        return bool(ok)

    def equal(self, name: str, got: object, expected: object) -> bool:
        return self.check(name, got == expected, repr(expected), repr(got))

    def finish(self) -> int:
        print(f"{'FAILED' if self.failed else 'PASSED'}: {self.passed} ok, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    def json(self) -> Any:
        return json.loads(self.body)

    def why_no_problem(self, statuses: Iterable[int] = range(400, 500)) -> str | None:
        """What is wrong with this as a problem document (RFC 9457), or None."""
        if self.status not in statuses:
            return f"status {self.status}"
        if self.headers.get("content-type", "").split(";")[0] != "application/problem+json":
            return f"status {self.status} with content type {self.headers.get('content-type')!r}"
        try:
            problem = self.json()
        except ValueError:
            return f"a body that is not JSON: {self.body[:80]!r}"
        if not isinstance(problem, dict) or not problem.get("detail"):
            return f"a problem without a detail: {self.body[:200]!r}"
        if problem.get("status", self.status) != self.status:
            return f"status {self.status} but {problem['status']} in the body"
        return None

    def __str__(self) -> str:
        return f"{self.status} {self.body[:160].decode('utf-8', 'replace')}"


@dataclass
class Server:
    """A server of our own: on a free port, gone at the end."""

    binary: Path
    runtime: str = "smol"
    token: str | None = None
    extra: tuple[str, ...] = ()
    process: subprocess.Popen[str] = field(init=False)
    url: str = field(init=False)

    def __enter__(self) -> Server:
        self._folder = tempfile.TemporaryDirectory(prefix="anypeer-e2e-")
        self.folder = Path(self._folder.name)
        self._stderr = (self.folder / "stderr").open("w+")
        command = [str(self.binary.resolve()), "serve", "--runtime", self.runtime, "--port", "0", "--webrtc-test"]
        if "--log-dir" not in self.extra:
            command.append("--isolation")
        if self.token:
            command += ["--token", self.token]
        self.process = subprocess.Popen(
            [*command, *self.extra], stdout=subprocess.PIPE, stderr=self._stderr, text=True, cwd=self.folder
        )
        atexit.register(self.process.kill)
        assert self.process.stdout
        line = self.process.stdout.readline()
        if "http://" not in line:
            self.process.kill()
            raise SystemExit(f"the server did not start: {line!r} {self.stderr()!r}")
        self.url = line.split("listening on ")[1].split()[0].rstrip("/")
        self.host, self.port = "127.0.0.1", int(urlsplit(self.url).port or 0)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        atexit.unregister(self.process.kill)
        self._stderr.close()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text(errors="replace")

    def stop(self) -> int:
        """Asks the server to end; the answer is its exit status, or -9 where it had to be killed."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> Reply:
        body = body.encode() if isinstance(body, str) else body
        headers = dict(headers or {})
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        started = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        seconds = time.monotonic() - started
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, data, seconds)

    def get(self, path: str) -> Any:
        reply = self.request("GET", path)
        if reply.status != 200:
            raise AssertionError(f"GET {path}: expected 200, got {reply}")
        return reply.json()

    def summary(self) -> dict[str, Any]:
        return self.get("/webrtc/monitor/summary")

    def live(self) -> int:
        states = self.summary()["connection_states"]
        return int(states["total"] - states["closed"])

    def connections(self, query: str = "") -> dict[str, Any]:
        return self.get(f"/webrtc/monitor/connections{query}")["connections"]

    def rss_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def end_checked(self, checks: Checks) -> None:
        """That it ends well, and did not panic."""
        checks.equal(f"{self.runtime}: SIGTERM ends the server with status", self.stop(), 0)
        text = self.stderr()
        checks.check(f"{self.runtime}: no panic on stderr", "panick" not in text, "none", text[-500:] if "panick" in text else "")


def free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(what: str, holds: Callable[[], Any], limit: float = PATIENCE) -> Any:
    """Asks until it holds: for what the server tells only when it is asked."""
    deadline = time.monotonic() + limit
    while True:
        if value := holds():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"expected {what} within {limit:.0f} s")
        time.sleep(0.02)


async def until(what: str, holds: Callable[[], Any], limit: float = PATIENCE) -> Any:
    """`wait_until`, while aiortc goes on."""
    deadline = time.monotonic() + limit
    while True:
        if value := await asyncio.to_thread(holds):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"expected {what} within {limit:.0f} s")
        await asyncio.sleep(0.02)


async def within(what: str, work: Awaitable[Any], limit: float = PATIENCE) -> Any:
    try:
        return await asyncio.wait_for(work, limit)
    except asyncio.TimeoutError:
        raise AssertionError(f"expected {what} within {limit:.0f} s") from None


class Session:
    """An aiortc peer that offers itself through WHIP."""

    def __init__(self, server: Server, stream: str, *, data: bool = True, media: Iterable[Any] = ()) -> None:
        import aioice.ice
        from aiortc import RTCConfiguration, RTCPeerConnection

        # The server is on the loopback address, which aioice leaves out; and other addresses of the
        # machine come and go.
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
        self.server, self.stream = server, stream
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connected, self.ended = asyncio.Event(), asyncio.Event()
        self.channel_open, self.channel_closed = asyncio.Event(), asyncio.Event()
        self.channel = self.pc.createDataChannel("echo") if data else None
        if self.channel:
            self.channel.on("open", self.channel_open.set)
            self.channel.on("close", self.channel_closed.set)
        for track in media:
            self.pc.addTrack(track)
        self.pc.on("connectionstatechange", self._changed)
        self.location = self.etag = ""

    def _changed(self) -> None:
        if self.pc.connectionState == "connected":
            self.connected.set()
        elif self.pc.connectionState in ("closed", "failed"):
            self.ended.set()

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def post(self, sdp: str) -> Reply:
        return await asyncio.to_thread(
            self.server.request, "POST", f"/whip/{quote(self.stream, safe='')}", sdp, {"Content-Type": "application/sdp"}
        )

    async def accept(self, reply: Reply) -> None:
        from aiortc import RTCSessionDescription

        if reply.status != 201:
            raise AssertionError(f"POST /whip/{self.stream}: expected 201, got {reply}")
        self.location, self.etag = reply.headers["location"], reply.headers["etag"]
        await self.pc.setRemoteDescription(RTCSessionDescription(reply.body.decode(), "answer"))

    async def open(self) -> Session:
        await self.accept(await self.post(await self.offer()))
        await within(f"{self.stream} to connect", self.connected.wait())
        if self.channel:
            await within(f"the channel of {self.stream} to open", self.channel_open.wait())
        return self

    async def delete(self) -> Reply:
        return await asyncio.to_thread(self.server.request, "DELETE", self.location)

    async def echo(self, message: str) -> float:
        """How long one message takes to come back."""
        assert self.channel
        back: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.channel.once("message", lambda text: back.done() or back.set_result(text))
        started = time.monotonic()
        self.channel.send(message)
        text = await within(f"{message!r} to come back", back)
        if text != message:
            raise AssertionError(f"expected {message!r} back, got {text!r}")
        return time.monotonic() - started

    async def close(self) -> None:
        await self.pc.close()


def run(main: Callable[[argparse.Namespace, Checks], Awaitable[None]], options: argparse.Namespace) -> int:
    """Runs a script; what is raised is a failure."""
    checks = Checks()
    try:
        asyncio.run(main(options, checks))  # type: ignore[arg-type]
    except AssertionError as error:
        checks.check("the script goes on", False, "no surprise", f"{error} ({_where(error)})")
    return checks.finish()


def _where(error: BaseException) -> str:
    import traceback

    here = [frame for frame in traceback.extract_tb(error.__traceback__) if str(Path(__file__).parent) in frame.filename]
    return " <- ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(here))
