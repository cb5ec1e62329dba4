#!/usr/bin/env bash
# Starts one node on the engines of production on this machine. Usage: ops/up.sh [--dev]   (--dev: source mounted, embedded engines)
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  -h | --help) sed -n 2p "$0"; exit 0 ;;
  --dev) exec docker compose --file compose.dev.yaml up ;;
  '') ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac
ops/secrets.sh single
exec docker compose --file compose.yaml up --build --detach --wait
