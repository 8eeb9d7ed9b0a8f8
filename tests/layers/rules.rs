//! What `ARCHITECTURE.md` says of who may name whom.

use std::collections::BTreeSet;

use crate::graph::Graph;

/// What everything is said in: names, states, outcomes, and looks at what is above.
const WORDS: &[&str] = &[
    "candidate",
    "close_options",
    "id",
    "named",
    "outcome",
    "probe",
    "state",
    "stats",
    "sync",
    "task_info",
];

/// The layers, the lowest first: a folder or file of `src/`, and those below it that it names,
/// besides [`WORDS`] where it is above them.
const LAYERS: &[(&str, &[&str])] = &[
    ("named", &[]),
    ("sync", &[]),
    ("id", &[]),
    ("close_options", &[]),
    ("state", &["named"]),
    ("candidate", &["named"]),
    ("stats", &["candidate", "named", "state"]),
    ("outcome", &["named"]),
    ("probe", &["stats"]),
    ("task_info", &["id"]),
    ("redact", &["candidate"]),
    ("known", &["id", "state", "sync", "task_info"]),
    ("runtime", &["sync"]),
    ("event", &["runtime"]),
    ("task", &["event", "known", "runtime"]),
    ("peer", &["event", "known", "runtime", "task"]),
    ("test_util", &["known", "peer", "runtime", "task"]),
    ("webrtc", &["event", "peer", "runtime"]),
    ("monitor", &["event", "peer", "redact", "runtime", "task"]),
    ("wire", &["event", "monitor", "peer", "task"]),
    ("log", &["monitor", "runtime", "wire"]),
    ("metrics", &["monitor"]),
    ("dump", &["event", "monitor", "peer", "task", "wire"]),
    ("http", &["dump", "event", "metrics", "monitor", "peer", "runtime", "task", "webrtc", "wire"]),
    ("lib", &[]),
    ("cli", &["http", "log", "monitor", "peer", "runtime", "webrtc"]),
];

/// The first layer that may name all of [`WORDS`].
const ABOVE_WORDS: &str = "event";

/// Pairs of files that are one idea, and why. At most three.
const ONE_IDEA: &[(&str, &str, &str)] = &[];

/// Crates, or what is in them, that only some files may name.
const ABSENT: &[(&[&str], &[&str])] = &[
    (&["tokio"], &["runtime/", "http/serve/io.rs", "cli/"]),
    (&["smol"], &["runtime/", "http/serve/io.rs", "cli/"]),
    (&["async_std"], &["runtime/", "http/serve/io.rs", "cli/"]),
    // The WHIP server and the program are applications of `webrtc/`, as anybody's are.
    (&["webrtc"], &["webrtc/", "http/whip/", "cli/"]),
    (&["rtc"], &["webrtc/", "http/whip/", "cli/"]),
    (&["serde"], &["wire/", "cli/"]),
    (&["serde_json"], &["wire/", "cli/"]),
];

/// No I/O in this folder.
const NO_IO: (&str, &[&[&str]]) = (
    "monitor/",
    &[
        &["std", "fs"],
        &["std", "io"],
        &["std", "process"],
        &["std", "net", "TcpListener"],
        &["std", "net", "TcpStream"],
        &["std", "net", "UdpSocket"],
        &["async_io"],
    ],
);

/// The folder of `src/` that a file is in, or its own name.
fn layer(file: &str) -> &str {
    file.split_once('/').map_or_else(|| file.trim_end_matches(".rs"), |(folder, _)| folder)
}

/// Files without a layer, or without a `mod`; layers without a file.
pub(crate) fn unplaced(graph: &Graph) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in &graph.files {
        if LAYERS.iter().all(|(name, _)| *name != layer(file)) {
            found.insert(format!("{file} is in no layer"));
        }
        if !graph.modules.contains(file) {
            found.insert(format!("{file} is in no module"));
        }
    }
    for (name, _) in LAYERS {
        if graph.files.iter().all(|file| layer(file) != *name) {
            found.insert(format!("{name} is a layer without a file"));
        }
    }
    found
}

fn may_use(user: &str, used: &str) -> bool {
    let place = |layer: &str| LAYERS.iter().position(|(name, _)| *name == layer);
    let knows_words = place(user) >= place(ABOVE_WORDS) && WORDS.contains(&used);
    let named = place(user).is_some_and(|place| LAYERS[place].1.contains(&used));
    knows_words || named
}

/// Files that name what is not below them.
pub(crate) fn upwards(graph: &Graph) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (nth, (name, may_use)) in LAYERS.iter().enumerate() {
        for used in *may_use {
            if LAYERS[..nth].iter().all(|(below, _)| below != used) {
                found.insert(format!("{used} is not below {name}"));
            }
        }
    }
    for ((from, to), line) in &graph.edges {
        let (user, used) = (layer(from), layer(to));
        if user != used && !may_use(user, used) {
            found.insert(format!("{from}:{line} uses {to}"));
        }
    }
    found
}

/// The uses that make circles, a circle at a time.
pub(crate) fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let mut found = Vec::new();
    let mut left = ONE_IDEA.to_vec();
    for circle in graph.circles() {
        let allowed = left.iter().position(|(a, b, _)| circle == BTreeSet::from([*a, *b]));
        if let Some(allowed) = allowed {
            left.remove(allowed);
            continue;
        }
        let within = |file: &String| circle.contains(file.as_str());
        let uses = graph.edges.iter().filter(|((from, to), _)| within(from) && within(to));
        found.push(uses.map(|((from, to), line)| format!("{from}:{line} uses {to}")).collect());
    }
    for (a, b, _) in left {
        found.push([format!("{a} and {b} are no circle")].into());
    }
    assert!(ONE_IDEA.len() <= 3, "too many circles are allowed");
    found
}

/// Files that name what they should know nothing of.
pub(crate) fn present(graph: &Graph) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, line, path) in &graph.outside {
        let named =
            |what: &[&str]| path.iter().zip(what).filter(|(a, b)| a == b).count() == what.len();
        let absent = ABSENT.iter().any(|(what, places)| {
            named(what) && !places.iter().any(|place| file.starts_with(place))
        });
        let (folder, io) = NO_IO;
        if absent || file.starts_with(folder) && io.iter().any(|what| named(what)) {
            found.insert(format!("{file}:{line} names {}", path.join("::")));
        }
    }
    found
}
