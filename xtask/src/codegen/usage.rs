//! The usage tables of `iso20022/usage`: the profile that the validator walks, and docs/messages.md.

mod document;
mod read;
mod tables;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

/// Writes both outputs, or with `check_only` fails if a committed one is not what the tables give.
///
/// # Errors
/// Says which table is wrong and why, which file cannot be read or written, or which one is stale.
pub(crate) fn run(check_only: bool) -> Result<(), String> {
    let root = crate::run::root();
    let folder = root.join("iso20022/usage");
    let usages = read::usages(&folder)?;
    let introduction = read_file(&folder.join("introduction.md"))?;
    let outputs = [
        (
            "iso20022/src/profile/generated/mod.rs",
            tables::source(&usages),
        ),
        ("docs/messages.md", document::text(&introduction, &usages)?),
    ];
    for (path, text) in &outputs {
        let path = root.join(path);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        if committed == *text {
            continue;
        }
        if check_only {
            return Err(format!(
                "{} is stale: run `cargo xtask codegen`",
                path.display()
            ));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        }
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if !check_only {
        println!("codegen: {} usage tables", usages.len());
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
