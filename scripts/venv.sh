# Sourced by the other scripts: makes .venv and installs into it what is asked for, once.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"

# find_python: the first interpreter on the PATH that is new enough.
find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Emotion-DJ needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)." >&2
  return 1
}

# install NAME ARG...: pip-install ARG... into .venv, unless NAME was installed from the same files.
install() {
  local name=$1 stamp="$venv/.installed-$1" state
  shift
  state=$(cat "$root/pyproject.toml" "$root"/constraints*.txt | cksum; echo "$@")
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ] && return
  [ -x "$venv/bin/python" ] || "$(find_python)" -m venv "$venv"
  echo "Installing what '$name' needs into .venv (only the first time) ..." >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
  echo "$state" >"$stamp"
}
