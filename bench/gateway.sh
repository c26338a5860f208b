#!/usr/bin/env bash
# ./dev bench gateway: see bench/gateway/race.py --help
exec /usr/bin/python3 "$(dirname "$0")/gateway/race.py" "$@"
