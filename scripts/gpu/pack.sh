#!/usr/bin/env bash
# Packs what a bare GPU machine lacks (Node, npm, node_modules, the CPU addon with oneDNN) into .gpu-kit/, and the data
# set into .gpu-data/; both are ignored by git. Such a machine has a CUDA toolkit, g++, CMake, Python with PyTorch (and
# with it cuDNN and cuBLAS), no network.
#   here:   npm run gpu:pack
#   there:  . .gpu-kit/unpack.sh && npm run gpu:check -- --out DIR
set -euo pipefail
cd "$(dirname "$0")/../.."
kit=.gpu-kit
data=${RESIDUA_DATA:-/usr/share/datasets/fashion-mnist}
mkdir -p $kit .gpu-data

if [ ! -s $kit/node.xz ]; then
  strip -o $kit/node "$(readlink -f "$(command -v node)")" || cp "$(readlink -f "$(command -v node)")" $kit/node
  xz -T0 -6 -f $kit/node
fi
npm_folder=$(cd "$(dirname "$(readlink -f "$(command -v npm)")")/../.." && pwd)/npm
tar -c --exclude='*.map' --exclude='*.md' --exclude='*.d.cts' --exclude='node_modules/.cache' \
  --exclude='node_modules/@biomejs' node_modules | xz -T0 -6 > $kit/modules.tar.xz
tar -c -C "$(dirname "$npm_folder")" npm | xz -T0 -6 > $kit/npm.tar.xz
# The CPU addon and its oneDNN: they are the reference to compare with, and that machine cannot build them.
library=$(ldd build/Release/residua.node | awk '/libdnnl/ { print $3 }')
cp -L build/Release/residua.node "$library" $kit/
tar -c -C $kit residua.node "$(basename "$library")" | xz -T0 -6 > $kit/cpu.tar.xz
rm $kit/residua.node "$kit/$(basename "$library")"
for file in "$data"/*-ubyte.gz; do
  packed=.gpu-data/$(basename "${file%.gz}").xz
  [ -s "$packed" ] || zcat "$file" | xz -T0 -6 > "$packed"
done

cat > $kit/unpack.sh <<'U'
# To be sourced in the project's root on the GPU machine.
mkdir -p /tmp/kit/bin /tmp/kit/data build/Release
[ -x /tmp/kit/bin/node ] || { xz -dc .gpu-kit/node.xz > /tmp/kit/bin/node && chmod +x /tmp/kit/bin/node; }
[ -d node_modules/node-addon-api ] || xz -dc .gpu-kit/modules.tar.xz | tar x
[ -d /tmp/kit/npm ] || { xz -dc .gpu-kit/npm.tar.xz | tar x -C /tmp/kit
  printf '#!/bin/sh\nexec node /tmp/kit/npm/bin/npm-cli.js "$@"\n' > /tmp/kit/bin/npm; chmod +x /tmp/kit/bin/npm; }
[ -s build/Release/residua.node ] || xz -dc .gpu-kit/cpu.tar.xz | tar x -C build/Release
for file in .gpu-data/*.xz; do
  [ -e "$file" ] || continue
  to=/tmp/kit/data/$(basename "${file%.xz}").gz
  [ -s "$to" ] || xz -dc "$file" | gzip -1 > "$to"
done
export PATH=/tmp/kit/bin:$PWD/node_modules/.bin:$PATH RESIDUA_DATA=/tmp/kit/data
export LD_LIBRARY_PATH=$PWD/build/Release${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
CUDA_LIBS_ROOT=$(python3 -c 'import os, nvidia.cudnn as c; print(os.path.dirname(os.path.dirname(list(c.__path__)[0])))')
export CUDA_LIBS_ROOT
U
du -sh $kit .gpu-data
total=$(( $(git ls-files -z | xargs -0 du -cb 2>/dev/null | tail -1 | cut -f1) + $(du -sb $kit | cut -f1) ))
echo "the project and $kit: $((total / 1048576)) MiB"
