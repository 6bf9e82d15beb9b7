"""A stand-in for the paid provider, in a process of its own: it speaks the documented wire and keeps a ledger.

The ledger is the judge of what was bought. `running_cloud` starts one for a test; `python -m tests.cloud` starts one by
hand, for trying PopCon without spending anything.
"""
