-- Former names: the key a record had before it was renamed, or syncd's own id of a record that became one with another.
CREATE TABLE alias (
  entity TEXT NOT NULL, name TEXT NOT NULL, record INTEGER NOT NULL REFERENCES record (id),
  why TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (entity, name, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_of_record ON alias (record);

-- Two records of which a person said that they are two, whatever keys they share. The lower id stands first.
CREATE TABLE apart (
  one INTEGER NOT NULL REFERENCES record (id), other INTEGER NOT NULL REFERENCES record (id),
  by TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX apart_of_other ON apart (other);
