
-- There are no sequences, and one writer at a time.
CREATE TABLE ctiid_counter (last BIGINT NOT NULL);
INSERT INTO ctiid_counter (last) SELECT (SELECT COUNT(*) FROM device)
    + (SELECT COUNT(*) FROM device_line) + (SELECT COUNT(*) FROM call_manager);
