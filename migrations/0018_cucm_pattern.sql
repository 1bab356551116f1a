-- Directory numbers as AXL and CUCM's SQL write them: one with a plus has a backslash before it.
-- What finds a line by its number in SQL says this expression, and finds it by this index.
CREATE INDEX line_by_cucm_pattern ON line
    ((CAST(CASE SUBSTR(pattern, 1, 1) WHEN '+' THEN '\' || pattern ELSE pattern END AS TEXT)));
