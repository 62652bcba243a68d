#!/usr/bin/env bash
# Instructions per operation of lb-sched and of its peers, counted by valgrind, in a pool of 64 backends or as given.
#
#   benches/peers/instructions.sh [BACKENDS]
set -euo pipefail
cd "$(dirname "$0")"

size=${1:-64} few=1000 many=11000

if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed (Debian: apt-get install valgrind)" >&2
    exit 0
fi
cargo build --locked --quiet --release
program=${CARGO_TARGET_DIR:-target}/release/scheduling-peers
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# counted NUMBER COUNT: instructions of the whole run
counted() {
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$program" "$size" "$1" "$2" >/dev/null 2>"$scratch/said" ||
        { cat "$scratch/said" >&2; return 1; }
    sed -n 's/^\(totals\|summary\): *\([0-9]*\).*/\2/p' "$scratch/out" | tail -n 1
}

number=0
"$program" "$size" | while read -r name; do
    low=$(counted "$number" "$few")
    high=$(counted "$number" "$many")
    printf '%7d  %s\n' $(((high - low) / (many - few))) "$name"
    number=$((number + 1))
done
