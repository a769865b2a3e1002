//! Input and output in object stores (`s3://`, `gs://`, `az://`), through Polars' own access to
//! them.
//!
//! Objects are copied to a temporary folder and read there, so that every check of a local file
//! applies to them too. Outputs are made in a temporary folder and uploaded, the manifest last.
//! Credentials come from the environment or the machine, as Polars finds them. A path with
//! credentials in it is refused, so that none can reach a log or a manifest.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::safe_text::redacted::redacted;
use crate::storage::ownership::temporary_folder;
use crate::storage::{interrupt, stdin, transfer};

/// Prefixes of the paths of objects.
const SCHEMES: &[&str] =
    &["s3://", "s3a://", "gs://", "gcs://", "az://", "azure://", "adl://", "abfs://", "abfss://"];

/// Whether a path names something in an object store.
pub fn is_remote(path: &str) -> bool {
    scheme(path).is_some_and(|scheme| SCHEMES.contains(&scheme.as_str()))
}

/// The scheme of a URL with its colon and slashes, in lower case. Returns `None` for a local path.
fn scheme(path: &str) -> Option<String> {
    let (scheme, _) = path.split_once("://")?;
    let named = !scheme.is_empty()
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    named.then(|| format!("{}://", scheme.to_lowercase()))
}

/// Refuses a URL where only local files are written; `why` says so.
///
/// # Errors
/// [`Error::Settings`].
pub fn refuse_remote(path: &Path, why: &str) -> Result<(), Error> {
    let path = path.to_string_lossy();
    without_credentials(&path)?;
    match is_remote(&path) {
        true => Err(Error::Settings { place: redacted(&path), faults: vec![why.to_owned()] }),
        false => Ok(()),
    }
}

/// An input on the local disk: the given path, or a copy of remote objects.
pub struct Source {
    path: String,
    copied: Option<Copied>,
}

impl Source {
    /// Copies a remote input; leaves a local one where it is. `is_wanted` says whether a pattern,
    /// its first argument, matches a file name, its second.
    ///
    /// # Errors
    /// [`Error::Input`] when no object matches, [`Error::Io`] when the store cannot be read,
    /// [`Error::Settings`] when the path holds credentials.
    pub fn of(path: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Result<Self, Error> {
        if !is_remote(path) {
            return Ok(Self { path: path.to_owned(), copied: None });
        }
        let copied = fetch(path, is_wanted)?;
        Ok(Self { path: copied.path.display().to_string(), copied: Some(copied) })
    }

    /// The local path to read.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name that a manifest shows for a file of the input: the object, not its copy.
    pub fn name_of(&self, file: &Path) -> String {
        match &self.copied {
            Some(copied) => copied.name_of(file),
            None => stdin::name_of(file),
        }
    }

    /// The error with the path of the input in place of that of its copy.
    pub fn renamed(&self, error: Error) -> Error {
        match &self.copied {
            Some(copied) => copied.renamed(error),
            None => match error {
                Error::Input { place, faults } => {
                    Error::Input { place: stdin::name_of(Path::new(&place)), faults }
                }
                other => other,
            },
        }
    }
}

/// A local copy of remote objects, deleted on drop.
struct Copied {
    folder: TempDir,
    /// The path of the objects up to the last slash.
    parent: String,
    /// The copy: a folder, or the one file that was named.
    path: PathBuf,
}

impl Drop for Copied {
    fn drop(&mut self) {
        interrupt::forget(self.folder.path());
    }
}

impl Copied {
    /// The object that a file of the copy came from.
    fn name_of(&self, file: &Path) -> String {
        match file.strip_prefix(self.folder.path()) {
            Ok(name) => format!("{}{}", self.parent, name.display()),
            Err(_) => file.display().to_string(),
        }
    }

