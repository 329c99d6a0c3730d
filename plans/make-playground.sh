#!/bin/sh
# Copies the fixture library to a new folder that is a git repository of its own:
#   sh plans/make-playground.sh /tmp/small-library
set -eu
target=${1:?"usage: $0 NEW-FOLDER"}
[ ! -e "$target" ] || { echo "$target exists already" >&2; exit 2; }

cp -R "$(dirname "$0")/fixtures/small-library" "$target"
cd "$target"
git init --quiet
# An identity for this repository only: backups are commits, too.
git config user.name playground
git config user.email playground@localhost
git add --all
git commit --quiet --message 'The library as it came'
