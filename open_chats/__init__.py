"""Conversations as an open model reads them: by its own chat template.

Pure Python, no Django and no torch: the tuning server trains on what is cut here, and
the site counts the tokens of the very same pieces.
"""
