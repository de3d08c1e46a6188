# lib: what the style checks share.  Sourced; it goes to the root of the tree.
# shellcheck shell=sh

cd "$(dirname "$0")/../.." || exit 1

# What the compilers need to know outside of a build folder.
style_cflags()
{
	printf '%s ' -std=c11 -D_GNU_SOURCE -Iinclude \
		-DPKGDATADIR='"/usr/share/ims-policy"' \
		-DPACKAGE_VERSION='"0"' -DPACKAGE_NAME='"ims-policy"'
	pkg-config --cflags inih json-c libhs libutf8proc libpq \
		libsodium glib-2.0 libmemcached lmdb libisal cmocka
}

style_warnings()
{
	printf '%s ' -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Wpointer-arith -Wcast-qual \
		-Wwrite-strings -Wvla -Wundef -Wformat=2 -Wconversion \
		-Wno-sign-conversion -Werror
}

style_headers()
{
	find include -name '*.h' ! -name '*.tbl.h' | sort
}

style_sources()
{
	find src tests -name '*.c' | sort
}
