"""Keys and secrets, as they are configured: `payops keys check` asks Stripe about them."""
