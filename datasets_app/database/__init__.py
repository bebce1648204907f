"""What the database does by itself: triggers and tables that no model describes."""
