#!/usr/bin/env bash
# Instructions per operation of the pieces of a request, counted by valgrind.
#
#   benches/instructions.sh              all pieces
#   benches/instructions.sh read pick-2  only these
#
# Each piece runs twice, with different counts; the set-up is the same in both and falls out of the difference.
set -euo pipefail
cd "$(dirname "$0")/.."

few=1000 many=11000

if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed (Debian: apt-get install valgrind)" >&2
    exit 0
fi
cargo build --locked --quiet --profile dist --package lb-benches --bin instructions
program=${CARGO_TARGET_DIR:-target}/dist/instructions
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# counted PIECE COUNT: instructions of the whole run
counted() {
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$program" "$1" "$2" >/dev/null 2>"$scratch/said" ||
        { cat "$scratch/said" >&2; return 1; }
    sed -n 's/^\(totals\|summary\): *\([0-9]*\).*/\2/p' "$scratch/out" | tail -n 1
}

pieces=("$@")
((${#pieces[@]})) || mapfile -t pieces < <("$program")
for piece in "${pieces[@]}"; do
    low=$(counted "$piece" "$few")
    high=$(counted "$piece" "$many")
    printf '%-20s %7d\n' "$piece" $(((high - low) / (many - few)))
done
