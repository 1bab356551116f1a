
-- A sequence: nobody waits for a number that another transaction has taken.
CREATE SEQUENCE ctiid MAXVALUE 2147483647;
SELECT setval('ctiid', 1 + (SELECT COUNT(*) FROM device) + (SELECT COUNT(*) FROM device_line)
    + (SELECT COUNT(*) FROM call_manager), false);
