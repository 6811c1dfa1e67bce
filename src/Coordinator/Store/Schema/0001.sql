-- Times are milliseconds since 1970 (UTC); elapsed times are those of the run.

-- One row: which store this is, and how often a coordinator has opened it.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  schema_version INTEGER NOT NULL,
  store_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  written_at INTEGER NOT NULL
) STRICT;

-- The text columns spec, plan and summary are JSON; names of their fields are stable.
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  plan TEXT,
  summary TEXT
) STRICT;

CREATE UNIQUE INDEX runs_by_request ON runs (request_id) WHERE request_id <> '';

-- What each agent was told, before it was told: loadharness.v1.Assignment.
CREATE TABLE revisions (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  assignment BLOB NOT NULL,
  PRIMARY KEY (run_id, agent_id, epoch, number)
) STRICT;

-- Samples as they came, loadharness.v1.Sample, until they are folded.
CREATE TABLE samples (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  to_millis INTEGER NOT NULL,
  sample BLOB NOT NULL,
  PRIMARY KEY (run_id, agent_id, incarnation, sequence)
) STRICT;

-- All agents of a run in one complete second [second, second + 1); gauges at its end.
CREATE TABLE run_seconds (
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
  PRIMARY KEY (run_id, second)
) STRICT, WITHOUT ROWID;

-- One agent in the 10 s from from_second on; gauges are those of its newest sample in them, which ended at to_millis.
CREATE TABLE agent_intervals (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  from_second INTEGER NOT NULL,
  to_millis INTEGER NOT NULL,
  cpu_micros INTEGER NOT NULL,
  rss_bytes INTEGER NOT NULL,
  reactor_lag_max_micros INTEGER NOT NULL,
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
  PRIMARY KEY (run_id, agent_id, from_second)
) STRICT, WITHOUT ROWID;

-- Failures of a run in the 10 s from from_second on; rows of one kind add up. The numbers are those of loadharness.v1.FailureReason.
CREATE TABLE run_failures (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  from_second INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  party INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  errno INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT;

CREATE INDEX run_failures_by_run ON run_failures (run_id, from_second);

-- Latencies of a run in the 10 s from from_second on, in microseconds: HdrHistogram V2, compressed by zlib; rows of one kind add up.
-- The kind's number is that of loadharness.v1.HistogramKind.
CREATE TABLE run_histograms (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  from_second INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  histogram BLOB NOT NULL
) STRICT;

CREATE INDEX run_histograms_by_run ON run_histograms (run_id, from_second);

-- Which key each identity is bound to; labels: JSON, those that its join token prescribed.
CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  labels TEXT NOT NULL,
  enrolled_at INTEGER NOT NULL
) STRICT;
