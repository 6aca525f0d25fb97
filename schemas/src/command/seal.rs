//! Sealing a command's personal members, each under its own name.

use serde::Serialize;

use crate::personal::{OpenField, Private, Protection, SealFieldError};
use crate::sealed::Sealed;

type Seal<'s, E> = &'s mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>;

/// A personal member, there or not.
pub(super) trait SealMember {
    /// Seals what is there.
    fn seal_member<E>(&mut self, pointer: &str, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>>;
}

impl<T: Serialize, P: Protection> SealMember for Private<T, P> {
    fn seal_member<E>(&mut self, pointer: &str, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.seal_at(pointer, seal)
    }
}

impl<M: SealMember> SealMember for Option<M> {
    fn seal_member<E>(&mut self, pointer: &str, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.as_mut().map_or(Ok(()), |member| member.seal_member(pointer, seal))
    }
}

/// Implements [`SealFields`](crate::personal::SealFields) for a command: these members are personal, no others.
macro_rules! seals {
    ($command:ident: $($member:ident),*) => {
        impl $crate::personal::SealFields for $command {
            fn seal_fields<E>(
                &mut self,
                #[allow(unused_variables, reason = "some commands have nothing personal")]
                seal: &mut dyn FnMut($crate::personal::OpenField<'_>) -> Result<$crate::sealed::Sealed, E>,
            ) -> Result<(), $crate::personal::SealFieldError<E>> {
                $($crate::command::seal::SealMember::seal_member(&mut self.$member, concat!("/", stringify!($member)), seal)?;)*
                Ok(())
            }
        }
    };
}
pub(super) use seals;
