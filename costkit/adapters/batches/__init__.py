"""The outside world of batches: the API, the input, the ledger, the results."""
