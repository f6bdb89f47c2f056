#!/usr/bin/env bash
# A cost gate for CI: estimate a prompt, gate a log, and tell the exit codes apart.
#
#   examples/ci.sh PROMPT LOG LIMIT_USD
#
# Exit codes are part of costkit's contract (see `costkit --help`), so a script needs no parsing to decide.
set -euo pipefail

prompt=${1:?usage: ci.sh PROMPT LOG LIMIT_USD}
log=${2:?usage: ci.sh PROMPT LOG LIMIT_USD}
limit=${3:?usage: ci.sh PROMPT LOG LIMIT_USD}
model=${GATE_MODEL:-claude-sonnet-5-5}

# What costkit says is on stdout and stderr already; this only decides what the pipeline does about it.
judge() {
    local what=$1 code=$2
    case $code in
    0) echo "$what: within the limit" ;;
    3) echo "$what: over the limit of \$$limit" ;;
    4) echo "$what: incomplete, some lines could not be read" ;;
    5) echo "$what: cannot be decided, a price is unknown; not treated as cheap enough" ;;
    8) echo "$what: still running, try again later" ;;
    *) echo "$what: failed with code $code" ;;
    esac
    return "$code"
}

run() {
    local what=$1 code=0
    shift
    "$@" || code=$?
    judge "$what" "$code"
}

run "estimate" costkit estimate "$prompt" --model "$model" --max-tokens 1000 --requests 1000 \
    --offline --max-cost "$limit" --format markdown

run "report" costkit report "$log" --by model --strict --max-cost "$limit" --format markdown

# Machines read JSON: money is a string with every digit.
costkit report "$log" --json |
    python3 -c 'import json, sys; print("spent exactly $" + json.load(sys.stdin)["result"]["total"]["cost_usd"])'
