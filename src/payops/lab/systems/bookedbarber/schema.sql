-- BookedBarber V2's tables around payments, as its SQLAlchemy models build them on PostgreSQL;
-- migrated.sql turns them into what its Alembic migrations build.
-- Facts: public repository c50bossio/6fb-booking at 4636063 (2025-07-23; the branch of pull
-- request 11: its main branch has no hybrid payments).
--
-- Model defaults live in Python: the database has none. Money is double precision, in dollars.
-- Times have no zone and are UTC, but for webhook_events. Enum labels are the members' names in
-- upper case. Trimmed: users, organizations, appointments and subscriptions. Left out: the foreign
-- key of webhook_endpoints.created_by, which PostgreSQL refuses (varchar to integer).

CREATE TYPE paymentmode AS ENUM ('CENTRALIZED', 'DECENTRALIZED', 'HYBRID');
CREATE TYPE externalpaymentprocessor AS ENUM ('STRIPE', 'SQUARE', 'PAYPAL', 'CLOVER', 'TOAST', 'SHOPIFY', 'CUSTOM');
CREATE TYPE connectionstatus AS ENUM ('PENDING', 'CONNECTED', 'EXPIRED', 'DISCONNECTED', 'ERROR');
CREATE TYPE collectiontype AS ENUM ('COMMISSION', 'BOOTH_RENT', 'PLATFORM_FEE', 'LATE_FEE', 'ADJUSTMENT');
CREATE TYPE collectionstatus AS ENUM ('PENDING', 'DUE', 'PROCESSING', 'COLLECTED', 'FAILED', 'DISPUTED', 'WAIVED');
CREATE TYPE webhookstatus AS ENUM ('pending', 'success', 'failed', 'retrying');

CREATE TABLE organizations (
  id                      serial PRIMARY KEY,
  name                    varchar(255) NOT NULL,
  slug                    varchar(100) NOT NULL UNIQUE,
  billing_contact_email   varchar(255),
  subscription_status     varchar(20),
  stripe_account_id       varchar(100),
  stripe_subscription_id  varchar(100),
  stripe_customer_id      varchar(255),
  payment_status          varchar(20),
  last_payment_failure    timestamp,
  next_payment_retry      timestamp,
  payment_failure_history json,
  created_at              timestamp NOT NULL,
  updated_at              timestamp NOT NULL
);

