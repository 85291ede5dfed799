-- queue/db/global.db of Wazuh 4.14, for tests. Its tables, columns, defaults and constraints are those that
-- wazuh-db makes (wazuh/wazuh, tag v4.14.7: src/wazuh_db/schema_global.sql, db_version 7), written down
-- anew. Times are seconds since 1970. id 0 is the manager itself. Journal: rollback (DELETE).

PRAGMA foreign_keys = ON;

CREATE TABLE agent (
  id                  INTEGER PRIMARY KEY,
  name                TEXT NOT NULL,
  ip                  TEXT,
  register_ip         TEXT,
  internal_key        TEXT, -- the agent's secret
  os_name             TEXT,
  os_version          TEXT,
  os_major            TEXT,
  os_minor            TEXT,
  os_codename         TEXT,
  os_build            TEXT,
  os_platform         TEXT,
  os_uname            TEXT,
  os_arch             TEXT,
  version             TEXT,
  config_sum          TEXT,
  merged_sum          TEXT,
  manager_host        TEXT,
  node_name           TEXT DEFAULT 'unknown',
  date_add            INTEGER NOT NULL,
  last_keepalive      INTEGER,
  "group"             TEXT DEFAULT 'default',
  group_hash          TEXT DEFAULT NULL,
  group_sync_status   TEXT NOT NULL DEFAULT 'synced' CHECK (group_sync_status IN ('synced', 'syncreq')),
  sync_status         TEXT NOT NULL DEFAULT 'synced'
                      CHECK (sync_status IN ('synced', 'syncreq', 'syncreq_status', 'syncreq_keepalive')),
  connection_status   TEXT NOT NULL DEFAULT 'never_connected'
                      CHECK (connection_status IN ('pending', 'never_connected', 'active', 'disconnected')),
  disconnection_time  INTEGER DEFAULT 0,
  group_config_status TEXT NOT NULL DEFAULT 'not synced' CHECK (group_config_status IN ('synced', 'not synced')),
  status_code         INTEGER DEFAULT 0
);
CREATE INDEX agent_name ON agent (name);
CREATE INDEX agent_ip ON agent (ip);
CREATE INDEX agent_group_hash ON agent (group_hash);

INSERT INTO agent (id, name, ip, register_ip, date_add, last_keepalive, "group", connection_status)
VALUES (0, 'localhost', '127.0.0.1', '127.0.0.1', strftime('%s', 'now'), 253402300799, NULL, 'active');

CREATE TABLE labels (
  id    INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (id, key)
);

CREATE TABLE info (key TEXT PRIMARY KEY, value TEXT);

CREATE TABLE "group" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, UNIQUE (name));
CREATE INDEX group_name ON "group" (name);

CREATE TABLE belongs (
  id_agent INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  id_group INTEGER REFERENCES "group" (id) ON DELETE CASCADE,
  priority INTEGER NOT NULL DEFAULT 0,
  UNIQUE (id_agent, priority),
  PRIMARY KEY (id_agent, id_group)
);
CREATE INDEX belongs_id_agent ON belongs (id_agent);
CREATE INDEX belongs_id_group ON belongs (id_group);

CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO metadata (key, value) VALUES ('db_version', '7');
