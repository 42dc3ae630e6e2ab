-- One row an object. `position` orders a list: created * 2^30 + order of arrival, so that the
-- primary key itself is Stripe's order (newest first, read backwards), bounds on `created` are
-- bounds on it, and every index below ends with it: a page is one index range.
CREATE TABLE IF NOT EXISTS objects (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,           -- live or test, and the connected account if any
  customer TEXT,
  payment_intent TEXT,
  charge TEXT,
  payout TEXT,
  source TEXT,
  type TEXT,                     -- of events and balance transactions
  status TEXT,                   -- of payouts and Checkout sessions
  email TEXT,                    -- of customers
  currency TEXT,                 -- of balance transactions
  arrival_date INTEGER,          -- of payouts
  undelivered INTEGER,           -- of events: 1 = at least one endpoint has not had it
  body BLOB NOT NULL             -- JSON as served
) STRICT;

-- Deliveries of events to webhook endpoints: pending, succeeded, failed (given up) or stopped
-- (the endpoint was disabled when its turn came).
CREATE TABLE IF NOT EXISTS deliveries (
  event TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,  -- 1 once any attempt succeeded
  next_at REAL,                  -- epoch seconds of the next attempt, when pending
  last_status INTEGER,           -- HTTP status of the last attempt
  last_error TEXT,
  PRIMARY KEY (event, endpoint)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (next_at) WHERE state = 'pending';

-- First answers to POSTs by idempotency key.
CREATE TABLE IF NOT EXISTS idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  operation TEXT NOT NULL,
  parameters TEXT NOT NULL,      -- digest
  status INTEGER NOT NULL,
  body BLOB NOT NULL,
  request_id TEXT NOT NULL,
  created REAL NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
