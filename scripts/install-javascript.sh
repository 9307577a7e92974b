#!/bin/sh
# Install the locked JavaScript packages of a folder with the Node of the virtual environment, where they are not there
# yet. Without a registry the tests that need them say that they were skipped, and why.
set -u
folder=$1
bin=$(cd .venv/bin && pwd)
stamp="$folder/node_modules/.installed"
if [ -e "$stamp" ] && ! [ "$folder/package-lock.json" -nt "$stamp" ]; then
    exit 0
fi
echo "installing the JavaScript packages of $folder…"
log=$(mktemp)
if (cd "$folder" && PATH="$bin:$PATH" npm ci --silent >"$log" 2>&1); then
    touch "$stamp"
else
    tail -n 3 "$log"
    rm -rf "$folder/node_modules"
    echo "NOTE: they could not be installed: the tests that need them will be skipped"
fi
rm -f "$log"
