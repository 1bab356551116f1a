-- When and from where a credential was last right: what its owner is shown.
ALTER TABLE credential ADD COLUMN last_login_at BIGINT;       -- NULL: not yet
ALTER TABLE credential ADD COLUMN last_login_source TEXT;     -- canonical IP address