    /// The error with the path of the object in place of that of its copy.
    fn renamed(&self, error: Error) -> Error {
        match error {
            Error::Input { place, faults } => {
                Error::Input { place: self.name_of(Path::new(&place)), faults }
            }
            Error::Io { path, action, source } => {
                Error::Io { path: self.name_of(&path).into(), action, source }
            }
            other => other,
        }
    }
}

/// Copies one object, or all objects that match a pattern or are in a folder
/// (`s3://bucket/folder/`); `is_wanted` says whether a pattern matches a name.
///
/// # Errors
/// [`Error::Input`] when no object matches, [`Error::Io`] when the store cannot be read,
/// [`Error::Settings`] when the path holds credentials.
fn fetch(url: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Result<Copied, Error> {
    without_credentials(url)?;
    let failed = || Error::io(Path::new(url), "read from the object store");
    let folder = temporary_folder().map_err(failed())?;
    interrupt::register(folder.path());
    let (parent, pattern) = url.rsplit_once('/').map_or((url, ""), |(parent, name)| (parent, name));
    let parent = format!("{parent}/");
    // A single object is looked up by name: its folder may be large, or closed to listing.
    let one = !pattern.is_empty() && !pattern.contains(['*', '?']);
    let files =
        transfer::download(&parent, pattern, one, folder.path(), is_wanted).map_err(failed())?;
    let path = match files.as_slice() {
        [] => {
            return Err(Error::input(
                url,
                "there is no such object, or none of a kind that is read",
            ));
        }
        [only] if one => only.clone(),
        _ => folder.path().to_owned(),
    };
    Ok(Copied { folder, parent, path })
}

/// Uploads files to a folder of an object store in the given order, then deletes the objects in
/// `obsolete` that exist.
///
/// # Errors
/// [`Error::Io`] when the store cannot be written; files before the failed one have been uploaded.
pub fn upload(files: &[PathBuf], url: &str, obsolete: &[&str]) -> Result<(), Error> {
    transfer::upload(files, url, obsolete)
        .map_err(Error::io(Path::new(url), "write to the object store"))
}

/// Refuses a URL with a password, a query or a fragment, which can hold credentials, and one that
/// names no object store.
///
/// # Errors
/// [`Error::Settings`], which does not repeat what may be secret.
pub fn without_credentials(url: &str) -> Result<(), Error> {
    let Some(scheme) = scheme(url) else {
        return Ok(());
    };
    let refused = |place: &str, fault: &str| {
        Err(Error::Settings { place: place.to_owned(), faults: vec![fault.to_owned()] })
    };
    if !is_remote(url) {
        return refused(
            &redacted(url),
            &format!(
                "{scheme} is not read or written: copy the file here, or use an object store \
                 (s3://, gs://, az://)"
            ),
        );
    }
    let place = "a path in an object store";
    if !cfg!(feature = "cloud") {
        return refused(place, transfer::UNSUPPORTED);
    }
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    // In abfss://container@account the first part is a name; a password would follow a colon.
    let user = authority.and_then(|authority| authority.split_once('@'));
    let query = url.split_once('?').is_some_and(|(_, query)| query.contains('='));
    if user.is_none_or(|(user, _)| !user.contains(':')) && !query && !url.contains('#') {
        return Ok(());
    }
    refused(
        place,
        "it holds a password, a signature or a query: name the bucket and the folder only, and give \
         credentials by the environment",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remote() {
        assert!(is_remote("s3://bucket/a.csv") && is_remote("abfss://c@a.dfs.core.windows.net/x"));
        assert!(is_remote("S3://bucket/a.csv") && !is_remote("https://host/a.csv"));
        assert!(!is_remote("data/s3.csv") && !is_remote("/s3://x") && !is_remote("file:///x"));
    }

    #[test]
    fn a_path_with_credentials_is_refused_and_not_repeated() {
        for url in [
            "s3://key:hunter2@bucket/a.csv",
            "az://container/a.csv?sv=1&sig=hunter2",
            "s3://bucket/a.csv#hunter2",
            "S3://key:hunter2@bucket/a.csv",
            "https://user:hunter2@host/a.csv",
            "FTP://hunter2@host/a.csv",
        ] {
            let error = without_credentials(url).expect_err(url).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        for url in ["s3://bucket/a.csv", "abfss://container@account.dfs.core.windows.net/a.csv"] {
            without_credentials(url).expect(url);
        }
    }
}
