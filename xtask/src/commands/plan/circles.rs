//! Circles: files that import one another, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::modules::Import;

/// A fault for each set of files that reach one another. It lists every import among them, since
/// each is part of some circle.
pub(super) fn faults(imports: &[Import]) -> Vec<String> {
    let mut next: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for import in imports {
        next.entry(&import.from).or_default().insert(&import.to);
    }
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        next.keys().map(|&file| (file, reached_from(file, &next))).collect();
    let reaches = |from: &Path, to: &Path| reached.get(from).is_some_and(|all| all.contains(to));

    let mut faults = Vec::new();
    let mut reported = BTreeSet::new();
    for &file in next.keys() {
        if !reaches(file, file) || reported.contains(file) {
            continue;
        }
        let circle: BTreeSet<&Path> = next
            .keys()
            .copied()
            .filter(|&other| reaches(file, other) && reaches(other, file))
            .collect();
        let among = |import: &&Import| {
            circle.contains(import.from.as_path()) && circle.contains(import.to.as_path())
        };
        let lines: Vec<String> =
            imports.iter().filter(among).map(|import| format!("  {import}")).collect();
        faults.push(format!(
            "{} files import one another in a circle: move what they share into a file of its own, or pass it as an argument\n{}",
            circle.len(),
            lines.join("\n")
        ));
        reported.extend(circle);
    }
    faults
}

fn reached_from<'a>(
    file: &Path,
    next: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&Path> = next.get(file).into_iter().flatten().copied().collect();
    while let Some(file) = waiting.pop() {
        // Files that import nothing end here: they are part of no circle.
        let Some((&file, _)) = next.get_key_value(file) else { continue };
        if reached.insert(file) {
            waiting.extend(next.get(file).into_iter().flatten());
        }
    }
    reached
}
