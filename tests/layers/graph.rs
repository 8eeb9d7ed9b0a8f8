//! The modules of `src/`, and which file uses which.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path as FilePath;

use crate::source::{Contents, Entry, Path};

struct Module {
    file: String,
    parent: Option<usize>,
    root: usize,
    contents: Contents,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Target {
    Module(usize),
    /// An item that this file defines.
    Item(String),
    /// Something of another crate, and the file of ours through which it was named.
    Outside {
        path: Vec<String>,
        through: Option<String>,
    },
}

/// Which files there are, relative to `src/`, and what each names.
#[derive(Default)]
pub(crate) struct Graph {
    /// Every file of `src/`.
    pub(crate) files: BTreeSet<String>,
    /// Those that are for tests alone.
    pub(crate) tests: BTreeSet<String>,
    /// Those that some `mod` leads to.
    pub(crate) modules: BTreeSet<String>,
    /// From a file to another, and the first line that says so.
    pub(crate) edges: BTreeMap<(String, String), usize>,
    /// From a file to what it names of other crates.
    pub(crate) outside: BTreeSet<(String, usize, Vec<String>)>,
}

/// The name that other crates know ours by.
const OWN_NAME: &str = "anypeer";

struct Builder<'a> {
    src: &'a FilePath,
    modules: Vec<Module>,
    graph: Graph,
}

impl Graph {
    /// Reads `src`: the library, and the program.
    pub(crate) fn read(src: &FilePath) -> Self {
        let mut builder = Builder { src, modules: Vec::new(), graph: Self::default() };
        builder.list(src);
        builder.file("lib.rs".as_ref(), None, false);
        builder.file("cli/main.rs".as_ref(), None, false);
        builder.resolve_all();
        builder.graph
    }

    /// The files that each file leads to, directly or not.
    pub(crate) fn reachable(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut next = BTreeMap::<&str, Vec<&str>>::new();
        for (from, to) in self.edges.keys() {
            next.entry(from).or_default().push(to);
        }
        let reachable = |file| {
            let mut reached = BTreeSet::new();
            let mut left = vec![file];
            while let Some(file) = left.pop() {
                for to in next.get(file).into_iter().flatten().copied() {
                    if reached.insert(to) {
                        left.push(to);
                    }
                }
            }
            reached
        };
        self.files.iter().map(|file| (file.as_str(), reachable(file))).collect()
    }

