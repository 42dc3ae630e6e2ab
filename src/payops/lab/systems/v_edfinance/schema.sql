-- V-EdFinance, the NestJS and Prisma generation that its runbook is about.
-- Facts: public repository Luahoa/v-edfinance, main at d8284dd (2026-02-01). No migration with
-- "Transaction" was ever committed; this is the Prisma model.
--
-- Names are case-sensitive: quote them. Times have no zone and are UTC. User, Course, Lesson and
-- BehaviorLog are trimmed to what payments need.

CREATE TYPE "Role" AS ENUM ('STUDENT', 'TEACHER', 'ADMIN');
CREATE TYPE "ProgressStatus" AS ENUM ('STARTED', 'IN_PROGRESS', 'COMPLETED');
CREATE TYPE "TransactionStatus" AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'REFUNDED', 'CANCELLED');
CREATE TYPE "TransactionType" AS ENUM ('COURSE_PURCHASE', 'SUBSCRIPTION', 'CREDITS', 'DONATION');

CREATE TABLE "User" (
  id                 text PRIMARY KEY,
  email              text NOT NULL,
  name               jsonb,
  role               "Role" NOT NULL DEFAULT 'STUDENT',
  "stripeCustomerId" text,
  metadata           jsonb,
  "createdAt"        timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt"        timestamp(3) NOT NULL
);
CREATE INDEX "User_createdAt_idx" ON "User" ("createdAt");
CREATE INDEX "User_email_idx" ON "User" (email);
CREATE UNIQUE INDEX "User_email_key" ON "User" (email);
CREATE UNIQUE INDEX "User_stripeCustomerId_key" ON "User" ("stripeCustomerId");

CREATE TABLE "Course" (
  id          text PRIMARY KEY,
  slug        text NOT NULL,
  title       jsonb NOT NULL,
  price       integer NOT NULL,
  published   boolean NOT NULL DEFAULT false,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" timestamp(3) NOT NULL
);
CREATE UNIQUE INDEX "Course_slug_key" ON "Course" (slug);

CREATE TABLE "Lesson" (
  id         text PRIMARY KEY,
  "courseId" text NOT NULL REFERENCES "Course"(id) ON UPDATE CASCADE ON DELETE CASCADE,
  "order"    integer NOT NULL
);
CREATE UNIQUE INDEX "Lesson_courseId_order_key" ON "Lesson" ("courseId", "order");

CREATE TABLE "UserProgress" (
  id              text PRIMARY KEY,
  "userId"        text NOT NULL REFERENCES "User"(id) ON UPDATE CASCADE ON DELETE CASCADE,
  "lessonId"      text NOT NULL REFERENCES "Lesson"(id) ON UPDATE CASCADE ON DELETE CASCADE,
  status          "ProgressStatus" NOT NULL DEFAULT 'STARTED',  -- a row for any lesson of a course: the buyer was let in
  "durationSpent" integer NOT NULL DEFAULT 0,
  "createdAt"     timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt"     timestamp(3) NOT NULL
);
CREATE UNIQUE INDEX "UserProgress_userId_lessonId_key" ON "UserProgress" ("userId", "lessonId");

CREATE TABLE "BehaviorLog" (
  id               text PRIMARY KEY,
  "userId"         text REFERENCES "User"(id) ON UPDATE CASCADE ON DELETE SET NULL,
  "sessionId"      text NOT NULL,
  path             text NOT NULL,
  "eventType"      text NOT NULL,  -- COURSE_ENROLLED, with sessionId 'webhook': the handler's own trace
  "actionCategory" text DEFAULT 'GENERAL',
  payload          jsonb,
  "timestamp"      timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX "BehaviorLog_eventType_timestamp_idx" ON "BehaviorLog" ("eventType", "timestamp");
CREATE INDEX "BehaviorLog_userId_timestamp_idx" ON "BehaviorLog" ("userId", "timestamp");

CREATE TABLE "Transaction" (
  id                      text PRIMARY KEY,
  "userId"                text NOT NULL REFERENCES "User"(id) ON UPDATE CASCADE ON DELETE CASCADE,
  "courseId"              text REFERENCES "Course"(id) ON UPDATE CASCADE ON DELETE SET NULL,
  amount                  integer NOT NULL,  -- minor units; the dong has no smaller one: 199000 is 199,000 VND
  currency                text NOT NULL DEFAULT 'vnd',
  status                  "TransactionStatus" NOT NULL DEFAULT 'PENDING',  -- what sticks is PROCESSING; PENDING has no session yet
  type                    "TransactionType" NOT NULL DEFAULT 'COURSE_PURCHASE',
  "stripeSessionId"       text,  -- cs_...
  "stripePaymentIntentId" text,  -- pi_...; NULL until checkout.session.completed is handled
  metadata                jsonb,
  "createdAt"             timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt"             timestamp(3) NOT NULL,
  "completedAt"           timestamp(3),
  "failedAt"              timestamp(3),
  "refundedAt"            timestamp(3)
);
CREATE INDEX "Transaction_courseId_idx" ON "Transaction" ("courseId");
CREATE INDEX "Transaction_createdAt_idx" ON "Transaction" ("createdAt");
CREATE INDEX "Transaction_status_idx" ON "Transaction" (status);
CREATE INDEX "Transaction_stripePaymentIntentId_idx" ON "Transaction" ("stripePaymentIntentId");
CREATE UNIQUE INDEX "Transaction_stripePaymentIntentId_key" ON "Transaction" ("stripePaymentIntentId");
CREATE INDEX "Transaction_stripeSessionId_idx" ON "Transaction" ("stripeSessionId");
CREATE UNIQUE INDEX "Transaction_stripeSessionId_key" ON "Transaction" ("stripeSessionId");
CREATE INDEX "Transaction_userId_idx" ON "Transaction" ("userId");
