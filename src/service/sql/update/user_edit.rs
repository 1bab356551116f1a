//! What a row does to an end user.

use crate::domain::end_user::Person;
use crate::domain::login_name::FoldedLogin;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::sql::SqlError;
use crate::service::users::UserChange;
use crate::store;
use crate::store::Connection;

/// A field of a person.
pub(super) type Field = fn(&mut Person) -> &mut String;

/// What is done to a user; what depends on how the user is now is done in the transaction.
#[derive(Debug, Default)]
pub(super) struct UserEdit {
    pub(super) change: UserChange,
    pub(super) person: Vec<(Field, String)>,
    pub(super) group: Option<(String, bool)>,
}

impl UserEdit {
    /// The change of the user as the use case takes it.
    pub(super) async fn change(
        &self,
        connection: &mut Connection,
        user_id: &str,
    ) -> Result<UserChange, SqlError> {
        let mut change = self.change.clone();
        let user = store::end_user::by_login(connection, &FoldedLogin::of(user_id)).await?;
        let user = user.ok_or(AdministrationError::Changed(END_USER))?;
        change.version = Some(user.version);
        if !self.person.is_empty() {
            let mut person = user.person;
            for (field, value) in &self.person {
                field(&mut person).clone_from(value);
            }
            change.person = Some(person);
        }
        if let Some((group, is_on)) = &self.group {
            let mut groups = store::end_user::access_control_groups(connection, user.pkid).await?;
            if groups.contains(group) && *is_on {
                let reason = format!("{user_id} is in {group} already");
                return Err(SqlError::Duplicate(reason));
            }
            groups.retain(|other| other != group);
            groups.extend(is_on.then(|| group.clone()));
            change.access_control_groups = Some(groups);
        }
        Ok(change)
    }
}
