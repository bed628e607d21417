#!/usr/bin/env bash
# Watches the alarms whose names start with PREFIX: the watch fails as soon as one rings that was calm before.
#
#   watch-alarms.sh save PREFIX FILE              before the change: writes down which ring already
#   watch-alarms.sh watch PREFIX FILE SECONDS     after it
set -euo pipefail

what=${1:?save or watch}
prefix=${2:?which alarms}
file=${3:?which file}

ringing() {
	aws cloudwatch describe-alarms --alarm-name-prefix "$prefix" --state-value ALARM \
		--query 'MetricAlarms[].AlarmName' --output text | tr '\t' '\n' | sort
}

case $what in
save)
	ringing >"$file"
	;;
watch)
	seconds=${4:?how long}
	before=$(<"$file")
	until=$((SECONDS + seconds))
	while ((SECONDS < until)); do
		now=$(ringing)
		new=$(comm -13 <(echo "$before") <(echo "$now"))
		if [[ -n $new ]]; then
			echo "went off: $new" >&2
			exit 1
		fi
		# What has become calm must stay so.
		before=$(comm -12 <(echo "$before") <(echo "$now"))
		sleep 20
	done
	echo "no new alarm in $seconds seconds"
	;;
*)
	echo "save or watch, not $what" >&2
	exit 2
	;;
esac
