#!/usr/bin/env bash
# Makes every fault happen, one file of tests/tests/fault after the other, and prints a table. `tests/faults.sh relay` runs those
# whose file name contains `relay`. Some need root, to mount a small disk; some take minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --workspace --all-targets
output=$(mktemp)
trap 'rm -f "$output"' EXIT
table=
failed=0

for file in $(grep -l '^//! Fault ' tests/tests/fault/*"${1:-}"*.rs | while read -r file; do
    printf '%s %s\n' "$(sed -n '1s/^\/\/! Fault \([0-9a-z]*\):.*/\1/p' "$file")" "$file"
done | sort -V | cut -d' ' -f2); do
    promise=$(basename "$file" .rs)
    fault=$(sed -n '1s/^\/\/! Fault \([0-9a-z]*\):.*/\1/p' "$file")
    began=$SECONDS
    # A test that is marked as long is not left out here.
    if cargo test -q -p system-tests --test fault -- "$promise::" --include-ignored --test-threads=1 --show-output >"$output" 2>&1; then
        result=kept
        # What they measured: how many commands, how long the pauses.
        sed -n '/^---- .* stdout ----$/,/^successes:$/{/^----/d;/^successes:$/d;/^$/d;p}' "$output"
    else
        result=BROKEN
        failed=1
        cat "$output"
    fi
    tests=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' "$output")
    row=$(printf '%5s  %-58s %6s %6s %7d  %s' "$fault" "${promise//_/ }" "${tests% *}" "${tests#* }" $((SECONDS - began)) "$result")
    printf '%s\n' "$row"
    table+=$row$'\n'
done

printf '\n%5s  %-58s %6s %6s %7s  %s\n' fault promise passed failed seconds result
printf '%s' "$table"
exit "$failed"
