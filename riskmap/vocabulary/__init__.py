"""What things are called, and what the standards say."""
