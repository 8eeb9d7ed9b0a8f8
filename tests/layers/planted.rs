//! The test of the test: what is planted into a copy of `src/` is found, where it was planted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::graph::Graph;
use crate::{GRAPH, rules, src};

static FAULTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| faults(&GRAPH));

/// A copy of `src/`.
struct Copy(TempDir);

/// Everything that is found fault with.
fn faults(graph: &Graph) -> BTreeSet<String> {
    let mut found = rules::unplaced(graph);
    found.extend(rules::upwards(graph));
    found.extend(rules::present(graph));
    found.extend(rules::circles(graph).into_iter().flatten());
    found
}

impl Copy {
    fn new() -> Self {
        let copy = Self(TempDir::new().expect("a temporary folder"));
        copy_folder(&src(), copy.0.path());
        copy
    }

    /// Adds a line at the end of a file, and says which it is.
    fn plant(&self, file: &str, line: &str) -> usize {
        let path = self.0.path().join(file);
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text.push_str(line);
        text.push('\n');
        fs::write(path, &text).expect("the copy is ours");
        text.lines().count()
    }

    /// What is found that was not there before.
    fn new_faults(&self) -> Vec<String> {
        let now = faults(&Graph::read(self.0.path()));
        now.difference(&FAULTS).cloned().collect()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the copy is ours");
    for entry in fs::read_dir(from).expect("the sources are readable") {
        let entry = entry.expect("the sources are readable");
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(path, to).expect("the copy is ours");
        }
    }
}

/// How a file is named from the root.
fn module(file: &str) -> String {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    format!("crate::{}", path.replace('/', "::"))
}

/// Two files of a folder, the first of which uses the second, and no third in between.
fn pair(graph: &Graph, folder: &str) -> (String, String) {
    let reachable = graph.reachable();
    let within = |file: &str| file.starts_with(folder) && !file.ends_with("mod.rs");
    let found = graph.edges.keys().find(|(from, to)| {
        let by_another = |(user, used): &(String, String)| {
            user == from && used != to && (reachable[used.as_str()].contains(to.as_str()))
        };
        within(from)
            && within(to)
            && !reachable[to.as_str()].contains(from.as_str())
            && !graph.edges.keys().any(by_another)
    });
    found.expect("two files of the folder").clone()
}

#[test]
fn a_planted_circle_is_found() {
    for folder in ["http/", "monitor/", "peer/", "runtime/"] {
        let (user, used) = pair(&GRAPH, folder);
        let copy = Copy::new();
        let line = copy.plant(&used, &format!("use {}::{{self, Planted as _}};", module(&user)));
        let there = GRAPH.edges[&(user.clone(), used.clone())];
        let mut expected =
            [format!("{used}:{line} uses {user}"), format!("{user}:{there} uses {used}")];
        expected.sort_unstable();
        assert_eq!(copy.new_faults(), expected, "{user} uses {used}");
    }
}

#[test]
fn a_planted_import_upwards_is_found() {
    for (file, planted) in [
        ("id.rs", "use crate::monitor::Monitor;"),
        ("sync.rs", "use crate::{id::PeerId as _, monitor::{self, Monitor}};"),
        ("runtime/wait.rs", "fn planted() { drop(super::super::monitor::Monitor::new()) }"),
        ("named.rs", "fn planted() { println!(\"{:?}\", crate::monitor::Monitor::new()) }"),
        ("stats.rs", "use super::*; use monitor as watch; type Planted = watch::Monitor;"),
    ] {
        let copy = Copy::new();
        let line = copy.plant(file, planted);
        let found = copy.new_faults();
        let expected = format!("{file}:{line} uses monitor/handle.rs");
        assert!(found.contains(&expected), "{found:#?}");
        let planted_at = format!("{file}:{line} ");
        let mine: Vec<_> = found.iter().filter(|it| it.starts_with(file)).collect();
        assert!(mine.iter().all(|it| it.starts_with(&planted_at)), "{found:#?}");
    }
}

#[test]
fn what_is_only_said_of_another_is_not_found() {
    let copy = Copy::new();
    copy.plant("id.rs", "/// See [`Monitor`](crate::monitor::Monitor).\nfn planted() {}");
    copy.plant("id.rs", "#[cfg(test)] mod planted { use crate::monitor::Monitor; }");
    copy.plant("id.rs", "#[cfg(all(test, unix))] fn planted(_: crate::monitor::Monitor) {}");
    copy.plant("id.rs", "pub(in crate::monitor) fn planted() {}");
    assert_eq!(copy.new_faults(), [""; 0]);
}

#[test]
fn a_planted_module_needs_a_place() {
    let copy = Copy::new();
    copy.plant("lib.rs", "mod planted;");
    copy.plant("planted.rs", "pub(crate) struct Planted;");
    copy.plant("peer/planted.rs", "pub(crate) struct Planted;");
    assert_eq!(copy.new_faults(), ["peer/planted.rs is in no module", "planted.rs is in no layer"]);
}

#[test]
fn planted_names_of_others_are_found() {
    for (file, planted, named) in [
        ("monitor/clock.rs", "use std::{fs::{self, File}, time};", "std::fs::File"),
        ("monitor/clock.rs", "type Planted = serde_json::Value;", "serde_json::Value"),
        ("peer/mod.rs", "use serde_json as json; fn planted(_: json::Value) {}", "serde_json"),
        (
            "task/mod.rs",
            "fn planted() { drop(::tokio::task::spawn(async {})) }",
            "tokio::task::spawn",
        ),
        ("http/mod.rs", "fn planted(_: rtc::sdp::Sdp) {}", "rtc::sdp::Sdp"),
        ("http/mod.rs", "use crate::webrtc::error::Error;", "webrtc::error::Error"),
    ] {
        let copy = Copy::new();
        let line = copy.plant(file, planted);
        let expected = format!("{file}:{line} names {named}");
        let found = copy.new_faults();
        assert!(found.contains(&expected), "{found:#?}");
    }
}
