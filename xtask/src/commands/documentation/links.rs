//! Links from page to page: to files of this repository, and to headings in them. Others are not
//! followed, since no check may depend on the network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::pages::Page;

/// What is wrong with the links of these pages.
pub(super) fn faults(pages: &[Page], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let anchors: BTreeMap<&Path, BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_path(), anchors(&page.text))).collect();
    let mut faults = Vec::new();
    for page in pages {
        for (line, target) in links(&page.text) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => page.path.clone(),
                file => resolve(&page.path, file),
            };
            let has_anchor = || anchors.get(path.as_path()).is_some_and(|it| it.contains(anchor));
            let what = if !exists(&path) {
                "there is no such file"
            } else if !anchor.is_empty() && !has_anchor() {
                "there is no such heading"
            } else {
                continue;
            };
            faults.push(format!("{}:{line}: {target}: {what}", page.path.display()));
        }
    }
    faults
}

/// A path that is relative to a page, from the top of the repository.
fn resolve(page: &Path, link: &str) -> PathBuf {
    let mut path = page.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => _ = path.pop(),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// The targets of the links to files and headings, each with its line.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    // Code may go on in the next line, but not in the next paragraph.
    let mut is_code = false;
    for (number, line) in prose(text) {
        is_code &= !line.trim().is_empty();
        let has_odd = |text: &str| text.matches('`').count() % 2 == 1;
        for (at, opening) in line.match_indices("](") {
            let target = line[at + opening.len()..].split([')', ' ']).next().unwrap_or_default();
            if is_code == has_odd(&line[..at]) && !is_elsewhere(target) {
                links.push((number, target));
            }
        }
        is_code ^= has_odd(line);
    }
    links
}

fn is_elsewhere(target: &str) -> bool {
    ["http:", "https:", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// The names by which GitHub knows the headings of a page.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    for name in headings.map(|(_, line)| anchor(line.trim_start_matches('#'))) {
        let mut unique = name.clone();
        let mut number = 0;
        while !anchors.insert(unique) {
            number += 1;
            unique = format!("{name}-{number}");
        }
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The lines that are no code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pages: &[(&str, &str)]) -> Vec<String> {
        let page = |(path, text): &(&str, &str)| Page { path: path.into(), text: (*text).into() };
        let pages: Vec<Page> = pages.iter().map(page).collect();
        let paths: Vec<PathBuf> = pages.iter().map(|page| page.path.clone()).collect();
        faults(&pages, |path| paths.iter().any(|it| it == path))
    }

    #[test]
    fn links_that_lead_somewhere_are_no_faults() {
        let readme = "# A hub\n\n[one](docs/a.md), [two](docs/a.md#its-own-url-s) [top](#a-hub)\n\
            `[code](nowhere.md) and\nmore [code](nowhere.md)` [web](https://example.com/x#y)\n```sh\n[fenced](nowhere.md)\n# no heading\n```\n";
        let a = "## Its own `URL`: s\n[back](../README.md#a-hub)\n";
        assert!(check(&[("README.md", readme), ("docs/a.md", a)]).is_empty());
    }

    #[test]
    fn broken_links_are_named_with_their_place() {
        let readme = "# A\n[file](gone.md)\n[heading](docs/a.md#gone) [fine](docs/a.md)\n[own](#b)";
        let faults = check(&[("README.md", readme), ("docs/a.md", "# A\n[up](../x.md)")]);
        assert_eq!(
            faults,
            [
                "README.md:2: gone.md: there is no such file",
                "README.md:3: docs/a.md#gone: there is no such heading",
                "README.md:4: #b: there is no such heading",
                "docs/a.md:2: ../x.md: there is no such file",
            ]
        );
    }

    #[test]
    fn headings_that_are_alike_are_numbered() {
        let page = "# Same\n# Same\n[first](#same) [second](#same-1) [third](#same-2)";
        assert_eq!(check(&[("a.md", page)]), ["a.md:3: #same-2: there is no such heading"]);
    }
}