    /// The sets of files each of which leads to every other.
    pub(crate) fn circles(&self) -> BTreeSet<BTreeSet<&str>> {
        let reachable = self.reachable();
        let mut circles = BTreeSet::new();
        for (file, reached) in &reachable {
            let back = |other: &&str| reachable[other].contains(file);
            let circle: BTreeSet<_> = reached.iter().copied().filter(back).collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles
    }
}

impl Builder<'_> {
    fn list(&mut self, folder: &FilePath) {
        for entry in fs::read_dir(folder).expect("the sources are readable") {
            let path = entry.expect("the sources are readable").path();
            if path.is_dir() {
                self.list(&path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let file = path.strip_prefix(self.src).expect("a part of it");
                self.graph.files.insert(file.to_str().expect("a plain name").to_owned());
            }
        }
    }

    fn file(&mut self, file: &FilePath, parent: Option<usize>, test: bool) -> usize {
        let name = file.to_str().expect("a plain name").to_owned();
        let text = fs::read_to_string(self.src.join(file));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        let contents = Contents::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.graph.modules.insert(name.clone());
        if test {
            self.graph.tests.insert(name.clone());
        }
        // Where the files of its children are.
        let folder = match file.file_stem().and_then(|it| it.to_str()) {
            Some("mod" | "lib" | "main") => file.parent().expect("a folder").to_owned(),
            _ => file.with_extension(""),
        };
        self.module(&name, parent, contents, &folder, test)
    }

    fn module(
        &mut self,
        file: &str,
        parent: Option<usize>,
        mut contents: Contents,
        folder: &FilePath,
        test: bool,
    ) -> usize {
        let id = self.modules.len();
        let root = parent.map_or(id, |parent| self.modules[parent].root);
        let children = std::mem::take(&mut contents.children);
        let inline = std::mem::take(&mut contents.inline);
        self.modules.push(Module { file: file.to_owned(), parent, root, contents });
        let mut named = Vec::new();
        for child in children {
            let beside = folder.join(format!("{}.rs", child.name));
            let path = if self.src.join(&beside).exists() {
                beside
            } else {
                folder.join(&child.name).join("mod.rs")
            };
            let test = test || child.test;
            named.push((child.name, self.file(&path, Some(id), test)));
        }
        for (name, contents) in inline {
            let folder = folder.join(&name);
            named.push((name, self.module(file, Some(id), contents, &folder, test)));
        }
        for (name, child) in named {
            let names = &mut self.modules[id].contents.names;
            names.entry(name).or_default().push(Entry::Module(child));
        }
        id
    }

    fn resolve_all(&mut self) {
        for (id, module) in self.modules.iter().enumerate() {
            if self.graph.tests.contains(&module.file) {
                continue;
            }
            for named in &module.contents.uses {
                let mut edge = |to: &String| {
                    if *to == module.file {
                        return;
                    }
                    let line = self.graph.edges.entry((module.file.clone(), to.clone()));
                    let line = line.or_insert(named.line);
                    *line = named.line.min(*line);
                };
                let targets = resolve(&self.modules, id, &named.path, &mut HashSet::new());
                for target in targets {
                    match target {
                        // What is used of it is a path of its own.
                        Target::Module(_) => {}
                        // A folder's face is not what its parts stand on.
                        Target::Item(to) if named.reexport && is_within(&to, &module.file) => {}
                        Target::Item(to) => edge(&to),
                        Target::Outside { path, through } => {
                            if let Some(through) = through {
                                edge(&through);
                            }
                            let found = (module.file.clone(), named.line, path);
                            self.graph.outside.insert(found);
                        }
                    }
                }
            }
        }
    }
}

/// Whether `file` lies in the folder that `face` is the `mod.rs` of.
fn is_within(file: &str, face: &str) -> bool {
    let folder = ["mod.rs", "lib.rs", "main.rs"].iter().find_map(|it| face.strip_suffix(it));
    folder.is_some_and(|folder| file.starts_with(folder))
}

type Seen = HashSet<(usize, Vec<String>)>;

/// Everything that `path` may mean in a module; a name may be a module and a function at once.
fn resolve(modules: &[Module], from: usize, path: &Path, seen: &mut Seen) -> Vec<Target> {
    let looking_for = (from, path.segments.clone());
    if seen.contains(&looking_for) {
        return Vec::new();
    }
    seen.insert(looking_for.clone());
    let targets = resolve_unseen(modules, from, path, seen);
    seen.remove(&looking_for);
    targets
}

fn resolve_unseen(modules: &[Module], from: usize, path: &Path, seen: &mut Seen) -> Vec<Target> {
    let outside = || vec![Target::Outside { path: path.segments.clone(), through: None }];
    if path.absolute {
        return outside();
    }
    let mut segments = path.segments.iter().map(String::as_str).peekable();
    let mut module = from;
    let mut is_relative = false;
    while let Some(&keyword) = segments.peek() {
        module = match keyword {
            "crate" => modules[module].root,
            "self" => module,
            "super" => modules[module].parent.expect("a module above"),
            OWN_NAME if !is_relative && modules[module].file.starts_with("cli/") => 0,
            _ => break,
        };
        is_relative = true;
        segments.next();
    }
    let mut targets = vec![Target::Module(module)];
    for (nth, segment) in segments.enumerate() {
        let mut next = Vec::new();
        // A function of a module's name leads nowhere further.
        if targets.iter().any(|target| matches!(target, Target::Module(_))) {
            targets.retain(|target| !matches!(target, Target::Item(_)));
        }
        for target in targets {
            match target {
                Target::Module(id) => {
                    let found = lookup(modules, id, segment, seen);
                    if !found.is_empty() {
                        next.extend(found);
                    } else if is_relative || nth > 0 {
                        // What a macro has made, most likely.
                        next.push(Target::Item(modules[id].file.clone()));
                    } else if path.import || path.segments.len() > 1 {
                        return outside();
                    }
                }
                Target::Item(_) => next.push(target),
                Target::Outside { mut path, through } => {
                    path.push(segment.to_owned());
                    next.push(Target::Outside { path, through });
                }
            }
        }
        targets = next;
    }
    targets
}

fn lookup(modules: &[Module], id: usize, name: &str, seen: &mut Seen) -> Vec<Target> {
    let Module { file, contents, .. } = &modules[id];
    let mut targets = Vec::new();
    for entry in contents.names.get(name).into_iter().flatten() {
        match entry {
            Entry::Item => targets.push(Target::Item(file.clone())),
            Entry::Module(child) => targets.push(Target::Module(*child)),
            Entry::Import(path) => {
                targets.extend(through(file, resolve(modules, id, path, seen)));
            }
        }
    }
    if targets.is_empty() {
        for glob in &contents.globs {
            for target in resolve(modules, id, glob, seen) {
                if let Target::Module(of) = target {
                    targets.extend(lookup(modules, of, name, seen));
                }
            }
        }
    }
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Remembers that what is of another crate was named by `file`.
fn through(file: &str, targets: Vec<Target>) -> impl Iterator<Item = Target> {
    targets.into_iter().map(|target| match target {
        Target::Outside { path, through: None } => {
            Target::Outside { path, through: Some(file.to_owned()) }
        }
        target => target,
    })
}
