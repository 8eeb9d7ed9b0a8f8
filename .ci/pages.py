#!/usr/bin/env python3
"""Does what the pages tell a reader to do: runs every command of README.md, docs/ and
examples/README.md in a copy of the checkout, parses every block of code, and follows every relative
link of every page. Blocks of Rust are compiled by `cargo test --all-features --doc`; here it is held
that each page that has one is among the pages that it compiles.

    python3 .ci/pages.py            everything
    python3 .ci/pages.py --check    only what needs no build: blocks and links
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from queue import Empty, Queue

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "target/pages"
OUTPUTS = {".git", "__pycache__", "node_modules", "target"}
PATIENCE = 900  # seconds, for a command that compiles first
# Programs that run until they are interrupted, and the arguments that free their port.
SERVERS = {
    "serve": ["--port", "0"],
    "quick_start": ["127.0.0.1:0"],
    "signalling": ["127.0.0.1:0"],
    "signalling_smol": ["127.0.0.1:0"],
    "leak": ["--port", "0"],
}
DEFAULT_SERVER = "cargo run --release --features cli -- serve --webrtc-test"
LANGUAGES = {"rust", "sh", "json", "yaml", "toml", "js", "nginx", "text", "diff", "python"}
problems: list[str] = []


def files() -> list[Path]:
    """The files of the checkout, relative to it, without what was built or installed there."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = set(folders) - OUTPUTS
        found += [Path(folder, name).relative_to(ROOT) for name in names]
    return sorted(found)


def pages() -> list[Path]:
    """All pages. Those in src/ are rustdoc's, which looks at them itself."""
    return [ROOT / name for name in files() if name.suffix == ".md" and name.parts[0] != "src"]


def is_to_be_run(page: Path) -> bool:
    name = page.relative_to(ROOT)
    return name.parts[0] == "docs" or name in (Path("README.md"), Path("examples/README.md"))


def blocks(page: Path):
    """The fenced blocks of a page: line, language, text."""
    language, start, lines = None, 0, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = re.match(r"\s*```(.*)$", line)
        if not fence:
            lines.append(line)
        elif language is None:
            language, start, lines = fence[1].strip(), number, []
        else:
            yield start, language, "\n".join(lines)
            language = None
    if language is not None:
        problems.append(f"{page.relative_to(ROOT)}:{start}: the block does not end")


def prose(page: Path) -> str:
    """The text of a page, with blank lines in the place of its blocks."""
    inside, kept = False, []
    for line in page.read_text().splitlines():
        fence = re.match(r"\s*```", line)
        kept.append("" if inside or fence else line)
        inside ^= bool(fence)
    return "\n".join(kept)


def commands(page: Path):
    """The commands of a page, in their order: line, command."""
    found = []
    for start, language, text in blocks(page):
        if language == "sh":
            joined = re.sub(r"\\\n\s*", lambda it: " " + "\0", text)
            for offset, line in enumerate(joined.splitlines(), 1):
                line = line.replace("\0", "").strip()
                if line and not line.startswith("#"):
                    found.append((start + offset, line))
    for number, line in enumerate(prose(page).splitlines(), 1):
        found.extend((number, span) for span in re.findall(r"`(cargo [^`]+)`", line))
    return sorted(found)


# Blocks and links, without a build.


