//! The direction of dependencies between the folders of `src/`, which `ARCHITECTURE.md` states.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each folder or file, with those that it may name. What is told of everything (`event`,
/// `operation`) names what it tells of, and is named by all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("named", &[]),
    ("sync", &[]),
    ("id", &[]),
    ("state", &["named"]),
    ("candidate", &["named"]),
    ("stats", &["candidate", "named", "state"]),
    ("redact", &["candidate"]),
    ("runtime", &["sync"]),
    ("task", &["runtime", "event", "id", "sync", "test_util"]),
    (
        "peer",
        &[
            "task",
            "runtime",
            "event",
            "operation",
            "named",
            "id",
            "state",
            "stats",
            "sync",
            "test_util",
        ],
    ),
    (
        "webrtc",
        &["peer", "runtime", "event", "operation", "id", "state", "stats", "candidate", "sync"],
    ),
    (
        "monitor",
        &[
            "peer",
            "task",
            "runtime",
            "event",
            "id",
            "named",
            "state",
            "stats",
            "candidate",
            "redact",
            "sync",
        ],
    ),
    ("wire", &["monitor", "peer", "id", "state", "stats", "candidate"]),
    (
        "http",
        &[
            "wire",
            "dump",
            "metrics",
            "monitor",
            "webrtc",
            "peer",
            "task",
            "runtime",
            "id",
            "state",
            "candidate",
            "sync",
        ],
    ),
    ("log", &["wire", "monitor", "runtime", "id", "sync"]),
    ("metrics", &["monitor"]),
    ("dump", &["wire", "monitor", "peer", "id", "state", "stats", "candidate", "task"]),
];

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, found),
            path if path.extension().is_some_and(|it| it == "rs") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn every_layer_names_only_those_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut looked_at = 0;
    for path in all {
        let inside = path.strip_prefix(&src).unwrap_or(&path);
        let first = inside.iter().next().and_then(|it| it.to_str()).unwrap_or_default();
        let layer = first.strip_suffix(".rs").unwrap_or(first);
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == layer) else { continue };
        looked_at += 1;
        let text = fs::read_to_string(&path).unwrap_or_default();
        // Links in documentation may point anywhere.
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (number, line) in code.enumerate() {
            for named in line.split("crate::").skip(1) {
                let named = named.split(|c: char| !c.is_alphanumeric() && c != '_').next();
                let named = named.unwrap_or_default();
                // What stands at the root, by a name of its own.
                let is_module = named.chars().next().is_some_and(char::is_lowercase);
                assert!(
                    !is_module || named == layer || may_use.contains(&named),
                    "{}:{number}: {layer} must not name {named}: {line}",
                    inside.display()
                );
            }
            let serde = line.contains("serde::") || line.contains("serde_json::");
            let tests = inside.iter().any(|it| it == "tests");
            assert!(
                !serde || tests || layer == "wire",
                "{}: serde outside `wire`: {line}",
                inside.display()
            );
        }
    }
    assert!(looked_at > 60, "expected the layers to be found, and not {looked_at} files");
}
