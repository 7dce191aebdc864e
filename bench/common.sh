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

# Many small views, each with an index.
small_views=200
small_rows=300
create_small_views() { # DATABASE
  sql "$1" -o /dev/null <<SQL
CREATE TABLE measurement AS
SELECT i AS id, (i - 1) / $small_rows + 1 AS series, md5(i::text) AS value
FROM generate_series(1, $small_views * $small_rows) i;
CREATE INDEX ON measurement (series);
VACUUM ANALYZE measurement;
SELECT mv_register('series_' || i,
  format('SELECT id, value FROM measurement WHERE series = %s', i), unique_key => '{id}')
FROM generate_series(1, $small_views) i;
SELECT mv_create_all();
VACUUM ANALYZE;
SQL
}

write_refresh_script() { # DATABASE
  echo 'BEGIN;'
  sql "$1" -c "SELECT format('REFRESH MATERIALIZED VIEW %s;', name) FROM mv_order() ORDER BY step"
  echo 'COMMIT;'
}

# Wall times of psql with ours.sql and peer.sql, in turns after a warm-up, into those arrays.
ours=()
peer=()
in_turns() { # DATABASE, DIRECTORY, PAIRS, WHAT, AGAINST WHAT
  local i a b
  for ((i = 0; i <= $3; i++)); do
    a=$(timed_script "$1" "$2/ours.sql")
    b=$(timed_script "$1" "$2/peer.sql")
    echo "$( ((i)) && echo "pair $i" || echo warm-up): $4 $a ms, $5 $b ms"
    ((i == 0)) || { ours+=("$a") peer+=("$b"); }
  done
}

timed_script() { # DATABASE, FILE -> milliseconds
  local started=$EPOCHREALTIME
  sql "$1" -o /dev/null -f "$2"
  awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", 1000 * (b - a) }'
}
