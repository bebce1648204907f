"""What can be found out about rows of chat before they cost money. Pure: no Django."""
