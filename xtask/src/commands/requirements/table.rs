//! The protocol table of the README.

use anyhow::Result;

use crate::commands::requirements::specification::{FILE, Section, Specification, Standing};

/// The table, and the sentence below it.
pub(crate) fn table() -> Result<String> {
    let specification = Specification::read()?;
    let mut table =
        String::from("| section | status | what is missing or differs |\n|---|---|---|\n");
    let (mut plain, mut others) = (Vec::new(), Vec::new());
    for section in &specification.sections {
        let Section { title, since, has, lacks, .. } = section;
        let title = match since {
            Some(since) => format!("{title} (since the draft: {since})"),
            None => title.clone(),
        };
        match section.status() {
            Some("yes") if has.is_empty() && lacks.is_empty() => plain.push(title),
            Some(status) if has.is_empty() => {
                table += &format!("| {title} | {status} | {lacks} |\n")
            }
            Some(status) => table += &format!("| {title} | {status}: {has} | {lacks} |\n"),
            None => others.push(title),
        }
    }
    table += &format!("| {} | yes |  |\n", plain.join(", "));

    let shown = specification.count(|standing| matches!(standing, Standing::Shown(_)));
    let later = specification.count(|standing| *standing == Standing::Later);
    table += &format!(
        "\nThe draft says MUST or MUST NOT {} times, {} of them to a hub. Tests show {shown} of these;\n\
         [requirements.toml]({FILE}) lists them one by one, and says of all others why there is no\n\
         test. These sections ask nothing of a hub: {}.\n",
        specification.count(|_| true),
        shown + later,
        others.join(", "),
    );
    Ok(table)
}
