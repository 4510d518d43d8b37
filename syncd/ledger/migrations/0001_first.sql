-- The first ledger. Bodies are JSON text with sorted keys. Times that a person reads are RFC 3339 text, UTC; times that are
-- compared are whole microseconds since 1970 in columns named *_us. as_of is syncd's own request number.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Each platform has a small number, so that a record's shadows lie side by side: shadow.place = record * 1000 + number.
CREATE TABLE slot (platform TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID;

-- Living things, counted as they come and go: records of an entity under platform '', linked rows under their platform.
CREATE TABLE tally (
  entity TEXT NOT NULL, platform TEXT NOT NULL, living INTEGER NOT NULL,
  PRIMARY KEY (entity, platform)
) STRICT, WITHOUT ROWID;

-- One thing of an entity, everywhere. golden: what it should be, field by field, with provenance.
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL,
  key TEXT NOT NULL,
  life TEXT NOT NULL,
  version INTEGER NOT NULL,
  born INTEGER NOT NULL,
  golden TEXT NOT NULL
) STRICT;
CREATE INDEX record_by_key ON record (entity, key);

-- Which record a thing on a platform is; record NULL waits for a person or is ignored. missing counts complete scans without it.
CREATE TABLE link (
  platform TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
  record INTEGER REFERENCES record (id),
  life TEXT NOT NULL,
  evidence TEXT NOT NULL,
  missing INTEGER NOT NULL DEFAULT 0,
  missing_since_us INTEGER,
  PRIMARY KEY (platform, collection, id)
) STRICT, WITHOUT ROWID;

-- What we last knew of a record on one platform: fields has what differs from the record's golden, and under "not" what the
-- platform does not have.
CREATE TABLE shadow (
  place INTEGER PRIMARY KEY,
  record INTEGER NOT NULL REFERENCES record (id),
  platform TEXT NOT NULL,
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  life TEXT NOT NULL,
  version ANY,
  changed_at_us INTEGER,
  seen_at_us INTEGER NOT NULL,
  as_of INTEGER NOT NULL,
  old_version INTEGER NOT NULL,
  fields TEXT NOT NULL
) STRICT;

-- The narrow table that lets an unchanged row touch no document. hash is set only while the thing is linked, alive, and the
-- last look at it was accepted; sweep is the last full read that showed it.
CREATE TABLE seen (
  platform TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
  hash BLOB, as_of INTEGER NOT NULL, at_us INTEGER NOT NULL, sweep INTEGER,
  PRIMARY KEY (platform, collection, id)
) STRICT, WITHOUT ROWID;

