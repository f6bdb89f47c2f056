"""What else adds up logs of a gigabyte: programs that `report_speed.py` runs, each in a process of its own.

All are given a folder, and all but `ORJSON` the kind of its logs, `transcripts` or `messages`.
"""

DUCKDB = """
import duckdb, json, sys
folder, kind, rates = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
duckdb.sql("SET enable_progress_bar = false")
counts = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
split = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")

def struct(**fields):
    return "STRUCT(" + ", ".join(f"{name} {kind}" for name, kind in fields.items()) + ")"

usage = struct(
    **dict.fromkeys(counts, "BIGINT"), cache_creation=struct(**dict.fromkeys(split, "BIGINT")),
    server_tool_use=struct(web_search_requests="BIGINT"), service_tier="VARCHAR", inference_geo="VARCHAR",
    speed="VARCHAR",
)
message = struct(id="VARCHAR", model="VARCHAR", usage=usage)
fields = {"id": "VARCHAR", "model": "VARCHAR", "usage": usage}
if kind == "transcripts":
    line = {"type": "VARCHAR", "requestId": "VARCHAR", "timestamp": "VARCHAR", "message": message}
    fields = line | {"data": struct(type="VARCHAR", message=struct(**line))}
columns = ", ".join(f"{name}: '{type_}'" for name, type_ in fields.items())
options = f"format='newline_delimited', maximum_object_size=33554432, columns={{{columns}}}"
logs = f"read_json('{folder}/**/*.jsonl', {options})"
if kind == "transcripts":  # what a sub-agent was billed stands in a line of its own
    lines = f'''
        SELECT if(own, message, data.message.message) AS m, if(own, requestId, data.message.requestId) AS request,
               if(own, timestamp, data.message.timestamp) AS moment
        FROM (SELECT *, type = 'assistant' AS own FROM {logs}
              WHERE type = 'assistant' OR (type = 'progress' AND data.type = 'agent_progress'))'''
else:
    lines = f"SELECT {{'id': id, 'model': model, 'usage': usage}} AS m, NULL AS request, NULL AS moment FROM {logs}"
largest = ", ".join(
    [f"coalesce(max(m.usage.{name}), 0) AS {name}" for name in counts]
    + [f"coalesce(max(m.usage.cache_creation.{name}), 0) AS {name}" for name in split]
    + ["coalesce(max(m.usage.server_tool_use.web_search_requests), 0) AS searches"]
)
first = ", ".join(
    f"arg_min(m.{path}, coalesce(moment, '')) AS {path.split('.')[-1]}"
    for path in ("model", "usage.service_tier", "usage.inference_geo", "usage.speed")
)
each = f"SELECT m.id, request, min(moment) AS moment, {first}, {largest} FROM ({lines}) GROUP BY m.id, request"
values = ", ".join(f"('{day}', '{model}', {', '.join(prices)})" for day, model, *prices in rates)
cost = '''
    (input_tokens * fresh + cache_read_input_tokens * read + output_tokens * written + ephemeral_1h_input_tokens * long
     + greatest(ephemeral_5m_input_tokens, cache_creation_input_tokens - ephemeral_1h_input_tokens) * short) / 1e6
    * if(service_tier = 'batch', 0.5, 1) * if(inference_geo = 'us', 1.1, 1) + searches * search'''
sums = ", ".join(f"sum({name})" for name in counts)
rows = duckdb.sql(f'''
    SELECT day, model, count(*), {sums}, sum({cost}::DOUBLE)
    FROM (SELECT *, coalesce(substr(moment, 1, 10), '') AS day FROM ({each}))
    JOIN (VALUES {values}) AS rates(day, model, fresh, written, short, long, read, search) USING (day, model)
    GROUP BY day, model''').fetchall()
print(json.dumps([[str(value) if isinstance(value, int) else value for value in row] for row in rows]))
"""
"""Tokens and dollars by day and model, each response once: the same answer as costkit's. The third argument is a list
of day, model and prices in dollars: input, output, cache writes for five minutes and an hour, reads, a search."""

DUCKDB_SIMPLE = """
import duckdb, sys
names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
usage = f"STRUCT({', '.join(f'{name} BIGINT' for name in names)})"
message = f"STRUCT(id VARCHAR, model VARCHAR, usage {usage})"
if sys.argv[2] == "transcripts":
    columns = f"{{type: 'VARCHAR', requestId: 'VARCHAR', message: '{message}'}}"
    prefix, request, where = "message.", "requestId", "WHERE type = 'assistant'"
else:
    columns = f"{{id: 'VARCHAR', model: 'VARCHAR', usage: '{usage}'}}"
    prefix, request, where = "", "NULL", ""
logs = f"'{sys.argv[1]}/**/*.jsonl', format='newline_delimited', maximum_object_size=33554432, columns={columns}"
largest = ", ".join(f"max({prefix}usage.{name}) AS {name}" for name in names)
each = f"SELECT {prefix}id, {request}, any_value({prefix}model) AS model, {largest} FROM read_json({logs}) {where}"
sums = ", ".join(f"sum({name})" for name in names)
print(duckdb.sql(f"SELECT model, count(*), {sums} FROM ({each} GROUP BY 1, 2) GROUP BY 1").fetchall())
"""
"""The least that can be asked: tokens by model, without the sub-agents' responses in `progress` lines."""

POLARS = """
import polars as pl, sys
names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
usage = pl.Struct({name: pl.Int64 for name in names})
message = pl.Struct({"id": pl.String, "model": pl.String, "usage": usage})
transcripts = sys.argv[2] == "transcripts"
schema = {"type": pl.String, "requestId": pl.String, "message": message} if transcripts else dict(message.to_schema())
lines = pl.scan_ndjson(sys.argv[1] + "/**/*.jsonl", schema=schema)
if transcripts:
    lines = lines.filter(pl.col("type") == "assistant").unnest("message")
largest = [pl.col("usage").struct.field(name).max() for name in names]
each = lines.group_by(["id", "requestId"] if transcripts else ["id"]).agg(pl.col("model").first(), *largest)
print(each.group_by("model").agg(pl.len(), *[pl.col(name).sum() for name in names]).collect())
"""
"""The same as `DUCKDB_SIMPLE`."""

ORJSON = """
import orjson, pathlib, sys
lines = 0
for path in pathlib.Path(sys.argv[1]).rglob("*.jsonl"):
    with path.open("rb") as log:
        for line in log:
            orjson.loads(line)
            lines += 1
print(lines)
"""
"""Every line decoded, nothing added up."""
