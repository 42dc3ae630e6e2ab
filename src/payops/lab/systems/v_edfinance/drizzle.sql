-- V-EdFinance, the newer generation on Hono and Drizzle: the same table and column names.
-- Facts: public repository Luahoa/v-edfinance, main at d8284dd (2026-02-01), apps/server.
--
-- Keys are uuid, enum types are in lower case (their labels are not), times are to the
-- microsecond. A second table "user", in lower case, holds the logins. It has no Stripe code.

CREATE TYPE role AS ENUM ('STUDENT', 'TEACHER', 'ADMIN');
CREATE TYPE transaction_status AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'REFUNDED', 'CANCELLED');
CREATE TYPE transaction_type AS ENUM ('COURSE_PURCHASE', 'SUBSCRIPTION', 'CREDITS', 'DONATION');

CREATE TABLE "user" (
  id          text PRIMARY KEY,
  name        text,
  email       text NOT NULL UNIQUE,  -- the only link to "User"
  "createdAt" timestamp NOT NULL DEFAULT now(),
  "updatedAt" timestamp NOT NULL DEFAULT now()
);

CREATE TABLE "User" (
  id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email              text NOT NULL CONSTRAINT "User_email_unique" UNIQUE,
  name               jsonb,
  role               role NOT NULL DEFAULT 'STUDENT',
  "stripeCustomerId" text CONSTRAINT "User_stripeCustomerId_unique" UNIQUE,
  metadata           jsonb,
  "createdAt"        timestamp NOT NULL DEFAULT now(),
  "updatedAt"        timestamp NOT NULL DEFAULT now()
);

CREATE TABLE "Course" (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug           text NOT NULL CONSTRAINT "Course_slug_unique" UNIQUE,
  title          jsonb NOT NULL,
  price          integer NOT NULL,
  published      boolean NOT NULL DEFAULT false,
  "instructorId" uuid REFERENCES "User"(id) ON DELETE SET NULL,
  "createdAt"    timestamp NOT NULL DEFAULT now(),
  "updatedAt"    timestamp NOT NULL DEFAULT now()
);

CREATE TABLE "Enrollment" (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "userId"      uuid NOT NULL REFERENCES "User"(id) ON DELETE CASCADE,
  "courseId"    uuid NOT NULL REFERENCES "Course"(id) ON DELETE CASCADE,  -- the buyer was let in; a completed payment does not write it
  "enrolledAt"  timestamp NOT NULL DEFAULT now(),
  "emailSentAt" timestamp,
  "completedAt" timestamp
);
CREATE UNIQUE INDEX "Enrollment_userId_courseId_key" ON "Enrollment" ("userId", "courseId");

CREATE TABLE "Transaction" (
  id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "userId"                uuid NOT NULL REFERENCES "User"(id) ON DELETE CASCADE,
  "courseId"              uuid REFERENCES "Course"(id) ON DELETE SET NULL,
  amount                  integer NOT NULL,
  currency                text NOT NULL DEFAULT 'vnd',
  status                  transaction_status NOT NULL DEFAULT 'PENDING',
  type                    transaction_type NOT NULL DEFAULT 'COURSE_PURCHASE',
  "stripeSessionId"       text CONSTRAINT "Transaction_stripeSessionId_unique" UNIQUE,
  "stripePaymentIntentId" text CONSTRAINT "Transaction_stripePaymentIntentId_unique" UNIQUE,
  metadata                jsonb,
  "createdAt"             timestamp NOT NULL DEFAULT now(),
  "updatedAt"             timestamp NOT NULL DEFAULT now(),
  "completedAt"           timestamp,
  "failedAt"              timestamp,
  "refundedAt"            timestamp
);
CREATE INDEX "Transaction_courseId_idx" ON "Transaction" ("courseId");
CREATE INDEX "Transaction_createdAt_idx" ON "Transaction" ("createdAt");
CREATE INDEX "Transaction_status_idx" ON "Transaction" (status);
CREATE INDEX "Transaction_stripePaymentIntentId_idx" ON "Transaction" ("stripePaymentIntentId");
CREATE INDEX "Transaction_stripeSessionId_idx" ON "Transaction" ("stripeSessionId");
CREATE INDEX "Transaction_userId_idx" ON "Transaction" ("userId");
