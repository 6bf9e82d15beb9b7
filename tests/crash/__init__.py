"""Daemons that are killed at the worst moments, judged by the ledger of whoever was asked for money.

A `Trial` is one home and one stand-in provider; daemons live in it one after the other, until one is allowed to finish.
Then `judge` compares what was ordered, what is there, and what was bought. The long form is a command:
`python -m tests.crash --kills 200`.
"""
