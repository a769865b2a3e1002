//! Transfers from and to object stores. Without the feature `cloud`, each of them is an error.

/// What a build without the feature `cloud` says about object stores.
pub(super) const UNSUPPORTED: &str =
    "this build of cltv cannot reach object stores: build it with the feature `cloud`";

#[cfg(feature = "cloud")]
pub(super) use with_cloud::{download, upload};
#[cfg(not(feature = "cloud"))]
pub(super) use without_cloud::{download, upload};

#[cfg(feature = "cloud")]
mod with_cloud {
    use std::io;
    use std::path::{Path, PathBuf};

    use object_store::ObjectStoreExt;
    use object_store::path::Path as Key;
    use polars::io::cloud::{PolarsObjectStore, build_object_store};
    use polars::prelude::PlRefPath;

    use crate::storage::ownership::create_private;

    /// Copies objects below `parent` into a local folder: the `one` that `pattern` names, or all
    /// whose names are wanted. Returns the copies.
    pub(crate) fn download(
        parent: &str,
        pattern: &str,
        one: bool,
        folder: &Path,
        is_wanted: impl Fn(&str, &str) -> bool,
    ) -> io::Result<Vec<PathBuf>> {
        run(parent, async |store, below| {
            let objects = store.to_dyn_object_store().await;
            let keys = if one {
                match objects.head(&child(&below, pattern)?).await {
                    Ok(found) => vec![found.location],
                    Err(object_store::Error::NotFound { .. }) => Vec::new(),
                    Err(error) => return Err(other(error)),
                }
            } else {
                let listed =
                    objects.list_with_delimiter(Some(&below)).await.map_err(other)?.objects;
                let wanted =
                    |key: &Key| key.filename().is_some_and(|name| is_wanted(pattern, name));
                listed.into_iter().map(|found| found.location).filter(wanted).collect()
            };
            let mut files = Vec::new();
            for key in &keys {
                let path = folder.join(key.filename().unwrap_or_default());
                let mut file = tokio::fs::File::from_std(create_private(&path)?);
                store.download(key, &mut file).await.map_err(other)?;
                files.push(path);
            }
            Ok(files)
        })
    }

    /// Uploads files in the given order, then deletes the objects in `obsolete` that exist.
    pub(crate) fn upload(files: &[PathBuf], url: &str, obsolete: &[&str]) -> io::Result<()> {
        let below = format!("{}/", url.trim_end_matches('/'));
        run(&below, async |store, folder| {
            let store = store.to_dyn_object_store().await;
            for file in files {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let bytes = tokio::fs::read(file).await?;
                store.put(&child(&folder, &name)?, bytes.into()).await.map_err(other)?;
            }
            for name in obsolete {
                match store.delete(&child(&folder, name)?).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(other(error)),
                }
            }
            Ok(())
        })
    }

    fn child(folder: &Key, name: &str) -> io::Result<Key> {
        Key::parse(format!("{}/{name}", folder.as_ref())).map_err(other)
    }

    fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
        io::Error::other(error)
    }

    /// Runs a task against the store that holds `url`.
    fn run<T>(
        url: &str,
        task: impl AsyncFnOnce(PolarsObjectStore, Key) -> io::Result<T>,
    ) -> io::Result<T> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            // Polars knows schemes in lower case only.
            let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
            let path = PlRefPath::new(format!("{}://{rest}", scheme.to_lowercase()));
            let (location, store) = build_object_store(path, None, false).await.map_err(other)?;
            let key = Key::parse(&location.prefix).map_err(other)?;
            task(store, key).await
        })
    }
}

#[cfg(not(feature = "cloud"))]
mod without_cloud {
    use std::io;
    use std::path::{Path, PathBuf};

    /// Always an error.
    pub(crate) fn download(
        _: &str,
        _: &str,
        _: bool,
        _: &Path,
        _: impl Fn(&str, &str) -> bool,
    ) -> io::Result<Vec<PathBuf>> {
        Err(unsupported())
    }

    /// Always an error.
    pub(crate) fn upload(_: &[PathBuf], _: &str, _: &[&str]) -> io::Result<()> {
        Err(unsupported())
    }

    fn unsupported() -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, super::UNSUPPORTED)
    }
}
