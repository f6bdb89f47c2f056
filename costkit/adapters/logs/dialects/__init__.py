"""What documents of each system mean: one module for each dialect, with its quirks in its docstring.

Anthropic's and costkit's own are `messages`, `batch_results`, `transcripts`, `streams` and `usage_log`. Other systems'
are `otel` and `openinference` (by way of `spans` and `traces`), `litellm`, `langfuse`, `bedrock`, `llm_tool`,
`promptfoo` and `inspect_ai`, which share `counted` and `charges`. A further one takes two steps:

1. A module with `recognise(document)`, which answers `None` for "not mine", an empty list for "mine, but no bill", and
   otherwise the records, mostly by way of `dialect.build_record`; a usage that can't be believed is a ValueError.
2. Its name in `detect.DIALECTS` and its line in `foreign.foreign_dialects`, both before those that would take its
   documents for their own.

Lines without the key `usage` or a key that ends in `_tokens` are passed over undecoded: a dialect that bills by
another name adds what its lines begin with to `documents.FOREIGN_MARKS`. Objects of the types that `shapes` knows
(`assistant`, `message`, `progress`, …) are transcripts and Messages whatever else they hold. Everything else
(compression, torn and glued lines, arrays, deduplication, prices) is done.
"""
