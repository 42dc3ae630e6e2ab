"""The way of an event from Stripe to a row: gathered once, judged by cause, probed, replayed."""
