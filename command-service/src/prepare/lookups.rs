//! By what a customer can be found from now on.

use schemas::command::{Command, CommandBody};
use schemas::sealed::LookupHash;
use schemas::{CustomerId, Personal};
use vault::{LookupKind, Vault};

use super::Preparation;

impl Preparation<'_> {
    /// The hashes by which the customer can be found from now on.
    pub(super) fn lookups(&self, command: &Command, person: Option<CustomerId>) -> Vec<LookupHash> {
        let Some(person) = person else { return Vec::new() };
        // For each field that is spoken of, its value; none where it is removed.
        let (email, phone, address) = match &command.body {
            CommandBody::RegisterCustomer(register) => (
                register.email.as_ref().map(Some),
                register.phone.as_ref().map(Some),
                register.address.as_ref().map(Some),
            ),
            CommandBody::UpdateContactDetails(update) => (
                update.email.as_ref().map(Option::as_ref),
                update.phone.as_ref().map(Option::as_ref),
                update.address.as_ref().map(Option::as_ref),
            ),
            _ => return Vec::new(),
        };
        let email = email.map(|email| email.and_then(Personal::as_open).map(ToString::to_string));
        let phone = phone.map(|phone| phone.and_then(Personal::as_open).map(ToString::to_string));
        let postcode = address.map(|address| {
            let postcode = address
                .and_then(Personal::as_open)
                .and_then(|address| address.postcode.as_ref());
            postcode.map(ToString::to_string)
        });
        // What is removed, or can't be looked up by, must not stay findable by its old value.
        let hash = |kind, value: Option<String>| {
            let hash = value.and_then(|value| self.vault.lookup_hash(kind, &value, person));
            hash.unwrap_or_else(|| Vault::lookup_removed(kind, person))
        };
        let spoken_of = [
            (LookupKind::Email, email),
            (LookupKind::Phone, phone),
            (LookupKind::Postcode, postcode),
        ];
        spoken_of
            .into_iter()
            .filter_map(|(kind, value)| Some(hash(kind, value?)))
            .collect()
    }
}
