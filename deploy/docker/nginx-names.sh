#!/bin/sh
# Run by the nginx image before nginx starts: deploy/nginx/hanzo-live.conf with this place's names where it says CHANGE.
# LIVE_HOST is the name by which people come, WEB the web processes: "web-1:3001 web-2:3001".
set -eu
from=${FROM:-/etc/hanzo-live} to=${TO:-/etc/nginx}

rm -f "$to/conf.d/default.conf"
awk -v host="$LIVE_HOST" -v web="$WEB" -v proxy="$from/hanzo-live-proxy.inc" '
    /^    server 127\.0\.0\.1:/ {
        if (!told++) { n = split(web, each, " "); for (i = 1; i <= n; i++) print "    server " each[i] " max_fails=2 fail_timeout=5s;" }
        next
    }
    {
        gsub(/live\.example\.com/, host)
        gsub(/\/var\/log\/nginx\/hanzo-live\.log/, "/dev/stdout")
        gsub(/\/etc\/nginx\/hanzo-live-proxy\.inc/, proxy)
        print
    }
' "$from/hanzo-live.conf" >"$to/conf.d/hanzo-live.conf"
