"""What a file to train on may hold, by OpenAI's rules.

Pure: bytes in, sentences out. Examples and messages are numbered from 1, as at OpenAI.
"""
