#!/usr/bin/env bash
# Plans an environment, writes the plan to FILE, and says on the job's page and in CHANGES what would change.
#
#   plan.sh DIRECTORY FILE        IMAGE_URI: the image to plan with (default: the one that runs)
#
# Exit status: 0, whether something changes or not; the step's output `changes` says which (true, false).
set -euo pipefail

directory=${1:?which environment}
file=$(realpath -m "${2:?where to}")
changes=$file.md
comment_bytes=60000 # GitHub takes comments of 65,536 characters
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

image=${IMAGE_URI:-$("$here/running-image.sh" "$directory")}

# Without a lock: planning must not need the right to write to the state's bucket.
status=0
terraform -chdir="$directory" plan -input=false -lock=false -no-color -detailed-exitcode \
	-var "image_uri=$image" -out "$file" >"$file.log" || status=$?
if ((status == 1)); then
	cat "$file.log" >&2
	exit 1
fi
if ((status == 2)); then changed=true; else changed=false; fi

# All of it to the log: whoever approves must be able to read what does not fit below. Values marked sensitive are not
# shown.
terraform -chdir="$directory" show -no-color "$file" | tee "$file.txt"

{
	echo "### Terraform plan of \`$directory\`"
	echo
	grep -E '^(Plan:|No changes)' "$file.txt" || true
	if (($(wc -c <"$file.txt") > comment_bytes)); then
		echo
		echo "**It is too long to be shown here: read the rest in the log of the step that planned.**"
	fi
	echo
	echo '<details><summary>All of it</summary>'
	echo
	echo '```terraform'
	head -c "$comment_bytes" "$file.txt"
	echo
	echo '```'
	echo
	echo '</details>'
} >"$changes"

cat "$changes" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
echo "changes=$changed" >>"${GITHUB_OUTPUT:-/dev/null}"
