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
