-- The tables of the `reference` shop: what the preset of that name maps, and what the lab fills.
-- Free to copy. Amounts are integers in the currency's minor unit, times are timestamptz.

CREATE TABLE IF NOT EXISTS payments (
  id              uuid PRIMARY KEY,
  order_id        text NOT NULL,
  customer_id     text,
  customer_email  text,
  amount          bigint NOT NULL CHECK (amount > 0),
  currency        text NOT NULL CHECK (currency = lower(currency) AND length(currency) = 3),
  status          text NOT NULL DEFAULT 'pending' CHECK (status IN (
                    'pending', 'processing', 'requires_action', 'succeeded', 'failed', 'canceled',
                    'refunded', 'partially_refunded', 'disputed')),
  processor_ref   text UNIQUE,
  idempotency_key text UNIQUE,
  failure_code    text,
  failure_message text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  completed_at    timestamptz
);

-- "How many of each status in the last hour", "which are pending for more than 30 minutes".
CREATE INDEX IF NOT EXISTS payments_status_created_at ON payments (status, created_at);
CREATE INDEX IF NOT EXISTS payments_created_at ON payments (created_at);
CREATE INDEX IF NOT EXISTS payments_updated_at ON payments (updated_at);
CREATE INDEX IF NOT EXISTS payments_order_id ON payments (order_id);
CREATE INDEX IF NOT EXISTS payments_customer_id ON payments (customer_id);

COMMENT ON TABLE payments IS 'One row for each attempt to be paid; written before Stripe is asked.';
COMMENT ON COLUMN payments.id IS 'Our own key; also in the metadata of the PaymentIntent.';
COMMENT ON COLUMN payments.order_id IS 'What is paid for; also in the metadata of the PaymentIntent.';
COMMENT ON COLUMN payments.customer_id IS 'Stripe''s customer, cus_…; NULL for a guest.';
COMMENT ON COLUMN payments.customer_email IS 'Where the receipt goes.';
COMMENT ON COLUMN payments.amount IS 'Minor units: 1999 is $19.99, 1999 is ¥1999. Never changed by a refund.';
COMMENT ON COLUMN payments.currency IS 'ISO 4217, lower case, as Stripe spells it.';
COMMENT ON COLUMN payments.status IS 'Where the payment stands; it only ever moves forward.';
COMMENT ON COLUMN payments.processor_ref IS 'The PaymentIntent, pi_…; NULL until Stripe has answered.';
COMMENT ON COLUMN payments.idempotency_key IS 'Sent to Stripe as Idempotency-Key; also in Redis for 24 h.';
COMMENT ON COLUMN payments.failure_code IS 'Why it failed: Stripe''s decline code or code, or our own word (circuit_open, timeout, api_error, …).';
COMMENT ON COLUMN payments.failure_message IS 'The same for people.';
COMMENT ON COLUMN payments.created_at IS 'When the row was made, just before Stripe was asked.';
COMMENT ON COLUMN payments.updated_at IS 'When the row last changed.';
COMMENT ON COLUMN payments.completed_at IS 'When we learned that it succeeded; kept when it is refunded or disputed later.';

CREATE TABLE IF NOT EXISTS refunds (
  id            uuid PRIMARY KEY,
  payment_id    uuid NOT NULL REFERENCES payments (id),
  processor_ref text NOT NULL UNIQUE,
  amount        bigint NOT NULL CHECK (amount > 0),
  currency      text NOT NULL,
  status        text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
  reason        text,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS refunds_payment_id ON refunds (payment_id);
CREATE INDEX IF NOT EXISTS refunds_status_created_at ON refunds (status, created_at);
CREATE INDEX IF NOT EXISTS refunds_created_at ON refunds (created_at);

COMMENT ON TABLE refunds IS 'Money given back; one row for each refund at Stripe.';
COMMENT ON COLUMN refunds.id IS 'Our own key.';
COMMENT ON COLUMN refunds.payment_id IS 'The payment that is refunded, in whole or in part.';
COMMENT ON COLUMN refunds.processor_ref IS 'The refund at Stripe, re_….';
COMMENT ON COLUMN refunds.amount IS 'Minor units, positive.';
COMMENT ON COLUMN refunds.currency IS 'ISO 4217, lower case; that of the payment.';
COMMENT ON COLUMN refunds.status IS 'Stripe''s word; its requires_action is our pending.';
COMMENT ON COLUMN refunds.reason IS 'duplicate, fraudulent, requested_by_customer, or NULL.';
COMMENT ON COLUMN refunds.created_at IS 'When Stripe made it.';
COMMENT ON COLUMN refunds.updated_at IS 'When the row last changed.';

CREATE TABLE IF NOT EXISTS webhook_events (
  id           bigserial PRIMARY KEY,
  event_id     text NOT NULL UNIQUE,
  type         text NOT NULL,
  status       text NOT NULL DEFAULT 'received'
                 CHECK (status IN ('received', 'processing', 'processed', 'failed')),
  received_at  timestamptz NOT NULL DEFAULT now(),
  processed_at timestamptz,
  attempts     integer NOT NULL DEFAULT 0,
  error        text,
  payload      jsonb
);

-- "Which have not been processed", "when did the last one arrive", "and of this type".
CREATE INDEX IF NOT EXISTS webhook_events_status_received_at ON webhook_events (status, received_at);
CREATE INDEX IF NOT EXISTS webhook_events_received_at ON webhook_events (received_at);
CREATE INDEX IF NOT EXISTS webhook_events_type_received_at ON webhook_events (type, received_at);

COMMENT ON TABLE webhook_events IS 'Every event that Stripe delivered with a good signature, once.';
COMMENT ON COLUMN webhook_events.id IS 'Order of arrival, which is not the order of the events.';
COMMENT ON COLUMN webhook_events.event_id IS 'Stripe''s evt_…; a duplicate delivery finds its row here.';
COMMENT ON COLUMN webhook_events.type IS 'payment_intent.succeeded, charge.refunded, ….';
COMMENT ON COLUMN webhook_events.status IS 'received, processing, processed; failed until a retry succeeds.';
COMMENT ON COLUMN webhook_events.received_at IS 'When it first arrived.';
COMMENT ON COLUMN webhook_events.processed_at IS 'When its handling ended well; NULL until then.';
COMMENT ON COLUMN webhook_events.attempts IS 'How often it was handled, failures included.';
COMMENT ON COLUMN webhook_events.error IS 'Why the last attempt failed; NULL once processed.';
COMMENT ON COLUMN webhook_events.payload IS 'The event as Stripe sent it.';
