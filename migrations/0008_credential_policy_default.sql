-- What new credentials begin with, by kind of user and of credential. A pair without a row: the
-- policies that a fresh system has, and no credential.
CREATE TABLE credential_policy_default (
    credential_user   TEXT   NOT NULL,                    -- end_user, application_user
    credential_type   TEXT   NOT NULL,                    -- pin, password
    credential_policy TEXT   NOT NULL REFERENCES credential_policy (pkid),
    hash              TEXT,                               -- PHC string; NULL: none is given
    must_change       BIGINT NOT NULL DEFAULT 1,
    does_not_expire   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (credential_user, credential_type)
);
