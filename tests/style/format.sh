#!/bin/sh
# Fail if clang-format would change a file (tables *.tbl.h are laid out by
# hand).
set -eu
. "$(dirname "$0")/lib.sh"

{
	style_headers
	style_sources
	find src tests -name '*.h' ! -name '*.tbl.h'
} | xargs clang-format --dry-run -Werror
