#!/usr/bin/env bash
# Does what the Dockerfile says, without Docker: its own RUN and COPY steps in an empty folder that stands for each
# stage's root, then starts what the image would start, and asks it. Needs Python 3.11, Node and curl.
#
#   deploy/docker/test-steps.sh [FOLDER]        FOLDER is made, and kept; without one it is a temporary folder
#   ASSETS=checkout …                           takes the pages' assets from this checkout, where npm has built them
#
# What it cannot show: the base images, another user than this one, and a root that really cannot be written (it looks
# afterwards whether anything was).
set -euo pipefail
cd "$(dirname "$0")/../.."
REPOSITORY=$PWD
DOCKERFILE=deploy/docker/Dockerfile

if [ $# -gt 0 ]; then
    mkdir -p "$1"
    FRESH=$(cd "$1" && pwd)
else
    FRESH=$(mktemp -d)
    trap 'rm -rf "$FRESH"' EXIT
fi
[ -z "$(ls -A "$FRESH")" ] || { echo "$FRESH is not empty." >&2; exit 2; }
# python in the steps is the Python that the project is tested with.
PATH=$REPOSITORY/.venv/bin:$PATH
unset VIRTUAL_ENV
ALL_STAGES=$FRESH/stages

# Reading --------------------------------------------------------------------------------------------------------

# One instruction a line: comments go, continued lines are joined.
instructions() {
    sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$DOCKERFILE" | sed -e ':a' -e '/\\$/{N;s/[[:space:]]*\\\n[[:space:]]*/ /;ba}'
}

# Absolute paths of the image, as they are here. The virtual environment knows its own path, so all stages share one root.
here() { sed -E "s#(^|[\"' =:>])/(build|opt|data|usr/local|etc/passwd)#\1$ROOT/\2#g"; }

copy() {
    local from=
    while [[ ${1:-} == --* ]]; do
        [[ $1 == --from=* ]] && from=${1#--from=}
        shift
    done
    local sources=("${@:1:$#-1}") target=${!#} source
    if [ -n "$from" ]; then
        [ -e "$ALL_STAGES/$from" ] || { echo "COPY --from=$from: no such stage" >&2; exit 1; }
        source=$(here <<<"${sources[0]}")
        [ -e "$source" ] || { echo "COPY --from=$from: ${sources[0]} was not made" >&2; exit 1; }
        target=$(here <<<"$target")
        [[ $target == /* ]] || target=$WORKDIR/$target
        printf '%s\n' "$target" >>"$ALL_STAGES/$STAGE"
        [ "$source" -ef "$target" ] || { mkdir -p "$(dirname "$target")" && cp -a "$source" "$target"; }
        return
    fi
    for source in "${sources[@]}"; do
        if [ -d "$source" ]; then
            # As .dockerignore has it: what was installed or built here does not get in.
            mkdir -p "$WORKDIR/$target"
            tar -C "$source" --exclude=node_modules --exclude=dist --exclude=__pycache__ --exclude=./static/app -cf - . | tar -C "$WORKDIR/$target" -xf -
        else
            [[ $target == */ ]] && mkdir -p "$WORKDIR/$target"
            cp "$source" "$WORKDIR/$target"
        fi
    done
}

run() {
    local command=$1
    while [[ $command == --* ]]; do command=${command#* }; done
    command=$(here <<<"$command")
    if [ "$STAGE ${ASSETS:-}" = "assets checkout" ]; then
        echo "-- in place of: RUN $command"
        mkdir -p "$ROOT/build/hanzolive/static"
        cp -a hanzolive/static/app "$ROOT/build/hanzolive/static/"
        return
    fi
    echo "-- RUN $command"
    (cd "$WORKDIR" && env "${ARGUMENTS[@]}" sh -ec "$command")
}

# Doing ----------------------------------------------------------------------------------------------------------

ROOT=$FRESH/root
mkdir -p "$ROOT/etc" "$ROOT/usr/local" "$ALL_STAGES"
ARGUMENTS=(A=) ENVIRONMENT=() COMMAND='' HEALTH='' STAGE='' WORKDIR=$ROOT
while read -r instruction rest; do
    case $instruction in
        FROM)
            STAGE=$([[ $rest == *" AS "* ]] && echo "${rest##* AS }" || echo final)
            : >"$ALL_STAGES/$STAGE"
            ARGUMENTS=(A=) WORKDIR=$ROOT
            ;;
        ARG) ARGUMENTS+=("$rest") ;;
        WORKDIR) WORKDIR=$(here <<<"$rest") && mkdir -p "$WORKDIR" ;;
        COPY) read -ra words <<<"$rest" && copy "${words[@]}" ;;
        RUN) run "$rest" ;;
        ENV) eval "ENVIRONMENT+=($(sed "s#/opt/#$ROOT/opt/#g; s#=/data#=$ROOT/data#g; s#/usr/local/bin#$PATH#g" <<<"$rest"))" ;;
        CMD) COMMAND=$rest ;;
        HEALTHCHECK) HEALTH=${rest#*CMD } ;;
        LABEL | USER | VOLUME | EXPOSE) ;;
        *) echo "$DOCKERFILE: $instruction is not known to $0." >&2 && exit 1 ;;
    esac
