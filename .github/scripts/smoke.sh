#!/usr/bin/env bash
# Asks a deployed API whether it is up, and whether it keeps strangers out.
#
#   smoke.sh URL
set -euo pipefail

url=${1:?which API}

# A new distribution takes minutes until every edge knows it.
curl --fail --silent --show-error --retry 20 --retry-delay 15 --retry-all-errors --max-time 20 "$url/healthz"
echo

expect() {
	local status=$1 path=$2 got
	got=$(curl --silent --show-error --max-time 20 --output /dev/null --write-out '%{http_code}' "$url$path")
	if [[ $got != "$status" ]]; then
		echo "$path answers $got instead of $status" >&2
		exit 1
	fi
	echo "$path answers $got"
}

expect 200 /openapi.json
expect 200 /docs
expect 401 /v1/stock
