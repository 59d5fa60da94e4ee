# Sourced by the other scripts: makes .venv and installs into it what is asked for, once.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv="$root/.venv"

# Python 3.11 reads the path of the clone by the locale, and ends in the plain one where it has an umlaut.
case "${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}" in C | POSIX) export LC_ALL=C.UTF-8 ;; esac

# find_python: the first interpreter on the PATH that is new enough.
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Emotion-DJ needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)." >&2
  return 1
}

# pins: the versions to install; where training was installed its own stay, for others would break it.
pins() {
  if [ -f "$venv/.installed-train" ]; then echo "$root/constraints-train.txt"; else echo "$root/constraints.txt"; fi
}

# make_venv: makes .venv where there is none that works here, as after the clone was moved.
make_venv() {
  if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 || ! grep -qsF -- "$venv" "$venv/pyvenv.cfg"; then
    "$(find_python)" -m venv --clear "$venv"
  fi
}

# install NAME MEGABYTES ARG...: pip-install ARG... into .venv, unless NAME was installed from the same files.
install() {
  local name=$1 megabytes=$2 stamp="$venv/.installed-$1" state
  shift 2
  state=$(cat "$root/pyproject.toml" "$root"/constraints*.txt | cksum; echo "$@")
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ] && return
  make_venv
  "$venv/bin/python" "$root/scripts/install.py" "$name" "$megabytes" "$@"
  echo "$state" >"$stamp"
}
