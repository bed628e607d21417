"""Notifications: facts derived from events, told to people and systems at least once.

Nothing here is a ledger fact. `facts` derives (pure), `marks` remember up to where each stream was
told on each channel, `notifier` sends what is missing, `channels` carry it.
"""