def check_block(where: str, language: str, text: str) -> None:
    language, *flags = language.split(",")
    if language not in LANGUAGES:
        problems.append(f"{where}: expected one of {sorted(LANGUAGES)}, got {language!r}")
    if language == "rust" and set(flags) - {"no_run"}:
        problems.append(f"{where}: expected Rust that compiles, got {flags}")
    try:
        if language == "json":
            for line in text.splitlines() if text.count("\n{") else [text]:
                json.loads(line)
        elif language == "toml":
            tomllib.loads(text)
        elif language == "python":
            compile(text, where, "exec")
    except (ValueError, SyntaxError) as error:
        problems.append(f"{where}: {language} that does not parse: {error}")
    if language == "js":
        with tempfile.NamedTemporaryFile("w", suffix=".mjs") as file:
            file.write(text)
            file.flush()
            checked = subprocess.run(["node", "--check", file.name], capture_output=True, text=True)
            if checked.returncode:
                problems.append(f"{where}: js that does not parse: {checked.stderr}")
    if language == "sh" and subprocess.run(["bash", "-n", "-c", text], capture_output=True).returncode:
        problems.append(f"{where}: sh that does not parse")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    known: dict[str, int] = {}
    for heading in re.findall(r"^#+ +(.*)$", prose(page), re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = known.get(slug, 0)
        known[slug] = count + 1
        if count:
            known[f"{slug}-{count}"] = 1
    return set(known)


def check_links(page: Path) -> int:
    text = prose(page)
    links = re.findall(r"\]\(<?([^)\s>]+)>?\)", text) + re.findall(r"^\[[^\]]+\]: +(\S+)", text, re.M)
    for link in links:
        where = f"{page.relative_to(ROOT)}: {link}"
        if re.match(r"[a-z]+:", link):
            if not link.startswith(("https://", "http://127.0.0.1")):
                problems.append(f"{where}: expected https")
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or ROOT not in (target, *target.parents):
            problems.append(f"{where}: expected a file of the repository")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            problems.append(f"{where}: expected a heading with this anchor")
    return len(links)


def check() -> None:
    compiled = set(re.findall(r'include_str!\("\.\./([^"]+\.md)"\)', (ROOT / "src/lib.rs").read_text()))
    count = {"blocks": 0, "links": 0}
    for page in pages():
        name = str(page.relative_to(ROOT))
        count["links"] += check_links(page)
        for start, language, text in blocks(page):
            count["blocks"] += 1
            check_block(f"{name}:{start}", language, text)
            if language.startswith("rust") and name not in compiled:
                problems.append(f"{name}:{start}: expected src/lib.rs to compile this page")
    quick_start = (ROOT / "examples/quick_start.rs").read_text()
    quick_start = quick_start[quick_start.index("\nuse ") + 1 :]
    if quick_start not in (ROOT / "README.md").read_text():
        problems.append("README.md: expected the quick start of examples/quick_start.rs, line for line")
    print(f"{len(pages())} pages: {count['blocks']} blocks and {count['links']} links looked at")


# Commands, in a copy of the checkout.


def copy_checkout() -> None:
    """Copies the checkout. What an earlier run has built stays, in a target folder of its own: with a
    shared one, cargo takes the builds of the copy for those of the checkout."""
    COPY.mkdir(parents=True, exist_ok=True)
    for entry in COPY.iterdir():
        if entry.name == "target":
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name in files():
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)


def environment() -> dict[str, str]:
    return os.environ | {"CARGO_TARGET_DIR": str(COPY / "target"), "CARGO_TERM_COLOR": "never"}


class Server:
    """A command that runs until it is interrupted, on a port of its own."""

    def __init__(self, command: str):
        self.program = program_of(command)
        words = " ".join(SERVERS[self.program])
        port = re.search(r"--port \d+", command)
        if port:
            command = command.replace(port[0], words)
        elif self.program == "serve" or " -- " in command:
            command = f"{command} {words}"
        else:
            command = f"{command} -- {words}"
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command}" if "=" not in command.split()[0] else command],
            cwd=COPY, env=environment(), stdin=subprocess.PIPE, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.lines: list[str] = []
        self.queue: Queue[str | None] = Queue()
        threading.Thread(target=self.read, daemon=True).start()
        listening = self.wait_for(r"^listening on (http://[^/ ]+)")
        self.address = listening[1] if listening else None
        if self.address:
            # Once it has answered, it listens for its interruption too.
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(self.address, timeout=20).close()
        self.failed = listening is None
        if listening and "--run-tests" in command:
            passed = self.wait_for(r"^(\d+) of (\d+) passed")
            self.failed = passed is None or passed[1] != passed[2]

    def read(self) -> None:
        for line in self.process.stdout:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def wait_for(self, pattern: str):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self.queue.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                return None
            if line is None:
                return None
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    def stop(self) -> int:
        """Ends it as its page says, by Ctrl-C or the end of its input, and waits for that."""
        if self.program == "leak":
            self.process.stdin.close()
        elif self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        while (line := self.queue.get()) is not None:
            self.lines.append(line)
        return self.process.returncode


def program_of(command: str) -> str | None:
    """The name of the program of ours that a command runs, if that is a server."""
    if "--exit-after-tests" in command:
        return None
    example = re.search(r"--example (\S+)", command)
    name = example[1] if example else "serve" if re.search(r"-- serve\b", command) else None
    return name if name in SERVERS else None