-- How a record is recognised: its match keys under the rules of its last change.
CREATE TABLE match_key (
  entity TEXT NOT NULL, by TEXT NOT NULL, value TEXT NOT NULL, record INTEGER NOT NULL REFERENCES record (id),
  PRIMARY KEY (entity, by, value, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_key_of_record ON match_key (record);

-- A thing that is no record yet, as it last looked, and the keys by which a record may know it later.
CREATE TABLE stranger (
  platform TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
  via TEXT NOT NULL, as_of INTEGER NOT NULL, seen_at_us INTEGER NOT NULL, hash BLOB, body TEXT NOT NULL,
  PRIMARY KEY (platform, collection, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE stranger_key (
  entity TEXT NOT NULL, by TEXT NOT NULL, value TEXT NOT NULL,
  platform TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (platform, collection, id, entity, by, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX stranger_by_key ON stranger_key (entity, by, value);

CREATE TABLE tombstone (
  record INTEGER PRIMARY KEY REFERENCES record (id),
  as_of INTEGER NOT NULL, at TEXT NOT NULL, proof TEXT NOT NULL, platform TEXT NOT NULL
) STRICT;

CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  record INTEGER NOT NULL REFERENCES record (id),
  version INTEGER NOT NULL,
  at TEXT NOT NULL,
  fields TEXT NOT NULL,
  UNIQUE (record, version)
) STRICT;

-- Who won, by which rule, against whom, with the inputs. config names the texts that held then.
CREATE TABLE decision (
  id INTEGER PRIMARY KEY,
  record INTEGER NOT NULL REFERENCES record (id),
  version INTEGER NOT NULL,
  at TEXT NOT NULL,
  cause TEXT NOT NULL,
  config TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX decision_of_record ON decision (record, id);

-- Accepted, undecided changes. A decided one leaves only its event id, for as long as a repeat is likely.
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  platform TEXT NOT NULL, collection TEXT NOT NULL, thing TEXT NOT NULL,
  via TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  seen_at_us INTEGER NOT NULL,
  event_id TEXT,
  hash BLOB,
  sweep INTEGER,
  received_us INTEGER NOT NULL,
  due_us INTEGER NOT NULL DEFAULT 0,
  why TEXT,
  done_us INTEGER,
  body TEXT
) STRICT;
CREATE INDEX inbox_open ON inbox (id) WHERE done_us IS NULL;
CREATE INDEX inbox_of_sweep ON inbox (sweep) WHERE done_us IS NULL AND sweep IS NOT NULL;
CREATE INDEX inbox_done ON inbox (done_us) WHERE done_us IS NOT NULL;
CREATE UNIQUE INDEX inbox_event ON inbox (platform, event_id) WHERE event_id IS NOT NULL;

-- Where a feed stands; swept is our number at the start of the last complete scan whose rows are all decided.
CREATE TABLE cursor (
  platform TEXT NOT NULL, collection TEXT NOT NULL,
  position TEXT, read_at_us INTEGER, swept INTEGER,
  PRIMARY KEY (platform, collection)
) STRICT, WITHOUT ROWID;

-- "This platform is behind on this record". No body: the write is planned when it is sent. mark grows with every decision.
CREATE TABLE outbox (
  record INTEGER NOT NULL REFERENCES record (id),
  platform TEXT NOT NULL,
  since_us INTEGER NOT NULL, due_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, mark INTEGER NOT NULL DEFAULT 1, error TEXT,
  PRIMARY KEY (record, platform)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (platform, due_us, since_us);

-- Every try to send a write, written before the call. Only its outcome is filled in, once.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  record INTEGER NOT NULL REFERENCES record (id),
  entity TEXT NOT NULL, platform TEXT NOT NULL, collection TEXT NOT NULL, thing TEXT,
  op TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  as_of INTEGER NOT NULL,
  sent_at_us INTEGER NOT NULL, lifetime_end_us INTEGER NOT NULL,
  overwrote INTEGER NOT NULL, blanked INTEGER NOT NULL,
  body TEXT NOT NULL,
  outcome TEXT, detail TEXT, closed_at_us INTEGER
) STRICT;
CREATE INDEX attempt_open ON attempt (record, platform) WHERE outcome IS NULL;
CREATE INDEX attempt_of_record ON attempt (record, id);
CREATE INDEX attempt_in_window ON attempt (platform, entity, sent_at_us);

-- Writes that wait for approval (mode propose). What is approved is this value on this field.
CREATE TABLE proposal (
  id INTEGER PRIMARY KEY,
  record INTEGER NOT NULL REFERENCES record (id),
  platform TEXT NOT NULL,
  op TEXT NOT NULL,
  fields TEXT NOT NULL,
  why TEXT NOT NULL,
  proposed_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'done', 'obsolete')),
  changed_at TEXT NOT NULL, by TEXT, note TEXT
) STRICT;
CREATE INDEX proposal_of_record ON proposal (record, platform, id);
CREATE INDEX proposal_in_state ON proposal (state);

-- Decisions no rule may take. grp is the id of the first conflict of its group. thing: about no record yet.
CREATE TABLE conflict (
  id INTEGER PRIMARY KEY,
  record INTEGER REFERENCES record (id),
  entity TEXT NOT NULL, field TEXT NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL,
  body TEXT NOT NULL,
  grp INTEGER NOT NULL,
  opened_at_us INTEGER NOT NULL, times_seen INTEGER NOT NULL DEFAULT 1,
  snoozed_until_us INTEGER, assignee TEXT,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  closed_at_us INTEGER, how TEXT, detail TEXT,
  platform TEXT, collection TEXT, thing TEXT,
  history TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX conflict_open ON conflict (record) WHERE state = 'open';
CREATE INDEX conflict_of_thing ON conflict (platform, collection, thing) WHERE state = 'open' AND thing IS NOT NULL;
CREATE INDEX conflict_group ON conflict (entity, field, kind, why, opened_at_us);

-- What could not be written or read, and the last answer. grp is the id of the first letter with the same cause.
CREATE TABLE dead_letter (
  id INTEGER PRIMARY KEY,
  grp INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('write', 'reading', 'hook')),
  platform TEXT NOT NULL, collection TEXT, thing TEXT,
  entity TEXT, record INTEGER REFERENCES record (id), op TEXT,
  what TEXT NOT NULL, status INTEGER, answer TEXT NOT NULL, place TEXT,
  body TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 1,
  first_at_us INTEGER NOT NULL, last_at_us INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'discarded', 'closed')),
  closed_at_us INTEGER, note TEXT
) STRICT;
CREATE INDEX dead_letter_group ON dead_letter (kind, platform, what, answer);
CREATE INDEX dead_letter_of_record ON dead_letter (record, platform) WHERE record IS NOT NULL;
CREATE INDEX dead_letter_of_thing ON dead_letter (platform, collection, thing) WHERE state = 'open';

-- Safety limits that were exceeded. Open while reset_us is NULL; a reset may allow so many records until a time.
CREATE TABLE breaker (
  id INTEGER PRIMARY KEY,
  platform TEXT NOT NULL, entity TEXT NOT NULL,
  kind TEXT NOT NULL,
  figures TEXT NOT NULL,
  tripped_us INTEGER NOT NULL,
  reset_us INTEGER, allow INTEGER, allow_until_us INTEGER, note TEXT, by TEXT
) STRICT;
CREATE UNIQUE INDEX breaker_open ON breaker (platform, entity, kind) WHERE reset_us IS NULL;
CREATE INDEX breaker_reset ON breaker (platform, entity, reset_us);

-- What a person paused; entity '' is the whole platform.
CREATE TABLE pause (
  platform TEXT NOT NULL, entity TEXT NOT NULL,
  since_us INTEGER NOT NULL, until_us INTEGER, note TEXT NOT NULL, by TEXT NOT NULL,
  PRIMARY KEY (platform, entity)
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  platform TEXT NOT NULL, collection TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  began_us INTEGER NOT NULL, ended_us INTEGER,
  state TEXT NOT NULL DEFAULT 'running'
    CHECK (state IN ('running', 'incomplete', 'disbelieved', 'complete', 'decided')),
  total INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0, nameless INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sweep_of ON sweep (platform, collection, id);
CREATE INDEX sweep_undecided ON sweep (state) WHERE state = 'complete';

CREATE TABLE report (
  id TEXT PRIMARY KEY, at TEXT NOT NULL, complete INTEGER NOT NULL, config TEXT NOT NULL, body TEXT NOT NULL
) STRICT;

-- Every difference ever reported, open while the last report that could see it still did.
CREATE TABLE drift (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL, record TEXT NOT NULL, field TEXT NOT NULL, platform TEXT NOT NULL,
  why TEXT NOT NULL,
  first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, times_seen INTEGER NOT NULL DEFAULT 1,
  open INTEGER NOT NULL DEFAULT 1, report TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX drift_open ON drift (entity, record, field, platform) WHERE open = 1;

CREATE TABLE config (sha TEXT PRIMARY KEY, at TEXT NOT NULL, texts TEXT NOT NULL) STRICT;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;

-- version, decision, attempt and audit only grow; only the keeping of history takes old rows away, and says so in meta.
CREATE TRIGGER version_stays BEFORE UPDATE ON version BEGIN SELECT RAISE(ABORT, 'version is append-only'); END;
CREATE TRIGGER decision_stays BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER attempt_stays BEFORE UPDATE ON attempt
WHEN OLD.outcome IS NOT NULL
  OR (OLD.id, OLD.record, OLD.entity, OLD.platform, OLD.collection, OLD.op, OLD.key, OLD.as_of, OLD.sent_at_us,
      OLD.lifetime_end_us, OLD.overwrote, OLD.blanked, OLD.body)
  != (NEW.id, NEW.record, NEW.entity, NEW.platform, NEW.collection, NEW.op, NEW.key, NEW.as_of, NEW.sent_at_us,
      NEW.lifetime_end_us, NEW.overwrote, NEW.blanked, NEW.body)
  OR OLD.thing IS NOT NEW.thing
BEGIN SELECT RAISE(ABORT, 'attempt is append-only; its outcome is set once'); END;
CREATE TRIGGER version_kept BEFORE DELETE ON version WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'pruning')
BEGIN SELECT RAISE(ABORT, 'version is append-only'); END;
CREATE TRIGGER decision_kept BEFORE DELETE ON decision WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'pruning')
BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END;
CREATE TRIGGER attempt_kept BEFORE DELETE ON attempt WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'pruning')
BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'pruning')
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
