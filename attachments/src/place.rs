//! Where the sealed files stand, from a setting.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

/// The setting opens no store. Start again once what the sentence says is done.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Not of a known form.
    #[error(
        "attachments stand in a folder (file:///… or an absolute path) or a bucket (s3://bucket/prefix): give one of them"
    )]
    UnknownForm,
    /// The folder can't be made or opened.
    #[error("{path} can't be used as the folder of attachments: give one that this service may write to")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A bucket, in a build without S3.
    #[error("this build keeps attachments in folders only: give a folder, or build it with the feature s3")]
    NoS3,
    /// The bucket can't be opened.
    #[error(
        "the bucket can't be used: check its name, and AWS_REGION, AWS_ENDPOINT and the credentials in the environment"
    )]
    Bucket(#[source] object_store::Error),
}

/// What holds the sealed files.
pub(crate) struct Place {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The folder, if it is one.
    pub(crate) folder: Option<PathBuf>,
}

impl Place {
    pub(crate) fn open(setting: &str) -> Result<Self, PlaceError> {
        if let Some(address) = setting.strip_prefix("s3://") {
            return bucket(address);
        }
        let path = match Url::parse(setting) {
            Ok(url) if url.scheme() == "file" => url.to_file_path().map_err(|()| PlaceError::UnknownForm)?,
            _ => PathBuf::from(setting),
        };
        // A relative path would mean another folder to each process.
        if !path.is_absolute() {
            return Err(PlaceError::UnknownForm);
        }
        match folder(&path) {
            Ok(objects) => Ok(Self {
                objects: Arc::new(objects),
                folder: Some(path),
            }),
            Err(source) => Err(PlaceError::Folder { path, source }),
        }
    }
}

/// Opens a folder, and makes it where there is none, for its owner alone. What is written is on disk before it is reported.
fn folder(path: &Path) -> Result<LocalFileSystem, Box<dyn std::error::Error + Send + Sync>> {
    let made: io::Result<()> = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made?;
    Ok(LocalFileSystem::new_with_prefix(path)?.with_fsync(true))
}

#[cfg(not(feature = "s3"))]
fn bucket(_: &str) -> Result<Place, PlaceError> {
    Err(PlaceError::NoS3)
}

/// How often and how long a bucket is tried before whoever asked is told to wait. By default it would be three minutes.
#[cfg(feature = "s3")]
const BUCKET_RETRIES: usize = 3;
#[cfg(feature = "s3")]
const BUCKET_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

#[cfg(feature = "s3")]
fn bucket(address: &str) -> Result<Place, PlaceError> {
    use object_store::RetryConfig;
    use object_store::aws::AmazonS3Builder;
    use object_store::prefix::PrefixStore;

    let (name, prefix) = address.split_once('/').unwrap_or((address, ""));
    if name.is_empty() {
        return Err(PlaceError::UnknownForm);
    }
    // The HTTP client comes without a provider of its own and panics where the process has none. It is an error that there is
    // one already, and just as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    let retry = RetryConfig {
        max_retries: BUCKET_RETRIES,
        retry_timeout: BUCKET_WITHIN,
        ..RetryConfig::default()
    };
    let bucket = AmazonS3Builder::from_env()
        .with_bucket_name(name)
        .with_retry(retry)
        .build()
        .map_err(PlaceError::Bucket)?;
    let prefix = object_store::path::Path::parse(prefix).map_err(|_| PlaceError::UnknownForm)?;
    Ok(Place {
        objects: Arc::new(PrefixStore::new(bucket, prefix)),
        folder: None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn error(setting: &str) -> PlaceError {
        Place::open(setting).map(drop).expect_err(setting)
    }

    #[test]
    fn a_folder_is_named_by_its_path_or_url_and_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a folder/attachments");
        let url = Url::from_file_path(&path).unwrap();
        assert!(url.as_str().contains("a%20folder"));
        for setting in [path.to_str().unwrap(), url.as_str()] {
            assert_eq!(Place::open(setting).unwrap().folder.as_ref(), Some(&path));
        }
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn what_is_no_folder_and_no_bucket_is_refused() {
        for setting in [
            "",
            "attachments",
            "./attachments",
            "https://example.org/files",
            "file://elsewhere/files",
        ] {
            assert!(matches!(error(setting), PlaceError::UnknownForm), "{setting}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            error(file.path().to_str().unwrap()),
            PlaceError::Folder { .. }
        ));
    }

    #[cfg(not(feature = "s3"))]
    #[test]
    fn without_the_feature_a_bucket_is_refused_with_what_to_do() {
        assert!(matches!(error("s3://bucket/prefix"), PlaceError::NoS3));
    }

    #[cfg(feature = "s3")]
    #[test]
    fn a_bucket_is_named_by_its_name_and_prefix() {
        for setting in ["s3://bucket", "s3://bucket/", "s3://bucket/some/prefix"] {
            assert!(Place::open(setting).unwrap().folder.is_none(), "{setting}");
        }
        assert!(matches!(error("s3:///prefix"), PlaceError::UnknownForm));
    }
}
