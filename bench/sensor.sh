#!/usr/bin/env bash
# ./dev bench sensor [--megabytes N] [--runs N] [--make] [--long]: packets a second of `chancery detect` beside ndpiReader on the same capture.
set -euo pipefail
exec python3 "$(dirname "$0")/sensor/race.py" --chancery "$1/chancery" --folder "$1" "${@:2}"