def add(command: str) -> tuple[int, str]:
    """`cargo add anypeer ..` in a new package, from this checkout: the registry has other versions."""
    with tempfile.TemporaryDirectory() as folder:
        new = ["cargo", "init", "--quiet", "--vcs", "none", "--name", "server", folder]
        subprocess.run(new, check=True, capture_output=True)
        shutil.copy(ROOT / "Cargo.lock", folder)
        words = shlex.split(command)
        if "anypeer" in words:
            words[words.index("anypeer") : words.index("anypeer") + 1] = ["--path", str(ROOT)]
        added = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        if added.returncode:
            return added.returncode, added.stderr
        tree = subprocess.run(
            ["cargo", "tree", "--edges", "normal", "--prefix", "none", "--format", "{p} {f}"],
            cwd=folder, capture_output=True, text=True,
        )
        if tree.returncode:
            return tree.returncode, tree.stderr
        if "anypeer" not in command:
            return 0, "added"
        runtimes = {
            "tokio": re.search(r"^tokio v\S+ .*\brt\b", tree.stdout, re.M),
            "smol": re.search(r"^smol v", tree.stdout, re.M),
            "async-std": re.search(r"^async-std v", tree.stdout, re.M),
        }
        named = [name for name in runtimes if re.search(rf"\b{name}\b", command)]
        if "--no-default-features" not in command:
            named.append("smol")
        for name, found in runtimes.items():
            if found and name not in named and "--dev" not in command:
                return 1, f"brings {name}, which it does not name"
        return 0, f"brings {', '.join(named) or 'no runtime'}"


def shell(command: str) -> tuple[int, str]:
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=COPY, env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE,
    )
    return ran.returncode, ran.stdout


def curl(command: str, address: str) -> tuple[int, str]:
    """A request to a server of the page. A refusal has to be a problem document about its subject."""
    code, output = shell(command.replace("curl ", "curl --no-progress-meter --max-time 20 ", 1))
    if code:
        return code, output
    refused = output.startswith('{"type":"urn:')
    return int(refused and not re.search("nobody|alice|-X POST", command)), output


def run_page(page: Path, done: set[str]) -> None:
    name = str(page.relative_to(ROOT))
    servers: dict[str, Server] = {}  # by the port that the page says

    def report(line: int, command: str, start: float, code: int, output: str) -> None:
        last = next((it for it in reversed(output.splitlines()) if it.strip()), "")
        verdict = "ok    " if code == 0 else "FAILED"
        print(f"{verdict} {time.monotonic() - start:6.1f} s  {name}:{line}: {command}\n{'':18}| {last[:160]}")
        sys.stdout.flush()
        if code:
            problems.append(f"{name}:{line}: `{command}`: {output[-4000:]}")

    def stop(port: str) -> None:
        server, line, command = servers.pop(port)
        start = time.monotonic()
        code = server.stop()
        report(line, "the end of " + command, start, code, "\n".join(server.lines))

    def serve(port: str, command: str, line: int) -> None:
        start = time.monotonic()
        server = Server(command)
        servers[port] = (server, line, command)
        report(line, command, start, server.failed, "\n".join(server.lines))
        if not requests:
            stop(port)

    requests = any(command.startswith("curl ") for _, command in commands(page))
    for line, command in commands(page):
        start = time.monotonic()
        if re.match(r"cargo (test|clippy|fmt|doc|bench|hack|deny)\b", command):
            continue  # steps of the gate
        program = program_of(command)
        if command.startswith("curl "):
            port = re.search(r"127\.0\.0\.1:(\d+)", command)[1]
            if port not in servers:
                serve(port, DEFAULT_SERVER, line)
            address = servers[port][0].address
            if address is None:
                continue  # reported
            report(line, command, start, *curl(command.replace(f"http://127.0.0.1:{port}", address), address))
        elif program:
            port = (re.search(r"--port (\d+)", command) or [0, {"serve": "9999"}.get(program, "8080")])[1]
            if port in servers:
                stop(port)
            if requests or command not in done:
                done.add(command)
                serve(port, command, line)
        elif command in done:
            continue
        else:
            done.add(command)
            if command.startswith("cargo add "):
                report(line, command, start, *add(command))
            elif command.startswith("cargo install "):
                report(line, command, start, *shell(f"{command} --root {COPY / 'installed'}"))
            else:
                report(line, command, start, *shell(command))
    for port in list(servers):
        stop(port)


def main() -> None:
    check()
    if "--check" not in sys.argv:
        copy_checkout()
        done: set[str] = set()
        for page in pages():
            if is_to_be_run(page):
                run_page(page, done)
    for problem in problems:
        print(f"FAILED {problem}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
