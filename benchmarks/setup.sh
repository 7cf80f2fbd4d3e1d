#!/bin/sh
# Installs the peers that the benchmarks run beside Hanzo Live. What cannot be installed is said, and its row is left out.
#   benchmarks/setup.sh [PYTHON]     PYTHON (default .venv/bin/python) makes the private environment of LiteLLM.
set -u
cd "$(dirname "$0")/.." || exit 1
python=${1:-.venv/bin/python}
made=.make

say() { printf 'bench setup: %s\n' "$*"; }

# nginx and nchan are Debian packages. PostgreSQL is wanted too: P4 is measured on both databases.
missing=
[ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
[ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || missing="$missing libnginx-mod-nchan"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing the Debian packages$missing (their services are not started)"
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
            trap 'rm -f "$policy"' EXIT INT TERM
        fi
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null ||
            { apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null; } ||
            say "the Debian packages$missing could not be installed: their rows are left out"
    else
        say "missing Debian packages:$missing. Install them (apt-get install$missing) or their rows are left out"
    fi
fi

# Node ws and Socket.IO.
if ! command -v npm >/dev/null; then
    say "npm is missing (install Node 20): the rows of ws and Socket.IO are left out"
elif ! cmp -s benchmarks/peers/package-lock.json benchmarks/peers/node_modules/.installed-lock; then
    say "installing ws and Socket.IO into benchmarks/peers/node_modules"
    (cd benchmarks/peers && npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.installed-lock) ||
        say "npm could not install them: the rows of ws and Socket.IO are left out"
fi

# LiteLLM pins versions that clash with ours, hence an environment of its own.
wanted='litellm[proxy]>=1.100,<2'
if [ "$(cat "$made/litellm-venv/.installed" 2>/dev/null)" != "$wanted" ]; then
    say "installing LiteLLM's proxy into $made/litellm-venv (about 600 MB)"
    mkdir -p "$made" &&
        "$python" -m venv --clear "$made/litellm-venv" &&
        { "$python" -m uv pip install --quiet --python "$made/litellm-venv/bin/python" "$wanted" 2>/dev/null ||
            "$made/litellm-venv/bin/python" -m pip install --quiet "$wanted"; } &&
        printf '%s' "$wanted" >"$made/litellm-venv/.installed" ||
        say "LiteLLM could not be installed: its row is left out"
fi
exit 0
