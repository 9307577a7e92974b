#!/bin/sh
# Build the upload page from page/ into src/keyhole/service/page, with the Node of the virtual environment, where its
# sources have changed. Without a registry the service gets a page that says so; all of its API works.
set -u
out=src/keyhole/service/page
stamp="$out/.built"
bin=$(cd .venv/bin && pwd)
export PATH="$bin:$PATH"
# A folder is newer too when a file in it went away.
if [ -e "$stamp" ] && [ -z "$(find page -name node_modules -prune -o -newer "$stamp" -print | head -n 1)" ]; then
    exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
installed=page/node_modules/.installed
if ! [ -e "$installed" ] || [ page/package-lock.json -nt "$installed" ]; then
    echo "installing the JavaScript packages of the upload page…"
    if (cd page && npm ci --silent --no-audit --no-fund --fetch-retries=1 >"$log" 2>&1); then
        touch "$installed"
    else
        tail -n 3 "$log"
        rm -rf page/node_modules
        echo "NOTE: THE UPLOAD PAGE IS NOT BUILT: npm could not install its packages. Is there a registry within reach?"
        echo "      The API works without the page. \`make setup\` tries again."
        if [ -e "$out/index.html" ]; then
            echo "      What is there is the page of an earlier build."
        else
            mkdir -p "$out"
            cp page/unbuilt.html "$out/index.html"
        fi
        exit 0
    fi
fi
echo "building the upload page…"
if (cd page && npx --no-install vite build --logLevel warn >"$log" 2>&1); then
    touch "$stamp"
else
    cat "$log"
    echo "the upload page could not be built"
    exit 1
fi
