#!/bin/sh
# Fail if cppcheck has something to say.  Suppressed: readdir (a stream is one
# thread's; readdir_r is deprecated), uninitvar (wrong about `&local` in a
# conditional; gcc, clang-tidy and valgrind look for the same), autoVariables
# (wrong about a callback's argument that is reset before the return).
set -eu
. "$(dirname "$0")/lib.sh"

exec cppcheck --quiet --std=c11 --error-exitcode=1 -j "$(nproc)" \
	--enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=preprocessorErrorDirective \
	--suppress=readdirCalled --suppress=uninitvar \
	--suppress=autoVariables -D_GNU_SOURCE -D__GNUC__ -UNDEBUG \
	-DPKGDATADIR='"/usr/share/ims-policy"' -DPACKAGE_VERSION='"0"' \
	-Iinclude src
