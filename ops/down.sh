#!/usr/bin/env bash
# Stops what ops/up.sh or ops/deploy.sh started; volumes stay. Usage: ops/down.sh [--dev|--stack]
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  -h | --help) sed -n 2p "$0"; exit 0 ;;
  --dev) exec docker compose --file compose.dev.yaml down ;;
  --stack) exec docker stack rm "${STACK:-lexichron}" ;;
  '') exec docker compose --file compose.yaml down ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac
