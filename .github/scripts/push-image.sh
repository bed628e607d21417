#!/usr/bin/env bash
# Builds the image of a commit and pushes it, unless it is there already (tags never move); the step's output `digest`
# names it.
#
#   push-image.sh REPOSITORY COMMIT
set -euo pipefail

repository=${1:?which repository, as REGISTRY/NAME}
commit=${2:?which commit}
registry=${repository%%/*}
name=${repository#*/}

digest() {
	aws ecr describe-images --repository-name "$name" --image-ids "imageTag=$commit" \
		--query 'imageDetails[0].imageDigest' --output text
}

if ! found=$(digest 2>/dev/null); then
	aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
	# Lambda runs a plain image; it refuses an index with attestations.
	docker build --provenance=false --sbom=false --build-arg "VERSION=$commit" --tag "$repository:$commit" .
	docker push --quiet "$repository:$commit"
	found=$(digest)
fi
echo "digest=$found" >>"${GITHUB_OUTPUT:-/dev/stdout}"