done < <(instructions)

# The image has what its last stage copied and nothing else, so nothing else may be needed.
mv "$ROOT" "$FRESH/built"
while read -r kept; do
    mkdir -p "$(dirname "$kept")" && mv "$FRESH/built${kept#"$ROOT"}" "$kept"
done <"$ALL_STAGES/final"
rm -rf "$FRESH/built"
echo "-- The image's own files: $(du -sm "$ROOT" | cut -f1) MB"
for tool in pip gcc npm; do
    [ ! -e "$ROOT/opt/hanzo-live/bin/$tool" ] || { echo "The image has $tool." >&2; exit 1; }
done

# Asking ---------------------------------------------------------------------------------------------------------

words() { python -c 'import json, sys; print(*json.loads(sys.argv[1]), sep="\n")' "$1"; }
# To be called in a shell of its own, which becomes the program: signals reach it.
in_image() { cd "$ROOT/data" && exec env -i "${ENVIRONMENT[@]}" "${SETTINGS[@]}" "$@"; }
free_port() { python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

PORT=$(free_port) NODE_PORT=$(free_port)
# No request of the test leaves this machine, and no port but a free one is taken.
SETTINGS=("PORT=$PORT" "NODE_URL=http://127.0.0.1:$NODE_PORT" NO_PROXY=127.0.0.1 HOST=127.0.0.1)
touch "$FRESH/begun"
RUNNING=()
# shellcheck disable=SC2064
trap "kill \${RUNNING[@]} 2>/dev/null || true; wait; $([ $# -gt 0 ] || echo "rm -rf '$FRESH'")" EXIT
in_image hanzo-live node --port "$NODE_PORT" &
RUNNING+=($!)
mapfile -t command < <(words "$COMMAND")
in_image "${command[@]}" >"$FRESH/served" 2>&1 &
SERVER=$!
RUNNING+=($SERVER)

mapfile -t health < <(words "$HEALTH")
for ((tries = 0; ; tries++)); do
    (in_image "${health[@]}" 2>/dev/null) && break
    if [ $tries -ge 300 ] || ! kill -0 $SERVER 2>/dev/null; then
        cat "$FRESH/served" >&2
        echo "It did not become healthy." >&2
        exit 1
    fi
    sleep 0.3
done
curl --noproxy '*' -sf "http://127.0.0.1:$PORT/health" >/dev/null
echo "-- /health answers"
TOKEN=$(in_image hanzo-live user create image --token | tail -1)
ANSWER=$(curl --noproxy '*' -sfN -m 60 "http://127.0.0.1:$PORT/v1/streams" -H "Authorization: Bearer $TOKEN" -H "Accept: text/event-stream" \
    -H "Content-Type: application/json" -d '{"messages": [{"role": "user", "content": "Is anybody in?"}], "model": "script-text"}')
grep -q "^event: token" <<<"$ANSWER" && grep -q "^event: complete" <<<"$ANSWER" || { echo "No streamed answer: $ANSWER" >&2; exit 1; }
echo "-- An answer was streamed"
curl --noproxy '*' -sf "http://127.0.0.1:$PORT/" -o "$FRESH/page" -L
ASSET=$(grep -o '/static/app/assets/[^"]*\.js' "$FRESH/page" | head -1)
curl --noproxy '*' -sf "http://127.0.0.1:$PORT$ASSET" -o /dev/null
echo "-- The page's $ASSET is there"
kill $SERVER
wait $SERVER
echo "-- It stops when asked"
WRITTEN=$(find "$ROOT" -newer "$FRESH/begun" -type f -not -path "$ROOT/data/*" | head -5)
[ -z "$WRITTEN" ] || { echo "Something is written outside /data: $WRITTEN" >&2; exit 1; }
echo "-- Nothing was written outside /data"
