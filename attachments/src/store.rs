//! Where sealed files stand, and how they come and go.
//!
//! `staged/<id>` holds what was uploaded and no event named yet, `kept/<id>` what belongs to a case. A write is one object that
//! is there whole or not at all: a folder gets it under its name when it is on disk, a bucket when it is complete. What moves is
//! copied first and deleted then, so every step may be cut off and done again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error as Cause, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use rand::CryptoRng;
use time::OffsetDateTime;

use crate::content::{Admitted, Content};
use crate::error::{Interrupted, ReadError, Refusal, StoreError};
use crate::leftovers;
use crate::place::{Place, PlaceError};
use crate::seal::{self, ContentKey, Fresh, OpenError, SEALED_MAX_BYTES};
use crate::work::aside;
use schemas::AttachmentId;
use schemas::command::MediaType;
use schemas::text::Digest;

/// The folder of uploads that no event named yet.
const STAGED: &str = "staged";

/// The folder of what belongs to cases.
const KEPT: &str = "kept";

/// Sealed files, in a folder or a bucket. Cheap to clone; all copies are one store.
#[derive(Clone)]
pub struct AttachmentStore {
    objects: Arc<dyn ObjectStore>,
    folder: Option<PathBuf>,
}

/// What an upload is answered with. The key opens the file and stands nowhere else.
#[derive(Debug)]
pub struct Stored {
    /// What it is called.
    pub id: AttachmentId,
    /// What opens it.
    pub key: ContentKey,
}

impl AttachmentStore {
    /// Opens a store: a folder, as `file:///…` or an absolute path, which is made where there is none, or a bucket, as
    /// `s3://bucket/prefix` (with the feature `s3`), whose region, endpoint and credentials come from the environment
    /// (`AWS_REGION`, `AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, …).
    ///
    /// Only sealed files come there, so a bucket need not encrypt. One that keeps old versions keeps what was removed, though
    /// nobody can read it once its key is gone.
    ///
    /// # Errors
    /// [`PlaceError`]: the setting is of no known form, or there is nothing that can be used. A bucket is not asked yet.
    pub fn open(setting: &str) -> Result<Self, PlaceError> {
        let Place { objects, folder } = Place::open(setting)?;
        Ok(Self { objects, folder })
    }

    /// Seals a file under a key of its own and stages it under a new id. It is on disk when this returns; when this fails or is
    /// cut off nothing can be read, for nobody has the key.
    ///
    /// # Errors
    /// [`StoreError`]: send it again; what may have been staged is swept.
    pub async fn put(&self, admitted: Admitted, rng: &mut impl CryptoRng) -> Result<Stored, StoreError> {
        let fresh = Fresh::random(rng);
        self.stage(admitted, fresh).await
    }

    async fn stage(&self, admitted: Admitted, fresh: Fresh) -> Result<Stored, StoreError> {
        let (fresh, sealed) = aside(move || {
            let sealed = seal::seal(admitted.content(), &fresh);
            (fresh, sealed)
        })
        .await?;
        let sealed = sealed.ok_or(Interrupted)?;
        self.objects.put(&staged(fresh.id), sealed.into()).await?;
        Ok(Stored {
            id: fresh.id,
            key: fresh.key,
        })
    }

    /// Keeps a staged file, once the event that names it is recorded. Doing so again, at the same time too, changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where it is neither staged nor kept; else try again.
    pub async fn claim(&self, id: AttachmentId) -> Result<(), StoreError> {
        match self.objects.copy(&staged(id), &kept(id)).await {
            // It was claimed before, or somebody else was faster.
            Err(Cause::NotFound { .. }) if self.is_there(&kept(id)).await? => {}
            Err(Cause::NotFound { .. }) => return Err(StoreError::Unknown(id)),
            copied => copied?,
        }
        self.delete(&staged(id)).await
    }

    /// Opens a file, kept or staged, and compares it with the hash that its event names, if one is given.
    ///
    /// # Errors
    /// [`ReadError`]: it is not there, does not open with this key, was changed, or has another hash.
    pub async fn get(&self, id: AttachmentId, key: &ContentKey, hash: Option<&Digest>) -> Result<Content, ReadError> {
        let sealed = match self.read(&kept(id)).await? {
            Some(sealed) => sealed,
            None => match self.read(&staged(id)).await? {
                Some(sealed) => sealed,
                // It may have been claimed between the two.
                None => self.read(&kept(id)).await?.ok_or(StoreError::Unknown(id))?,
            },
        };
        let key = key.again();
        let content = aside(move || seal::open(&sealed, id, &key))
            .await
            .map_err(StoreError::from)??;
        match hash {
            Some(hash) if hash != content.hash() => Err(Refusal::OtherHash.into()),
            _ => Ok(content),
        }
    }

