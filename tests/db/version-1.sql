-- SPDX-License-Identifier: GPL-2.0-or-later
-- A database as version 1 left it. Never edited: what was released once must be understood for ever.
PRAGMA application_id = 0x786d656d;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE vm (  name TEXT PRIMARY KEY,  uuid BLOB NOT NULL CHECK (length(uuid) = 16),  target_kib INTEGER NOT NULL,  static_max_kib INTEGER NOT NULL) STRICT;
CREATE TABLE layer (  id INTEGER PRIMARY KEY,  kind TEXT NOT NULL CHECK (kind IN ('base', 'timed', 'policy')),  name TEXT NOT NULL,  created_ms INTEGER NOT NULL,  expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE setting (  layer INTEGER NOT NULL REFERENCES layer (id) ON DELETE CASCADE,  scope TEXT NOT NULL CHECK (scope IN ('vm', 'host', 'except')),  match TEXT NOT NULL,  ordinal INTEGER NOT NULL,  key TEXT NOT NULL,  value INTEGER NOT NULL,  PRIMARY KEY (layer, scope, match, key)) STRICT, WITHOUT ROWID;
CREATE TABLE event (  id INTEGER PRIMARY KEY,  time_ms INTEGER NOT NULL,  kind TEXT NOT NULL,  vm TEXT,  domid INTEGER NOT NULL,  uid INTEGER NOT NULL,  reason TEXT,  detail TEXT NOT NULL) STRICT;
CREATE INDEX event_by_time ON event (time_ms);
CREATE INDEX event_by_vm ON event (vm, time_ms);
INSERT INTO layer VALUES (1, 'base', '', 0, 0);
INSERT INTO layer VALUES (2, 'timed', '', 1700000000000, 1700003600000);
INSERT INTO layer VALUES (5, 'policy', 'night', 1700000100000, 0);
INSERT INTO vm VALUES ('web1', x'ff0102030405060708090a0b0c0d0e0f', 1048576, 4194304);
INSERT INTO vm VALUES ('db1', x'110102030405060708090a0b0c0d0e0f', 2097152, 4194304);
INSERT INTO setting VALUES (1, 'vm', 'web1', 0, 'priority', 70);
INSERT INTO setting VALUES (1, 'vm', 'web1', 0, 'mode', 2);
INSERT INTO setting VALUES (1, 'vm', 'db1', 0, 'minimum', 1048576);
INSERT INTO setting VALUES (2, 'vm', 'web1', 0, 'priority', 90);
INSERT INTO setting VALUES (5, 'vm', 'web*', 0, 'maximum', 2097152);
INSERT INTO setting VALUES (5, 'vm', '*', 1, 'maximum', 1048576);
INSERT INTO setting VALUES (5, 'host', '', 0, 'reserve', 262144);
INSERT INTO event VALUES (40, 1700000000000, 'daemon-started', NULL, -1, -1, NULL, 'version=0.1.0');
INSERT INTO event VALUES (41, 1700000001000, 'vm-low', 'db1', 3, -1, NULL, 'assigned_kib=2097152 demand_kib=1900000 pressure=90');
INSERT INTO event VALUES (42, 1700000002000, 'action', 'web1', 2, -1, 'lend', 'target_kib=1048576');
COMMIT;
