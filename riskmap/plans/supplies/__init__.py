"""What is in stock, and what is needed."""