    /// Opens the file that a command names and compares all that is said of it, before any event is made.
    ///
    /// # Errors
    /// As [`AttachmentStore::get`], and where its kind is another one; [`ReadError::refusal`] is what to answer.
    pub async fn check(
        &self,
        id: AttachmentId,
        key: &ContentKey,
        hash: &Digest,
        declared: MediaType,
    ) -> Result<Content, ReadError> {
        let content = self.get(id, key, Some(hash)).await?;
        let found = content.kind();
        if declared == found {
            Ok(content)
        } else {
            Err(Refusal::OtherKind { declared, found }.into())
        }
    }

    /// Removes a file for good, staged or kept: its case was disposed of. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]: try again; it may be half done.
    pub async fn remove(&self, id: AttachmentId) -> Result<(), StoreError> {
        // The staged one first: were it the last, a claim that is done again could bring the file back.
        self.delete(&staged(id)).await?;
        self.delete(&kept(id)).await
    }

    /// The uploads that nobody claimed for `older_than` or longer before `now`, in no order.
    ///
    /// # Errors
    /// [`StoreError`]: try again.
    pub async fn unclaimed(&self, older_than: Duration, now: OffsetDateTime) -> Result<Vec<AttachmentId>, StoreError> {
        let Some(until) = before(now, older_than) else {
            return Ok(Vec::new());
        };
        let listed = self.objects.list(Some(&Path::from(STAGED)));
        let old = listed.try_filter_map(async |object: ObjectMeta| Ok(old_upload(&object, until)));
        Ok(old.try_collect().await?)
    }

    /// Deletes what [`AttachmentStore::unclaimed`] lists, and what uploads and claims that were cut off have left in a folder. Returns how
    /// many uploads were deleted.
    ///
    /// Give a time that is longer than events ever wait to be claimed, days rather than hours: whether an event names an upload
    /// is not known here. Or ask `unclaimed`, look into the log, and `remove` what it does not name.
    ///
    /// # Errors
    /// [`StoreError`]: try again; what was deleted until then stays deleted.
    pub async fn sweep(&self, older_than: Duration, now: OffsetDateTime) -> Result<usize, StoreError> {
        let ids = self.unclaimed(older_than, now).await?;
        for id in &ids {
            self.delete(&staged(*id)).await?;
        }
        if let (Some(folder), Some(until)) = (self.folder.clone(), before(now, older_than)) {
            for part in [STAGED, KEPT] {
                let part = folder.join(part);
                aside(move || leftovers::delete(&part, until)).await??;
            }
        }
        Ok(ids.len())
    }

    async fn is_there(&self, path: &Path) -> Result<bool, StoreError> {
        match self.objects.head(path).await {
            Ok(_) => Ok(true),
            Err(Cause::NotFound { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    async fn delete(&self, path: &Path) -> Result<(), StoreError> {
        match self.objects.delete(path).await {
            Ok(()) | Err(Cause::NotFound { .. }) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    /// The sealed bytes; `None` where there are none.
    async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
        let found = match self.objects.get(path).await {
            Ok(found) => found,
            Err(Cause::NotFound { .. }) => return Ok(None),
            Err(other) => return Err(StoreError::from(other).into()),
        };
        if found.meta.size > SEALED_MAX_BYTES as u64 {
            return Err(OpenError::UnknownForm.into());
        }
        Ok(Some(found.bytes().await.map_err(StoreError::from)?.into()))
    }
}

impl fmt::Debug for AttachmentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A bucket's own form could show its credentials.
        f.write_str("AttachmentStore(..)")
    }
}

/// The time before which an upload is that old; `None` where no time is.
fn before(now: OffsetDateTime, older_than: Duration) -> Option<OffsetDateTime> {
    now.checked_sub(older_than.try_into().ok()?)
}

fn staged(id: AttachmentId) -> Path {
    Path::from(format!("{STAGED}/{id}"))
}

fn kept(id: AttachmentId) -> Path {
    Path::from(format!("{KEPT}/{id}"))
}

/// The id of an upload that is that old. What else somebody put there is left alone.
fn old_upload(object: &ObjectMeta, until: OffsetDateTime) -> Option<AttachmentId> {
    let written = OffsetDateTime::from_unix_timestamp(object.last_modified.timestamp()).ok()?;
    let id = object.location.filename()?.parse().ok()?;
    (written <= until && object.location == staged(id)).then_some(id)
}

#[cfg(test)]
mod tests;
