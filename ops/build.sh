#!/usr/bin/env bash
# Builds the image. Usage: ops/build.sh [TAG]   (lexichron:latest); BASE=... for another base with Node 24 and npm.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in -h | --help) sed -n 2p "$0"; exit 0 ;; esac
exec docker build --tag "${1:-lexichron:latest}" ${BASE:+--build-arg "BASE=$BASE"} .
