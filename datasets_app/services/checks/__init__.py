"""Checking a dataset before it costs money."""
