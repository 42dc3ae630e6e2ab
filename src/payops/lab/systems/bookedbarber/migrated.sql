-- BookedBarber as its Alembic migrations build it: what differs from schema.sql, which comes first.
-- Facts: as there.
--
-- Labels are in lower case, which the application's own ORM can neither read nor write; the core
-- tables' money is numeric; a PaymentIntent stands in one payment only; the hybrid tables have
-- NOT NULLs and defaults.

ALTER TYPE paymentmode RENAME VALUE 'CENTRALIZED' TO 'centralized';
ALTER TYPE paymentmode RENAME VALUE 'DECENTRALIZED' TO 'decentralized';
ALTER TYPE paymentmode RENAME VALUE 'HYBRID' TO 'hybrid';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'STRIPE' TO 'stripe';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'SQUARE' TO 'square';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'PAYPAL' TO 'paypal';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'CLOVER' TO 'clover';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'TOAST' TO 'toast';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'SHOPIFY' TO 'shopify';
ALTER TYPE externalpaymentprocessor RENAME VALUE 'CUSTOM' TO 'custom';
ALTER TYPE connectionstatus RENAME VALUE 'PENDING' TO 'pending';
ALTER TYPE connectionstatus RENAME VALUE 'CONNECTED' TO 'connected';
ALTER TYPE connectionstatus RENAME VALUE 'EXPIRED' TO 'expired';
ALTER TYPE connectionstatus RENAME VALUE 'DISCONNECTED' TO 'disconnected';
ALTER TYPE connectionstatus RENAME VALUE 'ERROR' TO 'error';
ALTER TYPE collectiontype RENAME VALUE 'COMMISSION' TO 'commission';
ALTER TYPE collectiontype RENAME VALUE 'BOOTH_RENT' TO 'booth_rent';
ALTER TYPE collectiontype RENAME VALUE 'PLATFORM_FEE' TO 'platform_fee';
ALTER TYPE collectiontype RENAME VALUE 'LATE_FEE' TO 'late_fee';
ALTER TYPE collectiontype RENAME VALUE 'ADJUSTMENT' TO 'adjustment';
ALTER TYPE collectionstatus RENAME VALUE 'PENDING' TO 'pending';
ALTER TYPE collectionstatus RENAME VALUE 'DUE' TO 'due';
ALTER TYPE collectionstatus RENAME VALUE 'PROCESSING' TO 'processing';
ALTER TYPE collectionstatus RENAME VALUE 'COLLECTED' TO 'collected';
ALTER TYPE collectionstatus RENAME VALUE 'FAILED' TO 'failed';
ALTER TYPE collectionstatus RENAME VALUE 'DISPUTED' TO 'disputed';
ALTER TYPE collectionstatus RENAME VALUE 'WAIVED' TO 'waived';

ALTER TABLE users
  ALTER commission_rate TYPE numeric(5,4),
  ALTER payment_mode SET DEFAULT 'centralized';
ALTER TABLE appointments
  ALTER price TYPE numeric(10,2), ALTER price SET NOT NULL;
ALTER TABLE gift_certificates
  ALTER amount TYPE numeric(10,2), ALTER amount SET NOT NULL,
  ALTER balance TYPE numeric(10,2), ALTER balance SET NOT NULL;
ALTER TABLE payments
  ALTER amount TYPE numeric(10,2), ALTER amount SET NOT NULL,
  ALTER platform_fee TYPE numeric(10,2),
  ALTER barber_amount TYPE numeric(10,2),
  ALTER commission_rate TYPE numeric(5,4),
  ALTER refund_amount TYPE numeric(10,2),
  ALTER gift_certificate_amount_used TYPE numeric(10,2);
ALTER TABLE refunds
  ALTER amount TYPE numeric(10,2), ALTER amount SET NOT NULL;
ALTER TABLE payouts
  ALTER amount TYPE numeric(10,2), ALTER amount SET NOT NULL;
ALTER TABLE payment_processor_connections
  ALTER status SET DEFAULT 'pending',
  ALTER supports_payments SET NOT NULL, ALTER supports_payments SET DEFAULT true,
  ALTER supports_refunds SET NOT NULL, ALTER supports_refunds SET DEFAULT true,
  ALTER supports_recurring SET NOT NULL, ALTER supports_recurring SET DEFAULT false,
  ALTER default_currency SET NOT NULL, ALTER default_currency SET DEFAULT 'USD',
  ALTER total_transactions SET NOT NULL, ALTER total_transactions SET DEFAULT 0,
  ALTER total_volume SET NOT NULL, ALTER total_volume SET DEFAULT 0.0,
  ALTER created_at SET NOT NULL,
  ALTER updated_at SET NOT NULL,
  ALTER error_count SET NOT NULL, ALTER error_count SET DEFAULT 0;
