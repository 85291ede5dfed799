-- queue/db/global.db of Wazuh 5, for tests. Its tables, columns, defaults and constraints are those that
-- wazuh-db makes (wazuh/wazuh, main of August 2026: src/wazuh_db/schemas/schema_global.sql), written down anew.
-- Against 4.14: no row for the manager, no labels and info, fewer columns, os_type.

PRAGMA foreign_keys = ON;
PRAGMA user_version = 1;

CREATE TABLE agent (
  id                 INTEGER PRIMARY KEY,
  name               TEXT NOT NULL,
  ip                 TEXT,
  register_ip        TEXT,
  internal_key       TEXT, -- the agent's secret
  os_name            TEXT,
  os_version         TEXT,
  os_major           TEXT,
  os_minor           TEXT,
  os_type            TEXT,
  os_platform        TEXT,
  os_arch            TEXT,
  version            TEXT,
  date_add           INTEGER NOT NULL,
  last_keepalive     INTEGER,
  "group"            TEXT DEFAULT 'default',
  group_hash         TEXT DEFAULT NULL,
  group_sync_status  TEXT NOT NULL DEFAULT 'synced' CHECK (group_sync_status IN ('synced', 'syncreq')),
  sync_status        TEXT NOT NULL DEFAULT 'synced'
                     CHECK (sync_status IN ('synced', 'syncreq', 'syncreq_status', 'syncreq_keepalive')),
  connection_status  TEXT NOT NULL DEFAULT 'never_connected'
                     CHECK (connection_status IN ('pending', 'never_connected', 'active', 'disconnected')),
  disconnection_time INTEGER DEFAULT 0,
  status_code        INTEGER DEFAULT 0
);
CREATE INDEX agent_name ON agent (name);
CREATE INDEX agent_ip ON agent (ip);
CREATE INDEX agent_group_hash ON agent (group_hash);

CREATE TABLE "group" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, UNIQUE (name));

CREATE TABLE belongs (
  id_agent INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  id_group INTEGER REFERENCES "group" (id) ON DELETE CASCADE,
  priority INTEGER NOT NULL DEFAULT 0,
  UNIQUE (id_agent, priority),
  PRIMARY KEY (id_agent, id_group)
);
CREATE INDEX belongs_id_group ON belongs (id_group);

CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT);
