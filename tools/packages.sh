# packages: Debian packages, installed only where they are missing.
# Sourced by ./dev, which has the lists.
# shellcheck shell=bash

verb_packages()
{
	packages_need "${PACKAGES_RUN[@]}"
	if [ "${1:-}" = --test ]; then
		packages_need "${PACKAGES_TEST[@]}"
	fi
}

# packages_need PACKAGE...: install those that are not there.
packages_need()
{
	local missing=() package
	for package; do
		if ! package_there "$package"; then
			missing+=("$package")
		fi
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	packages_may_install "${missing[@]}"
	note "missing packages: ${missing[*]}"
	packages_update_lists "${missing[@]}"
	run "install ${#missing[@]} packages" "$VAR/log/apt.log" \
		"apt-get install ${missing[*]}, and read what apt says" \
		as_root packages_install "${missing[@]}"
}

package_there()
{
	# Not `dpkg -s | grep -q`: grep ends first, and pipefail calls that failed.
	case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in
	installed) return 0 ;;
	*) return 1 ;;
	esac
}

packages_may_install()
{
	command -v apt-get >/dev/null ||
		die "these packages are missing and there is no apt-get: $*" \
			"./dev is for Debian 12; elsewhere install them by hand"
	is_root && return 0
	command -v sudo >/dev/null ||
		die "these packages are missing: $*" \
			"as root: apt-get install --no-install-recommends $*"
	# Ask for the password now, while the terminal is ours.  -v alone wants
	# one also where a rule (of a cloud's image) permits all without.
	sudo -n true 2>/dev/null || sudo -v || die "sudo refused" \
		"as root: apt-get install --no-install-recommends $*"
}

# as_root FUNCTION ARGUMENTS...: a function of this file, with root's rights.
as_root()
{
	if is_root; then
		"$@"
	else
		sudo bash -c "$(declare -f); \"\$@\"" as_root "$@"
	fi
}

packages_update_lists()
{
	local package
	for package; do
		if ! apt-cache policy "$package" 2>/dev/null |
			grep 'Candidate: [0-9]' >/dev/null; then
			run "apt-get update" "$VAR/log/apt-update.log" \
				"is there a network, and are the sources of apt right?" \
				as_root packages_update
			return
		fi
	done
}

packages_update()
{
	packages_apt update
}

# packages_apt ARGUMENT...: apt-get, again and again for five minutes while
# somebody has its locks: a machine that has just started updates itself.
packages_apt()
{
	local tries=100 said
	until said=$(LC_ALL=C.UTF-8 apt-get "$@" 2>&1 >&3); do
		printf '%s\n' "$said"
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ] || ! grep -q 'get lock' <<<"$said"; then
			return 1
		fi
		sleep 3
	done 3>&1
	printf '%s\n' "$said"
}

# Install without starting a service and without making a cluster: two small
# files say so to Debian's scripts, and are gone afterwards.
packages_install()
{
	local policy=/usr/sbin/policy-rc.d
	local cluster=/etc/postgresql-common/createcluster.d
	local fresh=() status=0 service
	# Gone also when the terminal is closed on us: for that it is not local.
	ours=("$cluster/ims-policy-dev.conf")
	trap 'rm -f "${ours[@]}"' EXIT
	mkdir -p "$cluster"
	printf 'create_main_cluster = false\n' >"${ours[0]}"
	# One of ours may be left from when the power went.
	if [ ! -e "$policy" ] || grep -q 'for ims-policy' "$policy"; then
		ours+=("$policy")
		printf '#!/bin/sh\n# for ims-policy/dev\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	for service in lighttpd memcached; do
		command -v "$service" >/dev/null || fresh+=("$service")
	done
	export DEBIAN_FRONTEND=noninteractive
	# Two libraries of one name, of which a machine can have one.
	if [[ " $* " == *" libhyperscan-dev "* ]] &&
		dpkg -s libvectorscan-dev >/dev/null 2>&1; then
		set -- "$@" libvectorscan-dev- libvectorscan5-
	fi
	packages_apt install -y --no-install-recommends "$@" || {
		# Old lists name versions that the archive no longer has.
		packages_apt update &&
			packages_apt install -y --no-install-recommends "$@"
	} || status=$?
	# What was brought in for us must not start at the next boot either.
	if [ -d /run/systemd/system ]; then
		for service in "${fresh[@]}"; do
			systemctl disable "$service" || true
		done
	fi
	return "$status"
}
