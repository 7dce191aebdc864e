# What the benchmarks share; read with `source`.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

sql() { # DATABASE, then the arguments of psql
  psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$@"
}

databases=()
create_database() { # NAME; dropped at the end
  sql postgres -c "CREATE DATABASE $1"
  databases+=("$1")
  sql "$1" -c 'CREATE EXTENSION mv_orchestrator'
}
drop_databases() {
  local each
  for each in "${databases[@]}"; do
    sql postgres -c "DROP DATABASE $each WITH (FORCE)" || true
  done
}
trap drop_databases EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

median() { # NUMBER...
  printf '%s\n' "$@" | sort -g | awk '{ value[NR] = $1 }
    END { printf "%.2f\n", (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

load() {
  echo "load average: $(cut -d ' ' -f 1-3 /proc/loadavg)"
}

# The median of the pairs' ratios, as a machine that is slow for a while is slow for both of a pair.
missed=0
report() { # WHAT, AGAINST WHAT, MOST, arrays of milliseconds: NAME OF OURS, NAME OF THE PEER'S
  local -n a=$4 b=$5
  local ratios=() i ratio verdict=met
  for i in "${!a[@]}"; do
    ratios+=("$(awk -v a="${a[i]}" -v b="${b[i]}" 'BEGIN { print a / b }')")
  done
  ratio=$(median "${ratios[@]}")
  awk -v a="$ratio" -v b="$3" 'BEGIN { exit !(a > b) }' && verdict=MISSED && missed=1
  echo "median: $1 $(median "${a[@]}") ms, $2 $(median "${b[@]}") ms"
  echo "median ratio: $ratio (target: at most $3, $verdict)"
}
