#!/usr/bin/env bash
# So many nodes of the service. Usage: ops/scale.sh NUMBER   (of the stack that STACK names, lexichron)
set -euo pipefail
case "${1:-}" in
  -h | --help) sed -n 2p "$0"; exit 0 ;;
  [1-9] | [1-9][0-9]) ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac
exec docker service scale "${STACK:-lexichron}_lexichron=$1"
