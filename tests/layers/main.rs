//! The layers of `src/`, which `ARCHITECTURE.md` states: who may name whom, in every form in which
//! a path can be written, down to single files.

#![allow(clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the rules are for the library")]

mod graph;
mod planted;
mod rules;
mod source;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use self::graph::Graph;

fn src() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// `src/` as it is.
static GRAPH: LazyLock<Graph> = LazyLock::new(|| Graph::read(&src()));

fn assert_none(found: &BTreeSet<String>, what: &str) {
    let list: Vec<_> = found.iter().map(String::as_str).collect();
    assert!(found.is_empty(), "{what}:\n  {}", list.join("\n  "));
}

#[test]
fn every_file_has_a_layer() {
    assert_none(&rules::unplaced(&GRAPH), "without a place");
}

#[test]
fn every_layer_names_only_those_below_it() {
    assert_none(&rules::upwards(&GRAPH), "upwards");
}

#[test]
fn no_file_names_what_its_folder_must_not_know() {
    assert_none(&rules::present(&GRAPH), "names of others");
}

#[test]
fn no_circle() {
    let circles = rules::circles(&GRAPH);
    for circle in &circles {
        let list: Vec<_> = circle.iter().map(String::as_str).collect();
        println!("{} uses in a circle:\n  {}", list.len(), list.join("\n  "));
    }
    assert!(circles.is_empty(), "{} circles", circles.len());
}
