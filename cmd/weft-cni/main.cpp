// SPDX-License-Identifier: Apache-2.0
// The CNI plugins: one static binary, hard-linked under each plugin's name.
#include <unistd.h>

#include "cni/dispatch.h"
#include "cni/plugins/plugins.h"

int main(int argc, char** argv) {
  return weft::cni::run(weft::cni::all_plugins(), argc > 0 ? argv[0] : "", environ);
}
