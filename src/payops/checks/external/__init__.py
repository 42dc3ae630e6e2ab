"""Outside processors beside Stripe: their connections, what is collected, how owners are paid."""
