-- The address that its first file went to, secret included: until it has registered, its own.
ALTER TABLE device ADD COLUMN first_fetch_address TEXT;
-- What counts as one source of registered_address: the address itself, of IPv6 its /64.
-- IPv6 devices from before have none until they register from another address.
ALTER TABLE device ADD COLUMN registered_network TEXT;
UPDATE device SET registered_network = registered_address WHERE registered_address NOT LIKE '%:%';
CREATE INDEX device_by_network ON device (registered_network, state);
DROP INDEX device_by_address;
