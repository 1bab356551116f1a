//! Expressions for what is kept of an AXL object beside its own columns (`attribute`). What has an
//! element's default is not kept, so each names it.

/// A text: of the object whose pkid is `$owner`, the element `$name`; `$default` is an expression.
macro_rules! kept {
    ($owner:literal, $name:literal, $default:literal) => {
        concat!(
            "COALESCE(NULLIF((SELECT kept.value FROM attribute AS kept WHERE kept.owner = ",
            $owner,
            " AND kept.name = '",
            $name,
            "'), ''), ",
            $default,
            ")"
        )
    };
}

/// A truth value, `t` or `f`; the default is one of these.
macro_rules! kept_flag {
    ($owner:literal, $name:literal, $default:literal) => {
        concat!(
            "CASE ",
            $crate::store::cucm_tables::kept::kept!($owner, $name, "''"),
            " WHEN 'true' THEN 't' WHEN 'false' THEN 'f' ELSE '",
            $default,
            "' END"
        )
    };
}

/// Another object, or NULL.
macro_rules! kept_reference {
    ($owner:literal, $name:literal) => {
        concat!(
            "(SELECT kept.target FROM attribute_reference AS kept WHERE kept.owner = ",
            $owner,
            " AND kept.name = '",
            $name,
            "')"
        )
    };
}

/// A text of a line on a device: the element `$name` of that `line`.
macro_rules! kept_of_line {
    ($name:literal, $default:literal) => {
        concat!(
            "COALESCE(NULLIF((SELECT kept.value FROM attribute AS kept \
             WHERE kept.owner = device_line.device AND kept.name = \
             'lines/line[' || CAST(device_line.line_index AS TEXT) || ']/",
            $name,
            "'), ''), ",
            $default,
            ")"
        )
    };
}

pub(super) use {kept, kept_flag, kept_of_line, kept_reference};