ALTER TABLE external_transactions
  ALTER currency SET NOT NULL, ALTER currency SET DEFAULT 'USD',
  ALTER processing_fee SET NOT NULL, ALTER processing_fee SET DEFAULT 0.0,
  ALTER refund_amount SET NOT NULL, ALTER refund_amount SET DEFAULT 0.0,
  ALTER commission_amount SET NOT NULL, ALTER commission_amount SET DEFAULT 0.0,
  ALTER commission_collected SET NOT NULL, ALTER commission_collected SET DEFAULT false,
  ALTER created_at SET NOT NULL,
  ALTER updated_at SET NOT NULL;
ALTER TABLE platform_collections
  ALTER currency SET NOT NULL, ALTER currency SET DEFAULT 'USD',
  ALTER grace_period_days SET NOT NULL, ALTER grace_period_days SET DEFAULT 7,
  ALTER status SET DEFAULT 'pending',
  ALTER retry_count SET NOT NULL, ALTER retry_count SET DEFAULT 0,
  ALTER created_at SET NOT NULL,
  ALTER updated_at SET NOT NULL;
ALTER TABLE hybrid_payment_configs
  ALTER payment_mode SET DEFAULT 'centralized',
  ALTER fallback_to_platform SET NOT NULL, ALTER fallback_to_platform SET DEFAULT true,
  ALTER collection_method SET NOT NULL, ALTER collection_method SET DEFAULT 'ach',
  ALTER collection_frequency SET NOT NULL, ALTER collection_frequency SET DEFAULT 'weekly',
  ALTER auto_collection SET NOT NULL, ALTER auto_collection SET DEFAULT true,
  ALTER minimum_collection_amount SET NOT NULL, ALTER minimum_collection_amount SET DEFAULT 10.0,
  ALTER collection_buffer_days SET NOT NULL, ALTER collection_buffer_days SET DEFAULT 3,
  ALTER maximum_outstanding SET NOT NULL, ALTER maximum_outstanding SET DEFAULT 1000.0,
  ALTER notify_before_collection SET NOT NULL, ALTER notify_before_collection SET DEFAULT true,
  ALTER notification_days_ahead SET NOT NULL, ALTER notification_days_ahead SET DEFAULT 2,
  ALTER enable_installments SET NOT NULL, ALTER enable_installments SET DEFAULT false,
  ALTER enable_early_payment_discount SET NOT NULL, ALTER enable_early_payment_discount SET DEFAULT false,
  ALTER early_payment_discount_rate SET NOT NULL, ALTER early_payment_discount_rate SET DEFAULT 0.02,
  ALTER created_at SET NOT NULL,
  ALTER updated_at SET NOT NULL;
ALTER TABLE payment_mode_history
  ALTER effective_date SET NOT NULL,
  ALTER pending_collections_affected SET NOT NULL, ALTER pending_collections_affected SET DEFAULT 0,
  ALTER active_connections_affected SET NOT NULL, ALTER active_connections_affected SET DEFAULT 0,
  ALTER created_at SET NOT NULL;

ALTER TABLE idempotency_keys RENAME operation_metadata TO metadata;

CREATE INDEX idx_users_stripe_account ON users (stripe_account_id);
CREATE INDEX idx_payments_appointment ON payments (appointment_id);
CREATE INDEX idx_payments_barber_status ON payments (barber_id, status);
CREATE INDEX idx_payments_organization_created ON payments (organization_id, created_at);
CREATE INDEX idx_payments_status_created ON payments (status, created_at);
CREATE UNIQUE INDEX idx_payments_stripe_intent ON payments (stripe_payment_intent_id);
CREATE INDEX idx_payments_user_created ON payments (user_id, created_at);
CREATE INDEX idx_refunds_payment ON refunds (payment_id);
CREATE INDEX idx_refunds_status_created ON refunds (status, created_at);
CREATE INDEX idx_payouts_barber_status ON payouts (barber_id, status);
CREATE INDEX idx_processor_connections_barber_status ON payment_processor_connections (barber_id, status);
CREATE INDEX idx_external_transactions_connection_status ON external_transactions (connection_id, status);
CREATE INDEX idx_platform_collections_barber_status ON platform_collections (barber_id, status);
CREATE INDEX idx_platform_collections_due_date ON platform_collections (due_date);
CREATE INDEX idx_platform_collections_type_status ON platform_collections (collection_type, status);
