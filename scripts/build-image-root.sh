#!/usr/bin/env bash
# Lays out what a function runs: the libraries of requirements/lambda.txt, each checked against its hash, and the code.
# The image, the tests of the image and the Zip packages are all made by this script, so that they hold the same files.
#
#   build-image-root.sh DESTINATION libraries    install the libraries there, and compile them
#   build-image-root.sh DESTINATION code         copy the code there, and compile it
#
# PYTHON names the interpreter (default: python3): what is installed fits its version and machine, unless pip's own
# settings say otherwise, as PIP_PYTHON_VERSION=3.13 PIP_PLATFORM="manylinux_2_28_aarch64 manylinux2014_aarch64" do.
set -euo pipefail
shopt -s globstar nullglob

destination=${1:?where to}
what=${2:?libraries or code}
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}

# Compiled files are trusted without a look at their source: nothing changes in a function's package, and times of
# files do not survive an image or an archive.
compile() {
	"$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$@"
}

case $what in
libraries)
	mkdir -p "$destination"
	"$python" -m pip install --disable-pip-version-check --quiet --no-compile --require-hashes --only-binary :all: \
		--target "$destination" --requirement "$source/requirements/lambda.txt"
	rm -rf "${destination:?}/bin"
	compile "$destination"
	;;
code)
	for package in ledger projections api; do
		rm -rf "${destination:?}/$package"
		cp -R "$source/$package" "$destination/$package"
		rm -rf "$destination/$package"/**/__pycache__
	done
	compile "$destination"/{ledger,projections,api}
	chmod -R a+rX "$destination"
	;;
*)
	echo "libraries or code, not $what" >&2
	exit 2
	;;
esac
