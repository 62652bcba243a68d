#!/usr/bin/env bash
# A host name that ends with a dot is absolute: the resolver adds no search domain. One would think that such a name is
# found wherever the name without the dot is found. In glibc's /etc/hosts it is not: the file is compared letter by letter,
# so `localhost` has an address and `localhost.` has none, although RFC 6761 (section 6.3) gives both the same one.
# A program that hands absolute names to getaddrinfo(3) must look into /etc/hosts itself, without the dot.
#
# Seen: Debian 12, libc-bin 2.36-9+deb12u14 (getent), nsswitch.conf `hosts: files dns`; `getent ahosts localhost.` exits 2.
# Needs bash, coreutils and glibc's getent. Asks only for names of /etc/hosts. Exit 0: it behaves as described; 1: it does not.
set -euo pipefail
export LC_ALL=C

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "version: $(getent --version | head -n 1)"

# A name of /etc/hosts, whichever the machine has.
name=$(sed 's/#.*//' /etc/hosts | awk 'NF > 1 && $1 ~ /^(127\.|::1$)/ { print $2; exit }')
[[ -n $name ]] || { echo "/etc/hosts has no name of this machine: nothing can be seen" >&2; exit 1; }

# `files` alone: no DNS server has a word in it.
plain=0 dotted=0
getent -s files ahosts "$name" >"$scratch/plain" || plain=$?
getent -s files ahosts "$name." >"$scratch/dotted" || dotted=$?
echo "getent ahosts $name:  exit $plain, $(wc -l <"$scratch/plain") lines"
echo "getent ahosts $name.: exit $dotted, $(wc -l <"$scratch/dotted") lines"

if [[ $plain -eq 0 && -s $scratch/plain && $dotted -eq 2 && ! -s $scratch/dotted ]]; then
    echo "as described: with the final dot the name is not found"
else
    echo "changed: the two names are no longer treated so" >&2
    exit 1
fi
