"""The pure core: what stock and orders are, which events record them, which laws hold.

Nothing here does I/O, reads a clock or draws a random number; times and ids come in as arguments.
"""