CREATE TABLE users (
  id                         serial PRIMARY KEY,
  email                      varchar,
  name                       varchar,
  phone                      varchar,
  role                       varchar,
  unified_role               varchar(50) NOT NULL,
  is_active                  boolean,
  is_test_data               boolean,
  created_at                 timestamp,
  stripe_account_id          varchar,
  stripe_account_status      varchar,
  commission_rate            double precision,  -- a fraction: 0.20
  payment_mode               varchar(20) NOT NULL,  -- plain text in lower case, not the enum
  external_payment_processor varchar(50),
  external_account_config    json,  -- may hold credentials: never selected
  collection_preferences     json
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_unified_role ON users (unified_role);

CREATE TABLE appointments (
  id               serial PRIMARY KEY,
  user_id          integer REFERENCES users(id),
  barber_id        integer REFERENCES users(id),
  client_id        integer,
  organization_id  integer REFERENCES organizations(id),
  service_name     varchar,
  start_time       timestamp,
  duration_minutes integer,
  price            double precision,
  status           varchar,
  is_test_data     boolean,
  created_at       timestamp
);

CREATE TABLE gift_certificates (
  id                       serial PRIMARY KEY,
  code                     varchar,
  amount                   double precision,
  balance                  double precision,
  status                   varchar,
  purchaser_name           varchar,
  purchaser_email          varchar,
  valid_from               timestamp,
  valid_until              timestamp,
  created_by_id            integer REFERENCES users(id),
  stripe_payment_intent_id varchar,
  created_at               timestamp,
  used_at                  timestamp
);
CREATE UNIQUE INDEX ix_gift_certificates_code ON gift_certificates (code);

CREATE TABLE payments (
  id                           serial PRIMARY KEY,
  user_id                      integer REFERENCES users(id),
  appointment_id               integer REFERENCES appointments(id),  -- not unique
  barber_id                    integer REFERENCES users(id),
  organization_id              integer REFERENCES organizations(id),
  amount                       double precision,  -- gross; Stripe is asked for amount - gift_certificate_amount_used
  status                       varchar,  -- pending | completed | failed | refunded | partially_refunded | disputed
  stripe_payment_id            varchar,  -- meant for ch_..., usually the pi_... again
  stripe_payment_intent_id     varchar,  -- not unique here
  platform_fee                 double precision,
  barber_amount                double precision,
  commission_rate              double precision,
  refund_amount                double precision,
  refund_reason                varchar,
  refunded_at                  timestamp,
  stripe_refund_id             varchar,  -- stays NULL: see refunds
  gift_certificate_id          integer REFERENCES gift_certificates(id),
  gift_certificate_amount_used double precision,
  created_at                   timestamp,
  updated_at                   timestamp
);

CREATE TABLE refunds (
  id               serial PRIMARY KEY,
  payment_id       integer REFERENCES payments(id),
  amount           double precision,
  reason           varchar,
  status           varchar,  -- pending | completed | failed
  stripe_refund_id varchar,
  initiated_by_id  integer REFERENCES users(id),
  created_at       timestamp,
  processed_at     timestamp
);

CREATE TABLE payouts (
  id                 serial PRIMARY KEY,
  barber_id          integer REFERENCES users(id),
  amount             double precision,
  status             varchar,
  period_start       timestamp,
  period_end         timestamp,
  payment_count      integer,
  stripe_payout_id   varchar,
  stripe_transfer_id varchar,
  created_at         timestamp,
  processed_at       timestamp
);

CREATE TABLE payment_processor_connections (
  id                  serial PRIMARY KEY,
  barber_id           integer NOT NULL REFERENCES users(id),
  processor_type      externalpaymentprocessor NOT NULL,
  account_id          varchar(255) NOT NULL,
  account_name        varchar(255),
  status              connectionstatus NOT NULL,
  connection_data     json,  -- credentials in plain text: never selected
  webhook_url         varchar(500),
  webhook_secret      varchar(255),  -- secret: never selected
  supports_payments   boolean,
  supports_refunds    boolean,
  supports_recurring  boolean,
  default_currency    varchar(3),
  processing_fees     json,
  last_sync_at        timestamp,
  last_transaction_at timestamp,
  total_transactions  integer,
  total_volume        double precision,
  connected_at        timestamp,
  disconnected_at     timestamp,
  created_at          timestamp,
  updated_at          timestamp,
  last_error          text,
  error_count         integer
);
CREATE INDEX ix_payment_processor_connections_barber_id ON payment_processor_connections (barber_id);

CREATE TABLE external_transactions (
  id                      serial PRIMARY KEY,
  connection_id           integer NOT NULL REFERENCES payment_processor_connections(id),
  appointment_id          integer REFERENCES appointments(id),
  external_transaction_id varchar(255) NOT NULL,  -- not unique; of a Stripe connection pi_...
  external_charge_id      varchar(255),
  external_customer_id    varchar(255),
  amount                  double precision NOT NULL,
  currency                varchar(3),
  processing_fee          double precision,
  net_amount              double precision NOT NULL,
  payment_method          varchar(50),
  last_four               varchar(4),
  brand                   varchar(20),
  status                  varchar(20) NOT NULL,
  processed_at            timestamp,
  refunded_at             timestamp,
  refund_amount           double precision,
  commission_rate         double precision,  -- per cent: 15.0
  commission_amount       double precision,
  commission_collected    boolean,
  external_metadata       json,
  created_at              timestamp,
  updated_at              timestamp
);
CREATE INDEX ix_external_transactions_appointment_id ON external_transactions (appointment_id);
CREATE INDEX ix_external_transactions_connection_id ON external_transactions (connection_id);
CREATE INDEX ix_external_transactions_external_transaction_id ON external_transactions (external_transaction_id);

CREATE TABLE platform_collections (
  id                      serial PRIMARY KEY,
  barber_id               integer NOT NULL REFERENCES users(id),
  connection_id           integer REFERENCES payment_processor_connections(id),
  external_transaction_id integer REFERENCES external_transactions(id),  -- one row's key, not a list
  collection_type         collectiontype NOT NULL,
  amount                  double precision NOT NULL,
  currency                varchar(3),
  description             text,
  reference_id            varchar(255),
  reference_type          varchar(50),
  period_start            timestamp,
  period_end              timestamp,
  due_date                timestamp NOT NULL,
  grace_period_days       integer,
  status                  collectionstatus NOT NULL,
  collection_method       varchar(50),
  collection_account      varchar(255),
  external_collection_id  varchar(255),
  collected_at            timestamp,
  failed_at               timestamp,
  retry_count             integer,
  next_retry_at           timestamp,
  failure_reason          text,
  dispute_reason          text,
  waived_reason           text,
  waived_by_id            integer REFERENCES users(id),
  created_at              timestamp,
  updated_at              timestamp
);
CREATE INDEX ix_platform_collections_barber_id ON platform_collections (barber_id);
CREATE INDEX ix_platform_collections_connection_id ON platform_collections (connection_id);
CREATE INDEX ix_platform_collections_external_transaction_id ON platform_collections (external_transaction_id);

CREATE TABLE hybrid_payment_configs (
  id                            serial PRIMARY KEY,
  barber_id                     integer NOT NULL REFERENCES users(id),
  payment_mode                  paymentmode NOT NULL,
  primary_processor             externalpaymentprocessor,
  fallback_to_platform          boolean,
  collection_method             varchar(50),
  collection_frequency          varchar(20),
  collection_day                integer,
  auto_collection               boolean,
  minimum_collection_amount     double precision,
  collection_buffer_days        integer,
  maximum_outstanding           double precision,
  notify_before_collection      boolean,
  notification_days_ahead       integer,
  collection_email              varchar(255),
  collection_phone              varchar(20),
  bank_account_config           json,  -- bank details: never selected
  backup_payment_method         varchar(255),
  enable_installments           boolean,
  enable_early_payment_discount boolean,
  early_payment_discount_rate   double precision,
  created_at                    timestamp,
  updated_at                    timestamp,
  last_collection_at            timestamp
);
CREATE UNIQUE INDEX ix_hybrid_payment_configs_barber_id ON hybrid_payment_configs (barber_id);

CREATE TABLE payment_mode_history (
  id                           serial PRIMARY KEY,
  barber_id                    integer NOT NULL REFERENCES users(id),
  previous_mode                paymentmode,
  new_mode                     paymentmode NOT NULL,
  change_reason                text,
  changed_by_id                integer REFERENCES users(id),
  effective_date               timestamp,
  pending_collections_affected integer,
  active_connections_affected  integer,
  created_at                   timestamp
);
CREATE INDEX ix_payment_mode_history_barber_id ON payment_mode_history (barber_id);

CREATE TABLE webhook_events (
  id                     serial PRIMARY KEY,
  provider               varchar(50) NOT NULL,  -- only the staging router writes it, and that is not mounted: empty
  event_id               varchar(255) NOT NULL,
  event_type             varchar(100) NOT NULL,
  environment            varchar(20) NOT NULL,
  source_ip              varchar(45),
  user_agent             text,
  headers                json,
  payload                text,
  signature              text,
  content_length         integer,
  status                 varchar(20) NOT NULL,
  processing_result      json,
  error_message          text,
  signature_valid        boolean,
  is_duplicate           boolean,
  received_at            timestamptz NOT NULL,
  processed_at           timestamptz,
  processing_duration_ms integer,
  created_at             timestamptz NOT NULL,
  updated_at             timestamptz
);
CREATE INDEX ix_webhook_events_event_id ON webhook_events (event_id);
CREATE INDEX ix_webhook_events_event_type ON webhook_events (event_type);
CREATE INDEX ix_webhook_events_provider ON webhook_events (provider);

CREATE TABLE idempotency_keys (
  id                 serial PRIMARY KEY,
  key                varchar(255) NOT NULL CONSTRAINT uq_idempotency_key UNIQUE,
  operation_type     varchar(100) NOT NULL,
  user_id            integer,
  request_hash       varchar(64) NOT NULL,
  response_data      json NOT NULL,
  created_at         timestamp NOT NULL,
  expires_at         timestamp NOT NULL,
  operation_metadata json  -- the migrations call it metadata
);
CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);
CREATE INDEX ix_idempotency_keys_operation_type ON idempotency_keys (operation_type);
CREATE INDEX ix_idempotency_operation_user ON idempotency_keys (operation_type, user_id);

