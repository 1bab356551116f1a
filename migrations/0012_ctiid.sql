-- The number by which CTI knows a device, a line on a device and a CallManager node: given once by
-- this database, and given to nothing else of its kind. What is there is numbered by its age.
ALTER TABLE device ADD COLUMN ctiid BIGINT;          -- NULL: added by a version that gives none
ALTER TABLE device_line ADD COLUMN ctiid BIGINT;
ALTER TABLE call_manager ADD COLUMN ctiid BIGINT;

UPDATE device SET ctiid = numbered.number FROM (
    SELECT pkid, ROW_NUMBER() OVER (ORDER BY created_at, name) AS number FROM device
) AS numbered WHERE device.pkid = numbered.pkid;
UPDATE device_line SET ctiid = numbered.number FROM (
    SELECT device_line.device, device_line.line_index,
        ROW_NUMBER() OVER (ORDER BY device.ctiid, device_line.line_index) AS number
    FROM device_line JOIN device ON device.pkid = device_line.device
) AS numbered
WHERE device_line.device = numbered.device AND device_line.line_index = numbered.line_index;
UPDATE call_manager SET ctiid = numbered.number FROM (
    SELECT pkid, ROW_NUMBER() OVER (ORDER BY name) AS number FROM call_manager
) AS numbered WHERE call_manager.pkid = numbered.pkid;

CREATE UNIQUE INDEX device_by_ctiid ON device (ctiid);
CREATE UNIQUE INDEX device_line_by_ctiid ON device_line (ctiid);
CREATE UNIQUE INDEX call_manager_by_ctiid ON call_manager (ctiid);
