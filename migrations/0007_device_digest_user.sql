-- Whose digest credentials a device uses is asked whenever one of them changes.
CREATE INDEX device_by_digest_user ON device (digest_user);
