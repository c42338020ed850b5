#!/usr/bin/env bash
# librdkafka by kcat: one line for each step, 1 on a failure. kcat makes no topics by itself; the broker does.
set -uo pipefail
kcat=$(command -v kcat || command -v kafkacat)
bootstrap=$1
topic=kcat-$$
fail() { echo "$1 failed: expected '$2', got '$3'"; exit 1; }
read_all() { "$kcat" -b "$bootstrap" -C -t "$1" -o beginning -e -q 2>/dev/null | sort | tr '\n' ' '; }

"$kcat" -b "$bootstrap" -L | grep -q 'broker 1 at' || fail admin 'broker 1' 'none'
echo 'admin ok'
printf 'a\nb\nc\n' | "$kcat" -b "$bootstrap" -P -t "$topic" || fail produce 0 "$?"
echo 'produce ok'
got=$(read_all "$topic"); [ "$got" = 'a b c ' ] || fail consume 'a b c ' "$got"
echo 'consume ok'
got=$(timeout 20 "$kcat" -b "$bootstrap" -G "$topic-group" -X auto.offset.reset=earliest -c 3 -q "$topic" 2>/dev/null | sort | tr '\n' ' ')
[ "$got" = 'a b c ' ] || fail group 'a b c ' "$got"
echo 'group ok'
for codec in gzip lz4 snappy zstd; do
  echo "$codec" | "$kcat" -b "$bootstrap" -P -t "$topic-codecs" -z "$codec" || fail codecs 0 "$codec"
done
got=$(read_all "$topic-codecs"); [ "$got" = 'gzip lz4 snappy zstd ' ] || fail codecs 'gzip lz4 snappy zstd ' "$got"
echo 'codecs ok'
