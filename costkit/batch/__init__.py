"""The life of a Message Batch job: never pay twice, never lose a row.

A create call is a purchase. The ledger commits the intention before the call, the call is never repeated blindly, and
whatever happens in between is reconciled against the API's own list.
"""
