#!/bin/sh
# Runs each target, or those that are named, for FUZZ_SECONDS each, one after another, and prints a table. What a target logged stands in
# `figures/<target>.log`, an input that it could not take in `artifacts/<target>/`.
set -eu
cd "$(dirname "$0")"
# The sanitizer's flags are not on the stable channel.
export RUSTC_BOOTSTRAP=1
seconds=${FUZZ_SECONDS:-600}
targets=${*:-commands cloud_events sealed_values catalogue import events attachments places}
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
./seeds.sh
mkdir -p figures
for target in $targets; do
    cargo fuzz build -s "${FUZZ_SANITIZER:-address}" "$target"
done
failed=0
for target in $targets; do
    mkdir -p "artifacts/$target"
    echo "$target: $seconds seconds" >&2
    cargo fuzz run -s "${FUZZ_SANITIZER:-address}" "$target" "corpus/$target" -- "-dict=dictionaries/$target.dict" \
        "-max_total_time=$seconds" -rss_limit_mb=4096 -timeout=10 -print_final_stats=1 \
        >"figures/$target.log" 2>&1 || failed=1
done
printf '%-14s %12s %10s %8s %9s %8s\n' target executions 'a second' edges features crashes
for target in $targets; do
    log=figures/$target.log
    of() {
        sed -n "s/.*$1:* *\([0-9]*\).*/\1/p" "$log" | tail -n 1
    }
    crashes=$(find "artifacts/$target" -type f | wc -l)
    printf '%-14s %12s %10s %8s %9s %8s\n' "$target" "$(of number_of_executed_units)" "$(of average_exec_per_sec)" \
        "$(of cov)" "$(of ft)" "$crashes"
done
exit $failed
