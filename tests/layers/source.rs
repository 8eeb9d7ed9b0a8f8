//! One module of `src/`: what it defines, and which paths it names.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A path as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// Whether it begins with `::`.
    pub(crate) absolute: bool,
    /// Whether it is that of a `use`, where one name alone may be a crate.
    pub(crate) import: bool,
    pub(crate) segments: Vec<String>,
}

/// A place where a path is named.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) path: Path,
    pub(crate) line: usize,
    /// A `use` that is visible outside its module.
    pub(crate) reexport: bool,
}

/// What a name stands for in a module.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// An item of the module's own.
    Item,
    /// What a `use` brings in.
    Import(Path),
    /// A child module.
    Module(usize),
}

/// A child module that is in a file of its own.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) test: bool,
}

/// What one module (a file, or an inline `mod`) contains.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) names: HashMap<String, Vec<Entry>>,
    pub(crate) globs: Vec<Path>,
    pub(crate) uses: Vec<Use>,
    pub(crate) children: Vec<Child>,
    pub(crate) inline: Vec<(String, Contents)>,
}

/// What was read of a file before, by its text: most files of a planted copy are as they were.
static READ: LazyLock<Mutex<HashMap<String, Contents>>> = LazyLock::new(Mutex::default);

impl Contents {
    /// Reads the text of a file.
    pub(crate) fn parse(text: String) -> syn::Result<Self> {
        let known = READ.lock().expect("no reader panics").get(&text).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let contents = Self::read(&syn::parse_file(&text)?.items);
        READ.lock().expect("no reader panics").insert(text, contents.clone());
        Ok(contents)
    }

    /// Reads the items of a module. Those of `#[cfg(test)]` are left out, but for child modules in
    /// files, which are marked.
    fn read(items: &[syn::Item]) -> Self {
        let mut contents = Self::default();
        for item in items {
            contents.visit_item(item);
            contents.define(item);
        }
        contents
    }

    fn define(&mut self, item: &syn::Item) {
        use syn::Item;
        if is_test(attributes(item)) {
            return;
        }
        let ident = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => ident,
            _ => return,
        };
        self.names.entry(name(ident)).or_default().push(Entry::Item);
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &Path, reexport: bool) {
        let with = |ident: &syn::Ident| {
            let mut path = before.clone();
            path.segments.push(name(ident));
            path
        };
        let (path, known_as, line) = match tree {
            syn::UseTree::Path(tree) => {
                return self.use_tree(&tree.tree, &with(&tree.ident), reexport);
            }
            syn::UseTree::Group(tree) => {
                return tree.items.iter().for_each(|tree| self.use_tree(tree, before, reexport));
            }
            syn::UseTree::Glob(tree) => {
                self.globs.push(before.clone());
                (before.clone(), None, line_of(tree))
            }
            syn::UseTree::Name(tree) => {
                let path = if tree.ident == "self" { before.clone() } else { with(&tree.ident) };
                (path.clone(), path.segments.last().cloned(), line_of(&tree.ident))
            }
            syn::UseTree::Rename(tree) => {
                let path = if tree.ident == "self" { before.clone() } else { with(&tree.ident) };
                (path, Some(name(&tree.rename)), line_of(&tree.ident))
            }
        };
        if let Some(known_as) = known_as {
            self.names.entry(known_as).or_default().push(Entry::Import(path.clone()));
        }
        self.uses.push(Use { path, line, reexport });
    }

    fn name_path(&mut self, absolute: bool, segments: Vec<String>, line: usize) {
        let path = Path { absolute, import: false, segments };
        self.uses.push(Use { path, line, reexport: false });
    }

    /// The paths among tokens that nobody parses: those of macros and attributes.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        // Whether what comes next can begin a path: not after a dot, nor in a lifetime.
        let mut begins = true;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    begins = group.delimiter() == Delimiter::None;
                }
                TokenTree::Punct(punct) => begins = !matches!(punct.as_char(), '.' | '\''),
                TokenTree::Literal(_) => begins = true,
                TokenTree::Ident(first) => {
                    let mut segments = vec![name(&first)];
                    while let Some(segment) = next_segment(&mut tokens) {
                        segments.push(segment);
                    }
                    if begins {
                        self.name_path(false, segments, line_of(&first));
                    }
                    begins = true;
                }
            }
        }
    }
}

/// Takes `::name` off the tokens.
fn next_segment(
    tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
) -> Option<String> {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ':');
    let mut ahead = tokens.clone();
    if !is_colon(&ahead.next()?) || !is_colon(&ahead.next()?) {
        return None;
    }
    let TokenTree::Ident(ident) = ahead.next()? else { return None };
    *tokens = ahead;
    Some(name(&ident))
}

impl<'ast> Visit<'ast> for Contents {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let test = is_test(attributes(item));
        match item {
            syn::Item::Mod(module) => {
                let name = name(&module.ident);
                match &module.content {
                    Some(_) if test => {}
                    Some((_, items)) => self.inline.push((name, Self::read(items))),
                    None if has_cfg("anypeer_loom", &module.attrs) => {}
                    None => self.children.push(Child { name, test }),
                }
            }
            _ if test => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Macro(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => return,
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let reexport = !matches!(item.vis, syn::Visibility::Inherited);
        let absolute = item.leading_colon.is_some();
        let path = Path { absolute, import: true, segments: Vec::new() };
        self.use_tree(&item.tree, &path, reexport);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| name(&segment.ident)).collect();
        self.name_path(path.leading_colon.is_some(), segments, line_of(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        self.tokens(mac.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        // Links in documentation may point anywhere.
        if !attribute.path().is_ident("doc")
            && let syn::Meta::List(list) = &attribute.meta
        {
            self.tokens(list.tokens.clone());
        }
    }

    // `pub(in ..)` and `pub(super)` name nothing that is used.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn name(ident: &syn::Ident) -> String {
    ident.unraw().to_string()
}

fn line_of(spanned: &impl Spanned) -> usize {
    spanned.span().start().line
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    use syn::Item;
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    has_cfg("test", attributes)
}

/// Whether there is a `#[cfg(name)]` or `#[cfg(all(name, ..))]`.
fn has_cfg(name: &str, attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|it| it.path().is_ident("cfg")).any(|it| {
        let mut has = false;
        // Other predicates are errors here, and no matter.
        let _other = it.parse_nested_meta(|meta| {
            has |= meta.path.is_ident(name);
            if meta.path.is_ident("all") {
                let _other = meta.parse_nested_meta(|meta| {
                    has |= meta.path.is_ident(name);
                    Ok(())
                });
            }
            Ok(())
        });
        has
    })
}
