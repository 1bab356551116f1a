-- Elements of an AXL object that are kept and name another object. They hold its identity, so that
-- they follow a change of its name and keep it from being removed.
CREATE TABLE attribute_reference (
    owner  TEXT NOT NULL,               -- pkid of the object, of whatever table
    name   TEXT NOT NULL,               -- AXL element path, as in attribute
    target TEXT NOT NULL,               -- pkid of the object that is named, of whatever table
    PRIMARY KEY (owner, name)
);
CREATE INDEX attribute_reference_by_target ON attribute_reference (target);
