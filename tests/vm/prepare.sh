#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes build/vm/{vmlinuz,initramfs.gz,lib/modules/VERSION} from Debian's own kernel package. Nothing is
# installed: the package is downloaded and unpacked. Does nothing when it has been done.
set -euo pipefail
cd "$(dirname "$0")/../.."
vm=$PWD/build/vm
[ ! -e "$vm/ready" ] || exit 0
mkdir -p "$vm"
cd "$vm"

package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
[ -n "$package" ] || { echo "vm: no linux-image-amd64 known to apt: run apt-get update" >&2; exit 1; }
if ! compgen -G "${package}_*.deb" >/dev/null; then
  echo "vm: downloading $package"
  apt-get -qq -o APT::Sandbox::User=root download "$package"
fi
version=${package#linux-image-}
dpkg-deb --fsys-tarfile "${package}"_*.deb | tar -x ./boot "./lib/modules/$version"
depmod -b "$vm" "$version"
cp "boot/vmlinuz-$version" vmlinuz
echo "$version" >version

# The initramfs holds what it takes to reach the host's root over 9p, and no more.
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage"/{bin,modules,proc,sys,dev,lower,rw,new}
cp /bin/busybox "$stage/bin/"
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci 9pnet 9pnet_virtio \
  netfs fscache 9p overlay; do
  path=$(find "lib/modules/$version/kernel" -name "$module.ko")
  [ -n "$path" ] || continue # built into this kernel
  cp "$path" "$stage/modules/"
  echo "$module" >>"$stage/modules/order"
done
cp "$OLDPWD/tests/vm/initramfs-init" "$stage/init"
(cd "$stage" && find . | cpio -o -H newc --quiet | gzip -1) >initramfs.gz
touch ready
