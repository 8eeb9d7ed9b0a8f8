"""Holds the public interface to one rule: types of other crates appear in `anypeer::webrtc` alone.

Reads rustdoc's JSON of the crate. The standard library's types are nobody else's, and a backend's
constructor has to name what it is made from, routes are a router, and a stream is the one of futures. What a macro derives and hides is no interface.
"""

import json
import sys

ALLOWED = {
    "tokio::runtime::handle::Handle",
    "async_executor::Executor",
    "async_executor::static_executors::StaticExecutor",
    "axum::routing::Router",
    "futures_core::stream::Stream",
    "pin_project_lite::__private::PinnedFieldsOf",
}
STANDARD = {"std", "core", "alloc"}
OWN_MODULE = "webrtc"


def main(path):
    with open(path, encoding="utf-8") as file:
        doc = json.load(file)
    index, paths, crates = doc["index"], doc["paths"], doc["external_crates"]
    found, seen = set(), set()

    def foreign(node, where):
        if isinstance(node, list):
            for child in node:
                foreign(child, where)
        elif isinstance(node, dict):
            if "id" in node and "path" in node:
                summary = paths.get(str(node["id"]))
                if summary and summary["crate_id"] != 0:
                    name = crates[str(summary["crate_id"])]["name"]
                    full = "::".join(summary["path"])
                    if name not in STANDARD and full not in ALLOWED:
                        found.add(f"{where}: {full}")
            for child in node.values():
                foreign(child, where)

    def walk(item_id, where):
        item = index.get(str(item_id))
        if item is None or item_id in seen or item["crate_id"] != 0:
            return
        seen.add(item_id)
        name = item["name"] or "impl"
        kind, inner = next(iter(item["inner"].items()))
        if kind == "module":
            if where and name == OWN_MODULE:
                return
            for child in inner["items"]:
                walk(child, f"{where}::{name}" if where else name)
            return
        if kind == "use":
            if inner["id"] is not None and inner["name"] != OWN_MODULE:
                summary = paths.get(str(inner["id"]))
                if summary and summary["path"][:2] == ["anypeer", OWN_MODULE]:
                    return
                if summary and summary["crate_id"] != 0:
                    foreign({"id": inner["id"], "path": ""}, where)
                walk(inner["id"], where)
            return
        if item["visibility"] not in ("public", "default"):
            return
        here = f"{where}::{name}"
        if kind == "impl" and (inner["is_synthetic"] or inner["blanket_impl"]):
            return
        children = []
        for key in ("items", "impls", "variants"):
            children += inner.get(key, []) if isinstance(inner.get(key), list) else []
        fields = inner.get("kind")
        foreign({k: v for k, v in inner.items() if k not in ("items", "impls")}, here)
        if isinstance(fields, dict):
            for value in fields.values():
                listed = value.get("fields", []) if isinstance(value, dict) else value
                children += [child for child in listed if child is not None]
        for child in children:
            walk(child, here)

    walk(doc["root"], "")
    print(f"{len(seen)} public items outside `{OWN_MODULE}`")
    assert len(seen) > 100, "expected the walk to find the interface"
    for line in sorted(found):
        print(f"another crate's type: {line}")
    return 1 if found else 0


sys.exit(main(sys.argv[1]))
