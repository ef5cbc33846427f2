"""The scripts of a bundle, for ``sh``: they need neither pip nor the internet."""

from __future__ import annotations

SETUP = """\
# Sourced by the others: unpacks what the machine lacks into $WORK and sets the paths.
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=${WORK:-/tmp/alpamayo}
PYTHON=${PYTHON:-python3}
ROOT=$WORK/run
ROOM=$(df --output=avail -m /dev/shm 2> /dev/null | tail -1)
[ "${ROOM:-0}" -gt 20000 ] && ROOT=/dev/shm/alpamayo
if [ ! -f "$WORK/ready" ]; then
  mkdir -p "$WORK/site" || exit 1
  for f in "$HERE"/wheels/*.whl; do "$PYTHON" -m zipfile -e "$f" "$WORK/site" || exit 1; done
  [ ! -f "$HERE/sumo/sumo.tar.xz" ] ||
    "$PYTHON" -m tarfile -e "$HERE/sumo/sumo.tar.xz" "$WORK/site" || exit 1
  if ! ldconfig -p | grep -q libEGL.so.1; then
    for f in "$HERE"/gl/*.deb; do
      dpkg -x "$f" / || { echo 'libEGL is missing: be root, or install libegl1'; exit 1; }
    done
    ldconfig
  fi
  touch "$WORK/ready"
fi
export ALPAMAYO_SHARE="$HERE/code" PYTHONPATH="$HERE/code:$WORK/site" PYTHONUNBUFFERED=1
export SUMO_HOME="$WORK"
export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
NVIDIA=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
[ -f "$NVIDIA" ] && export __EGL_VENDOR_LIBRARY_FILENAMES="$NVIDIA"
"""

START = """\
#!/bin/sh
# start.sh SECONDS [WORKERS]: starts the run in a session of its own and shows its first lines.
[ -n "$1" ] || { echo 'usage: sh start.sh SECONDS [WORKERS]'; exit 2; }
. "$(dirname "$0")/setup.sh"
"$PYTHON" -c 'import torch, numpy, cv2; print(torch.__version__, torch.cuda.is_available())' || {
  echo 'this machine has to have torch, numpy and opencv (cv2)'; exit 1; }
WORKERS=${2:-$(($(nproc) > 1 ? $(nproc) - 1 : 1))}
mkdir -p "$WORK"; rm -f "$WORK/ended"; echo "$ROOT" > "$WORK/root"
setsid nohup sh -c '"$0" -c "from alpamayo_ros.cli.main import main; main()" train stream \\
  --recipe "$1/recipe.yaml" --from "$1/begin" --root "$2" --seconds "$3" --workers "$4"
  echo $? > "$5/ended"' "$PYTHON" "$HERE" "$ROOT" "$1" "$WORKERS" "$WORK" \\
  > "$WORK/run.log" 2>&1 < /dev/null &
sleep 2; cat "$WORK/run.log"
"""

WATCH = """\
#!/bin/sh
# watch.sh SECONDS OUT: watches so long, or until the run ends; what is there by then lies in OUT.
[ -n "$2" ] || { echo 'usage: sh watch.sh SECONDS OUT'; exit 2; }
. "$(dirname "$0")/setup.sh"
END=$(($(date +%s) + $1))
while [ "$(date +%s)" -lt "$END" ] && [ ! -f "$WORK/ended" ]; do sleep 1; done
tail -n 15 "$WORK/run.log"
"$PYTHON" -m alpamayo_ros.training.bundle.back "$(cat "$WORK/root")" "$2"
FIGURES=name,utilization.gpu,memory.used
command -v nvidia-smi > /dev/null && nvidia-smi --query-gpu=$FIGURES --format=csv,noheader
[ -f "$WORK/ended" ] || { echo 'the run goes on: call watch.sh again'; exit 0; }
echo "the run ended with $(cat "$WORK/ended")"
exit "$(cat "$WORK/ended")"
"""

FILES = {'setup.sh': SETUP, 'start.sh': START, 'watch.sh': WATCH}
