#!/usr/bin/env bash
# Remembers which version each function's alias points to, and points it there again.
#
#   aliases.sh save DIRECTORY FILE      one line a function: its name and version
#   aliases.sh restore FILE
#
# The alias is Terraform's: after a restore the next plan shows the difference, until the commit that caused it is
# reverted or mended.
set -euo pipefail

alias=live

case ${1:?save or restore} in
save)
	directory=${2:?which environment}
	file=${3:?where to}
	: >"$file"
	# All outputs, since one that is not there yet is an error: before the first deployment there are none.
	outputs=$(terraform -chdir="$directory" output -json)
	jq -r '.functions.value // {} | .[]' <<<"$outputs" | while read -r name; do
		version=$(aws lambda get-alias --function-name "$name" --name "$alias" --query FunctionVersion --output text)
		echo "$name $version" >>"$file"
	done
	cat "$file"
	;;
restore)
	file=${2:?which file}
	failed=0
	# One that can't go back must not keep the others from it.
	while read -r name version; do
		aws lambda update-alias --function-name "$name" --name "$alias" --function-version "$version" \
			--query '[AliasArn, FunctionVersion]' --output text </dev/null || failed=1
	done <"$file"
	exit "$failed"
	;;
*)
	echo "save or restore, not $1" >&2
	exit 2
	;;
esac
