//! Converts OpenMetrics text to the Prometheus text format.

use std::collections::HashSet;

/// Adds `_total` to the names of counter families, and removes the lines that the Prometheus text
/// format does not have.
pub(super) fn prometheus(text: &str) -> String {
    let mut counters = HashSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|it| it.strip_suffix(" counter"))
        {
            counters.insert(name);
        }
    }
    let mut older = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let described = ["# HELP ", "# TYPE "].iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            counters.contains(name).then_some((*start, name, rest))
        });
        match described {
            Some((start, name, rest)) => {
                older.extend([start, name, "_total ", rest, "\n"]);
            }
            None => older.extend([line, "\n"]),
        }
    }
    older
}
