#!/usr/bin/env bash
# Watches the alarms whose names start with PREFIX; fails as soon as one that was calm before goes off.
#
#   watch-alarms.sh PREFIX SECONDS
set -euo pipefail

prefix=${1:?which alarms}
seconds=${2:?how long}

ringing() {
	aws cloudwatch describe-alarms --alarm-name-prefix "$prefix" --state-value ALARM \
		--query 'MetricAlarms[].AlarmName' --output text | tr '\t' '\n' | sort
}

before=$(ringing)
until=$((SECONDS + seconds))
while ((SECONDS < until)); do
	new=$(comm -13 <(echo "$before") <(ringing))
	if [[ -n $new ]]; then
		echo "went off: $new" >&2
		exit 1
	fi
	sleep 20
done
echo "no new alarm in $seconds seconds"
