//! Folders and archives whose bytes depend on nothing but their files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

/// When every file was changed, as far as archives tell: what npm says, too (1985-10-26 08:15 UTC).
/// Some programs reject the beginning of 1970.
const TIME: u64 = 499_162_500;

/// Files by their paths, in whose order they are written.
#[derive(Default)]
pub(super) struct Files(BTreeMap<String, File>);

struct File {
    bytes: Vec<u8>,
    mode: u32,
}

impl Files {
    /// Adds a file.
    pub(super) fn add(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), File { bytes: bytes.into(), mode: 0o644 });
    }

    /// Adds a program.
    pub(super) fn add_program(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), File { bytes: bytes.into(), mode: 0o755 });
    }

    /// Adds a file of this machine.
    pub(super) fn copy(&mut self, path: &str, from: &Path) -> Result<()> {
        self.add(path, fs::read(from).with_context(|| from.display().to_string())?);
        Ok(())
    }

    /// Adds all files of a folder, below this path.
    pub(super) fn add_folder(&mut self, path: &str, folder: Self) {
        let below = |(name, file)| (format!("{path}/{name}"), file);
        self.0.extend(folder.0.into_iter().map(below));
    }

    /// Writes them into this folder, in place of whatever it held.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        for (path, file) in &self.0 {
            let to = folder.join(path);
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::write(&to, &file.bytes).with_context(|| to.display().to_string())?;
            fs::set_permissions(&to, fs::Permissions::from_mode(file.mode))?;
        }
        Ok(())
    }

    /// A compressed tar, in which they are in this folder.
    pub(super) fn tar_gz(&self, folder: &str) -> Result<Vec<u8>> {
        // Which otherwise holds the time and the system.
        let compressed = GzBuilder::new().mtime(0).operating_system(255);
        let mut tar = tar::Builder::new(compressed.write(Vec::new(), Compression::best()));
        for (path, file) in &self.0 {
            let mut header = tar::Header::new_ustar();
            header.set_size(file.bytes.len().try_into()?);
            header.set_mode(file.mode);
            header.set_mtime(TIME);
            tar.append_data(&mut header, format!("{folder}/{path}"), &file.bytes[..])?;
        }
        Ok(tar.into_inner()?.finish()?)
    }

    /// A zip.
    pub(super) fn zip(&self) -> Result<Vec<u8>> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, file) in &self.0 {
            // The format's earliest time, which is its default here.
            let options = SimpleFileOptions::default()
                .last_modified_time(zip::DateTime::default())
                .compression_level(Some(9))
                .unix_permissions(file.mode);
            zip.start_file(path, options)?;
            zip.write_all(&file.bytes)?;
        }
        Ok(zip.finish()?.into_inner())
    }
}

/// Writes what is published, and says so.
pub(super) fn publish(dist: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let to = dist.join(name);
    fs::write(&to, bytes).with_context(|| to.display().to_string())?;
    println!("dist/{name}: {} kB", bytes.len().div_ceil(1000));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_same_files_make_the_same_bytes_in_whatever_order_they_came() {
        let mut one = Files::default();
        one.add("b/file", "text");
        one.add_program("a", "#!/bin/sh");
        let mut other = Files::default();
        other.add_program("a", "#!/bin/sh");
        other.add("b/file", "text");
        assert_eq!(one.tar_gz("x").unwrap(), other.tar_gz("x").unwrap());
        assert_eq!(one.zip().unwrap(), other.zip().unwrap());
    }

    #[test]
    fn what_is_packed_comes_out_with_its_mode() {
        let mut files = Files::default();
        files.add_program("bootstrap", "program");
        files.add("template.yaml", "text");

        let packed = files.tar_gz("cinnabar").unwrap();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
        let read = tar.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            (path, header.mode().unwrap(), header.mtime().unwrap(), text)
        });
        let read: Vec<_> = read.collect();
        assert_eq!(
            read,
            [
                ("cinnabar/bootstrap".to_owned(), 0o755, TIME, "program".to_owned()),
                ("cinnabar/template.yaml".to_owned(), 0o644, TIME, "text".to_owned()),
            ]
        );

        let mut zip = zip::ZipArchive::new(Cursor::new(files.zip().unwrap())).unwrap();
        let mut program = zip.by_name("bootstrap").unwrap();
        assert_eq!(program.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut text = String::new();
        program.read_to_string(&mut text).unwrap();
        assert_eq!(text, "program");
    }
}
