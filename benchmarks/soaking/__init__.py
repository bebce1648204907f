"""What the soak is made of: processes that die, faults, and the count at the end."""
