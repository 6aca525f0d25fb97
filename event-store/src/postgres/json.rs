//! JSON texts as parameters.

use sqlx::Type;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, Postgres};

/// A JSON text that goes into a `json` as it is, to the byte. (What sqlx has for JSON writes a value anew.) The database finds out
/// whether it is one when it reads the parameters, before it runs the statement.
pub(super) struct JsonText<'a>(pub(super) &'a str);

/// `json` and `json[]` (`pg_type.dat` of PostgreSQL: these never change).
const JSON: Oid = Oid(114);
const JSON_ARRAY: Oid = Oid(199);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON_ARRAY)
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}
