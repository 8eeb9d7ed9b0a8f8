"""Many clients of the event stream, some of which never read: nobody misses anything uncounted, the
server's memory stays bounded, and connections do not suffer."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import statistics
import sys
import time
from dataclasses import dataclass, field

from harness import Checks, Server, Session, arguments, run, until, within

READERS, DEAF, LIMIT = 150, 50, 256
#: At least so many closes of unknown ids, and as many more as it takes until the deaf are gone.
CLOSES = 10_000
SESSIONS = 3
#: After the server can write no more to one that does not read. Its write timeout is 30 s.
DEAF_LIMIT = 40.0
#: Until then the system's buffers have to be filled.
FLOOD_LIMIT = 150.0
MEMORY_LIMIT_KIB = 128 << 10


@dataclass
class Reader:
    """One that reads everything; what it heard is checked as it comes."""

    server: Server
    resumed_at: str = ""
    status: int = 0
    content_type: str = ""
    epoch: str = ""
    last: int | None = None
    events: int = 0
    gaps: int = 0
    missed: int = 0
    names: set[str] = field(default_factory=set)
    wrong: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    after_gap: bool = False
    ended: bool = False

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection(self.server.host, self.server.port)
        try:
            resumed = f"Last-Event-ID: {self.resumed_at}\r\n" if self.resumed_at else ""
            writer.write(f"GET /webrtc/monitor/events HTTP/1.1\r\nHost: localhost\r\n{resumed}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.status = int(head.split(" ")[1])
            self.content_type = (re.search(r"(?im)^content-type: *(\S+)", head) or ["", ""])[1]
            buffer = b""
            while size := int(await reader.readline() or b"0", 16):
                buffer += (await reader.readexactly(size + 2))[:-2]
                *events, buffer = buffer.split(b"\n\n")
                for event in events:
                    self.hear(event.decode())
            self.ended = True
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended = True
        finally:
            self.ready.set()
            writer.close()

    def hear(self, text: str) -> None:
        if text.startswith(":"):
            return
        fields = dict(line.split(": ", 1) for line in text.split("\n"))
        name, data = fields.get("event", ""), fields.get("data", "")
        if not self.names and name != "snapshot" and not self.resumed_at:
            self.wrong = self.wrong or f"the first event is {name}"
        self.names.add(name)
        if name == "gap":
            self.gaps += 1
            self.missed += json.loads(data)["missed"]
            self.after_gap = True
        if not (position := fields.get("id")):
            return
        epoch, sequence = position.rsplit("-", 1)
        number = int(sequence)
        if name == "snapshot":
            # It says up to where it tells: what comes then is the next.
            if self.last is not None and not self.after_gap:
                self.wrong = self.wrong or f"a snapshot at {position} without a gap"
            if self.last is not None and number < self.last:
                self.wrong = self.wrong or f"a snapshot at {position} after {self.last}"
        elif number != (self.last or 0) + 1:
            self.wrong = self.wrong or f"{position} ({name}) after {self.last}"
        else:
            self.events += 1
        if self.epoch not in ("", epoch):
            self.wrong = self.wrong or f"epoch {epoch} after {self.epoch}"
        self.epoch, self.last, self.after_gap = epoch, number, False
        self.ready.set()


class Deaf:
    """One that asks, and never reads."""

    def __init__(self, server: Server) -> None:
        self.link = socket.socket()
        # Before the connection, so that the window is small from its beginning.
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.link.connect((server.host, server.port))
        self.link.sendall(b"GET /webrtc/monitor/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.port = self.link.getsockname()[1]


def unsent(server: Server) -> dict[int, int]:
    """How much the server has not got rid of, by the port of the client, for its open connections."""
    found = {}
    with open(f"/proc/{server.pid}/net/tcp") as table:
        for line in list(table)[1:]:
            _, local, remote, state, queues, *_ = line.split()
            if int(local.split(":")[1], 16) == server.port and state == "01":
                found[int(remote.split(":")[1], 16)] = int(queues.split(":")[0], 16)
    return found


class Stalls:
    """Since when the server can write no more to each of those that do not read; and when they are
    ended."""

    def __init__(self, server: Server, clients: list[Deaf]) -> None:
        now = time.monotonic()
        self.server = server
        self.queued = {it.port: (-1, now) for it in clients}
        self.lasted: list[float] = []

    def look(self) -> None:
        now, sizes = time.monotonic(), unsent(self.server)
        for port, (size, since) in list(self.queued.items()):
            if port not in sizes:
                self.lasted.append(now - since)
                del self.queued[port]
            elif sizes[port] > size:
                self.queued[port] = (sizes[port], now)


class Load:
    """Closes of ids that are unknown, as fast as they go over one connection: each is two events."""

    def __init__(self, server: Server) -> None:
        self.server, self.closes, self.enough = server, 0, False

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection(self.server.host, self.server.port)
        while not self.enough or self.closes < CLOSES:
            writer.write(f"POST /webrtc/connections/none-{self.closes}/close HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readexactly(int(re.search(r"(?i)content-length: *(\d+)", head)[1]))  # type: ignore[index]
            self.closes += 1
        writer.close()


async def flood(server: Server, checks: Checks) -> None:
    name = server.runtime
    sessions = [await Session(server, f"room-{number}").open() for number in range(SESSIONS)]
    quiet = [await session.echo(f"quiet {n}") for n in range(20) for session in sessions]
    before = server.rss_kib()

    readers = [Reader(server) for _ in range(READERS)]
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    await within("all readers to have a snapshot", asyncio.gather(*(reader.ready.wait() for reader in readers)))
    wrong = {(it.status, it.content_type) for it in readers}
    checks.equal(f"{name}: {READERS} clients are answered with", wrong, {(200, "text/event-stream")})
    deaf = [Deaf(server) for _ in range(DEAF)]
    started = time.monotonic()
    open_before = server.get("/webrtc/monitor/summary")["event_count"]
    connected = server.rss_kib()

    busy: list[float] = []
    opened = peak = 0
    stalls, load = Stalls(server, deaf), Load(server)
    flooding = asyncio.create_task(load.run())
    while not flooding.done():
        busy += [await session.echo(f"busy {len(busy)}") for session in sessions]
        peak = max(peak, server.rss_kib())
        stalls.look()
        load.enough = not stalls.queued or time.monotonic() - started > FLOOD_LIMIT
        if len(busy) % 60 == 0:
            extra = await Session(server, "comes and goes").open()
            await extra.delete()
            await extra.close()
            opened += 1
    await flooding
    operations, floods = 2 * load.closes, time.monotonic() - started

    waited = f"after {min(stalls.lasted, default=0):.1f} to {max(stalls.lasted, default=0):.1f} s without progress"
    ended = not stalls.queued and max(stalls.lasted) <= DEAF_LIMIT
    got = waited if not stalls.queued else f"{len(stalls.queued)} still there after {floods:.0f} s, with {set(it[0] for it in stalls.queued.values())} bytes unsent"
    checks.check(f"{name}: {DEAF} clients that never read are ended", ended, f"within {DEAF_LIMIT:.0f} s", got)
    await check_heard(server, checks, readers, operations)
    checks.check(f"{name}: events", True, got=f"{server.summary()['event_count'] - open_before} in {floods:.1f} s, {opened} sessions came and went")
    states = {session.pc.connectionState for session in sessions}
    checks.equal(f"{name}: the sessions are still", states, {"connected"})
    checks.equal(f"{name}: and for the server", len(server.connections("?state=connected")), SESSIONS)
    figures = f"median {1e3 * statistics.median(quiet):.1f} -> {1e3 * statistics.median(busy):.1f} ms, worst {1e3 * max(quiet):.0f} -> {1e3 * max(busy):.0f} ms over {len(busy)} echoes"
    checks.check(f"{name}: echo goes on meanwhile", max(busy) < 5, "each within 5 s", figures)
    after = server.rss_kib()
    memory = f"{before >> 10} MiB before, {connected >> 10} with clients, {peak >> 10} at most, {after >> 10} after"
    checks.check(f"{name}: memory stays bounded", peak - before < MEMORY_LIMIT_KIB, f"at most {MEMORY_LIMIT_KIB >> 10} MiB more", memory)

    await comes_back_late(server, checks, readers[0].epoch)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for it in deaf:
        it.link.close()
    for session in sessions:
        await session.delete()
        await session.close()


async def comes_back_late(server: Server, checks: Checks, epoch: str) -> None:
    """One that last heard the first event, which is long gone."""
    late = Reader(server, resumed_at=f"{epoch}-1")
    task = asyncio.create_task(late.run())
    await within("one that comes back to have a snapshot", late.ready.wait())
    task.cancel()
    told = f"{late.gaps} gaps, {late.missed} missed, now at {late.last}"
    checks.check(f"{server.runtime}: one that comes back too late is told how much it missed", late.gaps == 1 and late.missed > 0 and not late.wrong, "a gap, then a snapshot", late.wrong or told)


async def check_heard(server: Server, checks: Checks, readers: list[Reader], operations: int) -> None:
    """A reader is done when it has heard of what was done last."""
    name = server.runtime
    session = await Session(server, "last").open()
    (last,) = server.connections("?group=last")
    await session.delete()
    await session.close()
    await until("the last session to be closed", lambda: server.get(f"/webrtc/monitor/connections/{last}")["connection"]["connection_state"] == "closed")

    async def same_position() -> None:
        # All stand at the same place once they have all heard, and nothing more comes.
        stands = None
        while stands is None or len({it.last for it in readers}) > 1 or readers[0].last != stands:
            stands = readers[0].last
            await asyncio.sleep(0.5)

    await within("all readers to have heard all", same_position(), 60)
    wrong = [it.wrong for it in readers if it.wrong]
    checks.check(f"{name}: ids are consecutive for each reader, or a gap is counted", not wrong, "them to be", wrong[:3] or "all")
    ended = sum(it.ended for it in readers)
    checks.equal(f"{name}: readers whose stream was ended", ended, 0)
    totals = {it.events + it.missed for it in readers}
    least = operations
    checks.check(f"{name}: each reader heard all, or how much it missed", min(totals) >= least, f"{least} or more", f"{min(totals)} to {max(totals)} events, {sum(it.gaps for it in readers)} gaps")
    names = set().union(*(it.names for it in readers)) - {"gap"}
    expected = {"snapshot", "summary", "connection", "operation_started", "operation_ended"}
    checks.equal(f"{name}: kinds of events", sorted(names), sorted(expected))


async def limit(server: Server, checks: Checks) -> None:
    """The 257th client is refused; when one leaves there is room again."""
    name = server.runtime
    readers = [Reader(server) for _ in range(LIMIT)]
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    await within(f"{LIMIT} clients to have a snapshot", asyncio.gather(*(reader.ready.wait() for reader in readers)))
    checks.equal(f"{name}: {LIMIT} clients are answered with", {it.status for it in readers}, {200})
    reply = await asyncio.to_thread(server.request, "GET", "/webrtc/monitor/events")
    why = reply.why_no_problem([503])
    checks.check(f"{name}: one more is refused", not why, "a problem of status 503", why or 503)
    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)

    again = Reader(server)

    async def enter() -> None:
        while again.status != 200:
            again.ready.clear()
            again.status = 0
            entered.append(asyncio.create_task(again.run()))
            await again.ready.wait()
            if again.status != 200:
                # It notices when it next writes: at the latest with the next event.
                await asyncio.to_thread(server.request, "POST", "/webrtc/connections/none/close")

    entered: list[asyncio.Task[None]] = []
    await within("room again after one has left", enter(), 20)
    checks.equal(f"{name}: after one has left the next is answered with", again.status, 200)
    for task in [*tasks, *entered]:
        task.cancel()
    await asyncio.gather(*tasks, *entered, return_exceptions=True)


async def resume(server: Server, checks: Checks) -> None:
    """`Last-Event-ID`."""
    name = server.runtime
    for value in ("x", "1-2-3", "-1", "a" * 10_000, "1-99999999999999999999999"):
        reply = await asyncio.to_thread(server.request, "GET", "/webrtc/monitor/events", None, {"Last-Event-ID": value})
        why = reply.why_no_problem([400])
        checks.check(f"{name}: Last-Event-ID {value[:20]!r} is refused", not why, "400", why or 400)


async def main(options: argparse.Namespace, checks: Checks) -> None:
    for runtime in options.runtimes:
        with Server(options.binary, runtime) as server:
            await resume(server, checks)
            await limit(server, checks)
            await flood(server, checks)
            await until("nothing live", lambda: server.live() == 0)
            server.end_checked(checks)


if __name__ == "__main__":
    sys.exit(run(main, arguments(__doc__, lambda parser: parser.add_argument("--runtimes", nargs="+", default=["smol", "tokio"]))))
