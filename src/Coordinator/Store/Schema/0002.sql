-- What happened to a run, in the order of number; elapsed_millis is 0 before its start instant.
CREATE TABLE run_events (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  elapsed_millis INTEGER NOT NULL,
  kind TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
) STRICT;

-- What a run that goes on needs to go on after a restart of the coordinator: JSON, compressed by zlib. One row a run, gone when it has ended.
CREATE TABLE run_checkpoints (
  run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  conduct BLOB,
  measurements BLOB
) STRICT;

-- Of closed: by RST, and by a reconnect storm; and of opened: by one.
ALTER TABLE run_seconds ADD COLUMN aborted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_seconds ADD COLUMN drain_paused_millis INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_seconds ADD COLUMN storm_closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_seconds ADD COLUMN storm_opened INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_intervals ADD COLUMN aborted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_intervals ADD COLUMN drain_paused_millis INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_intervals ADD COLUMN storm_closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_intervals ADD COLUMN storm_opened INTEGER NOT NULL DEFAULT 0;

-- When it was written last on the clock that counts since the machine was started, in nanoseconds, and since which start.
ALTER TABLE meta ADD COLUMN written_nanos INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';

-- As run_seconds, of the backends of a run.
CREATE TABLE backend_seconds (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  second INTEGER NOT NULL,
  missing INTEGER NOT NULL,
  saturated INTEGER NOT NULL,
  goal INTEGER NOT NULL,
  connecting INTEGER NOT NULL,
  handshaking INTEGER NOT NULL,
  established INTEGER NOT NULL,
  confirmed INTEGER,
  closing INTEGER NOT NULL,
  resting_tuples INTEGER NOT NULL,
  free_tuples INTEGER NOT NULL,
  established_max INTEGER NOT NULL,
  scheduled INTEGER NOT NULL,
  offered INTEGER NOT NULL,
  opened INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  not_offered INTEGER NOT NULL,
  reopened INTEGER NOT NULL,
  closed_by_peer INTEGER NOT NULL,
  closed INTEGER NOT NULL,
  skipped_tuples INTEGER NOT NULL,
  dropped_ports INTEGER NOT NULL,
  bytes_received INTEGER NOT NULL,
  bytes_sent INTEGER NOT NULL,
  aborted INTEGER NOT NULL DEFAULT 0,
  drain_paused_millis INTEGER NOT NULL DEFAULT 0,
  storm_closed INTEGER NOT NULL DEFAULT 0,
  storm_opened INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, second)
) STRICT, WITHOUT ROWID;
