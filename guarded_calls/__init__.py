"""How to call an address that somebody else chose, and how to sign what is sent there.

Pure: no Django, nothing of the apps. Site and tuning server share it.
"""
