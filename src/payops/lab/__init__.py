"""The lab: real servers and a Stripe simulator on loopback, to practise incidents on."""