CREATE TABLE webhook_endpoints (
  id                    varchar PRIMARY KEY,
  url                   varchar NOT NULL,  -- outgoing webhooks, to BookedBarber's own customers
  name                  varchar NOT NULL,
  events                json NOT NULL,
  is_active             boolean,
  created_by            varchar,
  total_deliveries      integer,
  successful_deliveries integer,
  failed_deliveries     integer,
  last_triggered_at     timestamp,
  last_success_at       timestamp,
  last_failure_at       timestamp,
  created_at            timestamp
);

CREATE TABLE webhook_logs (
  id            varchar PRIMARY KEY,
  endpoint_id   varchar NOT NULL REFERENCES webhook_endpoints(id),
  event_type    varchar NOT NULL,
  event_id      varchar,
  status        webhookstatus,
  status_code   integer,
  request_url   varchar NOT NULL,
  error_message text,
  retry_count   integer,
  next_retry_at timestamp,
  created_at    timestamp,
  delivered_at  timestamp,
  completed_at  timestamp
);

CREATE TABLE service_subscriptions (
  id                     serial PRIMARY KEY,
  client_id              integer NOT NULL REFERENCES users(id),
  barber_id              integer NOT NULL REFERENCES users(id),
  stripe_subscription_id varchar,
  stripe_customer_id     varchar,
  last_payment_date      timestamp,
  last_payment_amount    double precision,
  failed_payment_count   integer
);

CREATE TABLE subscription_billing_events (
  id                       serial PRIMARY KEY,
  subscription_id          integer NOT NULL REFERENCES service_subscriptions(id),
  event_type               varchar NOT NULL,
  amount                   double precision,
  currency                 varchar(3),
  stripe_invoice_id        varchar,
  stripe_payment_intent_id varchar,
  success                  boolean NOT NULL,
  error_message            text,
  retry_count              integer,
  occurred_at              timestamp
);
